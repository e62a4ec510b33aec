"""What came of the last full run of ``make test-replays``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from docs.parts.table import table

RESULT = Path(__file__).with_name("replays.json")
WORDS = ("right", "loud", "unsure", "repeated", "reported", "undetected", "lost", "wrong")


def text() -> str:
    """How much was replayed, and for each answer of Airflow the verdicts there, with how many are the harness's."""
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    told = (
        f"{run['schedules']} of {run['drawn']} schedules drawn with seed {run['seed']}, replayed in Airflow "
        f"{run['airflow']} on {run['day']}: {run['agreed']} verdicts are those of the harness"
    )
    if run["unmet"]:
        told += f", {run['unmet']} times the fault met no request"
    return told + ".\n\n" + table(("answer", "schedules", "agree", *WORDS), [*_rows(run["rows"])])


def _rows(rows: list[list[str | int]]) -> list[tuple[str, ...]]:
    made = []
    for answer in (*sorted({str(row[0]) for row in rows}), "**all**"):
        words: Counter[str] = Counter()
        agreed = 0
        for one, _, word, agrees, number in rows:
            if one == answer or answer == "**all**":
                words[str(word)] += int(number)
                agreed += int(number) if agrees else 0
        made.append((answer, str(words.total()), str(agreed), *(str(words[word] or "-") for word in WORDS)))
    return made
