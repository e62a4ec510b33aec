"""``make test-replays``: schedules drawn by a seed, in the harness and in real Airflow; the verdicts must agree.

    SCHEDULES=300 SEED=20260302 LANES=8 python -m tests.faults.replays

``ONLY=7,12`` replays these of them alone. ``FOLDER=...`` keeps what came of each, and goes on where a run ended;
``MINUTES=30`` begins no more after half an hour.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.replays.lane import Lane, Replayed
    from tests.faults.replays.plans import Plan

FULL = 300  # schedules from which on the result is kept


def main() -> int:
    """Plays, replays, compares; the exit code is 1 when any two verdicts differ."""
    from tests import airflow_home

    airflow_home.prepare()
    from demo.processes import leave_on_sigterm
    from tests.faults.replays import accounting, plans

    leave_on_sigterm()

    seed, count = int(os.environ.get("SEED", "20260302")), int(os.environ.get("SCHEDULES", str(FULL)))
    only = set(filter(None, os.environ.get("ONLY", "").split(",")))
    drawn = (one for one in plans.planned(seed, count) if not only or str(one.number) in only)
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="replays-"))
    say(f"what comes of each is in {folder}")
    minutes = float(os.environ.get("MINUTES", "inf"))
    found = replayed(folder, drawn, min(int(os.environ.get("LANES", "8")), count), minutes)
    result = accounting.counted(seed, count, found)
    sys.stdout.write(json.dumps(result) + "\n")
    if len(found) >= FULL or os.environ.get("KEEP"):
        accounting.keep(result)
        say("kept for the docs; `make fresh` puts it into docs/reliability.md")
    return 0 if result["agreed"] == len(found) else 1


def replayed(folder: Path, drawn: Iterable[Plan], count: int, minutes: float) -> list[tuple[Plan, Replayed]]:
    """What came of each schedule, so many at a time; what the folder has of an earlier run is not played again.

    :param minutes: after which no more are begun.
    """
    from tests.faults.replays import keeping
    from tests.faults.replays.house import lanes

    kept, free = keeping.read(folder), SimpleQueue[Any]()

    def work(plan: Plan) -> tuple[Plan, Replayed] | None:
        if plan in kept:
            return plan, kept[plan]
        if time.monotonic() - _begun > 60 * minutes:
            return None
        lane: Lane = free.get()
        try:
            one = _played(lane, plan)
        finally:
            free.put(lane)
        tell(plan, one)
        with _lock:
            keeping.add(folder, plan, one)
        return plan, one

    with lanes(Path(tempfile.mkdtemp(dir=folder)), count) as made, ThreadPoolExecutor(len(made)) as pool:
        for lane in made:
            free.put(lane)
        say(f"Airflow is up, with {len(made)} lanes")
        return [one for one in pool.map(work, drawn) if one is not None]


def _played(lane: Lane, plan: Plan) -> Replayed:
    """A schedule whose fault met nothing, or that could not be played to its end, is played once more."""
    from tests.faults.judging import Verdict
    from tests.faults.replays.lane import Replayed

    for attempt in (1, 2):
        try:
            one = lane.play(plan, attempt)
        except Exception:
            one = Replayed(Verdict("stray", traceback.format_exc()), False, 0.0, attempt)
        if one.met:
            break
        say(f"{plan} was not played: {one.verdict}")
    return one


def tell(plan: Plan, one: Replayed) -> None:
    """One line for each schedule, with both stories where they differ."""
    from tests.faults.replays.agreement import agree

    met = "" if one.met else ", fault not met"
    say(f"{plan}: {plan.word} | {one.verdict.word}{met} ({one.seconds:.0f} s)")
    if not agree(plan.word, one.verdict.word):
        say(f"DIFFERENT ({plan.number})\n    harness: {plan.why}\n    Airflow: {one.verdict.why}")


_begun, _lock = time.monotonic(), threading.Lock()


def say(text: str) -> None:
    """A line for whoever watches."""
    with _lock:
        sys.stderr.write(f"{time.monotonic() - _begun:7.1f} s  {text}\n")


if __name__ == "__main__":
    sys.exit(main())
