"""Where actuals come from and where their ledger lies: paths, queries, lists and callables, opened with Airflow's means."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from airflow.providers.common.compat.sdk import BaseHook, ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.actuals import Reject
from airflow_provider.mlops.ledger import ChangedInput
from airflow_provider.mlops.rows import (
    Broken,
    Columns,
    Row,
    UnreadableSource,
    read_csv,
    read_jsonl,
    read_mappings,
    read_parquet,
)

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

    def rows(self, columns: Columns) -> Iterator[Row | Broken]:
        """All rows, in a stable order."""
        ...


@dataclass(frozen=True, slots=True)
class PathSource:
    """A file at any URL that Airflow's object storage knows.

    :param format: csv, jsonl or parquet; None: by the name.
    """

    path: ObjectStoragePath
    format: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = ","

    @property
    def name(self) -> str:
        """The URL."""
        return str(self.path)

    def rows(self, columns: Columns) -> Iterator[Row | Broken]:
        """The rows of the file; one that changes meanwhile is an error."""
        before = self._state()
        with self.path.open("rb") as raw:
            stream = _decompressed(raw)
            match self._format():
                case "csv":
                    yield from read_csv(stream, columns, encoding=self.encoding, delimiter=self.delimiter)
                case "jsonl":
                    yield from read_jsonl(stream, columns, encoding=self.encoding)
                case _:
                    yield from read_parquet(stream, columns)
        if self._state() != before:
            raise UnreadableSource(f"{self.name} was changed while it was read")

    def size(self) -> int:
        """Bytes."""
        return int(self.path.stat().st_size)

    def _format(self) -> str:
        if self.format:
            return self.format
        suffixes = [suffix for suffix in Path(self.path.name).suffixes if suffix != ".gz"]
        found = SUFFIXES.get(suffixes[-1].lower() if suffixes else "")
        if found is None:
            raise InvalidCall(f"the format of {self.name} cannot be told from its name: give format=csv|jsonl|parquet")
        return found

    def _state(self) -> tuple[Any, ...]:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            raise UnreadableSource(f"{self.name} does not exist") from None
        return (stat.st_size, getattr(stat, "st_mtime", None))


@dataclass(frozen=True, slots=True)
class SqlSource:
    """The result of a query through any Airflow connection with a DB-API hook; give it an ORDER BY."""

    conn_id: str
    sql: str
    parameters: Any = None

    @property
    def name(self) -> str:
        """The connection; the query may be long."""
        return f"query on {self.conn_id}"

    def rows(self, columns: Columns) -> Iterator[Row | Broken]:
        """The rows, fetched in portions, through a server-side cursor where the driver has them."""
        connection = BaseHook.get_connection(self.conn_id).get_hook().get_conn()
        try:
            cursor = _cursor(connection)
            cursor.execute(self.sql, self.parameters) if self.parameters else cursor.execute(self.sql)
            yield from read_mappings(_mappings(cursor), columns)
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class GivenSource:
    """A list of mappings (from XCom, for example), or a callable that gives an iterable of them each time."""

    entries: Sequence[Any] | Callable[[], Iterable[Any]]

    @property
    def name(self) -> str:
        """What it is."""
        return getattr(
            self.entries,
            "__name__",
            f"list of {len(self.entries)} rows" if isinstance(self.entries, Sequence) else "callable",
        )

    def rows(self, columns: Columns) -> Iterator[Row | Broken]:
        """The rows."""
        yield from read_mappings(self.entries() if callable(self.entries) else self.entries, columns)


class FolderStore:
    """A folder at any URL, for a ledger: files are written once, whole, and never changed."""

    def __init__(self, folder: ObjectStoragePath) -> None:
        self._folder = folder

    def names(self) -> Iterable[str]:
        """The names of its files; none while it does not exist."""
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
            raise ChangedInput(f"{target} is there already: another task uploads the same input at this moment")
        if self._folder.protocol in ("file", ""):
            part = target.with_name(f".{name}.part")
            part.write_bytes(content)
            part.rename(target)
        else:
            target.write_bytes(content)


class RejectsFile:
    """Refused rows as JSON lines: gathered beside the worker, put to their place whole."""

    def __init__(self, path: ObjectStoragePath, work: Path) -> None:
        self._path = path
        self._part = work / "rejects.jsonl"

    def __enter__(self) -> Callable[[Reject], None]:
        self._stream = self._part.open("w", encoding="utf-8")
        return lambda reject: self._stream.write(json.dumps(reject.to_json(), default=str) + "\n") and None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def put(self) -> str:
        """Puts the file to its place; its URL."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._part.open("rb") as part, self._path.open("wb") as target:
            while block := part.read(1 << 20):
                target.write(block)
        return str(self._path)


def _decompressed(raw: BinaryIO) -> BinaryIO:
    """The stream itself, or what a gzip holds; told by its first bytes."""
    head = raw.read(2)
    raw.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=raw)) if head == GZIP else raw  # type: ignore[arg-type,return-value]


def _cursor(connection: Any) -> Any:
    """A named cursor keeps the result at the server (psycopg); other drivers fetch in portions as they can."""
    if type(connection).__module__.startswith("psycopg"):
        return connection.cursor(name="actuals")
    return connection.cursor()


def _mappings(cursor: Any) -> Iterator[dict[str, Any]]:
    while portion := cursor.fetchmany(FETCH):
        names = [column[0] for column in cursor.description]
        for fields in portion:
            yield dict(zip(names, fields, strict=True))


@contextmanager
def opened(source: Source, columns: Columns) -> Iterator[Iterator[Row | Broken]]:
    """The rows of a source, closed with the block."""
    rows = source.rows(columns)
    try:
        yield rows
    finally:
        rows.close()  # type: ignore[attr-defined]
