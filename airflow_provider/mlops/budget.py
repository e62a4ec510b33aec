"""The hourly budget of actuals: how many rows may be sent now, and when the next may.

Assumed of the service: 10,000,000 weighted rows an hour for a deployment, and repeats count (seed 002:891 says "this
hour", which may mean the clock's hour or the last 60 minutes). A sliding window is right under both readings: no hour,
wherever it begins, holds more than the budget. Time is the service's, read from the Date header of its answers.

N rows of weight w need ceil(N * w / budget) windows, so they take one hour less than that, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.actuals import CHUNK_ROWS

HOUR = 3600.0
ROWS_AN_HOUR = 10_000_000  # seed 002:891
MARGIN = 5.0  # seconds that an hour lasts longer here: Date has whole seconds, and answers take their time

Charges = Iterable[tuple[float, int]]  # service time, weighted rows


class WeightUnknown(DataRobotError):
    """How much a row counts cannot be read from the champion package."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So many weighted rows in any hour; each row counts ``weight`` times."""

    rows: int = ROWS_AN_HOUR
    weight: int = 1

    @property
    def chunk_rows(self) -> int:
        """Rows of a chunk: at most what a request may hold, and such that whole chunks use an hour up."""
        an_hour = self.rows // self.weight
        if an_hour == 0:
            raise InvalidCall(f"hourly_budget is {self.rows}, and one row alone counts {self.weight} times")
        return an_hour // -(-an_hour // CHUNK_ROWS)

    def left(self, charges: Charges, now: float) -> int:
        """Rows (not weighted) that may be sent now."""
        return max(self.rows - sum(weighted for _, weighted in _recent(charges, now)), 0) // self.weight

    def wait(self, charges: Charges, rows: int, now: float) -> float:
        """Seconds until so many rows may be sent; 0.0 when they may now."""
        recent = sorted(_recent(charges, now))
        free = self.rows - sum(weighted for _, weighted in recent)
        ready = now
        for at, weighted in recent:
            if free >= rows * self.weight:
                break
            free, ready = free + weighted, at + HOUR + MARGIN
        return max(ready - now, 0.0)


def weight_of(package: Mapping[str, Any]) -> int:
    """How often one row counts: classes of a multiclass model, times forecast distances of a time series.

    :param package: the answer of getDeploymentChampionModelPackage.
    """
    target = package.get("target") or {}
    weight = 1
    if target.get("type") == "Multiclass":
        weight = int(target.get("classCount") or len(target.get("classNames") or ()))
        if not weight:
            raise WeightUnknown("the champion is multiclass, and its class count cannot be read: give weight=")
    distances = (package.get("timeseries") or {}).get("forecastDistances")
    if (package.get("modelKind") or {}).get("isTimeSeries") and not distances:
        raise WeightUnknown("the champion is a time series, and its forecast distances cannot be read: give weight=")
    return weight * max(len(distances or ()), 1)


def _recent(charges: Charges, now: float) -> list[tuple[float, int]]:
    return [(at, weighted) for at, weighted in charges if at > now - HOUR - MARGIN]
