"""Gates on how a deployment behaves: humility, fairness, timeliness, custom metrics. See ``gates.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.messages import prepare
from airflow_provider.api.readings import coverage, custom_metric, fairness, humility, newest
from airflow_provider.mlops.gates import HOURLY, Gate, Rule, about, fresh
from airflow_provider.mlops.windows import Window, stamp

FAIRNESS_METRICS = (
    "proportionalParity",
    "equalParity",
    "favorableClassBalance",
    "unfavorableClassBalance",
    "trueUnfavorableRateParity",
    "trueFavorableRateParity",
    "favorablePredictiveValueParity",
    "unfavorablePredictiveValueParity",
)  # seed 002:3023
DIRECTION = {"higherIsBetter": 1, "lowerIsBetter": -1}
COUNTED = {"predictions": "rowCountTotal", "actuals": "rowCountWithActual"}


def humility_gate(
    deployment_id: str,
    window: Window,
    rule: Rule,
    *,
    humility_rule: str | None = None,
    share: bool = False,
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """How many predictions met a humility rule (operation getDeploymentHumilityStats).

    :param humility_rule: its name or id; None: all rules together.
    :param share: as a share of the predictions of the window, in place of their number.
    """
    arguments = {"deploymentId": deployment_id, **window.arguments(), **(filters or {})}
    of = {
        "rule": humility_rule,
        "share": share,
        "sample_path": prepare(coverage.OPERATION, arguments).target,
        **fresh(rule, newest.OPERATION, arguments, window),
    }
    return Gate(humility.OPERATION, arguments, "humility", rule, of, about(arguments, window))


def fairness_gate(
    deployment_id: str,
    protected_feature: str,
    window: Window,
    rule: Rule,
    *,
    metric: str | None = None,
    significant: bool = True,
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """The worst score of a protected feature's classes (operation getDeploymentFairnessScoresOverTime).

    :param metric: None: the one that the deployment's settings name.
    :param significant: whether only classes with enough rows count, as the service says.
    """
    arguments = {
        "deploymentId": deployment_id,
        "protectedFeature": protected_feature,
        **window.arguments(),
        **({"fairnessMetric": metric} if metric else {}),
        **(filters or {}),
    }
    of = {"significant": significant, **fresh(rule, newest.OPERATION, arguments, window)}
    return Gate(fairness.OPERATION, arguments, "fairness", rule, of, about(arguments, window))


def timeliness_gate(
    deployment_id: str, what: str, window: Window, rule: Rule, filters: Mapping[str, Any] | None = None
) -> Gate:
    """How many hours old the newest predictions, or the newest predictions with an actual, are at the window's end.

    Operation getDeploymentPredictionsVsActualsOverTime, by the hour.

    :param what: ``predictions`` or ``actuals``.
    """
    arguments = {"deploymentId": deployment_id, **window.arguments(), **HOURLY, **(filters or {})}
    of = {"counted": COUNTED[what], "end": stamp(window.end)}
    return Gate(newest.OPERATION, arguments, "newest", rule, of, about(arguments, window))


def custom_metric_gate(
    deployment_id: str,
    custom_metric_id: str,
    window: Window,
    rule: Rule,
    *,
    directionality: str | None = None,
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """A custom metric over a window (operation getDeploymentCustomMetricSummary).

    :param directionality: of the metric; tells what an improvement is.
    """
    whose = {"deploymentId": deployment_id, "customMetricId": custom_metric_id}
    arguments = {**whose, **window.arguments(), **(filters or {})}
    of: dict[str, Any] = {"direction": DIRECTION.get(str(directionality))}
    if rule.max_age is not None:
        kept = {name: arguments[name] for name in ("modelId", "modelPackageId") if arguments.get(name)}
        call = {**whose, **window.arguments(), **kept, **HOURLY}
        path = prepare("getDeploymentCustomMetricValuesOverTime", call).target
        of |= {"newest_path": path, "counted": "sampleSize", "end": stamp(window.end)}
    return Gate(custom_metric.OPERATION, arguments, "custom_metric", rule, of, about(arguments, window))
