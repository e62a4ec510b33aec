"""Model packages and registered models as the service shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import refuse

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CAPABILITIES = {
    "supportsAutomaticActuals": True,
    "supportsChallengerModels": True,
    "supportsFeatureDriftTracking": True,
    "supportsHumilityRecommendedRules": True,
    "supportsHumilityRules": True,
    "supportsHumilityRulesDefaultCalculations": True,
    "supportsPredictionWarning": False,
    "supportsRetraining": True,
    "supportsScoringCodeDownload": True,
    "supportsSecondaryDatasets": False,
    "supportsSegmentedAnalysisDriftAndAccuracy": True,
    "supportsShapBasedPredictionExplanations": False,
    "supportsTargetDriftTracking": True,
}
NO_DATASETS: dict[str, Any] = {
    "baselineSegmentedBy": [],
    "datasetName": None,
    "holdoutDataCatalogId": None,
    "holdoutDataCatalogVersionId": None,
    "holdoutDatasetName": None,
    "trainingDataCatalogId": None,
    "trainingDataCatalogVersionId": None,
}
MODEL_KIND = {
    "isAnomalyDetectionModel": False,
    "isCombinedModel": False,
    "isFeatureDiscovery": False,
    "isMultiseries": False,
    "isTimeSeries": False,
    "isUnsupervisedLearning": False,
}
NO_TIMESERIES: dict[str, Any] = {
    "datetimeColumnFormat": None,
    "datetimeColumnName": None,
    "effectiveFeatureDerivationWindowEnd": None,
    "effectiveFeatureDerivationWindowStart": None,
    "featureDerivationWindowEnd": None,
    "featureDerivationWindowStart": None,
    "forecastDistanceColumnName": None,
    "forecastDistances": [],
    "forecastDistancesTimeUnit": None,
    "forecastPointColumnName": None,
    "isCrossSeries": None,
    "isNewSeriesSupport": None,
    "isTraditionalTimeSeries": None,
    "seriesColumnName": None,
}


def package_of(service: Service, package_id: str) -> Record:
    """The package; 404 when there is none."""
    package = service.store.get("packages", package_id)
    if package is None:
        raise refuse(404, f"Model package {package_id} not found.")
    return package


def package_by_model(service: Service, model_id: str) -> Record:
    """The newest package of a model; 404 when there is none."""
    packages = [one for one in service.store.rows("packages") if one["modelId"] == model_id]
    if not packages:
        raise refuse(404, f"Model {model_id} not found.")
    return packages[-1]


def person(service: Service, user_id: str) -> Record:
    """Id, e-mail and name of a user."""
    user = service.store.get("users", user_id)
    if user is None:
        return {"id": user_id, "email": None, "name": None}
    return {"id": user_id, "email": user["username"], "name": f"{user['firstName']} {user['lastName']}"}


def deployments_of(service: Service, package: Record) -> list[Record]:
    """Deployments whose champion the package is."""
    return [one for one in service.store.rows("deployments") if one["modelPackageId"] == package["id"]]


def package_view(service: Service, package: Record) -> Record:
    """A package, which is also a registered model's version, with every documented key."""
    active = [one for one in deployments_of(service, package) if one["status"] != "inactive"]
    view = {
        **champion_view(service, package),
        "activeDeploymentCount": len(active),
        "permissions": ["CAN_VIEW", "CAN_DEPLOY"],
    }
    return view | {"stage": stage_of(package)} if service.switches["version_stage"] == "shown" else view


def champion_view(service: Service, package: Record) -> Record:
    """A package as ``championModelPackage`` shows it: with the two keys that clients need (wire.md K.1)."""
    creator = person(service, package["createdBy"])
    target = package["target"]
    classes = target["classNames"]
    binary = target["type"] == "Binary"
    return {
        "id": package["id"],
        "name": package["name"],
        "registeredModelId": package["registeredModelId"],
        "registeredModelVersion": package["registeredModelVersion"],
        "modelId": package["modelId"],
        "modelExecutionType": package["modelExecutionType"],
        "buildStatus": package["buildStatus"],
        "isArchived": package["isArchived"],
        "isDeprecated": package["isDeprecated"],
        "capabilities": CAPABILITIES,
        "datasets": NO_DATASETS,
        "importMeta": {
            "creatorFullName": creator["name"],
            "creatorId": creator["id"],
            "creatorUsername": creator["email"] or "",
            "dateCreated": package["createdAt"],
            "originalFileName": None,
        },
        "modelDescription": {
            "buildEnvironmentType": "DataRobot",
            "description": package["description"],
            "location": None,
            "modelName": package["modelName"],
        },
        "modelKind": MODEL_KIND,
        "sourceMeta": {
            "environmentUrl": None,
            "projectId": package["projectId"],
            "projectName": package["projectName"],
            "scoringCode": {"dataRobotPredictionVersion": None, "location": None},
        },
        "target": {
            "name": target["name"],
            "type": target["type"],
            "classNames": classes,
            "classCount": len(classes) if classes else None,
            "predictionProbabilitiesColumn": None,
            "predictionThreshold": package.get("predictionThreshold") or (0.5 if binary else None),
        },
        "timeseries": NO_TIMESERIES,
        "updatedBy": creator,
    }


def stage_of(package: Record) -> str:
    """The stage of a version: one of the words of the filter ``stage`` (seed 004:938)."""
    return str(package.get("stage", "Registered"))


def similar(one: Record, other: Record) -> bool:
    """``similarTo``: same target type and same classes (seed 004:24)."""
    left, right = one["target"], other["target"]
    return bool(left["type"] == right["type"] and sorted(left["classNames"]) == sorted(right["classNames"]))
