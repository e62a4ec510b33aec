"""getDeploymentServiceStats: one metric of service health over a window, of so many requests.

Beside the documented metrics, two shares that follow from them: ``errorRate`` (users' and server's together) and
``slowRequestRate``. Times are in milliseconds, loads in requests a minute, rates from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentServiceStats"
METRICS = (
    "serverErrorRate",
    "userErrorRate",
    "errorRate",
    "slowRequestRate",
    "responseTime",
    "executionTime",
    "slowRequests",
    "totalRequests",
    "totalPredictions",
    "numConsumers",
    "cacheHitRatio",
    "medianLoad",
    "peakLoad",
)


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The metric ``of["metric"]``."""
    metrics = body.get("metrics")
    if not isinstance(metrics, Mapping):
        raise KeyMissing("the answer has no key 'metrics'", operation=OPERATION)
    requests = metrics.get("totalRequests")
    sample = requests if isinstance(requests, int) else None
    shown = ("totalRequests", "totalPredictions", "serverErrorRate", "userErrorRate", "slowRequests", "responseTime")
    details = {"metric": of["metric"], **{name: metrics[name] for name in shown if name in metrics}}
    return Reading(_value(metrics, str(of["metric"]), sample), sample=sample, details=details)


def _value(metrics: Mapping[str, Any], name: str, requests: int | None) -> Any:
    if name == "errorRate":
        parts = [metrics.get("userErrorRate"), metrics.get("serverErrorRate")]
        return sum(parts) if all(isinstance(one, (int, float)) for one in parts) else None
    if name == "slowRequestRate":
        slow = metrics.get("slowRequests")
        return slow / requests if requests and isinstance(slow, (int, float)) else None
    return metrics.get(name)
