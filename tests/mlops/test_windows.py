"""Windows: whole hours, the start inside, the end outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.client import Client
from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.windows import HOUR, Window, WindowPlan, floor, service_time, span
from tests.api.tools import Clock, Script, says, settings

WEEK = timedelta(days=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def plan(start: Any = None, end: Any = None, last: Any = WEEK) -> WindowPlan:
    return WindowPlan.of(start, end, last)


def client(**headers: str) -> Client:
    answer = says(200, {"major": 2, "minor": 49, "versionString": "2.49"}, **headers)
    return Client(settings(), clock=Clock(NOON.timestamp()), transport=Script([answer]).transport)


@given(moments, st.integers(1, 10_000))
def test_a_window_that_ends_now_lies_on_the_hour_and_holds_nothing_of_the_future(now: datetime, hours: int) -> None:
    window = plan(last=timedelta(hours=hours)).at(now)
    for side in (window.start, window.end):
        assert (side.minute, side.second, side.microsecond) == (0, 0, 0)
    assert window.hours == hours
    assert timedelta(0) <= now - window.end < HOUR


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ((None, None, "24h"), "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"),
        (("2026-03-01T00:00:00Z", None, "24h"), "2026-03-01T00:00:00Z", "2026-03-02T12:00:00Z"),
        ((None, "2026-03-01T00:00:00Z", "24h"), "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"),
        (("2026-03-01", "2026-03-02T00:00:00+01:00", "1h"), "2026-03-01T00:00:00Z", "2026-03-01T23:00:00Z"),
        ((NAIVE - WEEK, NOON, "1h"), "2026-02-23T12:00:00Z", "2026-03-02T12:00:00Z"),
        (("None", "", "1h"), "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"),
    ],
    ids=["last", "start", "end", "both, other zones", "datetimes, naive is UTC", "what templates make of None"],
)
def test_what_an_author_gives(given: tuple[Any, Any, Any], start: str, end: str) -> None:
    window = plan(*given).at(NOON + timedelta(minutes=59))
    assert window.arguments() == {"start": start, "end": end}


def test_the_data_interval_comes_before_the_present_and_an_end_before_both() -> None:
    asked = client(Date="Mon, 02 Mar 2026 15:30:00 GMT")
    assert plan().window(NOON, asked).end == NOON
    assert plan(end="2026-02-01").window(NOON, asked).end == datetime(2026, 2, 1, tzinfo=UTC)
    assert plan().window(None, asked).end == datetime(2026, 3, 2, 15, tzinfo=UTC)


def test_the_present_is_the_services_time() -> None:
    assert service_time(client(Date="Mon, 02 Mar 2026 15:30:00 GMT")) == datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    assert service_time(client()) == NOON


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("2026-03-01T00:30:00Z", None, "24h"), "window_start must be on the hour"),
        (("2026-03-01T00:00:00+05:30", None, "24h"), "window_start must be on the hour"),
        ((None, "soon", "24h"), "window_end must be a time like 2026-03-01T00:00:00Z, not 'soon'"),
        (("2026-03-02", "2026-03-01", "24h"), "ends (2026-03-01T00:00:00Z) before it begins"),
        (("2026-03-01", "2026-03-01", "24h"), "before it begins"),
        *(((None, None, last), "window_last must be whole hours") for last in ("", "90m", "0h", "P1M", -5, 5400, "x")),
    ],
    ids=str,
)
def test_what_makes_no_window(given: tuple[Any, Any, Any], told: str) -> None:
    with pytest.raises(InvalidCall) as raised:
        plan(*given)
    assert told in str(raised.value)


def test_a_start_after_the_end_of_the_interval() -> None:
    with pytest.raises(InvalidCall, match="before it begins"):
        plan(start="2026-03-03").at(NOON)


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ("24h", 24),
        ("7d", 168),
        ("2W", 336),
        ("PT6H", 6),
        ("P7D", 168),
        ("P2W", 336),
        (3600, 1),
        ("7200", 2),
        (WEEK, 168),
    ],
)
def test_spans(given: Any, hours: int) -> None:
    assert span("window_last", given) == timedelta(hours=hours)


def test_half_hour_zones_are_rounded_in_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert floor(datetime(2026, 3, 2, 18, 0, tzinfo=india)) == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert floor(NAIVE + timedelta(minutes=20)) == NOON


def test_plain_json() -> None:
    assert plan(start="2026-03-01").to_json() == {"start": "2026-03-01T00:00:00Z", "hours": 168}
    assert Window(NOON - HOUR, NOON).to_json() == {
        "start": "2026-03-02T11:00:00Z",
        "end": "2026-03-02T12:00:00Z",
        "hours": 1,
    }
