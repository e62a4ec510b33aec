"""Datasets with predictions of external deployments."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import prediction_inputs
from airflow_provider.emulator.behaviour.datasets import latest_version, version_of, visible_dataset
from airflow_provider.emulator.behaviour.matching import target_of
from airflow_provider.emulator.behaviour.rights import owned
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.jobs import start


@serves("submitDeploymentPredictionInputsFromDataset")
def from_dataset(call: Call) -> Answer:
    """202, without a Location since API 2.23 (wire.md I); 405 for internal deployments, 422 for unfit data."""
    service = call.service
    deployment = owned(service, call.user, call.arguments["deploymentId"])
    if not prediction_inputs.is_external(deployment):
        raise refuse(405, "Data can only be uploaded to an external deployment.")
    dataset = visible_dataset(service, call.user, call.body["datasetId"])
    chosen = call.body.get("datasetVersionId")
    version = latest_version(service, dataset) if chosen is None else version_of(service, dataset, chosen)
    fault = prediction_inputs.fault_of(version, target_of(service, deployment))
    if fault is not None:
        raise refuse(422, fault)
    arguments = {"deploymentId": deployment["id"], "datasetVersionId": version["id"]}
    job = start(service, "predictionInputs", "storePredictionInputs", arguments, f"deployments/{deployment['id']}/")
    return call.accepted(job) if service.switches["prediction_inputs_location"] == "given" else empty(202)
