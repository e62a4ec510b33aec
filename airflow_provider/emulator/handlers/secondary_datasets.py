"""The secondary dataset configuration of a deployment."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import secondary_datasets
from airflow_provider.emulator.behaviour.governing import governed
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves


@serves("getDeploymentSecondaryDatasetConfiguration")
def get_configuration(call: Call) -> Answer:
    """The configuration in use, 404 without one (seed 002:3948)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return Answer(200, secondary_datasets.view(deployment, secondary_datasets.current(call.service, deployment)))


@serves("updateDeploymentSecondaryDatasetConfiguration")
def update_configuration(call: Call) -> Answer:
    """204; 403 stands for credentials that do not fit (seed 002:4022)."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    config = secondary_datasets.fitting(call.service, call.body["secondaryDatasetConfigId"])
    credentials = call.body.get("credentialsIds") or []
    versions = {one["catalogVersionId"] for one in config["secondaryDatasets"]}
    if any(one.get("catalogVersionId") not in versions for one in credentials):
        raise refuse(403, "The credentials are not for a dataset of this configuration.")
    change = {"secondaryDatasetsConfigId": config["id"]}
    if governed(call.service, call.user, deployment, "updateSecondaryDatasetConfigs", change) is None:
        secondary_datasets.put(call.service, deployment, config, credentials)
    return empty(204)


@serves("listDeploymentSecondaryDatasetConfigurationHistory")
def list_history(call: Call) -> Answer:
    """The configurations that were used."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return call.page(secondary_datasets.history(deployment))
