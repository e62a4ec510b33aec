"""A walk through the operations of registry, creation of deployments and model files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, CHURN, GOVERNED

NEW_MODEL, OTHER_MODEL, NOT_DEPLOYABLE = (f"64a1000000000000000000{n}" for n in (21, 22, 23))
CUSTOM_VERSION = "64a600000000000000000001"
SERVER = "64a500000000000000000001"
ENVIRONMENT = "64a300000000000000000002"
CUSTOM_DEPLOYMENT = "64e000000000000000000090"
Visit = Iterator[tuple[str, httpx.Response]]


def visit_registry(emulator: EmulatorDoor, requester: httpx.Client) -> Visit:
    """Answers, good and bad."""
    yield from packages(emulator, requester)
    yield from creation(emulator, requester)
    yield from files(emulator, requester)


def packages(emulator: EmulatorDoor, requester: httpx.Client) -> Visit:
    for body in ({"modelId": NEW_MODEL}, {"modelId": "0" * 24}, {}):
        yield "createModelPackageFromLeaderboard", requester.post("modelPackages/fromLeaderboard/", json=body)
    yield (
        "createModelPackageFromLearningModel",
        requester.post("modelPackages/fromLearningModel/", json={"modelId": OTHER_MODEL, "registeredModelId": CHURN}),
    )
    custom = requester.post("modelPackages/fromCustomModelVersion/", json={"customModelVersionId": CUSTOM_VERSION})
    yield "createModelPackageFromCustomModelVersion", custom
    external: dict[str, Any] = {
        "name": "Elsewhere",
        "target": {"name": "churned", "type": "Binary", "classNames": ["yes", "no"]},
    }
    yield "createModelPackageFromJson", requester.post("modelPackages/fromJSON/", json=external)
    yield "createModelPackageFromJson", requester.post("modelPackages/fromJSON/", json={"name": "Elsewhere"})
    made = custom.json()
    path = f"registeredModels/{made['registeredModelId']}/"
    version = requester.patch(f"{path}versions/{made['id']}/", json={"name": "Rules"})
    yield "updateRegisteredModelVersion", version
    yield "updateRegisteredModel", requester.patch(path, json={"description": "by hand"})
    emulator.switches(registered_model_updated_answer="empty", package_created_answer="location")
    yield "updateRegisteredModel", requester.patch(path, json={"description": "by hand"})
    again = {"modelId": OTHER_MODEL, "registeredModelId": CHURN}
    yield "createModelPackageFromLeaderboard", requester.post("modelPackages/fromLeaderboard/", json=again)
    roles = {"operation": "updateRoles", "roles": [
        {"role": "USER", "shareRecipientType": "user", "username": "reviewer@example.com"}
    ]}  # fmt: skip
    for given in (roles, {}):
        yield "updateRegisteredModelSharedRoles", requester.patch(f"{path}sharedRoles/", json=given)
    yield "listRegisteredModelSharedRoles", requester.get(f"{path}sharedRoles/")
    yield "listModelPackageSharedRoles", requester.get(f"modelPackages/{made['id']}/sharedRoles/")
    yield "listModelPackageFeatures", requester.get(f"modelPackages/{CANDIDATE}/features/")
    yield "listModelPackageModelLogs", requester.get(f"modelPackages/{made['id']}/modelLogs/")
    yield "archiveModelPackage", requester.post(f"modelPackages/{made['id']}/archive/")
    yield "deleteRegisteredModel", requester.delete(path)
    yield "getRegisteredModel", requester.get(path)


def creation(emulator: EmulatorDoor, requester: httpx.Client) -> Visit:
    emulator.advance(31)
    yield "listPredictionServers", requester.get("predictionServers/")
    yield "listPredictionEnvironments", requester.get("predictionEnvironments/")
    body = {"modelPackageId": CANDIDATE, "label": "New", "predictionEnvironmentId": ENVIRONMENT}
    for given in (body, {"label": "New"}):
        yield "createDeploymentFromModelPackage", requester.post("deployments/fromModelPackage/", json=given)
    body = {"modelId": OTHER_MODEL, "label": "New", "defaultPredictionServerId": SERVER}
    yield "createDeploymentFromLeaderboard", requester.post("deployments/fromLeaderboard/", json=body)
    described = {**body, "description": None}
    made = requester.post("deployments/fromLearningModel/", json=described)
    yield "createDeploymentFromLearningModel", made
    emulator.advance(21)
    yield "getDeployment", requester.get(f"deployments/{made.json()['id']}/")
    yield "getStatus", requester.get(made.headers["Location"])


def files(emulator: EmulatorDoor, requester: httpx.Client) -> Visit:
    path = f"deployments/{GOVERNED}/"
    for query in ("", "?sourceCode=true", "?includeAgent=true", "?includeAgent=true&sourceCode=true"):
        yield "downloadDeploymentScoringCode", requester.get(f"{path}scoringCode/{query}")
    yield "createDeploymentScoringCodeBuild", requester.post(f"{path}scoringCodeBuilds/", json={"includeAgent": True})
    yield "downloadDeploymentModelPackageFile", requester.get(f"{path}modelPackageFile/")
    yield "createDeploymentModelPackageFileBuild", requester.post(f"{path}modelPackageFileBuilds/")
    emulator.advance(16)
    yield "downloadDeploymentScoringCode", requester.get(f"{path}scoringCode/?includeAgent=true")
    yield "downloadDeploymentModelPackageFile", requester.get(f"{path}modelPackageFile/")
    yield "listCustomModelDeployments", requester.get("customModelDeployments/")
    logs = f"customModelDeployments/{CUSTOM_DEPLOYMENT}/logs/"
    yield "downloadCustomModelDeploymentLogs", requester.get(logs)
    yield "requestCustomModelDeploymentLogs", requester.post(logs)
    emulator.advance(6)
    yield "downloadCustomModelDeploymentLogs", requester.get(logs)
    yield "downloadCustomModelDeploymentLogById", requester.get(f"{logs}{1:024x}/")
    yield "getPortablePredictionServerImageMetadata", requester.get("mlops/portablePredictionServerImage/metadata/")
    for delivery in ("direct", "redirect"):
        emulator.switches(image_delivery=delivery)
        yield "downloadPortablePredictionServerImage", requester.get("mlops/portablePredictionServerImage/")
