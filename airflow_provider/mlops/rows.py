"""Rows of actuals out of a stream: CSV, JSON lines, Parquet, or any iterable of mappings. Constant memory.

Every reader yields :data:`Row` tuples in the order of the source, or a :class:`Broken` for what is no row at all.
What makes the whole source unreadable (a missing column, a wrong encoding, a truncated gzip) is one
:class:`UnreadableSource` that says where.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.columns import Picking

# line (or row) number in the source, association id, actual value, timestamp, was acted on
Row = tuple[int, Any, Any, Any, Any]
FORMATS = ("csv", "jsonl", "parquet")
BATCH = 8192  # rows of a Parquet batch
SHOWN = 1000  # characters of a line that is no JSON


class UnreadableSource(DataRobotError):
    """The source as a whole cannot be read; nothing of it was sent from the fault on."""


class SourceAbsent(UnreadableSource):
    """The source is not there; it may come later."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Broken:
    """Something in the source that is no row: ``line``, why, and what stands there."""

    line: int
    reason: str
    raw: Any


def positions(header: Sequence[str], columns: Picking) -> dict[str, int]:
    """Column -> position; raises :class:`UnreadableSource` for a column that is missing or stands twice."""
    for name in columns.wanted:
        found = header.count(name)
        if found != 1:
            shown = ", ".join(map(repr, header[:20]))
            hint = "; one column alone: is the delimiter right?" if len(header) == 1 else ""
            raise UnreadableSource(f"column {name!r} is there {found} times; the source has {shown}{hint}")
    return {name: header.index(name) for name in columns.wanted}


def read_csv(
    stream: BinaryIO, columns: Picking, *, encoding: str = "utf-8-sig", delimiter: str = ",", quotechar: str = '"'
) -> Iterator[Row | Broken]:
    """Rows of a CSV with a header; ``line`` is the number of the row's last line in the file."""
    with _text(stream, encoding, newline="") as text, _readable(lambda: f"after line {reader.line_num}"):
        reader = csv.reader(text, delimiter=delimiter, quotechar=quotechar, strict=True)
        header = next(reader, None)
        if header is None:
            raise UnreadableSource("the source is empty: not even a header")
        pick, width = columns.pick(positions(header, columns)), len(header)
        for fields in reader:
            if len(fields) == width:
                yield (reader.line_num, *pick(fields))
            elif fields:
                yield Broken(reader.line_num, f"wrong number of fields: {len(fields)} in place of {width}", fields)


def read_jsonl(stream: BinaryIO, columns: Picking, *, encoding: str = "utf-8-sig") -> Iterator[Row | Broken]:
    """Rows of JSON lines: one object a line; empty lines do not count."""
    line, pick = 0, _from_mapping(columns)
    with _text(stream, encoding) as text, _readable(lambda: f"after line {line}"):
        for raw in text:
            line += 1
            if not raw.strip():
                continue
            try:
                entry = json.loads(raw)
            except (ValueError, RecursionError) as error:
                yield Broken(line, f"no JSON: {error}", raw.rstrip("\n")[:SHOWN])
                continue
            yield pick(line, entry)
        if line == 0:
            raise UnreadableSource("the source is empty")


def read_parquet(stream: BinaryIO, columns: Picking) -> Iterator[Row | Broken]:
    """Rows of a Parquet file, batch by batch; nested columns are refused."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise UnreadableSource("Parquet needs pyarrow: install the extra [parquet]") from None
    line = 0
    try:
        # Read as it is needed: the default fetches whole row groups ahead.
        file = parquet.ParquetFile(stream, pre_buffer=False)
        places = positions(list(file.schema_arrow.names), columns)
        for name in columns.wanted:
            kind = file.schema_arrow.field(name).type
            if arrow.types.is_nested(kind):
                raise UnreadableSource(f"column {name!r} is nested ({kind}), and a value is a plain one")
        wanted = sorted(places, key=lambda name: places[name])
        pick = columns.pick({name: number for number, name in enumerate(wanted)})
        for batch in file.iter_batches(batch_size=BATCH, columns=wanted):
            for fields in zip(*(_plain(arrow, batch.column(name)) for name in wanted), strict=True):
                line += 1
                yield (line, *pick(fields))
    except arrow.ArrowException as error:
        raise UnreadableSource(f"after row {line}: {error}") from error
    except OSError as error:  # a damaged page, or a store that cannot be reached just now
        unreadable = UnreadableSource(f"after row {line}: {error}")
        unreadable.retryable = True
        raise unreadable from error


def read_mappings(entries: Iterable[Any], columns: Picking) -> Iterator[Row | Broken]:
    """Rows of anything that gives mappings: a list from XCom, a callable of the user's."""
    pick = _from_mapping(columns)
    for line, entry in enumerate(entries, 1):
        yield pick(line, entry)


def read_table(names: Sequence[str], lines: Iterable[Sequence[Any]], columns: Picking) -> Iterator[Row | Broken]:
    """Rows of sequences whose fields have these names: the result of a query."""
    pick = columns.pick(positions(names, columns))
    for line, fields in enumerate(lines, 1):
        yield (line, *pick(fields))


def _from_mapping(columns: Picking) -> Callable[[int, Any], Row | Broken]:
    """A function from a number and an entry to a row; a missing key is a fault of that row alone."""
    wanted = columns.wanted
    pick = columns.pick({name: name for name in wanted})

    def picked(line: int, entry: Any) -> Row | Broken:
        if not isinstance(entry, Mapping):
            return Broken(line, f"no object: {type(entry).__name__}", entry)
        try:
            return (line, *pick(entry))
        except KeyError:
            missing = ", ".join(name for name in wanted if name not in entry)
            return Broken(line, f"without a column: {missing}", dict(entry))

    return picked


def _plain(arrow: Any, column: Any) -> list[Any]:
    """A column as Python objects. Those have microseconds at most, and pyarrow refuses to cut by itself."""
    kind = column.type
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(arrow.timestamp("us", tz=kind.tz), safe=False)
    found: list[Any] = column.to_pylist()
    return found


@contextmanager
def _text(stream: BinaryIO, encoding: str, newline: str | None = None) -> Iterator[io.TextIOWrapper]:
    """The stream as text, for the time of the block; closing it is for whoever has opened it."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline=newline, errors="strict")
    try:
        yield text
    finally:
        text.detach()


@contextmanager
def _readable(where: Callable[[], str]) -> Iterator[None]:
    """Turns what a broken stream raises into one :class:`UnreadableSource` that says where."""
    try:
        yield
    except UnicodeError as error:
        raise UnreadableSource(f"{where()}: bytes that are not {getattr(error, 'encoding', 'text')}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableSource(f"{where()}: the compressed file is cut off or damaged ({error})") from error
    except csv.Error as error:
        raise UnreadableSource(f"{where()}: {error}") from error
