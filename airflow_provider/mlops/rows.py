"""Rows of actuals out of a stream: CSV, JSON lines, Parquet, or any iterable of mappings. Constant memory.

Every reader yields :data:`Row` tuples in the order of the source, or a :class:`Broken` for what is no row at all. What
makes the whole source unreadable (a missing column, a wrong encoding, a truncated gzip) is one :class:`UnreadableSource`
that says where.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, BinaryIO

from airflow_provider.api.errors import DataRobotError

# line (or row) number in the source, association id, actual value, timestamp, was acted on
Row = tuple[int, Any, Any, Any, Any]
FORMATS = ("csv", "jsonl", "parquet")
BATCH = 8192  # rows of a Parquet batch


class UnreadableSource(DataRobotError):
    """The source as a whole cannot be read; nothing of it was sent because of what follows the fault."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Something in the source that is no row: ``line``, why, and what stands there."""

    line: int
    reason: str
    raw: Any


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of an actual stand.

    :param association_id: one column, or several whose values are joined by ``separator``.
    :param timestamp: when the outcome became known; with or without zone.
    :param was_acted_on: whether the prediction was acted on.
    """

    association_id: str | Sequence[str]
    actual_value: str
    timestamp: str | None = None
    was_acted_on: str | None = None
    separator: str = "_"

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns of the association id."""
        return (self.association_id,) if isinstance(self.association_id, str) else tuple(self.association_id)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that must be there."""
        return (*self.ids, self.actual_value, *(name for name in (self.timestamp, self.was_acted_on) if name))

    def pick(self, positions: Mapping[str, int]) -> Callable[[Sequence[Any]], tuple[Any, Any, Any, Any]]:
        """A function from a sequence of fields to (id, value, timestamp, acted)."""
        ids = [positions[name] for name in self.ids]
        value = positions[self.actual_value]
        stamp = positions[self.timestamp] if self.timestamp else None
        acted = positions[self.was_acted_on] if self.was_acted_on else None
        if len(ids) == 1 and stamp is None and acted is None:
            pair = itemgetter(ids[0], value)
            return lambda fields: (*pair(fields), None, None)
        join = self.separator.join

        def picked(fields: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
            key = fields[ids[0]] if len(ids) == 1 else join(str(fields[one]) for one in ids)
            return (
                key,
                fields[value],
                None if stamp is None else fields[stamp],
                None if acted is None else fields[acted],
            )

        return picked


def positions(header: Sequence[str], columns: Columns) -> dict[str, int]:
    """Column -> position; raises :class:`UnreadableSource` for a column that is missing or stands twice."""
    for name in columns.wanted:
        found = list(header).count(name)
        if found != 1:
            shown = ", ".join(map(repr, list(header)[:20]))
            hint = "; one column alone: is the delimiter right?" if len(header) == 1 else ""
            raise UnreadableSource(f"column {name!r} is there {found} times; the source has {shown}{hint}")
    return {name: header.index(name) for name in columns.wanted}


def read_csv(
    stream: BinaryIO, columns: Columns, *, encoding: str = "utf-8-sig", delimiter: str = ",", quotechar: str = '"'
) -> Iterator[Row | Broken]:
    """Rows of a CSV with a header; ``line`` is the number of the row's last line in the file."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline="", errors="strict")
    reader = csv.reader(text, delimiter=delimiter, quotechar=quotechar, strict=True)
    with readable(lambda: f"line {reader.line_num + 1}"):
        header = next(reader, None)
        if header is None:
            raise UnreadableSource("the source is empty: not even a header")
        pick, width = columns.pick(positions(header, columns)), len(header)
        for fields in reader:
            if len(fields) == width:
                yield (reader.line_num, *pick(fields))
            elif fields:
                yield Broken(reader.line_num, f"{len(fields)} fields in place of {width}", fields)


def read_jsonl(stream: BinaryIO, columns: Columns, *, encoding: str = "utf-8") -> Iterator[Row | Broken]:
    """Rows of JSON lines: one object a line; empty lines do not count."""
    line = 0
    with readable(lambda: f"line {line + 1}"):
        for line, raw in enumerate(io.TextIOWrapper(stream, encoding=encoding, errors="strict"), 1):
            if not raw.strip():
                continue
            try:
                entry = json.loads(raw)
            except ValueError as error:
                yield Broken(line, f"no JSON ({error})", raw.rstrip("\n")[:1000])
                continue
            yield from_mapping(line, entry, columns)


def read_parquet(stream: BinaryIO, columns: Columns) -> Iterator[Row | Broken]:
    """Rows of a Parquet file, batch by batch; nested columns are refused."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise UnreadableSource("Parquet needs pyarrow: install the extra [parquet]") from None
    line = 0
    try:
        file = parquet.ParquetFile(stream)
        names = list(file.schema_arrow.names)
        places = positions(names, columns)
        for name in columns.wanted:
            kind = file.schema_arrow.field(name).type
            if arrow.types.is_nested(kind):
                raise UnreadableSource(f"column {name!r} is nested ({kind}), and an actual is a plain value")
        wanted = sorted(places, key=lambda name: places[name])
        pick = columns.pick({name: number for number, name in enumerate(wanted)})
        for batch in file.iter_batches(batch_size=BATCH, columns=wanted):
            for fields in zip(*(batch.column(name).to_pylist() for name in wanted), strict=True):
                line += 1
                yield (line, *pick(fields))
    except arrow.ArrowException as error:
        raise UnreadableSource(f"after row {line}: {error}") from error


def read_mappings(entries: Iterable[Any], columns: Columns) -> Iterator[Row | Broken]:
    """Rows of anything that gives mappings: a list from XCom, a query's result, a callable of the user's."""
    for line, entry in enumerate(entries, 1):
        yield from_mapping(line, entry, columns)


def from_mapping(line: int, entry: Any, columns: Columns) -> Row | Broken:
    """One row out of a mapping; a missing column is a fault of this row alone."""
    if not isinstance(entry, Mapping):
        return Broken(line, f"no object but {type(entry).__name__}", entry)
    missing = [name for name in (*columns.ids, columns.actual_value) if name not in entry]
    if missing:
        return Broken(line, f"without {', '.join(missing)}", dict(entry))
    ids = columns.ids
    key = entry[ids[0]] if len(ids) == 1 else columns.separator.join(str(entry[one]) for one in ids)
    stamp = entry.get(columns.timestamp) if columns.timestamp else None
    acted = entry.get(columns.was_acted_on) if columns.was_acted_on else None
    return (line, key, entry[columns.actual_value], stamp, acted)


class readable:  # noqa: N801 - reads as a word of the with statement
    """Turns what a broken stream raises into one :class:`UnreadableSource` that says where."""

    def __init__(self, where: Callable[[], str]) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnicodeDecodeError):
            raise UnreadableSource(f"{self._where()}: bytes that are not {error.encoding}") from error
        if isinstance(error, (EOFError, zlib.error)) or (isinstance(error, OSError) and "gzip" in str(error).lower()):
            raise UnreadableSource(f"{self._where()}: the compressed file is cut off or damaged ({error})") from error
        if isinstance(error, csv.Error):
            raise UnreadableSource(f"{self._where()}: {error}") from error
