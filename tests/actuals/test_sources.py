"""Sources, ledgers and rejects at their places: local files, other stores, connections."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.actuals import Reject
from airflow_provider.mlops.columns import Columns
from airflow_provider.mlops.ledger import Ledger, LedgerInUse
from airflow_provider.mlops.rows import Broken, SourceAbsent, UnreadableSource
from airflow_provider.tasks.sources import FolderStore, GivenSource, PathSource, RejectsFile, SqlSource

BOTH = Columns("id", "y")
TWO = [("a", "1"), ("b", "2")]


@pytest.fixture(params=["file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStoragePath]:
    """A folder on this machine, and one in a store that cannot rename in place."""
    if request.param == "file":
        yield ObjectStoragePath(str(tmp_path / "new"))
        return
    from airflow.sdk.io import attach
    from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

    attach("memory", fs=MemoryFileSystem())
    yield ObjectStoragePath(f"memory://{tmp_path.name}")
    MemoryFileSystem.store.clear()


def put(path: ObjectStoragePath, content: bytes) -> ObjectStoragePath:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def pairs(source: Any) -> list[tuple[Any, Any]]:
    return [row.raw if isinstance(row, Broken) else row[1:3] for row in source.rows(BOTH)]


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "arguments"),
    [
        ("a.csv", b"id,y\na,1\nb,2\n", {}),
        ("a.CSV.gz", gzip.compress(b"id,y\na,1\nb,2\n", mtime=0), {}),
        ("a.csv", gzip.compress(b"id,y\na,1\nb,2\n", mtime=0), {}),
        ("a.tsv", b"id\ty\na\t1\nb\t2\n", {"delimiter": "\t"}),
        ("a.txt", "id;y\n'a';1\nb;2\n".encode("utf-16"), {"delimiter": ";", "quotechar": "'", "encoding": "utf-16"}),
        ("a.jsonl", b'{"id": "a", "y": "1"}\n{"id": "b", "y": "2"}', {}),
        ("a.ndjson.gz", gzip.compress(b'{"id": "a", "y": "1"}\n{"id": "b", "y": "2"}', mtime=0), {}),
        ("outcomes", b"id,y\na,1\nb,2\n", {"format": "csv"}),
        ("a.csv", b'{"id": "a", "y": "1"}\n{"id": "b", "y": "2"}', {"format": "jsonl"}),
    ],
)
def test_files_of_every_kind(folder: ObjectStoragePath, name: str, content: bytes, arguments: dict[str, Any]) -> None:
    source = PathSource(put(folder / name, content), **arguments)
    assert source.name.endswith(name)
    assert pairs(source) == TWO
    assert pairs(source) == TWO, "from the start each time"


def test_a_parquet_file(folder: ObjectStoragePath) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    made = io.BytesIO()
    pyarrow.parquet.write_table(arrow.table({"id": ["a", "b"], "y": ["1", "2"]}), made)
    assert pairs(PathSource(put(folder / "a.parquet", made.getvalue()))) == TWO


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.gz", "csv"])
def test_a_name_that_does_not_tell_the_format(name: str) -> None:
    with pytest.raises(InvalidCall, match=r"give format=csv\|jsonl\|parquet"):
        PathSource(ObjectStoragePath(f"/tmp/{name}"))  # noqa: S108


def test_a_file_that_is_not_there_may_come_later(folder: ObjectStoragePath) -> None:
    with pytest.raises(SourceAbsent, match="does not exist") as caught:
        pairs(PathSource(folder / "a.csv"))
    assert caught.value.retryable
    put(folder / "a.csv" / "b.csv", b"")
    with pytest.raises(UnreadableSource, match="is no file"):
        pairs(PathSource(folder / "a.csv"))


def test_an_empty_file_is_an_error(folder: ObjectStoragePath) -> None:
    for name in ("a.csv", "a.jsonl"):
        with pytest.raises(UnreadableSource, match="the source is empty"):
            pairs(PathSource(put(folder / name, b"")))


def test_a_truncated_gzip_is_an_error(folder: ObjectStoragePath) -> None:
    with pytest.raises(UnreadableSource, match="cut off or damaged"):
        pairs(PathSource(put(folder / "a.csv", gzip.compress(b"id,y\na,1\n", mtime=0)[:-4])))


@pytest.mark.parametrize("change", ["longer", "same size", "gone"])
def test_a_file_that_is_changed_while_it_is_read(tmp_path: Path, change: str) -> None:
    """Its last rows are not given, so its last chunk is never sent."""
    file = tmp_path / "a.csv"
    file.write_text("id,y\na,1\nb,2\n")
    rows = PathSource(ObjectStoragePath(str(file))).rows(BOTH)
    next(rows)
    if change == "gone":
        file.unlink()
    else:
        file.write_text("id,y\na,1\nb,3\n" + "c,4\n" * (change == "longer"))
        os.utime(file, (1, 1))
    with pytest.raises(UnreadableSource, match=r"was changed while it was read|does not exist"):
        list(rows)


def test_how_much_was_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,y\n" + "a,1\n" * 50_000)
    source = PathSource(ObjectStoragePath(str(file)))
    assert source.share() is None
    shares = [source.share() for number, _ in enumerate(source.rows(BOTH)) if number % 10_000 == 0]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert 0 < shares[0] < 0.1 < 0.7 < shares[-1] <= 1  # type: ignore[operator]
    assert source.share() is None


def test_a_file_is_closed_when_its_rows_are(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,y\na,1\nb,2\n")
    source = PathSource(ObjectStoragePath(str(file)))
    rows = source.rows(BOTH)
    next(rows)
    raw: Any = source._raw
    rows.close()  # type: ignore[attr-defined]
    assert raw.closed


# --- queries --------------------------------------------------------------------------------------------------------


class Cursor:
    """A cursor that says how it was used; ``names`` are known before the first fetch or only after it."""

    def __init__(self, log: list[Any], rows: Sequence[Any], early: bool) -> None:
        self.log = log
        self.rows = rows
        self.description = [("id",), ("y",)] if early else None

    def execute(self, *arguments: Any) -> None:
        self.log.append(arguments)

    def fetchmany(self, count: int) -> Any:
        self.description = [("id",), ("y",)]
        given, self.rows = self.rows[:count], self.rows[count:]
        self.log.append(len(given))
        return tuple(given)  # as some drivers do


class Connection:
    def __init__(self, rows: Sequence[Any], early: bool = True) -> None:
        self.log: list[Any] = []
        self.rows = rows
        self.early = early

    def cursor(self, name: str | None = None) -> Cursor:
        self.log.append(name)
        return Cursor(self.log, self.rows, self.early)

    def close(self) -> None:
        self.log.append("closed")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``connected(connection)``: what Airflow's hook of any connection id opens."""
    from airflow.providers.common.compat.sdk import BaseHook

    def connect(connection: Any) -> None:
        hook = SimpleNamespace(get_conn=lambda: connection)
        monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id, hook_params=None: hook)

    return connect


@pytest.mark.parametrize("early", [True, False])
def test_a_query_is_fetched_in_portions(connected: Any, monkeypatch: pytest.MonkeyPatch, early: bool) -> None:
    monkeypatch.setattr("airflow_provider.tasks.sources.FETCH", 2)
    connection = Connection([("a", 1), ("b", 2), ("c", 3)], early)
    connected(connection)
    source = SqlSource("db", "select", {"day": 1})
    assert pairs(source) == [("a", 1), ("b", 2), ("c", 3)]
    assert connection.log == [None, ("select", {"day": 1}), 2, 1, 0, "closed"]
    assert source.name == "query on db"


def test_a_server_side_cursor_where_the_driver_has_one(connected: Any) -> None:
    named = type("Connection", (Connection,), {"__module__": "psycopg2.extensions"})([], False)
    connected(named)
    assert pairs(SqlSource("db", "select")) == []
    assert named.log == ["actuals", ("select",), 0, "closed"]


def test_a_connection_is_closed_when_reading_stops(connected: Any) -> None:
    connection = Connection([("a", 1), ("b", 2)])
    connected(connection)
    rows = SqlSource("db", "select").rows(BOTH)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert connection.log[-1] == "closed"


def test_a_real_database(connected: Any) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE outcomes (id TEXT, y REAL, day TEXT)")
    database.executemany("INSERT INTO outcomes VALUES (?, ?, ?)", [("b", 2, "x"), ("a", 1, "x"), ("c", 3, "y")])
    connected(SimpleNamespace(cursor=database.cursor, close=lambda: None))
    sql = "SELECT id, y FROM outcomes WHERE day = :day ORDER BY id"
    assert pairs(SqlSource("db", sql, {"day": "x"})) == [("a", 1.0), ("b", 2.0)]
    with pytest.raises(UnreadableSource, match="column 'y' is there 0 times; the source has 'id', 'day'"):
        pairs(SqlSource("db", "SELECT id, day FROM outcomes"))


def test_a_connection_that_is_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import BaseHook

    monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id, hook_params=None: SimpleNamespace())
    with pytest.raises(InvalidCall, match="sql_conn_id 'http' is no connection to a database"):
        pairs(SqlSource("http", "select"))


# --- lists and callables --------------------------------------------------------------------------------------------


def test_a_list_and_a_callable() -> None:
    entries = [{"id": "a", "y": "1"}, {"id": "b", "y": "2"}]

    def yesterday() -> Iterator[dict[str, str]]:
        yield from entries

    given, called = GivenSource(entries), GivenSource(yesterday)
    assert (pairs(given), pairs(called), pairs(called)) == (TWO, TWO, TWO)
    assert (given.name, called.name, GivenSource(partial(yesterday)).name) == (
        "list of 2 rows",
        "yesterday",
        "callable",
    )
    assert (given.share(), called.share()) == (1.0, None)


# --- ledger and rejects ---------------------------------------------------------------------------------------------


def test_a_folder_keeps_files_whole_and_once(folder: ObjectStoragePath) -> None:
    store = FolderStore(folder / "deep" / "ledger")
    assert list(store.names()) == []
    store.write("000001.intended.json", b"one")
    store.write("000002.sent.json", b"two")
    assert sorted(store.names()) == ["000001.intended.json", "000002.sent.json"]
    assert store.read("000002.sent.json") == b"two"
    with pytest.raises(LedgerInUse, match="another task uploads the same input"):
        store.write("000002.sent.json", b"three")
    assert store.read("000002.sent.json") == b"two"
    assert Ledger.read(FolderStore(folder), "run#1").latest == 0, "folders in it are no files of a ledger"


def test_rejects_are_put_to_their_place_whole(folder: ObjectStoragePath, tmp_path: Path) -> None:
    place = folder / "deep" / "rejects.jsonl"
    with RejectsFile(place, tmp_path) as rejects:
        rejects.add(Reject(2, "é", ["a", b"raw", {("k",): 1, "z": 2}]))
        rejects.add(Reject(3, "nan", [float("nan")]))
        assert not place.exists()
        assert rejects.put() == str(place)
        rejects.add(Reject(4, "more", None))
        rejects.put()
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert lines == [
        {"line": 2, "reason": "é", "row": ["a", "b'raw'", {"z": 2}]},
        {"line": 3, "reason": "nan", "row": "[nan]"},
        {"line": 4, "reason": "more", "row": None},
    ]


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    assert "pandas" not in sys.modules
