"""What a manifest tells of exported files: rows, columns, checksums, and where they came from.

Rows and columns are read while the bytes come by. A line break inside quotes is none; the types of columns are told by
the first rows alone (``sampled``), because a look at every value would take longer than the download.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

VERSION = 1
NAME = "manifest.json"
HEAD = 65_536  # bytes that are looked at for columns and types
PARQUET = b"PAR1"
TYPES: Sequence[tuple[str, re.Pattern[str]]] = (
    ("integer", re.compile(r"-?(0|[1-9]\d{0,17})")),
    ("number", re.compile(r"-?(0|[1-9]\d{0,15})(\.\d+)?([eE][+-]?\d{1,3})?")),
    ("boolean", re.compile(r"true|false", re.IGNORECASE)),
    ("timestamp", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")),
)

Column = dict[str, str]  # name and type


class CsvReader:
    """Counts the rows of a CSV file and reads its header while it comes; knows Parquet when it sees it."""

    def __init__(self) -> None:
        self._head = b""
        self._breaks = 0
        self._quoted = False
        self._last = b"\n"

    @property
    def is_parquet(self) -> bool:
        """Whether the file is no CSV but Parquet (wire.md H)."""
        return self._head.startswith(PARQUET)

    @property
    def rows(self) -> int:
        """Rows so far, without the header; a last one without a line break counts."""
        return max(self._breaks + (self._last != b"\n") - 1, 0)

    def feed(self, block: bytes, /) -> None:
        """Takes the next bytes."""
        if not block:
            return
        if len(self._head) < HEAD:
            self._head += block[: HEAD - len(self._head)]
        if b'"' not in block:  # by far the usual case, and twice as fast
            self._breaks += 0 if self._quoted else block.count(b"\n")
        else:
            parts = block.split(b'"')
            self._breaks += sum(part.count(b"\n") for part in (parts[1::2] if self._quoted else parts[::2]))
            self._quoted ^= len(parts) % 2 == 0
        self._last = block[-1:]

    def columns(self) -> list[Column]:
        """Names of all columns, with types as the first rows have them; a column of blanks is text."""
        text = self._head.decode("utf-8-sig", "replace")
        lines = list(csv.reader(io.StringIO(text, newline="")))
        if len(self._head) == HEAD and len(lines) > 1:
            lines.pop()  # cut in the middle
        if not lines:
            return []
        header, *rows = lines
        return [
            {"name": name, "type": type_of(row[place] for row in rows if place < len(row))}
            for place, name in enumerate(header)
        ]


def type_of(values: Iterable[str]) -> str:
    """The narrowest type that all values have; blanks have every type. Numbers with leading zeros are text."""
    known = [value for value in values if value]
    if not known:
        return "text"
    return next((name for name, form in TYPES if all(form.fullmatch(value) for value in known)), "text")


def manifest(about: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest of all files.

    :param about: what was asked for.
    :param files: an entry a file, with ``rows``, ``bytes``, ``planned_rows`` and ``columns``. Columns that are alike
        are told once, in ``schemas``; each file has the number of its own.
    """
    schemas: list[Any] = []
    told = []
    for file in files:
        columns = file["columns"]
        if columns not in schemas:
            schemas.append(columns)
        told.append({**{k: v for k, v in file.items() if k != "columns"}, "schema": schemas.index(columns)})
    planned = [file["planned_rows"] for file in files]
    return {
        "version": VERSION,
        **about,
        "rows": sum(file["rows"] for file in files),
        "planned_rows": None if None in planned else sum(planned),
        "bytes": sum(file["bytes"] for file in files),
        "schemas": schemas,
        "files": told,
    }
