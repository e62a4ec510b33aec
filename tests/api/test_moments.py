"""Points in time: what is read, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_provider.api import moments
from airflow_provider.api.errors import InvalidCall

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON.replace(tzinfo=None),
        "2026-03-01T12:00:00Z",
        " 2026-03-01 12:00 ",
        "2026-03-01T13:00:00+01:00",
        NOON.astimezone(BERLIN),
    ],
)
def test_a_time_without_a_zone_is_utc(value: Any) -> None:
    assert moments.read(value) == moments.given("end", value) == NOON


@pytest.mark.parametrize("value", ["soon", "", None, "2026-13-01"])
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        moments.read(value)
    with pytest.raises(InvalidCall, match=f"^end must be a time like 2026-03-01T00:00:00Z, not {value!r}$"):
        moments.given("end", value)


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (NOON, "2026-03-01T12:00:00Z"),
        (NOON.replace(tzinfo=None), "2026-03-01T12:00:00Z"),
        (NOON.replace(tzinfo=BERLIN), "2026-03-01T11:00:00Z"),
        (NOON.replace(microsecond=250_000), "2026-03-01T12:00:00.250000Z"),
    ],
)
def test_times_are_sent_in_utc(moment: datetime, sent: str) -> None:
    assert moments.utc(moment) == sent
