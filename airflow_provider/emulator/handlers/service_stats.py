"""Service health of a period, from the stored prediction requests."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import Any

from airflow_provider.emulator.answers import Answer, invalid
from airflow_provider.emulator.behaviour.matching import models_of, watched
from airflow_provider.emulator.behaviour.periods import period_of
from airflow_provider.emulator.calls import Call, serves

MINUTE = 60
SLOW = 1_000  # milliseconds, the documented default of the threshold (seed 002:6965)
MEDIAN = 0.5  # the documented default of a quantile


@serves("getDeploymentServiceStats")
def get_service_stats(call: Call) -> Answer:
    """All metrics; times in milliseconds, loads in requests a minute, over minutes that had any."""
    deployment = watched(call)
    period = period_of(call)
    models = models_of(call, deployment)
    rows = call.service.rows
    numbers = [rows.number(model) for model in models]
    marks = ",".join("?" * len(numbers))
    found = rows.db.execute(
        f"""SELECT moment, rows, execution, response, status, consumer, cached FROM requests
            WHERE deployment = ? AND moment >= ? AND moment < ? AND model IN ({marks})""",  # noqa: S608 - marks only
        (rows.number(deployment["id"]), period.start, period.end, *numbers),
    ).fetchall()
    body = {
        "period": period.view(),
        "modelId": models[0] if len(models) == 1 else None,
        "metrics": _metrics(call, found),
    }
    return Answer(200, body)


def _metrics(call: Call, requests: list[Any]) -> dict[str, Any]:
    loads = Counter(moment // MINUTE for moment, *_ in requests)
    threshold = call.arguments.get("slowRequestsThreshold", SLOW)
    return {
        "totalRequests": len(requests),
        "totalPredictions": sum(rows for _, rows, *_ in requests),
        "slowRequests": sum(response > threshold for _, _, _, response, *_ in requests),
        "executionTime": _quantile(call, "executionTimeQuantile", [one[2] for one in requests]),
        "responseTime": _quantile(call, "responseTimeQuantile", [one[3] for one in requests]),
        "userErrorRate": _share(requests, sum(400 <= one[4] < 500 for one in requests)),
        "serverErrorRate": _share(requests, sum(one[4] >= 500 for one in requests)),
        "numConsumers": len({one[5] for one in requests}),
        "cacheHitRatio": _share(requests, sum(one[6] for one in requests)),
        "medianLoad": median(loads.values()) if loads else 0,
        "peakLoad": max(loads.values(), default=0),
    }


def _share(requests: list[Any], count: int) -> float:
    return count / len(requests) if requests else 0.0


def _quantile(call: Call, name: str, values: list[float]) -> float | None:
    """A quantile, between two values by their distance; None where there is none."""
    share = float(call.arguments.get(name, MEDIAN))
    if not 0 <= share <= 1:
        raise invalid([f"must be from 0 to 1, not {share} @ $.{name}"])
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))
