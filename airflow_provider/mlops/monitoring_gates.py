"""Gates on what monitoring tells: service health and drift. See ``gates.py`` for what a gate is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.api.messages import prepare
from airflow_provider.api.readings import feature_drift, newest, service_health, target_drift
from airflow_provider.mlops.gates import Gate, Rule, about, asking, fresh
from airflow_provider.mlops.windows import Window

DRIFT_METRICS = ("psi", "kl_divergence", "dissimilarity", "hellinger", "js_divergence")  # seed 002:3133
QUANTILE_OF = {"responseTime": "responseTimeQuantile", "executionTime": "executionTimeQuantile"}


def service_health_gate(
    deployment_id: str,
    metric: str,
    window: Window,
    rule: Rule,
    *,
    quantile: float | None = None,
    slow_threshold: int | None = None,
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """One metric of service health over a window (operation getDeploymentServiceStats).

    :param quantile: of responseTime or executionTime, from 0 to 1; default: the service's own, the median.
    :param slow_threshold: from how many milliseconds on a request is slow; default: the service's own.
    """
    arguments = asking(deployment_id, window, filters)
    if quantile is not None:
        arguments[QUANTILE_OF[metric]] = quantile
    if slow_threshold is not None:
        arguments["slowRequestsThreshold"] = slow_threshold
    of = {
        "metric": metric,
        **fresh(rule, "getDeploymentServiceStatsOverTime", arguments, window, metric="totalRequests"),
    }
    return Gate(service_health.OPERATION, arguments, "service_health", rule, of, about(arguments, window))


def target_drift_gate(
    deployment_id: str, metric: str, window: Window, rule: Rule, filters: Mapping[str, Any] | None = None
) -> Gate:
    """The drift of what is predicted, over a window (operation getDeploymentTargetDrift)."""
    arguments = {**asking(deployment_id, window, filters), "metric": metric}
    of = fresh(rule, newest.OPERATION, arguments, window)
    return Gate(target_drift.OPERATION, arguments, "target_drift", rule, of, about(arguments, window))


def feature_drift_gate(
    deployment_id: str,
    metric: str,
    window: Window,
    rule: Rule,
    *,
    threshold: float,
    features: Sequence[str] = (),
    excluded: Sequence[str] = (),
    minimum_importance: float = 0.0,
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """How many features have drifted over a window (operation getDeploymentFeatureDrift, all pages)."""
    arguments = {**asking(deployment_id, window, filters), "metric": metric, "limit": 100}
    of = {
        "threshold": threshold,
        "features": list(features),
        "excluded": list(excluded),
        "minimum_importance": minimum_importance,
        "path": prepare(feature_drift.OPERATION, arguments).path,
        **fresh(rule, newest.OPERATION, arguments, window),
    }
    return Gate(feature_drift.OPERATION, arguments, "feature_drift", rule, of, about(arguments, window))
