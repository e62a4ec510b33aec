"""Figures of service health from prediction requests; times in milliseconds, loads in requests a minute."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.calls import Call

MINUTE = 60
SLOW = 1_000  # milliseconds, the documented default of the threshold (seed 002:6965)
MEDIAN = 0.5  # the documented default of a quantile
QUANTILES: Mapping[str, int] = {"executionTime": 2, "responseTime": 3}  # column of a request
OF_LOAD = ("medianLoad", "peakLoad")  # not told over batches (seed 002:1323)
Request = Sequence[Any]  # moment, rows, execution, response, status, consumer, cached


class Wanted:
    """The quantiles and the threshold of a call: one of each for a single metric, else those of all metrics."""

    def __init__(self, call: Call) -> None:
        given = call.arguments
        self.slow = given.get("threshold", given.get("slowRequestsThreshold", SLOW))
        self.quantiles = {
            name: _share(given, f"{name}Quantile" if f"{name}Quantile" in given else "quantile") for name in QUANTILES
        }


def figures(wanted: Wanted, requests: Sequence[Request]) -> dict[str, Any]:
    """All metrics of these requests; times None where there are none. Loads are over minutes that had any."""
    loads = Counter(one[0] // MINUTE for one in requests)
    return {
        "totalRequests": len(requests),
        "totalPredictions": sum(one[1] for one in requests),
        "slowRequests": sum(one[3] > wanted.slow for one in requests),
        **{
            name: quantile([one[column] for one in requests], wanted.quantiles[name])
            for name, column in QUANTILES.items()
        },
        "userErrorRate": _rate(requests, sum(400 <= one[4] < 500 for one in requests)),
        "serverErrorRate": _rate(requests, sum(one[4] >= 500 for one in requests)),
        "numConsumers": len({one[5] for one in requests}),
        "cacheHitRatio": _rate(requests, sum(one[6] for one in requests)),
        "medianLoad": median(loads.values()) if loads else 0,
        "peakLoad": max(loads.values(), default=0),
    }


def of_batches(wanted: Wanted, requests: Sequence[Request]) -> dict[str, Any]:
    """The metrics that answers over batches have."""
    return {name: value for name, value in figures(wanted, requests).items() if name not in OF_LOAD}


def quantile(values: Sequence[float], share: float) -> float | None:
    """A quantile, between two values by their distance; None where there is none."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def _rate(requests: Sequence[Request], count: int) -> float:
    return count / len(requests) if requests else 0.0


def _share(given: Mapping[str, Any], name: str) -> float:
    share = float(given.get(name, MEDIAN))
    if not 0 <= share <= 1:
        raise invalid([f"must be from 0 to 1, not {share} @ $.{name}"])
    return share
