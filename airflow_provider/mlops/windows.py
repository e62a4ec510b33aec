"""The window of time that a statistic is asked for: whole hours, the start inside, the end outside.

The service takes the top of the hour only (seed 002:608), so a point in time that is not on the hour is refused where
a person gave it, and rounded down where it was derived (the end of a data interval, the present time).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api import moments
from airflow_provider.api.errors import InvalidCall

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

HOUR = timedelta(hours=1)
UNITS = {"h": HOUR, "d": timedelta(days=1), "w": timedelta(weeks=1)}
SPAN = re.compile(r"(\d+)\s*([hdw])|PT(\d+)H|P(\d+)D|P(\d+)W", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` (inside) to ``end`` (outside), both on the hour, UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidCall(f"the window ends ({stamp(self.end)}) before it begins ({stamp(self.start)})")

    @property
    def hours(self) -> int:
        """How long it is."""
        return int((self.end - self.start) / HOUR)

    def arguments(self) -> dict[str, str]:
        """As query arguments of the service."""
        return {"start": stamp(self.start), "end": stamp(self.end)}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**self.arguments(), "hours": self.hours}


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What was asked for, checked before anything is sent; :meth:`at` makes a window of it.

    :param start: with ``end``: a window of one's own.
    :param end: where the window ends; None: the end of the data interval, else the present hour.
    :param last: how long before its end the window begins, unless ``start`` is given.
    """

    start: datetime | None
    end: datetime | None
    last: timedelta

    @classmethod
    def of(cls, start: Any, end: Any, last: Any) -> WindowPlan:
        """Reads what an author gave: datetimes or ISO 8601; for ``last`` a timedelta, ``24h``, ``7d`` or ``P7D``."""
        begin, until = (_on_the_hour(name, one) for name, one in (("window_start", start), ("window_end", end)))
        if begin is not None and until is not None:
            Window(begin, until)
        return cls(begin, until, span("window_last", last))

    def at(self, end: datetime) -> Window:
        """The window, which ends in the hour of ``end`` unless the author gave an end."""
        until = floor(self.end or end)
        return Window(self.start or until - self.last, until)

    def window(self, interval_end: datetime | None, client: Client) -> Window:
        """The window of a run; the service is asked for the present time where nothing else tells the end.

        :param interval_end: the end of the run's data interval, where it has one.
        """
        return self.at(self.end or interval_end or service_time(client))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: what was asked for."""
        given: Mapping[str, datetime | None] = {"start": self.start, "end": self.end}
        return {**{name: stamp(one) for name, one in given.items() if one}, "hours": int(self.last / HOUR)}


def service_time(client: Client) -> datetime:
    """The service's own clock (Date header of getVersion); the worker's where it sends none."""
    return client.call("getVersion").date or datetime.fromtimestamp(client.clock(), UTC)


def floor(moment: datetime) -> datetime:
    """The top of the hour that a moment lies in, UTC; a naive one is taken as UTC.

    Gives a plain datetime whatever came in: Airflow's own times do not divide by a timedelta.
    """
    hour = HOUR.total_seconds()
    return datetime.fromtimestamp(moments.aware(moment).timestamp() // hour * hour, UTC)


def stamp(moment: datetime) -> str:
    """As the pages write it: 2019-08-01T00:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(name: str, given: Any) -> timedelta:
    """A length of whole hours, at least one: a timedelta, seconds, or a text like 24h, 7d, 2w, PT24H, P7D."""
    found = _span(given)
    if found is None or found < HOUR or found % HOUR:
        raise InvalidCall(f"{name} must be whole hours, at least one, like 24h, 7d or P7D, not {given!r}")
    return found


def _span(given: Any) -> timedelta | None:
    if isinstance(given, timedelta):
        return given
    text = str(given).strip()
    match = SPAN.fullmatch(text)
    if match:
        count, unit, hours, days, weeks = match.groups()
        if unit:
            return int(count) * UNITS[unit.lower()]
        return timedelta(hours=int(hours or 0), days=int(days or 0), weeks=int(weeks or 0))
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        return None


def _on_the_hour(name: str, given: Any) -> datetime | None:
    if given is None or str(given).strip().lower() in ("", "none"):
        return None
    moment = moments.given(name, given)
    if floor(moment) != moment:
        raise InvalidCall(f"{name} must be on the hour, because the service takes nothing else: not {given!r}")
    return floor(moment)
