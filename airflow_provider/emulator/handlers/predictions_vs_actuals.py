"""How many predictions there are, how many have their actual, and how the two are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.distributions import Figures
from airflow_provider.emulator.behaviour.matching import Row, split
from airflow_provider.emulator.behaviour.scope import over_batches, scope_of
from airflow_provider.emulator.behaviour.space import cells, geo_feature
from airflow_provider.emulator.calls import Call, serves


@serves("getDeploymentPredictionsVsActualsOverTime", how="computed")
def get_predictions_vs_actuals(call: Call) -> Answer:
    """A bucket for each model and part of the period; the sums in ``summary`` (seed 002:5584)."""
    scope = scope_of(call)
    figures, rows = Figures(scope), scope.rows()
    buckets = [
        {"modelId": model, "period": bucket.view(), **figures.versus(part)}
        for bucket, model, part in split(call, scope.period, scope.models, rows)
    ]
    baselines = [{"modelId": model, **figures.versus([])} for model in scope.models]
    body = {"baselines": baselines, "buckets": buckets, "summary": _sums(rows), **scope.only.segment()}
    return Answer(200, body)


@serves("getDeploymentPredictionsVsActualsOverBatch", how="computed")
def get_predictions_vs_actuals_over_batch(call: Call) -> Answer:
    """A bucket for each monitoring batch and model (seed 002:5425)."""
    scope, batches = over_batches(call)
    figures = Figures(scope)
    buckets: list[dict[str, Any]] = []
    for batch in batches:
        rows = scope.of_batch(batch).rows()
        about = {"batchId": batch.id, "batchName": batch.name, "period": batch.period()}
        buckets += [
            {**about, "modelId": model, **figures.versus([row for row in rows if row.model == model])}
            for model in scope.models
        ]
    baselines = [{"modelId": model, **figures.versus([])} for model in scope.models]
    return Answer(200, {"baselines": baselines, "buckets": buckets, **scope.only.segment()})


@serves("getDeploymentPredictionsVsActualsOverSpace", how="computed")
def get_predictions_vs_actuals_over_space(call: Call) -> Answer:
    """A bucket for each cell of a location feature (seed 002:5499)."""
    scope = scope_of(call)
    geo, figures = geo_feature(scope), Figures(scope)
    rows = scope.rows(features=True)
    body = {
        "period": scope.period.view(),
        "modelId": scope.models[0],
        "geoFeatureName": geo,
        "baselines": [],
        "buckets": [{"hexagon": cell, **figures.versus(part)} for cell, part in cells(geo, rows).items()],
        "summary": _sums(rows),
    }
    return Answer(200, body)


def _sums(rows: Sequence[Row]) -> dict[str, int]:
    return {"rowCountTotal": len(rows), "rowCountWithActual": sum(row.actual is not None for row in rows)}
