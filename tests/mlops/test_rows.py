"""Readers: what they give, and how each way of being broken is told."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.mlops.columns import Columns, key_text
from airflow_provider.mlops.rows import (
    Broken,
    UnreadableSource,
    read_csv,
    read_jsonl,
    read_mappings,
    read_parquet,
    read_table,
)
from tests.mlops.inputs import ALL, BOTH, stream

FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def test_a_csv_gives_rows_with_their_lines() -> None:
    text = 'z,at,id,y,acted\r\n0,2026-01-01,a,1,yes\r\n\r\n0,,"b ""c""\nd",2,\r\n'
    assert list(read_csv(stream(text), ALL)) == [
        (2, "a", "1", "2026-01-01", "yes"),
        (5, 'b "c"\nd', "2", "", ""),
    ]


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=20), st.sampled_from(",;\t|"))
def test_what_a_csv_writer_wrote_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([("id", "y"), *rows])
    found = read_csv(stream(text.getvalue()), BOTH, delimiter=delimiter)
    assert [row[1:3] for row in found if not isinstance(row, Broken)] == rows


@given(st.lists(st.tuples(FIELDS, st.floats(allow_nan=False) | FIELDS | st.none()), max_size=20))
def test_what_json_lines_hold_is_read(rows: list[tuple[str, Any]]) -> None:
    text = "\n".join(["", *(json.dumps({"y": value, "id": key}) for key, value in rows)])
    found = list(read_jsonl(stream(text or "\n"), BOTH))
    assert found == [(line, key, value, None, None) for line, (key, value) in enumerate(rows, 2)]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (Columns("id", "y"), ("a", "1", None, None)),
        (Columns(["id"], "y", "at"), ("a", "1", "t", None)),
        (Columns("id", "y", None, "acted"), ("a", "1", None, "x")),
        (Columns("id", "y", "at", "acted"), ("a", "1", "t", "x")),
        (Columns(["id", "z"], "y", "at", separator="/"), ("a/0", "1", "t", None)),
    ],
)
def test_columns_are_picked_from_every_source(columns: Columns, row: tuple[Any, ...]) -> None:
    entry = {"z": "0", "at": "t", "id": "a", "y": "1", "acted": "x"}
    text = f"{','.join(entry)}\n{','.join(entry.values())}\n"
    assert list(read_csv(stream(text), columns)) == [(2, *row)]
    assert list(read_jsonl(stream(json.dumps(entry)), columns)) == [(1, *row)]
    assert list(read_mappings([entry], columns)) == [(1, *row)]
    assert list(read_table(list(entry), [list(entry.values())], columns)) == [(1, *row)]


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        ("", {}, "the source is empty: not even a header"),
        ("id;y\na;1\n", {}, "column 'id' is there 0 times; the source has 'id;y'; one column alone"),
        ("id,x\na,1\n", {}, "column 'y' is there 0 times; the source has 'id', 'x'"),
        ("id,y,y\na,1,2\n", {}, "column 'y' is there 2 times"),
        ("id,y\na,1\nbé,2\n".encode("latin-1"), {}, "bytes that are not utf-8"),
        ("id,y\na,1\n".encode("utf-16"), {}, "bytes that are not utf-8"),
        ('id,y\na,1\n"b,2\n', {}, "after line 3: unexpected end of data"),
        ('id,y\n"a"b,1\n', {}, "after line 2: ',' expected after"),
        ("id,y\n" + "x" * 200_000 + ",1\n", {}, "field larger than field limit"),
    ],
    ids=["empty", "delimiter", "missing", "twice", "latin-1", "utf-16", "quote", "quoting", "huge"],
)
def test_a_csv_that_cannot_be_read(text: str | bytes, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(UnreadableSource, match=r"(?s)" + told.replace("(", r"\(")):
        list(read_csv(stream(text), BOTH, **arguments))


def test_a_csv_in_another_encoding_and_dialect() -> None:
    text = "id\ty\n'b\té'\t2\n"
    found = list(read_csv(stream(text, "utf-16"), BOTH, encoding="utf-16", delimiter="\t", quotechar="'"))
    assert found == [(2, "b\té", "2", None, None)]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert list(read_csv(stream("\ufeffid,y\na,1\n"), BOTH)) == [(2, "a", "1", None, None)]
    assert list(read_jsonl(stream('\ufeff{"id": "a", "y": 1}\n'), BOTH)) == [(1, "a", 1, None, None)]


def test_a_header_alone_is_an_input_without_rows() -> None:
    assert list(read_csv(stream("id,y\n"), BOTH)) == []


def test_too_few_and_too_many_fields_are_broken_rows() -> None:
    assert list(read_csv(stream("id,y\na\nb,1,2\nc,1\n"), BOTH)) == [
        Broken(2, "wrong number of fields: 1 in place of 2", ["a"]),
        Broken(3, "wrong number of fields: 3 in place of 2", ["b", "1", "2"]),
        (4, "c", "1", None, None),
    ]


@pytest.mark.parametrize("cut", [1, 8, 9, 400, -9, -1])
def test_a_truncated_gzip_is_no_shorter_input(cut: int) -> None:
    whole = gzip.compress(("id,y\n" + "".join(f"id-{n * 7919 % 10_007},{n}\n" for n in range(500))).encode())
    with pytest.raises(UnreadableSource, match=r"cut off or damaged|not even a header|gzip"):
        list(read_csv(gzip.GzipFile(fileobj=stream(whole[:cut])), BOTH))  # type: ignore[arg-type]


def test_a_damaged_gzip_is_told() -> None:
    whole = bytearray(gzip.compress(b"id,y\n" + b"a,1\n" * 100))
    whole[-6] ^= 0xFF  # of the check sum
    with pytest.raises(UnreadableSource, match="cut off or damaged"):
        list(read_csv(gzip.GzipFile(fileobj=stream(bytes(whole))), BOTH))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON: Expecting property name"),
        ("[" * 100_000, "no JSON: maximum recursion depth"),
        ("9" * 5000, "no JSON: Exceeds the limit"),
        ("[1, 2]", "no object: list"),
        ("null", "no object: NoneType"),
        ('{"id": "a"}', "without a column: y"),
        ('{"y": 1}', "without a column: id"),
        ("{}", "without a column: id, y"),
    ],
    ids=lambda text: text[:20],
)
def test_a_line_that_is_no_row_is_broken_alone(line: str, reason: str) -> None:
    first, broken, last = read_jsonl(stream(f'{{"id": "a", "y": 1}}\n{line}\n{{"id": "b", "y": 2}}\n'), BOTH)
    assert isinstance(broken, Broken)
    assert (broken.line, broken.reason[: len(reason)]) == (2, reason)
    assert len(json.dumps(broken.raw)) < 1100
    assert [first, last] == [(1, "a", 1, None, None), (3, "b", 2, None, None)]


def test_json_lines_that_cannot_be_read() -> None:
    with pytest.raises(UnreadableSource, match="the source is empty"):
        list(read_jsonl(stream(b""), BOTH))
    with pytest.raises(UnreadableSource, match="after line 0: bytes that are not utf-8"):
        list(read_jsonl(stream(b'{"id": "\xff", "y": 1}\n'), BOTH))


def test_an_optional_column_that_was_asked_for_must_be_there() -> None:
    """A name with a slip would else drop every timestamp without a word; null is allowed."""
    entries = [{"id": "a", "y": 1, "at": None}, {"id": "b", "y": 1}]
    assert list(read_mappings(entries, Columns("id", "y", "at"))) == [
        (1, "a", 1, None, None),
        Broken(2, "without a column: at", entries[1]),
    ]


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("a", 1), "a_1"),
        ((1.0, Decimal("2.50")), "1_2.50"),
        ((date(2026, 1, 2), UUID(int=1)), "2026-01-02_00000000-0000-0000-0000-000000000001"),
        (("a", None), None),
        (("", "b"), None),
        ((float("nan"), "b"), None),
        ((True, "b"), None),
        ((b"a", "b"), None),
        ((["a"], "b"), None),
    ],
)
def test_composite_ids_are_joined_and_never_of_missing_parts(parts: tuple[Any, Any], key: str | None) -> None:
    [row] = read_mappings([{"a": parts[0], "b": parts[1], "y": 0}], Columns(["a", "b"], "y"))
    assert row == (1, key, 0, None, None)


@pytest.mark.parametrize(
    ("key", "text"), [(7, "7"), (7.0, "7"), (1e20, "100000000000000000000"), (0.5, "0.5"), (float("inf"), None)]
)
def test_numbers_as_ids_are_written_without_a_point_where_they_are_whole(key: Any, text: str | None) -> None:
    assert key_text(key) == text


# --- Parquet --------------------------------------------------------------------------------------------------------


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow")


def parquet(arrow: Any, columns: dict[str, Any], **arguments: Any) -> io.BytesIO:
    import pyarrow.parquet

    made = io.BytesIO()
    pyarrow.parquet.write_table(arrow.table(columns), made, **arguments)
    return io.BytesIO(made.getvalue())


def test_parquet_gives_rows_of_all_batches_and_groups(arrow: Any) -> None:
    count = 20_000
    made = parquet(arrow, {"y": list(range(count)), "id": [f"i{n}" for n in range(count)]}, row_group_size=7_000)
    rows = list(read_parquet(made, BOTH))
    assert rows == [(n + 1, f"i{n}", n, None, None) for n in range(count)]


def test_parquet_times_with_nanoseconds_are_cut_to_microseconds(arrow: Any) -> None:
    moments = arrow.array([1_700_000_000_123_456_789, None], arrow.timestamp("ns", "UTC"))
    made = parquet(arrow, {"id": ["a", "b"], "y": [1.5, None], "at": moments, "acted": [True, None]})
    [first, second] = read_parquet(made, ALL)
    assert not isinstance(first, Broken)
    assert isinstance(first[3], datetime)
    assert first[3].isoformat() == "2023-11-14T22:13:20.123456+00:00"
    assert (first[1], first[2], first[4]) == ("a", 1.5, True)
    assert second == (2, "b", None, None, None)


def test_parquet_with_a_nested_column(arrow: Any) -> None:
    columns = {"id": ["a"], "y": [[1]], "other": [{"deep": 1}]}
    with pytest.raises(UnreadableSource, match=r"column 'y' is nested \(list<.*>\)"):
        list(read_parquet(parquet(arrow, columns), BOTH))
    columns["y"] = [1]
    assert list(read_parquet(parquet(arrow, columns), BOTH)) == [(1, "a", 1, None, None)]


def test_parquet_that_cannot_be_read(arrow: Any) -> None:
    whole = parquet(arrow, {"id": ["a"] * 5_000, "y": list(range(5_000))}).getvalue()
    for raw in (b"", b"id,y\na,1\n", whole[:-1], whole[:200], whole[:50] + b"\xff" * 3_000 + whole[3_050:]):
        with pytest.raises(UnreadableSource):
            list(read_parquet(stream(raw), BOTH))
    with pytest.raises(UnreadableSource, match="column 'x' is there 0 times"):
        list(read_parquet(stream(whole), Columns("id", "x")))


def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UnreadableSource, match=r"install the extra \[parquet\]"):
        list(read_parquet(stream(b""), BOTH))


def test_readers_are_lazy() -> None:
    """Constant memory: nothing is read ahead of what is asked for."""

    def entries() -> Iterator[dict[str, int]]:
        yield {"id": 1, "y": 1}
        raise AssertionError("too far")

    assert next(read_mappings(entries(), BOTH)) == (1, 1, 1, None, None)
