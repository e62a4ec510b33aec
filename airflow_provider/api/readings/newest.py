"""How old the newest rows of a window are, from an answer in buckets of one hour.

The age is told in hours, from the end of the last bucket that has rows to the end of the window. Understood are the
buckets of getDeploymentPredictionsVsActualsOverTime, getDeploymentServiceStatsOverTime and
getDeploymentCustomMetricValuesOverTime; ``of["counted"]`` names the key that counts rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider.api import moments
from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentPredictionsVsActualsOverTime"
HOUR = 3600.0


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The age as the value, of so many rows."""
    filled = list(_filled(body, str(of["counted"])))
    end = max((until for until, _ in filled), default=None)
    details = {"newest": None if end is None else end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    age = None if end is None else max((_moment(of["end"]) - end).total_seconds() / HOUR, 0.0)
    return Reading(age, sample=sum(count for _, count in filled), details=details, age=age)


def aged(reading: Reading, body: Mapping[str, Any], of: Mapping[str, Any]) -> Reading:
    """The reading, with the age of the newest rows."""
    found = read(body, of, {})
    return replace(reading, age=found.age, details={**reading.details, **found.details})


def _filled(body: Mapping[str, Any], counted: str) -> Iterator[tuple[datetime, int]]:
    """End and rows of each bucket that has any."""
    buckets = body.get("buckets")
    if not isinstance(buckets, list):
        raise KeyMissing("the answer has no buckets", operation=OPERATION)
    for one in buckets:
        count = one.get(counted) if isinstance(one, Mapping) else None
        end = (one.get("period") or {}).get("end") if count else None
        if count and end:
            yield _moment(end), int(count)


def _moment(text: Any) -> datetime:
    try:
        return moments.read(text).astimezone(UTC)
    except ValueError:
        raise KeyMissing(f"{text!r} is no time", operation=OPERATION) from None
