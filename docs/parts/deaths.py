"""What came of the last whole run of ``make test-deaths``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from docs.parts.table import table

RESULT = Path(__file__).with_name("deaths.json")
# Effects of the emulator as people would say them; other names are words already.
WORDS = {
    "modelReplaced": "replaced",
    "changeRequestCreated": "request",
    "changeRequestResolved": "applied",
    "retrainingRunStarted": "run",
    "retrainingRunFinished": "finished",
    "exportCreated": "export",
}


def text() -> str:
    """How many there were, and a line for each."""
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    rows = run["deaths"]
    counts = Counter(one["verdict"] for one in rows)
    summed = ", ".join(f"{number} {word}" for word, number in counts.most_common())
    head = ("who died", "the task", "when", "ended", "tries", "sent", "effects", "verdict", "seconds")
    return f"{len(rows)} deaths on {run['day']}: {summed}.\n\n{table(head, map(_cells, rows))}"


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    told = ", ".join(f"{number:,} {WORDS.get(name, name)}" for name, number in row["effects"].items())
    front = (row["who"], row["story"], row["moment"], row["state"], row["tries"], row["sent"])
    return (*front, told, row["verdict"], f"{row['seconds']:.0f}")
