"""Rows and columns as they come by, in any blocks; CSV to Parquet and back without a value changed."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.mlops.conversion import NotConverted, read_parquet, to_csv, to_parquet
from airflow_provider.mlops.manifest import CsvReader, manifest, type_of

cells = st.text(st.sampled_from('ab,"\n\r 0é'), max_size=6)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


def written(rows: list[list[str]], end: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@given(rows=tables, size=st.integers(1, 20), end=st.sampled_from(["\n", "\r\n"]), cut=st.booleans())
def test_rows_are_counted_in_any_blocks(rows: list[list[str]], size: int, end: str, cut: bool) -> None:
    content = written(rows, end)
    if cut:
        content = content.removesuffix(end.encode())
    reader = CsvReader()
    for at in range(0, len(content), size):
        reader.feed(content[at : at + size])
    assert reader.rows == len(rows) - 1
    assert [one["name"] for one in reader.columns()] == rows[0]


def test_columns_of_the_first_rows() -> None:
    reader = CsvReader()
    reader.feed(b"\xef\xbb\xbfid,score,ok,at,code,none\n1,0.5,true,2026-03-01T00:00:00Z,007,\n2,1e-3,False,")
    reader.feed(b"2026-03-01 10:00:00.5+01:00,008,\n" + b"3,1,true,2026-03-01T00:00:00Z,x," + b"y" * 100_000 + b"\n")
    assert [one["type"] for one in reader.columns()] == ["integer", "number", "boolean", "timestamp", "text", "text"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", ""], "integer"),
        (["1", "2.5"], "number"),
        (["00123"], "text"),
        (["12345678901234567890"], "text"),
        (["", ""], "text"),
        (["true", "no"], "text"),
        (["NaN"], "text"),
        (["2026-03-01"], "text"),
    ],
)
def test_types(values: list[str], expected: str) -> None:
    assert type_of(values) == expected


def test_files_with_other_columns_are_told() -> None:
    file = {"name": "a", "rows": 1, "bytes": 2, "planned_rows": None, "columns": [{"name": "x", "type": "text"}]}
    other = {**file, "name": "b", "columns": [{"name": "y", "type": "text"}]}
    found = manifest({"kind": "predictions"}, [file, other, file])
    assert [one["schema"] for one in found["files"]] == [0, 1, 0]
    assert (found["rows"], found["planned_rows"], len(found["schemas"])) == (3, None, 2)


ROWS = [
    ["id", "code", "big", "score", "ok", "at", "note"],
    ["1", "007", "12345678901234567890", "0.1", "true", "2026-03-01T00:00:00.123456Z", 'a "b",\nc'],
    ["", "", "1", "-3", "FALSE", "", "é"],
]


def test_there_and_back_again(tmp_path: Path) -> None:
    from pyarrow import parquet

    source, made, back = tmp_path / "a.csv", tmp_path / "a.parquet", tmp_path / "b.csv"
    source.write_bytes(b"\xef\xbb\xbf" + written(ROWS))
    rows, columns = to_parquet(source, made)
    assert (rows, columns) == read_parquet(made)
    types = ["integer", "text", "text", "number", "boolean", "timestamp", "text"]
    assert [one["type"] for one in columns] == types
    table = parquet.read_table(made).to_pydict()
    assert table["code"] == ["007", None]
    assert table["big"] == ["12345678901234567890", "1"]
    assert table["score"] == [0.1, -3.0]
    assert table["at"][0].isoformat() == "2026-03-01T00:00:00.123456+00:00"
    assert table["note"] == ['a "b",\nc', "é"]
    assert to_csv(made, back)[0] == 2
    assert [row[1] for row in csv.reader(io.StringIO(back.read_text()))] == ["code", "007", ""]


@pytest.mark.parametrize("content", [b"", b"a,a\n1,2\n", b"a,b\n1,2,3\n", b"a\n\xff\n"], ids=str)
def test_what_is_no_csv_is_told(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(content)
    with pytest.raises(NotConverted):
        to_parquet(source, tmp_path / "a.parquet")


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    source.write_bytes(b"PAR1 and no more")
    with pytest.raises(NotConverted):
        read_parquet(source)


def test_reading_along_keeps_nothing() -> None:
    reader, block = CsvReader(), b"12345678,yes,0.5\n" * 60_000
    tracemalloc.start()
    for _ in range(30):
        reader.feed(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.rows == 30 * 60_000 - 1
    assert peak < 1_000_000
