"""Deployments come into being.

::

    POST --> launching --(job, on the clock)--> active | inactive
               |                                 errored, or gone (switch failed_launch)
               '-- an approval policy on creation: approvalStatus PENDING, and the service opens an ``approve`` request
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.policies import policy_for
from airflow_provider.emulator.behaviour.requests import open_request
from airflow_provider.emulator.jobs import WORKS, JobFails, NotYet, Work, start
from airflow_provider.emulator.store import new_id

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

UNKNOWN_HEALTH = {"service": "unknown", "model": "unknown", "accuracy": "unknown"}
ON_SERVERS = {"id": "64a300000000000000000000", "name": "DataRobot prediction servers", "platform": "datarobot"}


def create(service: Service, user: Record, package: Record, body: Record) -> tuple[Record, Record]:
    """A deployment of the package, and the job that launches it; refused where that cannot be."""
    if service.switches["deployment_quota"] == "reached":
        raise refuse(409, "The organization has reached its limit of deployments.")
    if package["isArchived"] or not package.get("canBeDeployed", True):
        raise refuse(422, f"Model package {package['id']} cannot be deployed.")
    _check_build(service, package)
    record = _record(service, user, package, body)
    arguments: dict[str, Any] = {
        "deployment": record,
        "status": body.get("status") or "active",
        "userId": user["id"],
        "requested": False,
    }
    if service.switches["deployment_appears"] == "at_once":
        _appear(service, arguments, user, launched=False)
    return record, start(service, "deploymentCreation", "launchDeployment", arguments, f"deployments/{record['id']}/")


def _check_build(service: Service, package: Record) -> None:
    value = service.switches["deploy_unbuilt"]
    if package["buildStatus"] in (None, "complete") or not value.startswith("refuse_"):
        return
    raise refuse_by_switch(value, f"The build of model package {package['id']} is {package['buildStatus']}.")


def _record(service: Service, user: Record, package: Record, body: Record) -> Record:
    moment = service.clock.iso()
    return {
        "id": new_id(),
        "label": body["label"],
        "description": body.get("description") or "",
        "importance": body.get("importance") or "LOW",
        "status": "launching",
        "approvalStatus": "APPROVED",
        "createdAt": moment,
        "createdBy": user["id"],
        "modelPackageId": package["id"],
        "deployedAt": moment,
        "roles": {user["id"]: "OWNER"},
        "health": dict(UNKNOWN_HEALTH),
        "tags": [],
        "predictionUsage": {"dailyRates": [], "lastTimestamp": None},
        "predictionEnvironment": _environment(service, body),
        "defaultPredictionServer": _server(service, body),
        "settings": {},
    }


def _environment(service: Service, body: Record) -> Record:
    key = body.get("predictionEnvironmentId")
    if key is None:
        return dict(ON_SERVERS)
    found = service.store.get("predictionEnvironments", key)
    if found is None:
        raise invalid(["no such prediction environment @ $.predictionEnvironmentId"])
    return {name: found[name] for name in ("id", "name", "platform")}


def _server(service: Service, body: Record) -> Record | None:
    """The prediction server: needed on the managed cloud, forbidden on self-managed installations (seed 002:290)."""
    key, value = body.get("defaultPredictionServerId"), service.switches["default_prediction_server"]
    elsewhere = body.get("predictionEnvironmentId") is not None
    if key is None and value == "required" and not elsewhere:
        raise invalid(["required @ $.defaultPredictionServerId"])
    if key is None:
        return None
    if value == "forbidden":
        raise invalid(["is not allowed here @ $.defaultPredictionServerId"])
    found = service.store.get("predictionServers", key)
    if found is None:
        raise invalid(["no such prediction server @ $.defaultPredictionServerId"])
    return found


def _appear(service: Service, arguments: Record, user: Record, *, launched: bool) -> Record:
    """The deployment is there from now on; under a policy it needs an approval, which the service asks for itself."""
    record = arguments["deployment"]
    deployment = service.store.get("deployments", record["id"])
    if deployment is None:
        deployment = service.store.add("deployments", dict(record), "deploymentCreated")
    policy = policy_for(service, user, "approve", deployment, None)
    if policy is None or arguments["requested"]:
        return deployment
    service.store.change("deployments", deployment["id"], {"approvalStatus": "PENDING"})
    if launched or service.switches["approve_request_opened"] == "at_once":
        arguments["requested"] = True
        open_request(
            service,
            user,
            deployment,
            policy,
            action="approve",
            change={"approvalStatus": "APPROVED"},
            auto_apply=service.switches["approve_request_auto_apply"] == "yes",
            comment="",
        )
    return deployment


def _launch(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    record = arguments["deployment"]
    package = service.store.tables["packages"][record["modelPackageId"]]
    if package["buildStatus"] == "failed":
        raise JobFails(f"The build of model package {package['id']} has failed.")
    if package["buildStatus"] == "inProgress" and service.switches["deploy_unbuilt"] == "waits":
        raise NotYet
    if package["buildStatus"] == "inProgress":
        raise JobFails(f"Model package {package['id']} is still being built.")
    if service.switches["deployment_appears"] == "at_once" and service.store.get("deployments", record["id"]) is None:
        raise JobFails("The deployment was deleted meanwhile.")
    deployment = _appear(service, arguments, service.store.tables["users"][arguments["userId"]], launched=True)
    changes = {"status": arguments["status"], "deployedAt": service.clock.iso()}
    service.store.change("deployments", deployment["id"], changes, "deploymentLaunched")


def _give_up(service: Service, job: Record) -> None:
    deployment = service.store.get("deployments", job["arguments"]["deployment"]["id"])
    if deployment is None:
        return
    if service.switches["failed_launch"] == "gone":
        service.store.remove("deployments", deployment["id"])
    else:
        service.store.change("deployments", deployment["id"], {"status": "errored"})


WORKS["launchDeployment"] = Work(_launch, _give_up)
