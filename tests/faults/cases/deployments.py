"""Deployments: made, changed, deleted, and their settings."""

from __future__ import annotations

from tests.faults.case import Case, Given, World
from tests.harness import V3
from tests.stages import LABELLED

OF = {"deployment_id": LABELLED}
ROLES = [{"username": "outsider@example.com", "role": "user"}]
CUSTOM = "64e000000000000000000090"


def _inactive(world: World) -> Given:
    world.stage.service.change("deployments", LABELLED, status="inactive")
    return {}


def _deleted(world: World) -> Given:
    world.stage.service.change("deployments", LABELLED, importance="LOW")
    world.made("deployment_deletion.DeleteDeployment", deployment_id=LABELLED, confirm=LABELLED)
    return {}


def _works(world: World) -> Given:
    world.stage.service.switches(runtime_parameters_while_active="works")
    return {}


def _predicted(world: World) -> Given:
    world.stage.service.predictions(LABELLED, rows=30, start="2026-02-27T00:00:00Z", end="2026-02-28T00:00:00Z")
    return {}


CASES = [
    Case(
        "create_deployment.CreateDeployment",
        {"deploymentCreated": 1},
        {"deployment_label": "Churn, new", "importance": "LOW", "model_package_id": V3},
    ),
    Case("deployments.UpdateDeployment", {"deploymentUpdated": 1}, {**OF, "description": "by hand"}),
    Case("deployment_deletion.DeleteDeployment", {"deploymentDeleted": 1}, {**OF, "confirm": LABELLED}),
    Case(
        "deployment_deletion.EraseDeletedDeployments",
        {"deploymentErased": 1},
        {"deployment_ids": LABELLED, "confirm": "PermanentlyErase"},
        ready=_deleted,
        user="admin",
    ),
    Case("deployment_status.DeactivateDeployment", {"statusChanged": 1}, OF),
    Case("deployment_status.ActivateDeployment", {"statusChanged": 1}, OF, ready=_inactive),
    Case(
        "deployment_settings.UpdateDeploymentSettings",
        {"settingsUpdated": 1},
        {**OF, "settings": {"humility": {"enabled": True}}},
    ),
    Case("deployment_settings.UpdateSegmentAnalysis", {"settingsUpdated": 1}, {**OF, "attributes": "region,plan"}),
    Case(
        "deployment_settings.UpdateFairnessSettings",
        {"settingsUpdated": 1},
        {**OF, "protected_features": ["gender"], "fairness_metrics_set": "EQUALPARITY", "fairness_threshold": "0.8"},
    ),
    Case("association.SetAssociationId", {"settingsUpdated": 1}, {**OF, "columns": ["account", "day"]}),
    Case("challenger_settings.UpdateChallengerSettings", {"settingsUpdated": 1}, {**OF, "enabled": False}),
    Case(
        "challenger_settings.UpdateChallengerReplaySettings",
        {"challengerReplaySettingsUpdated": 1},
        {**OF, "enabled": True},
    ),
    Case(
        "health_settings.UpdateHealthSettings",
        {"healthSettingsUpdated": 1},
        {**OF, "settings": {"service": {"batchCount": 2}}},
    ),
    Case("deployment_sharing.ShareDeployment", {"deploymentShared": 1}, {**OF, "roles": ROLES}),
    Case(
        "runtime_parameters.UpdateRuntimeParameters",
        {"runtimeParameterChanged": 1},
        {**OF, "values": {"THRESHOLD": "0.25"}},
        ready=_works,
    ),
    Case(
        "secondary_datasets.UpdateSecondaryDatasetConfiguration",
        {"secondaryDatasetsChanged": 1},
        {**OF, "secondary_dataset_config_id": "656000000000000000000002"},
    ),
    Case(
        "monitoring_data.DeleteMonitoringData",
        {"monitoringDataDeleted": 1},
        {**OF, "confirm": LABELLED, "end_time": "2026-03-01"},
        ready=_predicted,
        anew=True,
    ),
    Case(
        "monitoring_data.CreateOnDemandReport",
        {"reportMailed": 1},
        {**OF, "report_id": "64a000000000000000000077"},
        anew=True,
    ),
    Case(
        "call_api.CallApi",
        {"statusChanged": 1},
        {
            "operation_id": "updateDeploymentStatus",
            "arguments": {"deploymentId": LABELLED},
            "body": {"status": "inactive"},
        },
        way="settable",
    ),
    Case(
        "call_api.CallApi",
        {"reportMailed": 1},
        {
            "operation_id": "createDeploymentOnDemandReport",
            "arguments": {"deploymentId": LABELLED},
            "body": {"id": "64a000000000000000000077"},
        },
        anew=True,
        way="blind",
    ),
]
