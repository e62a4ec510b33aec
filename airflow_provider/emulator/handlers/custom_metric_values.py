"""Values of custom metrics: submitted, summed up, over time, over batches, over space."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from airflow_provider.emulator import jobs
from airflow_provider.emulator.answers import Answer, refuse
from airflow_provider.emulator.behaviour import metric_posts, metric_values
from airflow_provider.emulator.behaviour.actual_rows import summary as log_summary
from airflow_provider.emulator.behaviour.custom_metrics import metric_of, metrics_of, view
from airflow_provider.emulator.behaviour.dataset_actuals import named_version
from airflow_provider.emulator.behaviour.matching import champion_model
from airflow_provider.emulator.behaviour.metric_values import Stored, aggregated, stored, summary
from airflow_provider.emulator.behaviour.monitoring_batches import batches_of, in_metric
from airflow_provider.emulator.behaviour.periods import WEEK, Period, buckets_of, period_of, place_of, shown
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.bulk import BULK, Bulk
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record, new_id

MOST = 10_000  # buckets of one post (wire.md I)
BULK["submitDeploymentCustomMetricValuesFromJson"] = Bulk(MOST, metric_posts.suspicious, log_summary, "buckets")


@serves("submitDeploymentCustomMetricValuesFromJson")
def submit_json(call: Call) -> Answer:
    """202 with the metric, and the Location of the job unless it is a dry run (wire.md A.4, I)."""
    deployment, metric = _mine(call)
    model = metric_posts.model_of_post(call.service, metric, call.body)
    values = metric_posts.buckets(call.service, deployment, call.body["buckets"])
    if call.body.get("dryRun"):
        return Answer(202, view(metric))
    submission = new_id()
    metric_values.submit(call.service, metric, model, submission, values)
    return call.accepted(_start(call, metric, "customMetricValues", "storeMetricValues", submission), view(metric))


@serves("submitDeploymentCustomMetricValuesFromDataset")
def submit_dataset(call: Call) -> Answer:
    """202 with the Location of the job that reads the dataset."""
    _, metric = _mine(call)
    model = metric_posts.model_of_post(call.service, metric, call.body)
    version = named_version(call.service, call.user, call.body)
    more = {"datasetVersionId": version and version["id"], "body": call.body, "model": model}
    kind = "customMetricValuesFromDataset"
    return call.accepted(_start(call, metric, kind, "storeMetricDataset", new_id(), **more))


def _start(call: Call, metric: Record, kind: str, work: str, submission: str, **more: Any) -> Record:
    call.service.store.change("customMetrics", metric["id"], {}, "metricValuesAccepted")
    arguments = {"metricId": metric["id"], "submission": submission, **more}
    path = f"deployments/{metric['deploymentId']}/customMetrics/{metric['id']}/"
    return jobs.start(call.service, kind, work, arguments, path)


@serves("getDeploymentCustomMetricSummary", how="computed")
def get_summary(call: Call) -> Answer:
    """The metric over a period, of all values or of those of some batches."""
    deployment, metric = _seen(call)
    period = period_of(call)
    values = _of_batches(call, _within(call, deployment, metric, period))
    return Answer(200, {"metric": summary(call.service, metric, values), "period": period.view()})


@serves("getDeploymentCustomMetricsSummary", how="computed")
def get_summaries(call: Call) -> Answer:
    """All metrics of the deployment."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    period = period_of(call)
    found = [(one, _within(call, deployment, one, period)) for one in metrics_of(call.service, deployment)]
    moments = [value.moment for _, values in found for value in values if value.moment is not None]
    details = {
        "earliestDate": shown(min(moments)) if moments else None,
        "latestDate": shown(max(moments)) if moments else None,
    }
    lines = [summary(call.service, one, _of_batches(call, values)) for one, values in found]
    return Answer(200, {"metrics": lines, "period": period.view(), "details": details})


@serves("getDeploymentCustomMetricBatchSummary", how="computed")
def get_batch_summary(call: Call) -> Answer:
    """The metric over batches."""
    deployment, metric = _seen(call)
    return Answer(200, {"metric": _batch_summary(call, deployment, metric)})


@serves("getDeploymentCustomMetricsBatchSummary", how="computed")
def get_batch_summaries(call: Call) -> Answer:
    """All metrics of the deployment over batches."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    lines = [_batch_summary(call, deployment, one) for one in metrics_of(call.service, deployment)]
    return Answer(200, {"metrics": lines})


def _batch_summary(call: Call, deployment: Record, metric: Record) -> dict[str, Any]:
    values = [one for one in _all(call, deployment, metric) if one.batch is not None]
    if call.arguments.get("start") or call.arguments.get("end"):
        period = period_of(call)
        values = [one for one in values if one.moment is None or period.start <= one.moment < period.end]
    return summary(call.service, metric, _of_batches(call, values))


@serves("getDeploymentCustomMetricValuesOverTime", how="computed")
def get_over_time(call: Call) -> Answer:
    """Bucket by bucket, of seven days unless the call says otherwise (seed 002:2747)."""
    deployment, metric = _seen(call)
    period = period_of(call)
    size = call.arguments.get("bucketSize") or ("P7D" if period.end - period.start >= WEEK else None)
    asked = dataclasses.replace(call, arguments={**call.arguments, "bucketSize": size})
    parts = buckets_of(asked, period) if size else [period]
    grouped: dict[int, list[Stored]] = {}
    for one in _within(call, deployment, metric, period):
        grouped.setdefault(place_of(one.moment or 0.0, parts), []).append(one)
    left_out = call.service.switches["empty_buckets"] == "left_out"
    buckets = [
        {"period": part.view(), **_bucket(call, metric, grouped.get(number, []))}
        for number, part in enumerate(parts)
        if grouped.get(number) or not left_out
    ]
    return Answer(200, {"buckets": buckets, "metric": view(metric), "summary": period.view()})


@serves("getDeploymentCustomMetricValuesOverBatch", how="computed")
def get_over_batch(call: Call) -> Answer:
    """A bucket for each batch that has values, or for each that is asked for."""
    deployment, metric = _seen(call)
    grouped = _grouped(_all(call, deployment, metric), lambda one: one.batch)
    asked = _asked_batches(call)
    shown_batches = [
        one for one in batches_of(call.service, deployment) if (one["id"] in asked if asked else one["id"] in grouped)
    ]
    buckets = [
        {"batch": in_metric(call.service, one), **_bucket(call, metric, grouped.get(one["id"], []))}
        for one in shown_batches
    ]
    return Answer(200, {"buckets": buckets, "metric": view(metric)})


@serves("getDeploymentCustomMetricValuesOverSpace", how="computed")
def get_over_space(call: Call) -> Answer:
    """A bucket for each cell of the map that has values."""
    deployment, metric = _seen(call)
    period = period_of(call)
    grouped = _grouped(_within(call, deployment, metric, period), lambda one: one.place and cell_of(one.place))
    buckets = []
    for name, values in sorted(grouped.items()):
        value, samples = aggregated(call.service, metric, values)
        buckets.append({"hexagon": name, "value": value, "sampleSize": samples})
    named = {name: call.arguments.get(name) for name in ("modelId", "modelPackageId")}
    return Answer(200, {"buckets": buckets, "metric": view(metric), "summary": period.view(), **named})


def cell_of(place: str) -> str:
    """The cell of ``POINT(longitude latitude)``: one degree wide, where the service has hexagons."""
    numbers = place.upper().replace("POINT", "").strip(" ()").split()
    try:
        return "cell:" + ",".join(f"{float(one):.0f}" for one in numbers)
    except ValueError:
        return f"cell:{place}"


def _bucket(call: Call, metric: Record, values: list[Stored]) -> dict[str, Any]:
    value, samples = aggregated(call.service, metric, values)
    return {"value": value, "sampleSize": samples, "categories": [], "unknownCategoriesCount": 0}


def _within(call: Call, deployment: Record, metric: Record, period: Period) -> list[Stored]:
    values = _all(call, deployment, metric)
    return [one for one in values if one.moment is not None and period.start <= one.moment < period.end]


def _all(call: Call, deployment: Record, metric: Record) -> list[Stored]:
    """The values of the model that is named, else of the champion."""
    model = call.arguments.get("modelId")
    package_id = call.arguments.get("modelPackageId")
    if package_id:
        package = call.service.store.get("packages", package_id)
        if package is None:
            raise refuse(404, f"Model package {package_id} not found.")
        model = package["modelId"]
    return stored(call.service, metric, model or champion_model(call.service, deployment))


def _of_batches(call: Call, values: list[Stored]) -> list[Stored]:
    asked = _asked_batches(call)
    return [one for one in values if one.batch in asked] if asked else values


def _asked_batches(call: Call) -> list[str]:
    """``batchId``: one or more; its type is not documented."""
    given = call.arguments.get("batchId") or []
    return [given] if isinstance(given, str) else list(given)


def _grouped(values: Iterable[Stored], key: Callable[[Stored], str | None]) -> dict[str, list[Stored]]:
    grouped: dict[str, list[Stored]] = {}
    for one in values:
        name = key(one)
        if name is not None:
            grouped.setdefault(name, []).append(one)
    return grouped


def _seen(call: Call) -> tuple[Record, Record]:
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return deployment, metric_of(call.service, deployment, call.arguments["customMetricId"])


def _mine(call: Call) -> tuple[Record, Record]:
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    return deployment, metric_of(call.service, deployment, call.arguments["customMetricId"])
