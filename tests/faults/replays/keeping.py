"""What came of schedules, a line for each, so that a run can go on where another ended."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.faults.judging import Verdict
from tests.faults.replays.lane import Replayed
from tests.faults.replays.plans import Plan

NAME = "found.jsonl"


def add(folder: Path, plan: Plan, one: Replayed) -> None:
    """Keeps one more."""
    with (folder / NAME).open("a", encoding="utf-8") as kept:
        kept.write(json.dumps({"plan": asdict(plan), "replayed": asdict(one)}) + "\n")


def read(folder: Path) -> dict[Plan, Replayed]:
    """All that met their faults; a schedule of which the harness says something else by now is another."""
    path = folder / NAME
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        verdict = Verdict(**kept["replayed"].pop("verdict"))
        if kept["replayed"]["met"]:
            found[Plan(**kept["plan"])] = Replayed(verdict, **kept["replayed"])
    return found
