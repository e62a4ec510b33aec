"""Deployments as the service shows them, with every documented key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.behaviour.packages import CAPABILITIES
from airflow_provider.emulator.behaviour.rights import open_requests, role_on

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PERMISSIONS = {
    "OWNER": [
        "CAN_VIEW",
        "CAN_MAKE_PREDICTIONS",
        "CAN_EDIT_DEPLOYMENT",
        "CAN_REPLACE_MODEL",
        "CAN_ADD_CHALLENGERS",
        "CAN_SUBMIT_ACTUALS",
        "CAN_DELETE_DEPLOYMENT",
        "CAN_SHARE",
    ],
    "USER": ["CAN_VIEW", "CAN_MAKE_PREDICTIONS"],
    "CONSUMER": ["CAN_MAKE_PREDICTIONS"],
}
SETTINGS: dict[str, Any] = {
    "associationId": {"columnNames": [], "requiredInPredictionRequests": False},
    "automaticActuals": {"enabled": False},
    "challengerModels": {"enabled": True},
    "featureDrift": {"enabled": True},
    "humility": {"enabled": False},
    "predictionIntervals": {"enabled": False, "percentiles": []},
    "predictionWarning": {"enabled": False, "customBoundaries": None},
    "predictionsByForecastDate": {"enabled": False, "columnName": None, "datetimeFormat": None},
    "predictionsDataCollection": {"enabled": True},
    "processingLimits": {"interval": "hour"},
    "segmentAnalysis": {"enabled": False, "attributes": []},
    "targetDrift": {"enabled": True},
}
NO_SERVER = {"id": None, "url": "", "datarobot-key": ""}
DEPLOYMENT_CAPABILITIES = {
    **CAPABILITIES,
    "supportsFeatureTypeInfoValidation": False,
    "supportsModelReplacement": True,
    "supportsPortablePredictionServer": True,
    "supportsPredictionIntervals": False,
}


def settings_of(deployment: Record) -> Record:
    """Settings with their defaults."""
    return {**SETTINGS, **deployment["settings"]}


def deployment_view(service: Service, deployment: Record, user: Record, *, look: bool = False) -> Record:
    """The deployment as this user sees it.

    :param look: whether this counts as a look for the switch ``champion_lag``
    """
    package_id, deployed_at = _shown_champion(service, deployment, look=look)
    view = {
        "id": deployment["id"],
        "label": deployment["label"],
        "description": deployment["description"],
        "importance": deployment["importance"],
        "status": deployment["status"],
        "createdAt": deployment["createdAt"],
        "hasError": deployment["status"] == "errored",
        "tags": deployment["tags"],
        "capabilities": DEPLOYMENT_CAPABILITIES,
        "modelPackageInitialDownload": {"timestamp": None},
        "scoringCodeInitialDownload": {"timestamp": None},
        "predictionUsage": deployment["predictionUsage"],
        "permissions": PERMISSIONS[role_on(service, user, deployment) or "USER"],
        **_champion(service, package_id, deployed_at),
        **_health(deployment),
        **_governance(service, deployment),
        **_surroundings(service, deployment),
    }
    if service.lies("empty_champion"):
        view["model"] = {**view["model"], "id": ""}
        del view["modelPackage"]
    return view


def _shown_champion(service: Service, deployment: Record, *, look: bool) -> tuple[str, str]:
    """The champion, or for some looks after a replacement still the one before (switch ``champion_lag``)."""
    before = deployment.get("before")
    if before and before["looks"] > 0:
        if look:
            before["looks"] -= 1
            service.store.touch()
        return before["modelPackageId"], before["deployedAt"]
    return deployment["modelPackageId"], deployment["deployedAt"]


def _champion(service: Service, package_id: str, deployed_at: str) -> Record:
    package = service.store.tables["packages"][package_id]
    return {
        "model": {
            "id": package["modelId"],
            "type": package["modelName"],
            "targetName": package["target"]["name"],
            "targetType": package["target"]["type"],
            "projectId": package["projectId"],
            "projectName": package["projectName"],
            "deployedAt": deployed_at,
            "buildEnvironmentType": "DataRobot",
            "isDeprecated": package["isDeprecated"],
            "unstructuredModelKind": False,
            "unsupervisedMode": False,
            "unsupervisedType": None,
        },
        "modelPackage": {
            "id": package_id,
            "name": package["name"],
            "registeredModelId": package["registeredModelId"],
        },
    }


def _health(deployment: Record) -> Record:
    health = deployment["health"]
    period = {"startDate": None, "endDate": None}
    return {
        "serviceHealth": {**period, "status": health["service"]},
        "modelHealth": {**period, "status": health["model"], "message": health.get("modelMessage", "")},
        "accuracyHealth": {**period, "status": health["accuracy"], "message": health.get("accuracyMessage", "")},
    }


def _governance(service: Service, deployment: Record) -> Record:
    opened = [request["id"] for request in open_requests(service, deployment)]
    return {
        "approvalStatus": deployment["approvalStatus"],
        "governance": {"approvalStatus": deployment["approvalStatus"], "hasOpenedChangeRequests": bool(opened)},
        "openedChangeRequests": opened,
    }


def _surroundings(service: Service, deployment: Record) -> Record:
    owners = [
        {"id": user["id"], "email": user["username"], "firstName": user["firstName"], "lastName": user["lastName"]}
        for user in service.store.rows("users")
        if deployment["roles"].get(user["id"]) == "OWNER"
    ]
    environment = deployment["predictionEnvironment"]
    settings = settings_of(deployment)
    return {
        "owners": {"count": len(owners), "preview": owners},
        "defaultPredictionServer": deployment.get("defaultPredictionServer") or NO_SERVER,
        "predictionEnvironment": {
            **environment,
            "isManagedByManagementAgent": False,
            "plugin": None,
            "supportedModelFormats": ["datarobot"],
        },
        "settings": {
            "batchMonitoringEnabled": False,
            "humbleAiEnabled": _enabled(settings["humility"]),
            "predictionIntervalsEnabled": _enabled(settings["predictionIntervals"]),
            "predictionWarningEnabled": _enabled(settings["predictionWarning"]),
        },
    }


def _enabled(area: Any) -> bool:
    """Whether an area of the settings is on; whatever was stored there, as the form is known from a sample only."""
    return isinstance(area, dict) and area.get("enabled") is True
