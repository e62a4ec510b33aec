"""The hourly budget of actuals: how many rows may be sent now, and when the next may.

Assumed of the service: 10,000,000 weighted rows an hour for a deployment, and repeats count (seed 002:891 says "this
hour", which may mean the clock's hour or the last 60 minutes). A sliding window is right under both readings. Time is the
service's; it is read from the Date header of its answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import DataRobotError

HOUR = 3600.0
ROWS_AN_HOUR = 10_000_000  # seed 002:891
MARGIN = 2.0  # seconds more than an hour, for clocks that round


class WeightUnknown(DataRobotError):
    """How much a row counts cannot be read from the champion package."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So many weighted rows in any hour; each row counts ``weight`` times."""

    rows: int = ROWS_AN_HOUR
    weight: int = 1

    def wait(self, charges: Sequence[tuple[float, int]], rows: int, now: float) -> float:
        """Seconds until so many more rows fit; 0 when they fit now. ``charges`` are (when, weighted rows)."""
        recent = sorted((at, weighted) for at, weighted in charges if at > now - HOUR)
        free = self.rows - sum(weighted for _, weighted in recent)
        wanted = min(rows * self.weight, self.rows)
        ready = now
        for at, weighted in recent:
            if free >= wanted:
                break
            free, ready = free + weighted, at + HOUR + MARGIN
        return max(ready - now, 0.0)

    def left(self, charges: Sequence[tuple[float, int]], now: float) -> int:
        """Rows (not weighted) that still fit into the hour."""
        spent = sum(weighted for at, weighted in charges if at > now - HOUR)
        return max(self.rows - spent, 0) // self.weight


def weight_of(package: Mapping[str, Any]) -> int:
    """How often one row counts: classes of a multiclass model times forecast distances of a time series.

    :param package: the answer of getDeploymentChampionModelPackage.
    """
    target = package.get("target") or {}
    weight = 1
    if target.get("type") == "Multiclass":
        classes = target.get("classCount") or len(target.get("classNames") or ())
        if not classes:
            raise WeightUnknown("the champion is multiclass, and its class count cannot be read: give weight=")
        weight *= int(classes)
    distances = (package.get("timeseries") or {}).get("forecastDistances")
    if (package.get("modelKind") or {}).get("isTimeSeries") and not distances:
        raise WeightUnknown("the champion is a time series, and its forecast distances cannot be read: give weight=")
    return weight * max(len(distances or ()), 1)
