"""What a world holds at the start: ``worlds/NAME.json`` and every file in ``worlds/NAME/``, one file an area.

Records come as tables. Predictions come as a CSV beside the world (``predictions`` in a file of the area), with times
relative to the start: ``days_before`` counts back from midnight UTC, 1 is yesterday.
"""

from __future__ import annotations

import csv
import functools
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "worlds"
DAY = 86_400
Row = tuple[int, float, str, float, str]  # days before, second of the day, association id, prediction, outcome


def names() -> list[str]:
    """Worlds that can be loaded."""
    return sorted(file.stem for file in HERE.glob("*.json"))


def read(world: str) -> dict[str, list[Any]]:
    """All tables of a world, with the areas of its folder."""
    files = [HERE / f"{world}.json", *sorted((HERE / world).glob("*.json"))]
    tables: dict[str, list[Any]] = {}
    for file in files:
        for name, rows in json.loads(file.read_text(encoding="utf-8")).items():
            if isinstance(rows, list):
                tables.setdefault(name, []).extend(rows)
    return tables


def sets(world: str) -> list[dict[str, Any]]:
    """The sets of predictions of a world: ``deploymentId``, ``modelId``, ``file``, ``rowsPerRequest``."""
    return read(world).get("predictions", [])


@functools.cache
def rows(world: str, file: str) -> tuple[Row, ...]:
    """The rows of one set, in the order of the file."""
    with gzip.open(HERE / world / file, "rt", encoding="utf-8", newline="") as text:
        return tuple(
            (int(one["days_before"]), float(one["second"]), one["id"], float(one["prediction"]), one["outcome"])
            for one in csv.DictReader(text)
        )


def midnight(moment: float) -> float:
    """The last midnight UTC."""
    return moment // DAY * DAY


def outcomes(world: str, started: float, deployment_id: str) -> Iterator[tuple[float, str, str]]:
    """When each prediction of a world's deployment was made, its association id, and how it really came out."""
    for one in sets(world):
        if one["deploymentId"] == deployment_id:
            for days, second, association, _, outcome in rows(world, one["file"]):
                yield midnight(started) - days * DAY + second, association, outcome
