"""What was predicted: over time, over monitoring batches, over space."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.distributions import Figures
from airflow_provider.emulator.behaviour.matching import split
from airflow_provider.emulator.behaviour.scope import over_batches, scope_of
from airflow_provider.emulator.behaviour.space import cells, geo_feature
from airflow_provider.emulator.calls import Call, serves


@serves("getDeploymentPredictionsOverTime", how="computed")
def get_predictions_over_time(call: Call) -> Answer:
    """A bucket for each model and part of the period; a real client takes no key of a segment (wire.md K.1)."""
    scope = scope_of(call)
    figures = Figures(scope)
    buckets = [
        {"modelId": model, "period": bucket.view(), **figures.predicted(part)}
        for bucket, model, part in split(call, scope.period, scope.models, scope.rows())
    ]
    segment = scope.only.segment() if call.service.switches["predictions_segment"] == "given" else {}
    return Answer(200, {"baselines": figures.baselines(scope), "buckets": buckets, **segment})


@serves("getDeploymentPredictionsOverBatch", how="computed")
def get_predictions_over_batch(call: Call) -> Answer:
    """A bucket for each monitoring batch (seed 002:5111)."""
    scope, batches = over_batches(call)
    figures = Figures(scope)
    buckets = [{"batch": batch.view(), **figures.predicted(scope.of_batch(batch).rows())} for batch in batches]
    return Answer(200, {"baselines": figures.baselines(scope), "buckets": buckets, **scope.only.segment()})


@serves("getDeploymentPredictionsOverSpace", how="computed")
def get_predictions_over_space(call: Call) -> Answer:
    """A bucket for each cell of a location feature (seed 002:5187)."""
    scope = scope_of(call)
    geo, figures = geo_feature(scope), Figures(scope)
    body = {
        "period": scope.period.view(),
        "modelId": scope.models[0],
        "geoFeatureName": geo,
        "baselines": [],
        "buckets": [
            {"hexagon": cell, **figures.predicted(part)} for cell, part in cells(geo, scope.rows(features=True)).items()
        ],
    }
    return Answer(200, body)
