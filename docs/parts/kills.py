"""What ``make test-kills`` has measured, a column for each Airflow line and way to wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.parts.table import table

RESULT = Path(__file__).with_name("kills.json")
MODES = {"deferred": "deferred", "in_place": "on the worker"}


def text() -> str:
    """Each story with what became of its work, and after how many seconds."""
    lines = json.loads(RESULT.read_text(encoding="utf-8"))
    rows: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for line, run in lines.items():
        for row in run["rows"]:
            cells = rows.setdefault((row["title"], row["work"]), {})
            cells.update({(line, mode): _cell(row[mode]) for mode in MODES if mode in row})
    columns = [(line, mode) for line in lines for mode in MODES]
    head = ["what happens", "remote work", *(f"{line}, {MODES[mode]}" for line, mode in columns)]
    return table(head, [(*names, *(cells.get(column, "-") for column in columns)) for names, cells in rows.items()])


def _cell(measured: Mapping[str, Any]) -> str:
    seconds = measured["seconds"]
    return str(measured["became"]) + ("" if seconds is None else f" ({seconds:.0f} s)")
