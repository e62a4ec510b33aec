"""Exports of predictions, actuals and training data: create, look, cancel, delete."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import exports
from airflow_provider.emulator.behaviour.deployments import settings_of
from airflow_provider.emulator.behaviour.exports import export_of, model_package, of_kind, period_of, view
from airflow_provider.emulator.behaviour.rights import visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

NO_STORAGE = "Prediction rows are not stored for this deployment."


@serves("createDeploymentPredictionDataExport")
def create_prediction_export(call: Call) -> Answer:
    """202 with the export and the Location of its job (wire.md A.4)."""
    start, end = period_of(call.body)
    batches = list(call.body.get("batchIds") or ())
    if start is None and not batches:
        raise refuse(422, "Invalid field data", {"start": "give start and end, or batchIds"})
    known = call.service.store.tables["monitoringBatches"]
    if any(one not in known for one in batches):
        raise refuse(422, "Invalid field data", {"batchIds": "names a batch that does not exist"})
    augmentation = call.body.get("augmentationType") or "NO_AUGMENTATION"
    return _create(call, "prediction", start=start, end=end, batchIds=batches, augmentationType=augmentation)


@serves("createDeploymentActualsDataExport")
def create_actuals_export(call: Call) -> Answer:
    """The same; by default with the actuals that match a prediction only (the SDK's default)."""
    start, end = period_of(call.body)
    matched = call.body.get("onlyMatchedPredictions", True)
    return _create(call, "actuals", start=start, end=end, onlyMatchedPredictions=matched)


@serves("createDeploymentTrainingDataExport")
def create_training_export(call: Call) -> Answer:
    """202 without a body; the job ends at the dataset, not at the export (wire.md H)."""
    deployment = _deployment(call)
    package = model_package(call.service, deployment, (call.body or {}).get("modelId"))
    _, job = exports.begin(call.service, call.user, deployment, "training", **_model(package))
    return call.accepted(job)


def _create(call: Call, kind: str, **wanted: object) -> Answer:
    deployment = _deployment(call)
    if not (settings_of(deployment).get("predictionsDataCollection") or {}).get("enabled", True):
        raise refuse(422, NO_STORAGE)  # wire.md H: row storage must be on
    package = model_package(call.service, deployment, call.body.get("modelId"))
    export, job = exports.begin(call.service, call.user, deployment, kind, **_model(package), **wanted)
    return call.accepted(job, view(call.service, export))


def _model(package: Record) -> Record:
    return {"modelId": package["modelId"], "modelPackageId": package["id"]}


@serves("listDeploymentPredictionDataExports")
def list_prediction_exports(call: Call) -> Answer:
    """Everybody's exports of the deployment."""
    return _list(call, "prediction")


@serves("listDeploymentActualsDataExports")
def list_actuals_exports(call: Call) -> Answer:
    """Everybody's exports of the deployment."""
    return _list(call, "actuals")


@serves("listDeploymentTrainingDataExports")
def list_training_exports(call: Call) -> Answer:
    """Those that succeeded."""
    return _list(call, "training")


def _list(call: Call, kind: str) -> Answer:
    rows = of_kind(call.service, _deployment(call), kind)
    if kind == "training":
        rows = [one for one in rows if one["datasets"]]
    model, batch = call.arguments.get("modelId"), call.arguments.get("batch")
    if model is not None:
        rows = [one for one in rows if one["modelId"] == model]
    if batch is not None:
        rows = [one for one in rows if bool(one["batchIds"]) == (batch.lower() == "true")]
    status = call.arguments.get("status")
    if status is not None:
        rows = [one for one in rows if exports.status_of(call.service, one) == status]
    return call.page([view(call.service, one) for one in call.service.listed(rows)])


@serves("getDeploymentPredictionDataExport")
def get_prediction_export(call: Call) -> Answer:
    """One of them."""
    return Answer(200, view(call.service, _export(call, "prediction")))


@serves("getDeploymentActualsDataExport")
def get_actuals_export(call: Call) -> Answer:
    """One of them."""
    return Answer(200, view(call.service, _export(call, "actuals")))


@serves("getDeploymentTrainingDataExport")
def get_training_export(call: Call) -> Answer:
    """One of them."""
    return Answer(200, view(call.service, _export(call, "training")))


@serves("updateDeploymentPredictionDataExport")
def update_prediction_export(call: Call) -> Answer:
    """204 when it is cancelled."""
    return _update(call, "prediction")


@serves("updateDeploymentActualsDataExport")
def update_actuals_export(call: Call) -> Answer:
    """204 when it is cancelled."""
    return _update(call, "actuals")


def _update(call: Call, kind: str) -> Answer:
    export = _export(call, kind)
    if call.body.get("status") != "CANCELLED":
        raise refuse(422, "Invalid field data", {"status": "must be CANCELLED"})
    exports.cancel(call.service, export)
    return empty(204)


@serves("deleteDeploymentActualsDataExport")
def delete_actuals_export(call: Call) -> Answer:
    """204; only exports of actuals can be deleted (wire.md H)."""
    exports.delete(call.service, _export(call, "actuals"))
    return empty(204)


def _deployment(call: Call) -> Record:
    return visible(call.service, call.user, call.arguments["deploymentId"])


def _export(call: Call, kind: str) -> Record:
    return export_of(call.service, _deployment(call), kind, call.arguments["exportId"])
