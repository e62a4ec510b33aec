"""getDeploymentPredictionsVsActualsOverTime: the share of predictions whose actual is known by now.

``summary`` counts the rows of the window; where it is absent, the buckets are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentPredictionsVsActualsOverTime"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The share, of so many predictions."""
    total, actual = rows_of(body)
    return share(total, actual)


def share(total: int, actual: int) -> Reading:
    """So many actuals of so many predictions; without predictions there is no share."""
    details = {"predictions": total, "with_actual": actual}
    return Reading(actual / total if total else None, sample=total, details=details)


def rows_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """Predictions of the window, and how many of them have an actual."""
    for part in ([body.get("summary")], body.get("buckets")):
        rows = [one for one in part or () if isinstance(one, Mapping) and one.get("rowCountTotal") is not None]
        if rows:
            total = sum(int(one["rowCountTotal"]) for one in rows)
            return total, sum(int(one.get("rowCountWithActual") or 0) for one in rows)
    if isinstance(body.get("buckets"), list):
        return 0, 0  # no prediction in the window
    raise KeyMissing("the answer has neither a summary nor buckets with row counts", operation=OPERATION)
