"""What came of the last full run of ``make test-faults``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from docs.parts.table import table

RESULT = Path(__file__).with_name("faults.json")
WORDS = ("right", "loud", "unsure", "repeated", "reported", "undetected", "lost", "wrong")


def text() -> str:
    """How much was played, and each fault with its verdicts."""
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    total: Counter[str] = Counter()
    for words in run["faults"].values():
        total.update(words)
    told = (
        f"{run['schedules']:,} schedules of {run['product']:,}, drawn with seed {run['seed']} on {run['day']}: "
        f"{run['operators']} operators in {run['cases']} cases, {len(run['faults'])} faults.\n\n"
    )
    rows = [(fault, *_numbers(words)) for fault, words in run["faults"].items()]
    return told + table(("fault", *WORDS), [*rows, ("**all**", *_numbers(total))])


def _numbers(words: dict[str, int] | Counter[str]) -> list[str]:
    return [f"{words[word]:,}" if words.get(word) else "-" for word in WORDS]
