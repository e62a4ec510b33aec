"""The walk through custom metrics, monitoring batches and batch predictions: each operation at least once."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED

Answers = Iterator[tuple[str, httpx.Response]]
DEPLOYMENT = f"deployments/{UNGOVERNED}/"
METRIC = {"name": "Savings", "units": "EUR", "isModelSpecific": False, "type": "sum"}


def walk(emulator: EmulatorDoor, requester: httpx.Client) -> Answers:
    """Answers, good and bad."""
    yield from batches(emulator, requester)
    yield from metrics(emulator, requester)
    yield from scoring(emulator, requester)


def batches(emulator: EmulatorDoor, requester: httpx.Client) -> Answers:
    path = f"{DEPLOYMENT}monitoringBatches/"
    made = requester.post(path, json={"batchName": "March"})
    yield "createDeploymentMonitoringBatch", made
    yield "createDeploymentMonitoringBatch", requester.post(path, json={})
    yield "getDeploymentMonitoringBatchLimits", requester.get(f"{DEPLOYMENT}monitoringBatchLimits/")
    one = f"{path}{made.json()['id']}/"
    emulator.predictions(UNGOVERNED, data=[{"associationId": "b", "predicted": 0.5, "batchId": made.json()["id"]}])
    yield "getDeploymentMonitoringBatch", requester.get(one)
    yield "updateDeploymentMonitoringBatch", requester.patch(one, json={"description": "all of it"})
    models = requester.get(f"{one}models/")
    yield "listDeploymentMonitoringBatchModels", models
    model = f"{one}models/{models.json()['data'][0]['modelId']}/"
    yield "getDeploymentMonitoringBatchModel", requester.get(model)
    yield "updateDeploymentMonitoringBatchModel", requester.patch(model, json={"startTime": "2024-01-01T00:00:00Z"})
    yield "listDeploymentMonitoringBatches", requester.get(path)
    yield "deleteDeploymentMonitoringBatch", requester.delete(one)


def metrics(emulator: EmulatorDoor, requester: httpx.Client) -> Answers:
    path = f"{DEPLOYMENT}customMetrics/"
    made = requester.post(path, json=METRIC)
    yield "createDeploymentCustomMetric", made
    yield "createDeploymentCustomMetric", requester.post(path, json=METRIC)
    body = {"customJobId": "5" * 24, "name": "From a job"}
    yield "createDeploymentCustomMetricFromCustomJob", requester.post(f"{path}fromCustomJob/", json=body)
    one = f"{path}{made.json()['id']}/"
    yield "getDeploymentCustomMetric", requester.get(one)
    yield "updateDeploymentCustomMetric", requester.patch(one, json={"baselineValues": [{"value": 1}]})
    now = emulator.clock()["now"]
    for bucket in ({"value": 1, "timestamp": now, "geospatialCoordinate": "POINT(1 2)"}, {"value": 1}):
        answer = requester.post(f"{one}fromJSON/", json={"buckets": [bucket]})
        yield "submitDeploymentCustomMetricValuesFromJson", answer
    answer = requester.post(f"{one}fromDataset/", json={"datasetId": "0" * 24})
    yield "submitDeploymentCustomMetricValuesFromDataset", answer
    emulator.advance(6)
    for name in ("Summary", "BatchSummary", "ValuesOverTime", "ValuesOverBatch", "ValuesOverSpace"):
        yield f"getDeploymentCustomMetric{name}", requester.get(f"{one}{name[0].lower()}{name[1:]}/")
    yield "getDeploymentCustomMetricsSummary", requester.get(f"{DEPLOYMENT}customMetricsSummary/")
    yield "getDeploymentCustomMetricsBatchSummary", requester.get(f"{DEPLOYMENT}customMetricsBatchSummary/")
    yield "listDeploymentCustomMetrics", requester.get(path)
    yield "deleteDeploymentCustomMetric", requester.delete(one)


def scoring(emulator: EmulatorDoor, requester: httpx.Client) -> Answers:
    made = requester.post("batchPredictions/", json={"deploymentId": UNGOVERNED})
    yield "createBatchPrediction", made
    yield "createBatchPrediction", requester.post("batchPredictions/", json={})
    path = f"batchPredictions/{made.json()['id']}/"
    for content in (b"a,b\n1,2\n", b"a\n"):
        answer = requester.put(f"{path}csvUpload/", content=content, headers={"Content-Type": "text/csv"})
        yield "uploadBatchPredictionCsv", answer
    yield "downloadBatchPrediction", requester.get(f"{path}download/")
    yield "getBatchPrediction", requester.get(path)
    emulator.advance(31)
    yield "getBatchPrediction", requester.get(path)
    yield "downloadBatchPrediction", requester.get(f"{path}download/")
    yield "listBatchPredictions", requester.get("batchPredictions/")
    yield "deleteBatchPrediction", requester.delete(path)
    other = requester.post("batchPredictions/", json={"deploymentId": UNGOVERNED}).json()
    yield "deleteBatchPrediction", requester.delete(f"batchPredictions/{other['id']}/")
