"""Retraining policies and retraining settings of a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import retraining
from airflow_provider.emulator.behaviour.challengers import environment_of
from airflow_provider.emulator.behaviour.retraining_schedule import plan_next

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MOST = 5  # policies of a deployment (help page "Manage Automated Retraining policies")
NO_TRIGGER: dict[str, Any] = {
    "minIntervalBetweenRuns": None,
    "schedule": None,
    "statusDeclinesToFailing": False,
    "statusDeclinesToWarning": False,
    "statusStillInDecline": False,
    "type": None,
}
DEFAULTS: dict[str, Any] = {
    "action": "create_challenger",
    "autopilotOptions": None,
    "description": None,
    "featureListStrategy": "same_as_champion",
    "modelSelectionStrategy": "autopilot_recommended",
    "projectOptions": None,
    "projectOptionsStrategy": "same_as_champion",
    "timeSeriesOptions": None,
    "trigger": NO_TRIGGER,
}
KEPT = ("name", *DEFAULTS)


def policies_of(service: Service, deployment_id: str) -> list[Record]:
    """The retraining policies of a deployment, oldest first."""
    return [one for one in service.store.rows("retrainingPolicies") if one["deploymentId"] == deployment_id]


def policy_of(service: Service, deployment: Record, policy_id: str) -> Record:
    """One policy; 404 when it is none of this deployment."""
    policy = service.store.get("retrainingPolicies", policy_id)
    if policy is None or policy["deploymentId"] != deployment["id"]:
        raise refuse(404, f"Retraining policy {policy_id} of deployment {deployment['id']} not found.")
    return policy


def create(service: Service, deployment: Record, body: Mapping[str, Any]) -> Record:
    """A new policy; a sixth is refused."""
    if len(policies_of(service, deployment["id"])) >= MOST:
        text = f"A deployment can have at most {MOST} retraining policies."
        raise refuse_by_switch(service.switches["retraining_sixth_policy"], text)
    given = {name: value for name, value in body.items() if name in KEPT}
    record = {**DEFAULTS, **given, "deploymentId": deployment["id"]}
    policy = service.store.add("retrainingPolicies", record, "retrainingPolicyCreated")
    plan_next(service, policy)
    return policy


def update(service: Service, policy: Record, body: Mapping[str, Any]) -> Record:
    """Change the fields that are given; an object replaces the stored one, or is merged into it (by the switch)."""
    changes = {name: value for name, value in body.items() if name in KEPT}
    if service.switches["retraining_policy_patch"] == "merges":
        changes = {name: _merged(policy[name], value) for name, value in changes.items()}
    before = policy["trigger"]
    service.store.change("retrainingPolicies", policy["id"], changes, "retrainingPolicyUpdated")
    if policy["trigger"] != before:
        plan_next(service, policy)
    return policy


def _merged(stored: Any, given: Any) -> Any:
    return {**stored, **given} if isinstance(stored, dict) and isinstance(given, dict) else given


def delete(service: Service, policy: Record) -> None:
    """Delete it with its runs; refused while it is running (help page, the code is not known)."""
    if retraining.running(service, policy["id"]) is not None:
        value = service.switches["retraining_delete_running"]
        raise refuse_by_switch(value, "A retraining policy cannot be deleted while it is running.")
    for run in retraining.runs_of(service, policy["id"]):
        service.store.remove("retrainingRuns", run["id"])
    service.store.remove("retrainingPolicies", policy["id"], "retrainingPolicyDeleted")


def view(service: Service, policy: Record) -> Record:
    """A policy with every documented key; ``latestRun`` is the newest run, or null."""
    runs = retraining.runs_of(service, policy["id"])
    latest = retraining.view(service, runs[-1]) if runs else None
    return {"id": policy["id"], **{name: policy[name] for name in KEPT}, "latestRun": latest}


def settings_view(service: Service, deployment_id: str) -> Record:
    """The retraining settings; what is not set is null, and the credential is never shown."""
    known = service.store.tables["retrainingSettings"].get(deployment_id, {})
    user = service.store.get("users", known.get("retrainingUserId"))
    dataset = service.store.get("datasets", known.get("datasetId"))
    environment = known.get("predictionEnvironment")
    return {
        "dataset": None if dataset is None else {"id": dataset["id"], "name": dataset["name"]},
        "predictionEnvironment": environment and {"id": environment["id"], "name": environment["name"]},
        "retrainingUser": None if user is None else {"id": user["id"], "username": user["username"]},
    }


def put_settings(service: Service, deployment: Record, body: Mapping[str, Any]) -> None:
    """Set what is given; 422 for what nobody knows and for a retraining user who is no owner."""
    known = dict(service.store.tables["retrainingSettings"].get(deployment["id"], {"id": deployment["id"]}))
    if body.get("retrainingUserId") is not None:
        if deployment["roles"].get(body["retrainingUserId"]) != "OWNER":
            raise refuse(422, "The retraining user must be an owner of the deployment.")
        known["retrainingUserId"] = body["retrainingUserId"]
    if body.get("datasetId") is not None:
        dataset = service.store.get("datasets", body["datasetId"])
        if dataset is None or dataset["deleted"]:
            raise refuse(422, f"Dataset {body['datasetId']} not found.")
        known["datasetId"] = dataset["id"]
    if body.get("predictionEnvironmentId") is not None:
        known["predictionEnvironment"] = environment_of(service, body["predictionEnvironmentId"])
    if body.get("credentialId") is not None:
        known["credentialId"] = body["credentialId"]
    service.store.tables["retrainingSettings"].setdefault(deployment["id"], {"id": deployment["id"]})
    service.store.change("retrainingSettings", deployment["id"], known, "retrainingSettingsUpdated")
