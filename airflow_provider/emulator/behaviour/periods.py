"""Periods of monitoring: whole hours, start inclusive, end exclusive, cut into buckets.

The default is the seven days until the next top of the hour (seed 002:601). Buckets of a day or more are counted from
the start of the period; a month is one of the calendar (UTC).
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.calls import Call

HOUR = 3_600
DAY = 24 * HOUR
WEEK = 7 * DAY
BEGIN = datetime.min.replace(tzinfo=UTC).timestamp()  # before it there are no dates
MONTH = "P1M"
DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
UNITS = (WEEK, DAY, HOUR, 60, 1)


class Period(NamedTuple):
    """From start until before end, in seconds since the epoch."""

    start: float
    end: float

    def view(self) -> dict[str, str]:
        """As the API shows it."""
        return {"start": shown(self.start), "end": shown(self.end)}


def shown(moment: float) -> str:
    """A top of the hour as the pages show it, without parts of a second."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def period_of(call: Call) -> Period:
    """The period that a call asks for; 422 for anything but whole hours."""
    now = call.service.clock.now()
    end = _top_of_hour(call, "end", -(-now // HOUR) * HOUR)
    start = _top_of_hour(call, "start", max(end - WEEK, BEGIN))
    if start >= end:
        raise invalid(["must be before end @ $.start"])
    return Period(start, end)


def _top_of_hour(call: Call, name: str, default: float) -> float:
    text = call.arguments.get(name)
    if text is None:
        return default
    try:
        moment = seconds(text, naive_is_utc=naive_is_utc(call.service))
    except BadMoment as fault:
        raise invalid([f"{fault} @ $.{name}"]) from None
    if moment % HOUR:
        raise invalid([f"must be a top of the hour, for example 2019-08-01T00:00:00Z, not {text!r} @ $.{name}"])
    return moment


def buckets_of(call: Call, period: Period) -> list[Period]:
    """The buckets of the period: of ``bucketSize``, else of the default that the switch ``default_bucket`` names."""
    size = call.arguments.get("bucketSize") or call.service.switches["default_bucket"]
    if size == "by_length":
        size = "PT1H" if period.end - period.start <= WEEK else "P1D"
    return list(_months(period) if size == MONTH else _equal(period, _length(size, period)))


def _length(size: str, period: Period) -> int:
    match = DURATION.fullmatch(size)
    length = sum(int(count or 0) * unit for count, unit in zip(match.groups(), UNITS, strict=True)) if match else 0
    if not length or length % HOUR:
        raise invalid([f"must be a duration of whole hours, not {size!r} @ $.bucketSize"])
    if length > period.end - period.start:
        raise invalid(["must not be longer than the period @ $.bucketSize"])
    return length


def place_of(moment: float, buckets: list[Period]) -> int:
    """The number of the bucket that a moment of their period falls into."""
    return bisect_right(buckets, moment, key=lambda bucket: bucket.start) - 1


def _equal(period: Period, length: int) -> Iterator[Period]:
    start = period.start
    while start < period.end:
        yield Period(start, min(start + length, period.end))
        start += length


def _months(period: Period) -> Iterator[Period]:
    start = period.start
    while start < period.end:
        first = datetime.fromtimestamp(start, UTC)
        days = calendar.monthrange(first.year, first.month)[1]
        following = datetime(first.year, first.month, 1, tzinfo=UTC).timestamp() + days * DAY
        yield Period(start, min(following, period.end))
        start = following
