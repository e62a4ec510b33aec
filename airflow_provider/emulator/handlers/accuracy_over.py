"""One metric of accuracy over monitoring batches and over space."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.accuracy import Accuracy
from airflow_provider.emulator.behaviour.matching import Row
from airflow_provider.emulator.behaviour.scope import Scope, over_batches, scope_of
from airflow_provider.emulator.behaviour.space import cells, geo_feature
from airflow_provider.emulator.calls import Call, serves

DEFAULT_METRIC = {"Regression": "RMSE"}  # of the other target types LogLoss; the page names none


@serves("getDeploymentAccuracyOverBatch", how="computed")
def get_accuracy_over_batch(call: Call) -> Answer:
    """A bucket for each batch and model; batches that do not exist are omitted (seed 002:7750)."""
    scope, batches = over_batches(call)
    accuracy, metric = _asked(scope)
    buckets: list[dict[str, Any]] = []
    for batch in batches:
        rows = scope.of_batch(batch).rows()
        about = {"batchId": batch.id, "batchName": batch.name, "period": batch.period(), "metric": metric}
        for model in scope.models:
            part = [row for row in rows if row.model == model]
            buckets.append({**about, "modelId": model, **_value(accuracy, metric, part)})
    baselines = [{"metric": metric, "modelId": model, **_baseline(accuracy, model, metric)} for model in scope.models]
    return Answer(200, {"baselines": baselines, "buckets": buckets})


@serves("getDeploymentAccuracyOverSpace", how="computed")
def get_accuracy_over_space(call: Call) -> Answer:
    """A bucket for each cell of a location feature (seed 002:7809)."""
    scope = scope_of(call)
    geo = geo_feature(scope)
    accuracy, metric = _asked(scope)
    parts = cells(geo, scope.rows(features=True)).items()
    body = {
        "period": scope.period.view(),
        "modelId": scope.models[0],
        "geoFeatureName": geo,
        "metric": metric,
        "baselines": [],
        "buckets": [{"hexagon": cell, "value": _value(accuracy, metric, part)["value"]} for cell, part in parts],
    }
    return Answer(200, body)


def _asked(scope: Scope) -> tuple[Accuracy, str]:
    accuracy = Accuracy(scope.call.service, scope.deployment, scope.target, scope.models, scope.only)
    metric = scope.call.arguments.get("metric") or DEFAULT_METRIC.get(scope.target["type"], "LogLoss")
    accuracy.check_metric(metric)
    return accuracy, str(metric)


def _value(accuracy: Accuracy, metric: str, rows: list[Row]) -> dict[str, Any]:
    count, values = accuracy.values(rows)
    return {"sampleSize": count, "value": values.get(metric) if accuracy.enough(rows) else None}


def _baseline(accuracy: Accuracy, model: str, metric: str) -> dict[str, Any]:
    count, values = accuracy.baseline(model)
    return {"sampleSize": count or 0, "value": values.get(metric)}
