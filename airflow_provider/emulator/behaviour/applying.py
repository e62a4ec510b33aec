"""Carrying out an approved change request: a job that does what its action says and then marks it resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.behaviour import changes, monitoring_data, secondary_datasets
from airflow_provider.emulator.behaviour.diffs import diff_of
from airflow_provider.emulator.behaviour.marking import set_status
from airflow_provider.emulator.behaviour.rights import CLOSED
from airflow_provider.emulator.behaviour.validation import validate
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, nothing, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

REPLACEMENTS = ("replaceModel", "replaceModelPackage")
JOB_KIND = {"replaceModel": "modelReplacement", "replaceModelPackage": "modelReplacement"} | {
    "changeStatus": "deploymentStatus"
}


def start_applying(service: Service, request: Record, user: Record | None) -> Record:
    """Begin to carry the change out.

    :param user: who resolves the request; None when it applies itself
    """
    deployment = service.store.get("deployments", request["entityId"])
    stuck = False
    if deployment is not None and request["action"] in REPLACEMENTS:
        stuck = changes.begin_replacement(service, deployment)
    elif deployment is not None and request["action"] == "changeStatus":
        changes.begin_status(service, deployment, request["change"]["status"])
    kind = JOB_KIND.get(request["action"], "changeRequestApply")
    location = "deployments/" if request["action"] == "delete" else f"deployments/{request['entityId']}/"
    arguments = {
        "changeRequestId": request["id"],
        "changeVersionId": request["versions"][-1],
        "deploymentId": request["entityId"],
        "userId": user["id"] if user is not None else None,
    }
    return start(service, kind, "applyRequest", arguments, location, stuck=stuck)


def wanted_package(service: Service, request: Record) -> Record | None:
    """The package that a replacement request asks for, or None where it does not exist."""
    if request["action"] == "replaceModelPackage":
        return service.store.get("packages", request["change"]["modelPackageId"])
    model_id = request["change"]["modelId"]
    packages = [one for one in service.store.rows("packages") if one["modelId"] == model_id]
    return packages[-1] if packages else None


def validation_failure(service: Service, request: Record) -> Record | None:
    """The validation object of a replacement that cannot be done now, or None where nothing is in its way."""
    deployment = service.store.get("deployments", request["entityId"])
    if request["action"] not in REPLACEMENTS or deployment is None:
        return None
    package = wanted_package(service, request)
    if package is None:
        return {"status": "failing", "message": "The model package does not exist.", "checks": {}}
    found = validate(service, deployment, package)
    return found if found["status"] == "failing" else None


def _apply(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    request = service.store.tables["changeRequests"][arguments["changeRequestId"]]
    if request["status"] not in ("approved", "resolved"):
        raise JobFails(f"The change request is not approved any more: {request['status']}.")
    if request["versions"][-1] != arguments["changeVersionId"]:
        raise JobFails("The change request was edited meanwhile.")
    if service.lies("resolving_ignored"):
        changes.back_to_before(service, request["entityId"])
        return
    diff = _diff_before(service, request)
    if service.lies("resolved_not_applied"):
        changes.back_to_before(service, request["entityId"])
    else:
        put(service, request)
    service.store.change("changeRequests", request["id"], {"diff": diff})
    set_status(service, request, "resolved", arguments["userId"])


def put(service: Service, request: Record) -> None:
    """Make the change, now."""
    entity, change = request["entityId"], request["change"]
    match request["action"]:
        case "replaceModel" | "replaceModelPackage":
            failure = validation_failure(service, request)
            package = wanted_package(service, request)
            if failure is not None or package is None:
                raise JobFails(failure["message"] if failure else "The model package does not exist.")
            changes.put_champion(service, entity, package["id"])
        case "changeStatus":
            changes.put_status(service, entity, change["status"])
        case "changeImportance":
            changes.put_importance(service, entity, change["importance"])
        case "approve":
            changes.put_approval(service, entity)
        case "delete":
            changes.put_deletion(service, entity)
        case "cleanupStats":
            changes.existing(service, entity)
            span = monitoring_data.window(service, change["start"], change["end"])
            monitoring_data.delete(service, entity, change["modelId"], span)
        case "updateSecondaryDatasetConfigs":
            deployment = changes.existing(service, entity)
            config = service.store.get("secondaryDatasetConfigs", change["secondaryDatasetsConfigId"])
            if config is None:
                raise JobFails("The secondary dataset configuration does not exist.")
            secondary_datasets.put(service, deployment, config, [])


def _diff_before(service: Service, request: Record) -> Record | None:
    """The diff while there is still something to compare with; once applied it stays so."""
    deployment = service.store.get("deployments", request["entityId"])
    if deployment is None or request["diff"] is not None:
        kept: Record | None = request["diff"]
        return kept
    before = {**deployment, "status": deployment.get("statusBefore") or deployment["status"]}
    return diff_of(service, request["action"], request["change"], before)


def _give_up(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    changes.back_to_before(service, arguments["deploymentId"])
    request = service.store.get("changeRequests", arguments["changeRequestId"])
    back = service.switches["failed_apply"] == "back_to_pending"
    if request is not None and request["status"] == "approved" and back:
        set_status(service, request, "pending", None)


WORKS["applyRequest"] = Work(_apply, _give_up)


def start_cancelling(service: Service, request: Record, user: Record) -> Record:
    """Begin to cancel the request; usually over at once."""
    arguments = {"changeRequestId": request["id"], "userId": user["id"]}
    return start(service, "changeRequestCancel", "cancelRequest", arguments, f"deployments/{request['entityId']}/")


def _cancel(service: Service, job: Record) -> None:
    request = service.store.tables["changeRequests"][job["arguments"]["changeRequestId"]]
    if request["status"] in CLOSED:
        raise JobFails("The change request is closed.")
    if service.lies("cancelled_but_applied"):
        put(service, request)
    named = service.switches["cancelled_by"] == "user"
    set_status(service, request, "cancelled", job["arguments"]["userId"] if named else None)


WORKS["cancelRequest"] = Work(_cancel, nothing)
