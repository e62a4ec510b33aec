"""The row check against the contract, and chunks against a naive model."""

from __future__ import annotations

import hashlib
import json
import math
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider.contract import check_body, contract
from airflow_provider.mlops.actuals import CHUNK_ROWS, DUPLICATES, Chunk, DuplicateId, Reject, chunks
from airflow_provider.mlops.row_check import RowCheck, Tally
from airflow_provider.mlops.rows import Broken, Row
from tests.mlops.inputs import NOW, InMemory, numbered, packed

SUBMIT = contract().operation("submitDeploymentActualsFromJson")
NAN, INF = float("nan"), float("inf")
TARGETS = ["Regression", "Binary", "Multiclass", "TextGeneration"]
WORDS = st.sampled_from(
    ["", " ", "a", "yes", "1", "1.0", "1e999", "nan", "-inf", "1_000", "é\ud800", "x" * 129, "\x00"]
)
TIMES = st.datetimes() | st.datetimes(timezones=st.timezones()) | st.dates() | st.datetimes().map(datetime.isoformat)
ODD = st.sampled_from([b"a", [1], {"a": 1}, (1, 2), Decimal("NaN"), Decimal("1E+400"), 10**400, -0.0, object()])
ANYTHING = WORDS | TIMES | ODD | st.text(max_size=5) | st.none() | st.booleans() | st.integers() | st.floats()


def bodies(made: Sequence[Chunk]) -> list[dict[str, Any]]:
    return [json.loads(chunk.body) for chunk in made]


def values(made: Sequence[Chunk]) -> list[list[tuple[str, Any]]]:
    return [[(row["associationId"], row["actualValue"]) for row in body["data"]] for body in bodies(made)]


def checked(*row: Any, target: str = "Regression", classes: Sequence[str] | None = None) -> Any:
    """The JSON of one row as the check makes it, or the reason why it is refused."""
    [numbered_row] = numbered(row)
    assert not isinstance(numbered_row, Broken)
    found = RowCheck(target, classes, NOW, Tally()).fragment(numbered_row)
    return found if isinstance(found, str) else json.loads(found[1])


# --- rows -----------------------------------------------------------------------------------------------------------


@given(st.sampled_from(TARGETS), st.booleans(), st.booleans() | st.none(), st.tuples(*[ANYTHING] * 4))
@example("Binary", True, None, ("a", ["unhashable"], None, None))
@example("Regression", False, True, ("a", 1.0, datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), "1.0"))
@example("Regression", False, True, ("a", 1.0, datetime.min.replace(tzinfo=timezone(timedelta(hours=12))), True))
def test_what_passes_the_row_check_passes_the_contract(
    target: str, known: bool, keep: bool | None, row: tuple[Any, ...]
) -> None:
    """The checker sees the first row only when bulk bodies are sent: this is what makes that right."""
    tally, rejects = Tally(), list[Reject]()
    made = packed(numbered(row), target, ["1", "yes"] if known else None, tally, rejects, keep_without_predictions=keep)
    assert tally.read == 1 == tally.rejected + len(made)
    for chunk, body in zip(made, bodies(made), strict=True):
        assert check_body(SUBMIT, body, contract()) == []
        assert body == prepared(body, keep)
        [sent] = body["data"]
        assert 1 <= len(sent["associationId"]) <= 128
        value = sent["actualValue"]
        assert math.isfinite(value) if target == "Regression" else isinstance(value, str) and value.strip()
        if known and target in ("Binary", "Multiclass"):
            assert value in ("1", "yes")
        if "timestamp" in sent:
            moment = datetime.fromisoformat(sent["timestamp"])
            assert moment.utcoffset() == timedelta(0)
            assert datetime(1970, 1, 1, tzinfo=UTC) <= moment <= NOW + timedelta(days=1)
        assert chunk.digest == hashlib.sha256(chunk.body).hexdigest()[:32]
    for reject in rejects:
        json.dumps(reject.to_json(), default=str)
        assert tally.reasons == {reject.reason.partition(":")[0]: 1}


def prepared(body: dict[str, Any], keep: bool | None) -> dict[str, Any]:
    flag = {} if keep is None else {"keepActualsWithoutPredictions": keep}
    return {"data": body["data"], **flag}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("0.25", 0.25),
        (" 7 ", 7),
        ("-1e-3", -0.001),
        (7, 7),
        (Decimal("0.1"), 0.1),
        (10**300, 1e300),
        ("yes", "actual value is not a finite number: 'yes'"),
        (True, "actual value is not a finite number: True"),
        ("1,5", "actual value is not a finite number: '1,5'"),
        ("1_000", "actual value is not a finite number: '1_000'"),
        ("nan", "actual value is not a finite number: 'nan'"),
        ("-inf", "actual value is not a finite number: '-inf'"),
        (INF, "actual value is not a finite number: inf"),
        (10**400, "actual value is not a finite number: 1" + "0" * 59 + "..."),
        ([1], "actual value is not a finite number: [1]"),
        (NAN, "actual value is empty"),
        (None, "actual value is empty"),
        ("", "actual value is empty"),
        ("  ", "actual value is empty"),
    ],
)
def test_values_for_regression(value: Any, sent: Any) -> None:
    found = checked("a", value)
    assert found == sent if isinstance(sent, str) else found["actualValue"] == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("1", "1"),
        ("1.0", "1"),
        (1, "1"),
        (1.0, "1"),
        (Decimal("1.00"), "1"),
        ("no", "no"),
        ("True", "True"),
        (True, "True"),
        ("yes", None),
        ("NO", None),
        (" no", None),
        (2, None),
        (False, None),
        (b"no", None),
        (["no"], None),
    ],
)
def test_labels_are_compared_with_the_known_classes(value: Any, sent: str | None) -> None:
    found = checked("a", value, target="Binary", classes=["1", "no", "True"])
    if sent is None:
        assert found == f"actual value is not one of 1, no, True: {value!r}"
    else:
        assert found["actualValue"] == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [("yes", "yes"), (1, "1"), (1.0, "1"), (0.5, "0.5"), (False, "False"), (INF, None), (b"a", None), ({}, None)],
)
def test_labels_where_classes_are_not_known(value: Any, sent: str | None) -> None:
    found = checked("a", value, target="Multiclass")
    assert found == f"actual value is not a label: {value!r}" if sent is None else found["actualValue"] == sent


def test_many_classes_are_not_all_shown() -> None:
    classes = [f"class-{n}" for n in range(50)]
    assert checked("a", "x", target="Multiclass", classes=classes).count("class-") == 10


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("x" * 128, None),
        ("x" * 129, "association id is longer than 128 characters: 129"),
        ("", "association id is empty"),
        (None, "association id is empty"),
        (NAN, "association id is no text: nan"),
        (b"a", "association id is no text: b'a'"),
        (True, "association id is no text: True"),
        (7.0, None),
    ],
)
def test_association_ids(key: Any, told: str | None) -> None:
    found = checked(key, 1)
    assert found == told if told else found["associationId"] == str(key).removesuffix(".0")


@pytest.mark.parametrize(
    ("stamp", "sent"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01 12:00:00.25", "2026-03-01T12:00:00.250000+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(seconds=30))), "2026-03-01T11:59:30+00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
        ("2026-03-03T08:00:00Z", "2026-03-03T08:00:00+00:00"),
        ("1969-12-31T23:59:59Z", "timestamp is before 1970: '1969-12-31T23:59:59Z'"),
        ("2026-03-03T08:00:01Z", "timestamp is in the future: '2026-03-03T08:00:01Z'"),
        ("yesterday", "timestamp is no ISO 8601 time: 'yesterday'"),
        (1_700_000_000, "timestamp is no ISO 8601 time: 1700000000"),
        (None, None),
        ("", None),
        (" ", None),
        (NAN, None),
    ],
)
def test_timestamps(stamp: Any, sent: str | None) -> None:
    found = checked("a", 1, stamp)
    assert (found if isinstance(found, str) else found.get("timestamp")) == sent


def test_times_without_a_zone_are_counted_where_they_are_sent() -> None:
    tally = Tally()
    rows = [("a", 1, "2026-03-01"), ("b", 1, "2026-03-01T00:00:00Z"), ("c", 1, "1960-03-01"), ("d", 1, "")]
    packed(numbered(*rows), tally=tally)
    assert tally.naive == 1


@pytest.mark.parametrize(
    ("acted", "sent"),
    [(True, True), ("No", False), (1.0, True), (" false ", False), (None, None), (NAN, None), ("", None)],
)
def test_was_acted_on(acted: Any, sent: bool | None) -> None:
    assert checked("a", 1, None, acted).get("wasActedOn") is sent


def test_was_acted_on_that_is_neither() -> None:
    assert checked("a", 1, None, "perhaps") == "was acted on is neither true nor false: 'perhaps'"


def test_rejects_say_where_and_why() -> None:
    rows: list[Row | Broken] = [
        (4, "a", "x", None, None),
        Broken(5, "wrong number of fields: 1 in place of 2", ["b"]),
        (6, "c", 1, "", ""),
    ]
    rejects, tally = list[Reject](), Tally()
    made = packed(rows, "Regression", tally=tally, rejects=rejects)
    assert values(made) == [[("c", 1.0)]]
    assert [one.to_json() for one in rejects] == [
        {"line": 4, "reason": "actual value is not a finite number: 'x'", "row": ["a", "x", None, None]},
        {"line": 5, "reason": "wrong number of fields: 1 in place of 2", "row": ["b"]},
    ]
    assert (tally.read, tally.rejected, tally.packed) == (3, 2, 1)
    assert tally.reasons == {"actual value is not a finite number": 1, "wrong number of fields": 1}


# --- chunks ---------------------------------------------------------------------------------------------------------

PAIRS = st.lists(st.tuples(st.integers(0, 12).map(str), st.integers(0, 3).map(str)), max_size=60)
SIZES = st.integers(1, 7)


def windows(made: Sequence[Chunk]) -> list[list[str]]:
    """All ids of each window."""
    found: dict[int, list[str]] = {}
    for chunk, rows in zip(made, values(made), strict=True):
        found.setdefault(chunk.window, []).extend(key for key, _ in rows)
    return list(found.values())


def stored(made: Sequence[Chunk]) -> dict[str, str]:
    """What a service has in the end that overwrites by id."""
    return {key: value for rows in values(made) for key, value in rows}


@given(PAIRS, SIZES, st.sampled_from(DUPLICATES))
def test_every_row_is_in_a_chunk_or_counted(pairs: list[tuple[str, str]], size: int, duplicates: str) -> None:
    tally = Tally()
    try:
        made = packed(numbered(*pairs), tally=tally, size=size, duplicates=duplicates)
    except DuplicateId:
        assert duplicates == "error"
        return
    assert tally.read == len(pairs) == tally.duplicate + tally.packed
    assert tally.packed == sum(chunk.rows for chunk in made) == sum(map(len, values(made)))
    assert all(1 <= chunk.rows <= size for chunk in made)
    assert [chunk.number for chunk in made] == list(range(len(made)))


@given(PAIRS, SIZES)
def test_the_last_row_of_an_id_counts_and_no_window_has_it_twice(pairs: list[tuple[str, str]], size: int) -> None:
    made = packed(numbered(*pairs), size=size)
    assert stored(made) == dict(pairs)
    assert all(max(Counter(ids).values()) == 1 for ids in windows(made))
    assert [chunk.window for chunk in made] == sorted(chunk.window for chunk in made)
    assert {chunk.window for chunk in made} == set(range(len(windows(made))))


@given(PAIRS, SIZES)
def test_the_first_row_of_an_id_counts(pairs: list[tuple[str, str]], size: int) -> None:
    tally = Tally()
    made = packed(numbered(*pairs), tally=tally, size=size, duplicates="first")
    first = dict(reversed(pairs))
    assert sorted(row for rows in values(made) for row in rows) == sorted(first.items())
    assert tally.duplicate == len(pairs) - len(first)
    assert {chunk.window for chunk in made} <= {0}


@given(PAIRS, SIZES)
def test_duplicates_are_an_error_where_they_are_to_be(pairs: list[tuple[str, str]], size: int) -> None:
    ids = [key for key, _ in pairs]
    if len(set(ids)) == len(ids):
        assert stored(packed(numbered(*pairs), size=size, duplicates="error")) == dict(pairs)
        return
    sent: list[Chunk] = []
    check, tally = RowCheck("Binary", None, NOW, Tally()), Tally()
    with pytest.raises(DuplicateId, match="stands in the input"):
        sent.extend(
            chunks(numbered(*pairs), check, tally, duplicates="error", seen=InMemory(), size=size, on_reject=id)
        )
    assert all(max(Counter(ids).values()) == 1 for ids in windows(sent))


@given(PAIRS, SIZES)
def test_duplicates_are_sent_as_they_come(pairs: list[tuple[str, str]], size: int) -> None:
    made = packed(numbered(*pairs), size=size, duplicates="ignore")
    assert [row for rows in values(made) for row in rows] == pairs
    assert all(chunk.rows == size for chunk in made[:-1])


@given(PAIRS, SIZES, st.sampled_from(["last", "first", "ignore"]), PAIRS)
def test_the_same_rows_make_the_same_chunks(
    pairs: list[tuple[str, str]], size: int, duplicates: str, more: list[tuple[str, str]]
) -> None:
    """How a rerun knows what was sent: also when rows were added to the end, up to the last chunks."""
    made = packed(numbered(*pairs), size=size, duplicates=duplicates)
    assert packed(numbered(*pairs), size=size, duplicates=duplicates) == made
    if duplicates != "last":
        longer = packed(numbered(*pairs, *more), size=size, duplicates=duplicates)
        assert longer[: max(len(made) - 1, 0)] == made[:-1]


def test_ids_that_come_back_rarely_cost_one_window() -> None:
    """Corrections at the end of a long file: they are held, so that chunks go on side by side."""
    pairs = [(str(n), "a") for n in range(1000)]
    made = packed(numbered(*pairs, *((str(n), "b") for n in range(0, 1000, 50))), size=100)
    assert [chunk.window for chunk in made] == [0] * 10 + [1]
    assert made[-1].rows == 20


def test_a_chunk_is_never_larger_than_the_service_takes() -> None:
    made = packed(numbered(*((str(n), "a") for n in range(CHUNK_ROWS + 1))))
    assert [chunk.rows for chunk in made] == [CHUNK_ROWS, 1]
    assert check_body(SUBMIT, bodies(made)[0], contract()) == []


def test_rows_are_not_kept() -> None:
    def endless(count: int) -> Any:
        row: Row
        for line in range(count):
            row = (line, f"customer-{line}", "yes", None, None)
            yield row

    check, tally = RowCheck("Binary", ["yes"], NOW, Tally()), Tally()
    tracemalloc.start()
    try:
        made = chunks(endless(20_000), check, tally, duplicates="ignore", size=500, on_reject=id)
        assert sum(chunk.rows for chunk in made) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
