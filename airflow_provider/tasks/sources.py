"""Where actuals come from, and where their ledger and rejects lie, opened with Airflow's means."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self, cast

from airflow.providers.common.compat.sdk import BaseHook, ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.actuals import Reject
from airflow_provider.mlops.columns import Picking
from airflow_provider.mlops.ledger import LedgerInUse
from airflow_provider.mlops.rows import (
    Broken,
    Row,
    UnreadableSource,
    read_csv,
    read_jsonl,
    read_mappings,
    read_parquet,
    read_table,
)
from airflow_provider.tasks import files

if TYPE_CHECKING:
    from types import TracebackType

FETCH = 10_000  # rows of a query that are fetched at a time
GZIP = b"\x1f\x8b"
SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


class Source(Protocol):
    """Gives the rows of one input, from the start, each time it is asked."""

    @property
    def name(self) -> str:
        """For logs and messages."""
        ...

    def rows(self, columns: Picking) -> Iterator[Row | Broken]:
        """All rows, in a stable order."""
        ...

    def share(self) -> float | None:
        """How much of it has been read by now, from 0 to 1; None where nobody knows."""
        ...


@dataclass(slots=True)
class PathSource:
    """A file at any URL that Airflow's object storage knows.

    :param format: csv, jsonl or parquet; None: by the name.
    """

    path: ObjectStoragePath
    format: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    quotechar: str = '"'
    _raw: BinaryIO | None = field(default=None, init=False)
    _size: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.format is None:
            suffixes = [suffix for suffix in Path(self.path.name).suffixes if suffix != ".gz"]
            self.format = SUFFIXES.get(suffixes[-1].lower() if suffixes else "")
        if self.format is None:
            raise InvalidCall(f"the format of {self.name} cannot be told from its name: give format=csv|jsonl|parquet")

    @property
    def name(self) -> str:
        """The URL."""
        return str(self.path)

    def rows(self, columns: Picking) -> Iterator[Row | Broken]:
        """The rows of the file; one that changes meanwhile is an error, and its last rows are not given."""
        before = self._state()
        self._size = before.size
        with self._opened() as stream:
            match self.format:
                case "csv":
                    dialect = {"delimiter": self.delimiter, "quotechar": self.quotechar}
                    yield from read_csv(stream, columns, encoding=self.encoding, **dialect)
                case "jsonl":
                    yield from read_jsonl(stream, columns, encoding=self.encoding)
                case _:
                    yield from read_parquet(stream, columns)
            if self._state() != before:
                raise UnreadableSource(f"{self.name} was changed while it was read")

    def share(self) -> float | None:
        """By bytes."""
        return min(self._raw.tell() / self._size, 1.0) if self._raw is not None and self._size else None

    def size(self) -> int:
        """Bytes."""
        return self._state().size

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The file, or what a gzip holds, told by its first bytes."""
        with self.path.open("rb") as raw:
            self._raw = raw
            head = raw.read(len(GZIP))
            raw.seek(0)
            try:
                yield cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=raw))) if head == GZIP else raw
            finally:
                self._raw = None

    def _state(self) -> files.FileState:
        self.path.fs.invalidate_cache()
        return files.state_of(self.path)


@dataclass(frozen=True, slots=True)
class SqlSource:
    """The result of a query through any Airflow connection with a DB-API hook; it needs an ORDER BY."""

    conn_id: str
    sql: str
    parameters: Any = None

    @property
    def name(self) -> str:
        """The connection; the query may be long."""
        return f"query on {self.conn_id}"

    def rows(self, columns: Picking) -> Iterator[Row | Broken]:
        """The rows, fetched in portions, through a server-side cursor where the driver has them."""
        hook = BaseHook.get_hook(self.conn_id)
        if not hasattr(hook, "get_conn"):
            raise InvalidCall(f"sql_conn_id {self.conn_id!r} is no connection to a database")
        connection = hook.get_conn()
        try:
            cursor = _cursor(connection)
            cursor.execute(self.sql, self.parameters) if self.parameters else cursor.execute(self.sql)
            first = cursor.fetchmany(FETCH)
            names = [column[0] for column in cursor.description]  # psycopg knows them only after the first rows
            yield from read_table(names, _lines(cursor, first), columns)
        finally:
            connection.close()

    def share(self) -> None:
        """Not known before the end."""
        return


@dataclass(slots=True)
class GivenSource:
    """A list of mappings (from XCom, for example), or a callable that gives an iterable of them each time."""

    entries: Sequence[Any] | Callable[[], Iterable[Any]]
    _given: int = field(default=0, init=False)

    @property
    def name(self) -> str:
        """What it is."""
        if isinstance(self.entries, Sequence):
            return f"list of {len(self.entries)} rows"
        return str(getattr(self.entries, "__name__", "callable"))

    def rows(self, columns: Picking) -> Iterator[Row | Broken]:
        """The rows."""
        for row in read_mappings(self.entries() if callable(self.entries) else self.entries, columns):
            self._given = row.line if isinstance(row, Broken) else row[0]
            yield row

    def share(self) -> float | None:
        """Of a list only."""
        return self._given / len(self.entries) if isinstance(self.entries, Sequence) and self.entries else None


class FolderStore:
    """A folder at any URL, for a ledger: files are written once, whole, and never changed."""

    def __init__(self, folder: ObjectStoragePath) -> None:
        self._folder = folder

    def names(self) -> Iterable[str]:
        """The names of its files; none while it does not exist."""
        self._folder.fs.invalidate_cache()
        return [one.name for one in self._folder.iterdir()] if self._folder.exists() else []

    def read(self, name: str) -> bytes:
        """The content of a file."""
        content: bytes = (self._folder / name).read_bytes()
        return content

    def write(self, name: str, content: bytes) -> None:
        """Makes a file; one of this name means that somebody else uploads the same input now."""
        target = self._folder / name
        self._folder.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise LedgerInUse(f"{target} is there already: another task uploads the same input at this moment")
        if self._folder.protocol in ("file", ""):
            part = Path(self._folder.path) / f".{name}.part"
            part.write_bytes(content)
            part.rename(target.path)
        else:
            target.write_bytes(content)


class RejectsFile:
    """Refused rows as JSON lines: gathered beside the worker, put to their place whole.

    :param work: a work directory on this machine.
    """

    def __init__(self, path: ObjectStoragePath, work: Path) -> None:
        self._path = path
        self._part = work / "rejects.jsonl"

    def add(self, reject: Reject) -> None:
        """One more."""
        line = reject.to_json()
        try:
            text = json.dumps(line, default=str, allow_nan=False, skipkeys=True)
        except ValueError:  # JSON has no word for NaN
            text = json.dumps({**line, "row": str(line["row"])})
        self._stream.write(text + "\n")

    def put(self) -> str:
        """Puts them to their place, over those of an earlier pass; gives its URL."""
        self._stream.flush()
        with self._part.open("rb") as part:
            files.put(part, self._path)
        return str(self._path)

    def __enter__(self) -> Self:
        self._stream = self._part.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def _cursor(connection: Any) -> Any:
    """A named cursor keeps the result at the server (psycopg); other drivers fetch in portions as they can."""
    if type(connection).__module__.startswith("psycopg"):
        return connection.cursor(name="actuals")
    return connection.cursor()


def _lines(cursor: Any, portion: Sequence[Any]) -> Iterator[Any]:
    while portion:
        yield from portion
        portion = cursor.fetchmany(FETCH)
