"""Model replacement: validate, replace, and the champion's package."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.changes import start_replacement
from airflow_provider.emulator.behaviour.governing import governed, opened_job
from airflow_provider.emulator.behaviour.packages import champion_view, package_by_model, package_of
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.behaviour.validation import NOT_FINE, validate
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record


@serves("validateDeploymentModelReplacement", how="computed")
def validate_replacement(call: Call) -> Answer:
    """200 with the validation object, whatever it says."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return Answer(200, validate(call.service, deployment, _package(call)))


@serves("replaceDeploymentModel")
def replace_model(call: Call) -> Answer:
    """202 with the status object; 409 with the validation object when a check fails (wire.md E)."""
    service = call.service
    deployment = owned(service, call.user, call.arguments["deploymentId"])
    package = _package(call)
    found = validate(service, deployment, package)
    if service.lies("passing_but_refused"):
        checks = {**found["checks"], "modelCanBeDeployed": {"status": "failing", "message": "Not now."}}
        return Answer(409, {"status": "failing", "message": NOT_FINE, "checks": checks})
    if found["status"] == "failing" and not service.lies("validation_ignored"):
        return Answer(409, found)
    reason = call.body["reason"].lower()
    if "modelPackageId" in call.body:
        action, change = "replaceModelPackage", {"modelPackageId": package["id"], "replacementReason": reason}
    else:
        action, change = "replaceModel", {"modelId": package["modelId"], "replacementReason": reason}
    request = governed(service, call.user, deployment, action, change)
    job = opened_job(service, request) if request is not None else start_replacement(service, deployment, package)
    return call.accepted(job, found if service.switches["replacement_answer"] == "validation" else None)


@serves("getDeploymentChampionModelPackage")
def get_champion_package(call: Call) -> Answer:
    """The champion's package, with the two keys that clients need (wire.md K.1)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    package = call.service.store.tables["packages"][deployment["modelPackageId"]]
    if call.service.lies("empty_champion"):
        return Answer(200, {})
    return Answer(200, champion_view(call.service, package))


def _package(call: Call) -> Record:
    if "modelPackageId" in call.body:
        return package_of(call.service, call.body["modelPackageId"])
    return package_by_model(call.service, call.body["modelId"])
