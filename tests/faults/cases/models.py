"""Registry, files of models, challengers, retraining."""

from __future__ import annotations

from tests.challengers.rivals import challenger
from tests.faults.case import Case, Given, World
from tests.harness import V3
from tests.stages import LABELLED

OF = {"deployment_id": LABELLED}
CHURN = "64c000000000000000000001"
ENVIRONMENT = "64a300000000000000000001"
CUSTOM = "64e000000000000000000090"


def _rival(world: World) -> Given:
    return {"challenger_id": challenger(world.stage)}


def _rivals(world: World) -> Given:
    world.stage.service.predictions(LABELLED, rows=24, start="2026-03-01T00:00:00Z", end="2026-03-02T00:00:00Z")
    challenger(world.stage)
    return {}


def _policy(world: World) -> Given:
    world.stage.service.switches(retraining_unset="runs")
    body = {"name": "Monthly", "action": "create_challenger"}
    made = world.send("POST", f"deployments/{LABELLED}/retrainingPolicies/", body)
    world.stage.service.jobs("retrainingRun", seconds=300)
    return {"policy_id": str(made["id"])}


def _running(world: World) -> Given:
    given = _policy(world)
    path = f"deployments/{LABELLED}/retrainingPolicies/{given['policy_id']}/runs/"
    world.stage.service.jobs("retrainingRun", seconds=20_000)
    world.send("POST", path)
    [run] = world.stage.service.world("retrainingRuns")
    return {**given, "run_id": run}


def _place(world: World) -> Given:
    return {"path": str(world.folder / "out" / "file"), "staging": str(world.folder)}


CASES = [
    Case(
        "model_packages.RegisterModel",
        {"packageCreated": 1},
        {"model_id": "64a100000000000000000021", "registered_model_name": "Churn classifier", "name": "v6"},
        anew=True,
    ),
    Case(
        "model_package_changes.UpdateModelPackage",
        {"packageUpdated": 1},
        {"model_package_id": V3, "name": "Spring"},
    ),
    Case(
        "registered_model_changes.UpdateRegisteredModel",
        {"registeredModelUpdated": 1},
        {"registered_model_id": CHURN, "description": "who leaves"},
    ),
    Case(
        "registered_model_changes.ShareRegisteredModel",
        {"registeredModelShared": 1},
        {"registered_model_id": CHURN, "roles": [{"username": "reviewer@example.com", "role": "user"}]},
    ),
    Case(
        "registered_model_changes.ArchiveRegisteredModel",
        {"packageArchived": 1},
        {"model_package_id": V3},
    ),
    Case(
        "model_files.DownloadScoringCode",
        {"modelFileBuilt": 1},
        {**OF, "include_agent": True},
        ready=_place,
    ),
    Case("model_files.DownloadModelPackageFile", {"modelFileBuilt": 1}, OF, ready=_place),
    Case("model_files.DownloadCustomModelLogs", {"logsCollected": 1}, {"deployment_id": CUSTOM}, ready=_place),
    Case(
        "challengers.CreateChallenger",
        {"challengerCreated": 1},
        {**OF, "model_package_id": V3, "prediction_environment_id": ENVIRONMENT},
    ),
    Case("challenger_changes.UpdateChallenger", {"challengerUpdated": 1}, {**OF, "name": "v3"}, ready=_rival),
    Case("challenger_changes.DeleteChallenger", {"challengerDeleted": 1}, OF, ready=_rival),
    Case("challenger_replays.ReplayChallengers", {"challengersReplayed": 1}, OF, ready=_rivals, anew=True),
    Case("retraining.RunRetrainingPolicy", {"retrainingRunStarted": 1}, OF, ready=_policy, anew=True),
    Case("retraining.CancelRetrainingRun", {"retrainingRunCancelled": 1}, OF, ready=_running),
    Case("retraining_policies.CreateRetrainingPolicy", {"retrainingPolicyCreated": 1}, {**OF, "name": "Monthly"}),
    Case(
        "retraining_policies.UpdateRetrainingPolicy",
        {"retrainingPolicyUpdated": 1},
        {**OF, "description": "Every month."},
        ready=_policy,
    ),
    Case("retraining_policies.DeleteRetrainingPolicy", {"retrainingPolicyDeleted": 1}, OF, ready=_policy),
    Case(
        "retraining_settings.UpdateRetrainingSettings",
        {"retrainingSettingsUpdated": 1},
        {**OF, "prediction_environment_id": ENVIRONMENT},
    ),
]
