"""How models get into the registry: packages (versions), the registered models that they belong to, and their build.

::

    POST --> package, buildStatus inProgress --(job, on the clock)--> complete | failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.registry_roles import owned_model
from airflow_provider.emulator.jobs import WORKS, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

BUILD = "packageBuild"


def leaderboard_model(service: Service, model_id: str) -> Record:
    """A model of a project: one that no package was made of yet, or the model of a package.

    What an unknown id is answered is not known: switch ``unknown_model``.
    """
    model = service.store.get("leaderboardModels", model_id)
    if model is not None:
        return {**model, "modelId": model["id"]}
    known = [one for one in service.store.rows("packages") if one["modelId"] == model_id]
    if not known or known[-1]["modelExecutionType"] != "dedicated":
        raise refuse_by_switch(service.switches["unknown_model"], f"Model {model_id} not found.")
    return known[-1]


def custom_model_version(service: Service, version_id: str) -> Record:
    """A version of a custom model."""
    version = service.store.get("customModelVersions", version_id)
    if version is None:
        raise refuse_by_switch(service.switches["unknown_model"], f"Custom model version {version_id} not found.")
    return {**version, "modelId": version["id"]}


def external_model(body: Record) -> Record:
    """A model that lives elsewhere, as the body describes it."""
    target, described = body["target"], body.get("modelDescription") or {}
    return {
        "modelId": body.get("modelId"),
        "modelName": described.get("modelName") or body["name"],
        "modelExecutionType": "external",
        "target": {"name": target["name"], "type": target["type"], "classNames": target.get("classNames") or []},
        "features": [],
        "projectId": None,
        "projectName": None,
    }


def register(service: Service, user: Record, model: Record, body: Record) -> tuple[Record, Record | None]:
    """A new package of a model, a version of the registered model that the body names; and the job that builds it."""
    name = body.get("name") or model["modelName"]
    registered = _registered_model(service, user, name, model, body)
    versions = [one for one in service.store.rows("packages") if one["registeredModelId"] == registered["id"]]
    built = model["modelExecutionType"] == "dedicated" and service.switches["package_build_status"] == "tracked"
    record = {
        "registeredModelId": registered["id"],
        "registeredModelVersion": max((one["registeredModelVersion"] for one in versions), default=0) + 1,
        "name": name,
        "modelId": model["modelId"],
        "modelName": model["modelName"],
        "description": body.get("description") or "",
        "modelExecutionType": model["modelExecutionType"],
        "target": model["target"],
        "features": model["features"],
        "buildStatus": "inProgress" if built else None,
        "isArchived": False,
        "isDeprecated": False,
        "canBeDeployed": model.get("canBeDeployed", True),
        "projectId": model["projectId"],
        "projectName": model["projectName"],
        "predictionThreshold": body.get("predictionThreshold"),
        "createdAt": service.clock.iso(),
        "createdBy": user["id"],
        "logs": [_log(service, "INFO", "Build began.")] if built else [],
    }
    package = service.store.add("packages", record, "packageCreated")
    touched = {"modifiedAt": service.clock.iso(), "modifiedBy": user["id"]}
    service.store.change("registeredModels", registered["id"], touched)
    if not built:
        return package, None
    location = f"registeredModels/{registered['id']}/versions/{package['id']}/"
    return package, start(service, BUILD, "buildPackage", {"packageId": package["id"]}, location)


def _registered_model(service: Service, user: Record, name: str, model: Record, body: Record) -> Record:
    """The registered model of a new version: the named one, or a new one, called after the version by default."""
    key, wanted = body.get("registeredModelId"), body.get("registeredModelName")
    if key is not None and wanted is not None:
        raise invalid(["excludes registeredModelName @ $.registeredModelId"])
    if key is not None:
        found = owned_model(service, user, key)
        if found["isArchived"]:
            raise refuse(422, f"Registered model {key} is archived.")
        return found
    wanted = wanted or name
    taken = [one for one in service.store.rows("registeredModels") if one["name"] == wanted and not one["isArchived"]]
    value = service.switches["registered_model_name"]
    if taken and value != "repeated":
        raise refuse_by_switch(value, f"A registered model of the name {wanted!r} exists already.")
    moment = service.clock.iso()
    made: dict[str, Any] = {
        "name": wanted,
        "description": body.get("registeredModelDescription") or "",
        "createdAt": moment,
        "modifiedAt": moment,
        "createdBy": user["id"],
        "modifiedBy": user["id"],
        "target": {"name": model["target"]["name"], "type": model["target"]["type"]},
        "isArchived": False,
        "isGlobal": False,
    }
    return service.store.add("registeredModels", made, "registeredModelCreated")


def _log(service: Service, level: str, message: str) -> Record:
    return {"level": level, "message": message, "time": service.clock.now()}


def _end_build(service: Service, job: Record, status: str, level: str, message: str) -> None:
    package = service.store.tables["packages"][job["arguments"]["packageId"]]
    logs = [*package.get("logs", ()), _log(service, level, message)]
    service.store.change("packages", package["id"], {"buildStatus": status, "logs": logs}, "packageBuilt")


def _built(service: Service, job: Record) -> None:
    _end_build(service, job, "complete", "INFO", "Build is complete.")


def _not_built(service: Service, job: Record) -> None:
    _end_build(service, job, "failed", "ERROR", job["plan"].get("failsWith") or "Build failed.")


WORKS["buildPackage"] = Work(_built, _not_built)


def archive_package(service: Service, package: Record) -> None:
    """Take a package off the lists, for good; whether one that serves can be archived is a switch."""
    serving = [one for one in service.store.rows("deployments") if one["modelPackageId"] == package["id"]]
    _refuse_serving(service, "archive_deployed_package", serving)
    if not package["isArchived"]:
        service.store.change("packages", package["id"], {"isArchived": True}, "packageArchived")


def archive_model(service: Service, model: Record, user: Record) -> None:
    """Take a registered model and all its versions off the lists, for good (the page of the operation)."""
    versions = [one for one in service.store.rows("packages") if one["registeredModelId"] == model["id"]]
    ids = {one["id"] for one in versions}
    serving = [one for one in service.store.rows("deployments") if one["modelPackageId"] in ids]
    _refuse_serving(service, "delete_deployed_model", serving)
    for version in versions:
        service.store.change("packages", version["id"], {"isArchived": True})
    changes = {"isArchived": True, "modifiedAt": service.clock.iso(), "modifiedBy": user["id"]}
    service.store.change("registeredModels", model["id"], changes, "registeredModelArchived")


def _refuse_serving(service: Service, switch: str, serving: list[Record]) -> None:
    value = service.switches[switch]
    if serving and value != "allow":
        raise refuse_by_switch(value, f"It serves deployment {serving[0]['id']}.")
