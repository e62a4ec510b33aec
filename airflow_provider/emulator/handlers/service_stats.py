"""Service health, from the stored prediction requests: of a period, over time, and of monitoring batches."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.periods import buckets_of, place_of
from airflow_provider.emulator.behaviour.scope import Scope, over_batches, scope_of
from airflow_provider.emulator.behaviour.service_figures import Wanted, figures, of_batches
from airflow_provider.emulator.calls import Call, serves

DEFAULT_METRIC = "totalPredictions"  # the page names none


@serves("getDeploymentServiceStats", how="computed")
def get_service_stats(call: Call) -> Answer:
    """All metrics of a period (seed 002:6826)."""
    scope = scope_of(call)
    body = {
        "period": scope.period.view(),
        "modelId": _model(scope),
        "metrics": figures(Wanted(call), scope.requests()),
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentServiceStatsOverTime", how="computed")
def get_service_stats_over_time(call: Call) -> Answer:
    """One metric, bucket by bucket, and of the whole period (seed 002:6949)."""
    scope = scope_of(call)
    metric, wanted = call.arguments.get("metric", DEFAULT_METRIC), Wanted(call)
    buckets = buckets_of(call, scope.period)
    requests = scope.requests()
    parts: list[list[Any]] = [[] for _ in buckets]
    for one in requests:
        parts[place_of(one[0], buckets)].append(one)
    body = {
        "metric": metric,
        "modelId": _model(scope),
        "buckets": [
            {"period": bucket.view(), "value": figures(wanted, part)[metric]}
            for bucket, part in zip(buckets, parts, strict=True)
        ],
        "summary": {"period": scope.period.view(), "value": figures(wanted, requests)[metric]},
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentBatchServiceStats", how="computed")
def get_batch_service_stats(call: Call) -> Answer:
    """All metrics of some monitoring batches together, or of all (seed 002:1275)."""
    scope, batches = over_batches(call)
    requests = [one for batch in batches for one in scope.of_batch(batch).requests()]
    body = {
        "batches": [batch.view() for batch in batches],
        "metrics": of_batches(Wanted(call), requests),
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentServiceStatsOverBatch", how="computed")
def get_service_stats_over_batch(call: Call) -> Answer:
    """One metric, batch by batch (seed 002:6888)."""
    scope, batches = over_batches(call)
    metric, wanted = call.arguments.get("metric", DEFAULT_METRIC), Wanted(call)
    body = {
        "metric": metric,
        "buckets": [
            {"batch": batch.view(), "value": of_batches(wanted, scope.of_batch(batch).requests())[metric]}
            for batch in batches
        ],
        **scope.only.segment(),
    }
    return Answer(200, body)


def _model(scope: Scope) -> str | None:
    return scope.models[0] if len(scope.models) == 1 else None
