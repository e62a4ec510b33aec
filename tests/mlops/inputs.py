"""Actuals as sources give them, written by hand."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider.mlops.actuals import Chunk, Reject, chunks
from airflow_provider.mlops.columns import Columns
from airflow_provider.mlops.row_check import RowCheck, Tally
from airflow_provider.mlops.rows import Broken, Row

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOTH = Columns("id", "y")
ALL = Columns("id", "y", "at", "acted")


class InMemory:
    """The simplest set that :func:`chunks` can use."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def add(self, names: Sequence[str]) -> list[bool]:
        before = [name in self.names for name in names]
        self.names.update(names)
        return before

    def forget(self) -> None:
        self.names.clear()


def stream(text: str | bytes, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding) if isinstance(text, str) else text)


def numbered(*rows: tuple[Any, ...]) -> list[Row | Broken]:
    """Rows from (id, value[, timestamp[, acted]])."""
    return [(line, *row, *[None] * (4 - len(row))) for line, row in enumerate(rows, 1)]


def packed(
    rows: Iterable[Row | Broken],
    target: str = "TextGeneration",
    classes: Sequence[str] | None = None,
    tally: Tally | None = None,
    rejects: list[Reject] | None = None,
    **arguments: Any,
) -> list[Chunk]:
    """The chunks of rows; any label is good unless a target says otherwise."""
    tally = Tally() if tally is None else tally
    on_reject: Callable[[Reject], object] = (lambda reject: None) if rejects is None else rejects.append
    if arguments.get("duplicates", "last") != "ignore":
        arguments.setdefault("seen", InMemory())
    return list(chunks(rows, RowCheck(target, classes, NOW, tally), tally, on_reject=on_reject, **arguments))
