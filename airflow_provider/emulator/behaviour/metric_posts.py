"""Posts of custom metric values: how buckets and the rows of a dataset are read, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import metric_values
from airflow_provider.emulator.behaviour.dataset_actuals import NO_SUCH
from airflow_provider.emulator.behaviour.datasets import records
from airflow_provider.emulator.behaviour.metric_values import Value
from airflow_provider.emulator.behaviour.moments import BadMoment, seconds
from airflow_provider.emulator.jobs import WORKS, JobFails, Work

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

BUCKET_TYPES = {
    "value": (int, float),
    "sampleSize": (int, type(None)),
    "timestamp": (str, type(None)),
    "batch": (str, type(None)),
    "associationId": (str, type(None)),
}


def suspicious(rows: list[Any]) -> Iterator[int]:
    """Numbers of buckets that may not fit the schema; at least as strict as it, and much faster."""
    for number, row in enumerate(rows):
        if type(row) is not dict or "value" not in row or not all(_fits(name, row[name]) for name in row):
            yield number


def _fits(name: str, value: Any) -> bool:
    return name in BUCKET_TYPES and type(value) in BUCKET_TYPES[name]


def model_of_post(service: Service, metric: Record, body: Mapping[str, Any]) -> str | None:
    """The model that values are for; a metric that is specific to models needs one (wire.md I)."""
    package_id = body.get("modelPackageId")
    model: str | None = body.get("modelId")
    if package_id is not None:
        package = service.store.get("packages", package_id)
        if package is None:
            raise refuse(422, f"Model package {package_id} not found.")
        model = package["modelId"]
    if metric["isModelSpecific"] and model is None:
        raise refuse(422, "This custom metric is specific to models: give modelId or modelPackageId.")
    return model if metric["isModelSpecific"] else None


def buckets(service: Service, deployment: Record, given: list[Mapping[str, Any]]) -> list[Value]:
    """The buckets of a post; each has a timestamp or a batch (wire.md I)."""
    known = {one["id"] for one in service.store.rows("monitoringBatches") if one["deploymentId"] == deployment["id"]}
    found, faults = [], []
    for number, one in enumerate(given):
        try:
            found.append(_bucket(one))
        except ValueError as fault:  # a BadMoment is one
            faults.append(f"{fault} @ $.buckets[{number}]")
        if one.get("batch") is not None and one["batch"] not in known:
            raise refuse_by_switch(service.switches["unknown_batch"], f"Batch {one['batch']} not found.")
    if faults:
        raise invalid(faults[:20])
    return found


def _bucket(one: Mapping[str, Any]) -> Value:
    stamp, batch = one.get("timestamp"), one.get("batch")
    if stamp is None and batch is None:
        raise ValueError("timestamp or batch is required")
    size = one.get("sampleSize")
    if size is not None and size < 0:
        raise ValueError(f"sampleSize must not be negative, not {size}")
    return Value(
        # Without a zone it is UTC: the vendor's own client sends it so (wire.md I).
        moment=None if stamp is None else seconds(stamp, naive_is_utc=True),
        batch=batch,
        value=float(one["value"]),
        sample=1 if size is None else int(size),
        association=one.get("associationId"),
        segments=one.get("segments") or (),
        place=one.get("geospatialCoordinate"),
    )


def _store_dataset(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    metric = service.store.get("customMetrics", arguments["metricId"])
    version = service.store.get("datasetVersions", arguments["datasetVersionId"] or "")
    if metric is None or version is None or service.store.tables["datasets"][version["datasetId"]]["deleted"]:
        raise JobFails(NO_SUCH)
    if version["state"] != "COMPLETED" or version["columns"] is None:
        raise JobFails(f"The dataset cannot be read: it is {version['state']}, or no CSV.")
    values = _rows(service, version, _places(metric, version, arguments["body"]))
    metric_values.submit(service, metric, arguments["model"], arguments["submission"], values)
    metric_values.store(service, job)


def _places(metric: Record, version: Record, body: Mapping[str, Any]) -> dict[str, Any]:
    """Column numbers by what stands there: as the post says, else as the metric does."""
    places: dict[str, Any] = {"timeFormat": None}
    for name in ("value", "sampleCount", "timestamp", "batch", "associationId"):
        told = body.get(name) or metric.get(name) or {}
        column = told.get("columnName")
        if column is None:
            continue
        if column not in version["columns"]:
            raise JobFails(f"The dataset has no column {column}.")
        places[name] = version["columns"].index(column)
        if name == "timestamp":
            places["timeFormat"] = told.get("timeFormat")
    if "value" not in places or not {"timestamp", "batch"} & set(places):
        raise JobFails("The columns of the value, and of the timestamp or the batch, must be named.")
    return places


def _rows(service: Service, version: Record, places: Mapping[str, Any]) -> Iterator[Value]:
    lines = records(service, version)
    next(lines, None)
    for number, line in enumerate(lines, 1):
        try:
            yield _row(line, places)
        except (ValueError, IndexError):
            if line and service.switches["unreadable_rows"] == "job_error":
                raise JobFails(f"Row {number} of the dataset cannot be read.") from None


def _row(line: list[str], places: Mapping[str, Any]) -> Value:
    cells = {name: line[place] for name, place in places.items() if name != "timeFormat"}
    value = float(cells["value"])
    if not math.isfinite(value):
        raise ValueError(cells["value"])
    return Value(
        moment=_moment(cells["timestamp"], places["timeFormat"]) if cells.get("timestamp") else None,
        batch=cells.get("batch") or None,
        value=value,
        sample=int(cells["sampleCount"]) if cells.get("sampleCount") else 1,
        association=cells.get("associationId"),
    )


def _moment(text: str, time_format: str | None) -> float:
    if time_format is None:
        try:
            return seconds(text, naive_is_utc=True)
        except BadMoment as fault:
            raise ValueError(str(fault)) from None
    moment = datetime.strptime(text, time_format)  # noqa: DTZ007 - a format may have no zone
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


WORKS["storeMetricDataset"] = Work(_store_dataset, metric_values.give_up)
