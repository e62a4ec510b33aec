"""A walk through sharing, erasing, parameters, secondary datasets and bundles, for the judge of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import REVIEWERS, UNGOVERNED

PAGE = {"offset": 0, "limit": 100}
ROLE = {"id": REVIEWERS, "role": "USER", "shareRecipientType": "group"}
THRESHOLD = {"fieldName": "THRESHOLD", "type": "numeric", "value": 0.3}


def walk(emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Each operation, with its name; good ends and refusals."""
    path = f"deployments/{UNGOVERNED}/"
    for role in (ROLE, {**ROLE, "role": "KING"}):
        body = {"operation": "updateRoles", "roles": [role]}
        yield "updateDeploymentSharedRoles", requester.patch(f"{path}sharedRoles/", json=body)
    yield "listDeploymentSharedRoles", requester.get(f"{path}sharedRoles/", params=PAGE)
    emulator.switches(runtime_parameters_while_active="works")
    for value in (0.3, 3):
        text = json.dumps([{**THRESHOLD, "value": value}])
        answer = requester.put(f"{path}runtimeParameters/", json={"runtimeParameterValues": text})
        yield "replaceDeploymentRuntimeParameters", answer
    yield "listDeploymentRuntimeParameters", requester.get(f"{path}runtimeParameters/", params={"orderBy": "-name"})
    secondary = f"{path}model/secondaryDatasetConfiguration/"
    for config in ("656000000000000000000001", "x"):
        yield "getDeploymentSecondaryDatasetConfiguration", requester.get(secondary)
        answer = requester.patch(secondary, json={"secondaryDatasetConfigId": config})
        yield "updateDeploymentSecondaryDatasetConfiguration", answer
    history = f"{path}model/secondaryDatasetConfigurationHistory/"
    yield "listDeploymentSecondaryDatasetConfigurationHistory", requester.get(history, params=PAGE)
    for start in ("2026-02-01T00:00:00Z", "then"):
        answer = requester.post(f"{path}monitoringDataDeletions/", json={"start": start})
        yield "createDeploymentMonitoringDataDeletion", answer
    yield "createDeploymentOnDemandReport", requester.post(f"{path}onDemandReports/", json={"id": "x"})
    answer = requester.post(f"{path}predictionInputs/fromDataset/", json={"datasetId": "x"})
    yield "submitDeploymentPredictionInputsFromDataset", answer
    yield "listComputeBundles", requester.get("mlops/compute/bundles/")
    yield "getComputeBundle", requester.get("mlops/compute/bundles/cpu.small/")
    for key in (UNGOVERNED, "x"):
        body = {"action": "PermanentlyErase", "deploymentIds": [key]}
        yield "eraseDeletedDeployments", admin.patch("deletedDeployments/", json=body)
    emulator.switches(erase_unknown="ignores")
    body = {"action": "PermanentlyErase", "deploymentIds": [UNGOVERNED]}
    yield "eraseDeletedDeployments", admin.patch("deletedDeployments/", json=body)
