"""The hourly budget is never exceeded, in any hour, and is used up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.budget import HOUR, MARGIN, ROWS_AN_HOUR, Budget, WeightUnknown, weight_of

DELAYS = st.lists(st.floats(0.0, 300.0), min_size=1, max_size=30)


@given(
    st.integers(1, 40), st.integers(1, 7), st.lists(st.integers(1, 9), max_size=80), DELAYS, st.floats(0, 4000), DELAYS
)
def test_no_hour_holds_more_than_the_budget(
    chunks_an_hour: int, weight: int, wanted: list[int], delays: list[float], begin: float, idle: list[float]
) -> None:
    """Arrivals lie somewhere between the note before and the note after; hours slide, or are the clock's."""
    budget = Budget(rows=9 * weight * chunks_an_hour, weight=weight)
    charges: list[tuple[float, int]] = []
    arrivals: list[tuple[float, int]] = []
    now = 1_700_000_000.0 + begin
    for number, rows in enumerate(wanted):
        now += idle[number % len(idle)]
        now += budget.wait(charges, rows, now)
        assert budget.wait(charges, rows, now) == 0.0, "waiting once is enough"
        assert budget.left(charges, now) >= rows
        delay = delays[number % len(delays)]
        arrivals.append((now + delay * (number % 3) / 2, rows * weight))
        now += delay
        charges.append((now, rows * weight))
    for begun, _ in arrivals:
        clock_hour = begun // HOUR * HOUR
        assert sum(rows for at, rows in arrivals if begun <= at < begun + HOUR) <= budget.rows
        assert sum(rows for at, rows in arrivals if clock_hour <= at < clock_hour + HOUR) <= budget.rows


@given(st.integers(1, 5_000_000), st.integers(1, 1_000), st.integers(1, 10_000_000))
def test_a_backfill_takes_an_hour_less_than_it_needs_windows(rows: int, weight: int, limit: int) -> None:
    """ceil(N * w / budget) - 1 hours, when sending takes no time; a row may not be cut."""
    budget = Budget(limit, weight)
    if weight > limit:
        with pytest.raises(InvalidCall, match=f"hourly_budget is {limit}, and one row alone counts {weight} times"):
            budget.chunk_rows  # noqa: B018
        return
    assert 1 <= budget.chunk_rows <= 10_000
    an_hour = limit // weight
    in_windows = an_hour // budget.chunk_rows * budget.chunk_rows
    assert in_windows >= an_hour - math.ceil(an_hour / 10_000), "whole chunks leave next to nothing of an hour"


@pytest.mark.parametrize(
    ("limit", "weight", "rows"), [(ROWS_AN_HOUR, 1, 10_000), (ROWS_AN_HOUR, 300, 8_333), (5, 1, 5), (10, 7, 1)]
)
def test_chunks_use_an_hour_up(limit: int, weight: int, rows: int) -> None:
    assert Budget(limit, weight).chunk_rows == rows


def test_fifty_million_rows_take_four_hours() -> None:
    budget, now, charges = Budget(), 0.0, list[tuple[float, int]]()
    for _ in range(5_000):
        now += budget.wait(charges, 10_000, now)
        charges.append((now, 10_000))
    assert 4 * HOUR <= now <= 4 * (HOUR + MARGIN)


def test_what_is_left_is_in_rows() -> None:
    budget = Budget(100, 10)
    assert budget.left([(0.0, 35), (-HOUR - MARGIN, 60)], 0.0) == 6
    assert budget.left([(0.0, 200)], 0.0) == 0


@pytest.mark.parametrize(
    ("package", "weight"),
    [
        ({}, 1),
        ({"target": {"type": "Regression", "classCount": None}}, 1),
        ({"target": {"type": "Binary", "classCount": 2, "classNames": ["a", "b"]}}, 1),
        ({"target": {"type": "Multiclass", "classCount": 20, "classNames": []}}, 20),
        ({"target": {"type": "Multiclass", "classCount": None, "classNames": ["a", "b", "c"]}}, 3),
        ({"timeseries": {"forecastDistances": [1, 2, 3]}, "target": {"type": "Regression"}}, 3),
        ({"timeseries": {"forecastDistances": [1, 2]}, "target": {"type": "Multiclass", "classCount": 5}}, 10),
        ({"timeseries": None, "modelKind": {"isTimeSeries": False}}, 1),
    ],
)
def test_how_often_a_row_counts(package: dict[str, object], weight: int) -> None:
    """Seed 002:941: forecast distances and classes multiply."""
    assert weight_of(package) == weight


@pytest.mark.parametrize(
    "package",
    [
        {"target": {"type": "Multiclass", "classCount": None, "classNames": []}},
        {"modelKind": {"isTimeSeries": True}, "timeseries": {"forecastDistances": []}},
    ],
)
def test_a_weight_that_cannot_be_read_is_asked_for(package: dict[str, object]) -> None:
    with pytest.raises(WeightUnknown, match="give weight="):
        weight_of(package)
