"""Accuracy for a period, and over time."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.accuracy import Accuracy, asked_classes, lines, summed_up
from airflow_provider.emulator.behaviour.matching import Row, split
from airflow_provider.emulator.behaviour.periods import Period
from airflow_provider.emulator.behaviour.scope import scope_of
from airflow_provider.emulator.calls import Call, serves

SHOWN = ("value", "baselineValue", "percentChange")  # of each metric in the page's object
DEFAULT_METRIC = {"Regression": "RMSE"}  # of the other target types LogLoss; the page names none


@serves("getDeploymentAccuracy", how="computed")
def get_accuracy(call: Call) -> Answer:
    """Both forms of the metrics: the page's object, and the newer list that clients need (wire.md K.1)."""
    accuracy, period = _asked(call)
    rows = accuracy.rows(period)
    enough = accuracy.enough(rows)
    found = lines(accuracy, rows) if enough or call.service.switches["few_actuals"] == "null_values" else []
    if not enough:
        found = [{**line, "value": None, "percentChange": None} for line in found]
    one = len(accuracy.models) == 1
    together = found if one or not found else summed_up(accuracy, None, rows if enough else [])
    metrics = {line["metricName"]: {name: line[name] for name in SHOWN} for line in together}
    body: dict[str, Any] = {
        "batchIds": list(accuracy.only.batches),
        "period": period.view(),
        "metrics": metrics,
        "data": found,
        **accuracy.only.segment(),
    }
    if one:
        body["modelId"] = accuracy.models[0]
    if accuracy.classes:
        body["targetClasses"] = ",".join(accuracy.classes)
    return Answer(200, body)


@serves("getDeploymentAccuracyOverTime", how="computed")
def get_accuracy_over_time(call: Call) -> Answer:
    """One metric, bucket by bucket and model by model."""
    accuracy, period = _asked(call)
    metric = call.arguments.get("metric") or DEFAULT_METRIC.get(accuracy.target["type"], "LogLoss")
    accuracy.check_metric(metric)
    rows = accuracy.rows(period)
    enough = accuracy.enough(rows)
    baselines = [{"modelId": model, **_baseline(accuracy, model, metric)} for model in accuracy.models]
    buckets = [
        {"modelId": model, "period": bucket.view(), **_value(accuracy, metric, part, enough=enough)}
        for bucket, model, part in split(call, period, accuracy.models, rows)
    ]
    body = {
        "metric": metric,
        "modelId": accuracy.models[0],
        "baseline": {"period": _trained(accuracy), **_baseline(accuracy, accuracy.models[0], metric)},
        "baselines": baselines,
        "buckets": buckets,
        "summary": {"period": period.view(), **_value(accuracy, metric, rows, enough=enough)},
        **accuracy.only.segment(),
    }
    return Answer(200, body)


def _value(accuracy: Accuracy, metric: str, rows: list[Row], *, enough: bool) -> dict[str, Any]:
    count, values = accuracy.values(rows)
    shown = {"sampleSize": count, "value": values.get(metric) if enough else None}
    per_class = accuracy.per_class(metric, rows if enough else [])
    if not per_class:
        return shown
    old = {one["className"]: one["value"] for one in per_class}  # seed 002:7718: if targetClass is set; deprecated
    return {**shown, "perClass": per_class, "valuePerClass": old}


def _baseline(accuracy: Accuracy, model: str, metric: str) -> dict[str, Any]:
    count, values = accuracy.baseline(model)
    return {"sampleSize": count, "value": values.get(metric)}


def _trained(accuracy: Accuracy) -> dict[str, str]:
    """When the champion was made: a client needs two times here, and no page says which."""
    package = accuracy.service.store.tables["packages"][accuracy.deployment["modelPackageId"]]
    return {"start": package["createdAt"], "end": package["createdAt"]}


def _asked(call: Call) -> tuple[Accuracy, Period]:
    scope, classes = scope_of(call), asked_classes(call)
    return Accuracy(call.service, scope.deployment, scope.target, scope.models, scope.only, classes), scope.period
