"""The hourly limit of rows, and the limit of posts a second."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED
from tests.emulator.rows import HOUR, make_multiclass, make_regression, send

ROWS = [(f"row-{n}", "yes") for n in range(600)]


@pytest.fixture(autouse=True)
def at_half_past(emulator: EmulatorDoor) -> None:
    """A thousand rows an hour, and a clock that stands still at half past."""
    emulator.switches(quota_rows="1000")
    now = emulator.clock(speed=0)["epoch"]
    emulator.advance(HOUR - now % HOUR + HOUR / 2)


def test_the_documented_limit_and_its_text(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:971: 'The number of actuals uploaded this hour exceeds the limit of 10000000 rows.'"""
    emulator.switches(quota_rows="10000000")
    make_multiclass(emulator, *(f"class-{n}" for n in range(1_001)))
    answer = send(requester, *((f"row-{n}", "class-1") for n in range(10_000)))
    assert answer.status_code == 429
    assert answer.json() == {"message": "The number of actuals uploaded this hour exceeds the limit of 10000000 rows."}
    assert send(requester, *((f"row-{n}", "class-1") for n in range(9_990))).status_code == 202
    assert emulator.actuals(UNGOVERNED)["charged"] == 9_999_990


@pytest.mark.parametrize(("value", "text"), [("1000", "1000 rows"), ("100000", "100000 rows")])
def test_smaller_limits_for_tests(emulator: EmulatorDoor, requester: httpx.Client, value: str, text: str) -> None:
    emulator.switches(quota_rows=value)
    rows = [("a", "yes")] * 10_000
    for _ in range(int(value) // 10_000):
        assert send(requester, *rows).status_code == 202
    answer = send(requester, *rows)
    assert (answer.status_code, text in answer.text) == (429, True)


def test_without_a_limit(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(quota_rows="off")
    assert {send(requester, *ROWS).status_code for _ in range(3)} == {202}


def test_a_refused_post_costs_and_stores_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert send(requester, *ROWS).status_code == 202
    assert send(requester, *ROWS).status_code == 429
    assert send(requester, *ROWS[:400]).status_code == 202, "the hour is used up to its last row"
    assert send(requester, *ROWS[:1]).status_code == 429
    assert emulator.actuals(UNGOVERNED)["charged"] == 1_000


def test_a_row_counts_once_per_class(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:941: 10 actuals with 20 classes are 200 actuals."""
    make_multiclass(emulator, *(f"class-{n}" for n in range(20)))
    send(requester, *((f"row-{n}", "class-3") for n in range(10)))
    assert emulator.actuals(UNGOVERNED)["charged"] == 200


def test_a_row_counts_once_per_forecast_distance(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:941: 10 actuals with 50 forecast distances are 500 actuals."""
    make_regression(emulator)
    emulator.change("packages", "64d000000000000000000006", timeseries={"forecastDistances": list(range(1, 51))})
    send(requester, *((f"row-{n}", 1.5) for n in range(10)))
    assert emulator.actuals(UNGOVERNED)["charged"] == 500


@pytest.mark.parametrize(("value", "wait"), [("sliding", HOUR), ("clock_hour", HOUR // 2)])
def test_switch_quota_window(emulator: EmulatorDoor, requester: httpx.Client, value: str, wait: int) -> None:
    """Half past: the last sixty minutes are free again at half past, the hour of the clock on the hour."""
    emulator.switches(quota_window=value)
    send(requester, *ROWS)
    answer = send(requester, *ROWS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(wait))
    emulator.advance(wait - 1)
    assert send(requester, *ROWS).status_code == 429
    emulator.advance(1)
    assert send(requester, *ROWS).status_code == 202


def test_retry_after_waits_for_as_many_posts_as_it_takes(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    for _ in range(5):
        assert send(requester, *ROWS[:200]).status_code == 202
        emulator.advance(60)
    assert send(requester, *ROWS[:200]).headers["Retry-After"] == str(HOUR - 300)
    assert send(requester, *ROWS).headers["Retry-After"] == str(HOUR - 300 + 120)


def test_retry_after_is_in_real_seconds(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 25: service seconds divided by speed."""
    send(requester, *ROWS)
    emulator.clock(speed=60)
    assert int(send(requester, *ROWS).headers["Retry-After"]) <= 60


def test_switch_quota_retry_after_none(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert emulator.switches()["quota_retry_after"] == "seconds"
    emulator.switches(quota_retry_after="none")
    send(requester, *ROWS)
    assert "Retry-After" not in send(requester, *ROWS).headers


@pytest.mark.parametrize(("value", "status"), [("deployment", 202), ("organisation", 429)])
def test_switch_quota_scope(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(quota_scope=value)
    assert send(requester, *ROWS).status_code == 202
    assert send(requester, *ROWS, to=GOVERNED).status_code == status


@pytest.mark.parametrize(("value", "status", "charged"), [("yes", 429, 600), ("no", 202, 600)])
def test_switch_repeats_count(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, charged: int
) -> None:
    emulator.switches(repeats_count=value)
    send(requester, *ROWS)
    assert send(requester, *ROWS).status_code == status
    assert emulator.actuals(UNGOVERNED)["charged"] == charged


@pytest.mark.parametrize(("value", "status"), [("40", 429), ("off", 202)])
def test_switch_post_rate(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md D: 40 requests a second to actuals/fromJSON."""
    emulator.switches(post_rate=value)
    assert {send(requester, ("a", "yes")).status_code for _ in range(40)} == {202}
    answer = send(requester, ("a", "yes"))
    assert answer.status_code == status
    if status == 429:
        assert answer.headers["Retry-After"] == "1"
    emulator.advance(1)
    assert send(requester, ("a", "yes")).status_code == 202
