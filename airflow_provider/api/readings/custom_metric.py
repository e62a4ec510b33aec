"""getDeploymentCustomMetricSummary: a custom metric over a window, beside its baseline.

Which direction is better stands in the metric itself: ``of["direction"]`` (1: higher, -1: lower, None: not known).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentCustomMetricSummary"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The value, of so many samples."""
    metric = body.get("metric")
    if not isinstance(metric, Mapping):
        raise KeyMissing("the answer has no key 'metric'", operation=OPERATION)
    value, baseline, count = (metric.get(name) for name in ("value", "baselineValue", "sampleCount"))
    details = {"custom_metric": metric.get("name"), "custom_metric_id": metric.get("id")}
    improvement = None
    if of.get("direction") and isinstance(value, (int, float)) and isinstance(baseline, (int, float)) and baseline:
        improvement = of["direction"] * 100 * (value - baseline) / abs(baseline)
    return Reading(value, count if isinstance(count, int) else None, baseline, improvement, details)
