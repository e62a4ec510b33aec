"""Rows and files: actuals, datasets, exports, batch predictions, custom metrics, monitoring batches."""

from __future__ import annotations

import httpx

from tests.faults.case import Case, Given, World
from tests.stages import LABELLED

OF = {"deployment_id": LABELLED}
MODEL = "64a100000000000000000002"
DAY = {"window_start": "2026-03-01T00:00:00Z", "window_end": "2026-03-02T00:00:00Z"}
COLUMNS = {"association_id_column": "id", "actual_value_column": "outcome"}
ROWS = "id,outcome\n" + "".join(f"row-{n},{'yes' if n % 3 else 'no'}\n" for n in range(12))
METRIC = {**OF, "name": "Savings", "units": "EUR", "metric_type": "sum"}
VALUES = [{"value": n, "timestamp": f"2026-03-01T1{n}:00:00Z"} for n in range(4)]


def _predicted(world: World) -> Given:
    world.stage.service.predictions(LABELLED, rows=24, start=DAY["window_start"], end=DAY["window_end"])
    return {}


def _rows(world: World) -> Given:
    _predicted(world)
    return {"source": world.file("rows.csv", ROWS), "state_path": str(world.folder / "state")}


def _dataset(world: World) -> Given:
    _predicted(world)
    answer = httpx.post(
        f"{world.stage.service.endpoint}/datasets/fromFile/",
        files={"file": ("outcomes.csv", ROWS.encode(), "text/csv")},
        headers={"Authorization": f"Bearer {world.stage.service.tokens['requester']}"},
        trust_env=False,
    )
    world.stage.sleep(60)
    return {"dataset_id": str(answer.raise_for_status().json()["catalogId"])}


def _old_dataset(world: World) -> Given:
    return {"dataset_id": _dataset(world)["dataset_id"]}


def _file(world: World) -> Given:
    return {"source": world.file("outcomes.csv", ROWS)}


def _scored(world: World) -> Given:
    return {"source": world.file("rows.csv", "id,age\n1,33\n2,51\n"), "target": str(world.folder / "scores.csv")}


def _folders(world: World) -> Given:
    _predicted(world)
    return {"path": str(world.folder / "out"), "staging": str(world.folder / "staging")}


def _labels(world: World) -> Given:
    given = _folders(world)
    data = [{"associationId": f"row-{n}", "actualValue": "yes"} for n in range(6)]
    world.send("POST", f"deployments/{LABELLED}/actuals/fromJSON/", {"data": data})
    world.stage.sleep(120)
    return given


def _old_export(world: World) -> Given:
    _predicted(world)
    body = {"start": DAY["window_start"], "end": DAY["window_end"]}
    world.send("POST", f"deployments/{LABELLED}/predictionDataExports/", body)
    world.stage.sleep(8 * 86_400)
    return {}


def _metric(world: World) -> Given:
    made = world.made("custom_metrics.CreateCustomMetric", **METRIC)
    return {"custom_metric_id": made["custom_metric_id"]}


def _batch(world: World) -> Given:
    made = world.made("monitoring_batches.CreateMonitoringBatch", **OF, name="March")
    return {"batch_id": made["batch_id"]}


def _filled_batch(world: World) -> Given:
    given = _batch(world)
    data = [{"associationId": "row-0", "predicted": 1, "batchId": given["batch_id"]}]
    world.stage.service.predictions(LABELLED, data=data)
    return given


CASES = [
    Case("actuals.UploadActuals", {"actualsAccepted": 1, "actualsApplied": 1}, {**OF, **COLUMNS}, ready=_rows),
    Case(
        "actuals.UploadActuals",
        {"datasetCreated": 1, "actualsAccepted": 1},
        {**OF, **COLUMNS, "route": "dataset"},
        ready=_rows,
        way="as a dataset",
    ),
    Case(
        "actuals_dataset.SubmitActualsFromDataset",
        {"actualsAccepted": 1},
        {**OF, **COLUMNS},
        ready=_dataset,
        anew=True,
    ),
    Case("datasets.UploadDataset", {"datasetCreated": 1}, {"name": "Outcomes"}, ready=_file, anew=True),
    Case("datasets.DeleteDataset", {"datasetDeleted": 1}, ready=_old_dataset),
    Case("exports.ExportPredictionData", {"exportCreated": 1}, {**OF, **DAY}, ready=_folders),
    Case("exports.ExportActualsData", {"exportCreated": 1}, {**OF, **DAY}, ready=_labels, anew=True),
    Case("exports.ExportTrainingData", {"exportCreated": 1}, OF, ready=_folders),
    Case("export_cleanup.DeleteOldExports", {"datasetDeleted": 1}, OF, ready=_old_export),
    Case(
        "batch_predictions.ScoreBatch",
        {"batchPredictionCreated": 1},
        OF,
        ready=_scored,
        anew=True,
        undone="batchPredictionAborted",
    ),
    Case("custom_metrics.CreateCustomMetric", {"customMetricCreated": 1}, METRIC),
    Case("custom_metric_changes.UpdateCustomMetric", {"customMetricUpdated": 1}, {**OF, "units": "USD"}, ready=_metric),
    Case("custom_metrics.DeleteCustomMetric", {"customMetricDeleted": 1}, OF, ready=_metric),
    Case(
        "custom_metric_values.SubmitCustomMetricValues",
        {"metricValuesAccepted": 1},
        {**OF, "source": VALUES, "timestamp_column": "timestamp"},
        ready=_metric,
        anew=True,
    ),
    Case("monitoring_batches.CreateMonitoringBatch", {"monitoringBatchCreated": 1}, {**OF, "name": "March"}),
    Case(
        "monitoring_batch_changes.UpdateMonitoringBatch",
        {"monitoringBatchUpdated": 1},
        {**OF, "description": "all of it"},
        ready=_batch,
    ),
    Case(
        "monitoring_batch_changes.UpdateMonitoringBatchModel",
        {"monitoringBatchUpdated": 1},
        {**OF, "model_id": MODEL, "start_time": "2026-03-01T00:00:00Z", "end_time": "2026-03-02T00:00:00Z"},
        ready=_filled_batch,
    ),
    Case("monitoring_batches.DeleteMonitoringBatch", {"monitoringBatchDeleted": 1}, OF, ready=_batch),
]
