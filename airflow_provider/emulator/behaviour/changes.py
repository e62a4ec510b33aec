"""What a change does to a deployment, asked for directly or through a change request: begin, put, give up.

::

    active --begin replacement--> replacingModel --put_champion--> active
    active --begin status-------> stopping | launching --put_status--> inactive | active
    (a job that fails: back to the status before, or errored, by the switch failed_change_status)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CHANGING = ("replacingModel", "launching", "stopping")
ON_THE_WAY = {"active": "launching", "inactive": "stopping"}


def existing(service: Service, deployment_id: str) -> Record:
    """The deployment; a job whose deployment is gone fails."""
    deployment = service.store.get("deployments", deployment_id)
    if deployment is None:
        raise JobFails(f"Deployment {deployment_id} does not exist any more.")
    return deployment


def begin_replacement(service: Service, deployment: Record) -> bool:
    """Show ``replacingModel``; returns whether the replacement hangs because the deployment is inactive.

    A refusal where the switches ``replace_while_replacing`` and ``replace_while_inactive`` say so.
    """
    if deployment["status"] == "replacingModel":
        value = service.switches["replace_while_replacing"]
        if value != "accept":
            raise refuse_by_switch(value, "The model of this deployment is being replaced already.")
        return False
    inactive = deployment["status"] == "inactive"
    value = service.switches["replace_while_inactive"]
    if inactive and value.startswith("refuse_"):
        raise refuse_by_switch(value, "The model of an inactive deployment cannot be replaced.")
    _show(service, deployment, "replacingModel")
    return inactive and value == "hangs"


def begin_status(service: Service, deployment: Record, status: str) -> None:
    """Show ``launching`` or ``stopping``; 409 when a change is running or nothing would change (seed 002:7303)."""
    if deployment["status"] in CHANGING:
        raise refuse(409, f"Deployment is in process of a status change: {deployment['status']}.")
    if deployment["status"] == status:
        raise refuse(409, f"Deployment is already {status}.")
    _show(service, deployment, ON_THE_WAY[status])


def _show(service: Service, deployment: Record, status: str) -> None:
    service.store.change("deployments", deployment["id"], {"status": status, "statusBefore": deployment["status"]})


def put_champion(service: Service, deployment_id: str, package_id: str) -> None:
    """Make the package champion, now."""
    deployment = existing(service, deployment_id)
    status = {"status": deployment.get("statusBefore") or deployment["status"]}
    if service.lies("job_done_but_deployment_errored"):
        status["status"] = "errored"
    if service.lies("replaced_not_changed"):
        service.store.change("deployments", deployment_id, status)
        return
    if service.lies("wrong_champion"):
        package_id = _another(service, deployment, package_id)
    before = {
        "modelPackageId": deployment["modelPackageId"],
        "deployedAt": deployment["deployedAt"],
        "looks": int(service.switches["champion_lag"]),
    }
    changes = {"modelPackageId": package_id, "deployedAt": service.clock.iso(), "before": before, **status}
    service.store.change("deployments", deployment_id, changes, "modelReplaced")


def _another(service: Service, deployment: Record, package_id: str) -> str:
    taken = (package_id, deployment["modelPackageId"])
    return next(str(one["id"]) for one in service.store.rows("packages") if one["id"] not in taken)


def put_status(service: Service, deployment_id: str, status: str) -> None:
    """Make the deployment active or inactive, now."""
    deployment = existing(service, deployment_id)
    if service.lies("status_not_changed"):
        service.store.change("deployments", deployment_id, {"status": deployment["statusBefore"]})
        return
    service.store.change("deployments", deployment_id, {"status": status}, "statusChanged")


def put_importance(service: Service, deployment_id: str, importance: str) -> None:
    """Give the deployment another importance."""
    existing(service, deployment_id)
    service.store.change("deployments", deployment_id, {"importance": importance}, "importanceChanged")


def put_approval(service: Service, deployment_id: str) -> None:
    """Mark the deployment as approved."""
    existing(service, deployment_id)
    service.store.change("deployments", deployment_id, {"approvalStatus": "APPROVED"}, "approvalStatusChanged")


def put_deletion(service: Service, deployment_id: str) -> None:
    """Delete the deployment, now."""
    deployment = existing(service, deployment_id)
    service.store.remove("deployments", deployment_id, "deploymentDeleted")
    gone = {"id": deployment_id, "label": deployment["label"], "deletedAt": service.clock.iso()}
    service.store.add("deletedDeployments", gone)


def back_to_before(service: Service, deployment_id: str) -> None:
    """A change has failed: the deployment shows its old status again, or ``errored`` by the switch."""
    deployment = service.store.get("deployments", deployment_id)
    if deployment is None or deployment["status"] not in CHANGING:
        return
    errored = service.switches["failed_change_status"] == "errored"
    status = "errored" if errored else deployment["statusBefore"]
    service.store.change("deployments", deployment_id, {"status": status})


def start_replacement(service: Service, deployment: Record, package: Record) -> Record:
    """Begin to replace the champion; the job that does it."""
    stuck = begin_replacement(service, deployment)
    arguments = {"deploymentId": deployment["id"], "modelPackageId": package["id"]}
    location = f"deployments/{deployment['id']}/"
    return start(service, "modelReplacement", "replaceModel", arguments, location, stuck=stuck)


def start_status(service: Service, deployment: Record, status: str) -> Record:
    """Begin to activate or deactivate; the job that does it."""
    begin_status(service, deployment, status)
    arguments = {"deploymentId": deployment["id"], "status": status}
    return start(service, "deploymentStatus", "setStatus", arguments, f"deployments/{deployment['id']}/")


def start_deletion(service: Service, deployment: Record) -> Record:
    """Begin to delete; the job that does it."""
    arguments = {"deploymentId": deployment["id"]}
    return start(service, "deploymentDeletion", "deleteDeployment", arguments, "deployments/")


def start_settings(service: Service, deployment: Record, settings: Record) -> Record:
    """Begin to change settings; the job that does it."""
    arguments = {"deploymentId": deployment["id"], "settings": settings}
    return start(service, "deploymentSettings", "putSettings", arguments, f"deployments/{deployment['id']}/")


def _put_settings(service: Service, job: Record) -> None:
    deployment = existing(service, job["arguments"]["deploymentId"])
    settings = dict(deployment["settings"])
    for name, value in job["arguments"]["settings"].items():
        both = isinstance(value, dict) and isinstance(settings.get(name), dict)
        settings[name] = {**settings[name], **value} if both else value
    service.store.change("deployments", deployment["id"], {"settings": settings}, "settingsUpdated")


def _give_up(service: Service, job: Record) -> None:
    back_to_before(service, job["arguments"]["deploymentId"])


def _replace(service: Service, job: Record) -> None:
    put_champion(service, job["arguments"]["deploymentId"], job["arguments"]["modelPackageId"])


def _set_status(service: Service, job: Record) -> None:
    put_status(service, job["arguments"]["deploymentId"], job["arguments"]["status"])


def _delete(service: Service, job: Record) -> None:
    put_deletion(service, job["arguments"]["deploymentId"])


WORKS["replaceModel"] = Work(_replace, _give_up)
WORKS["setStatus"] = Work(_set_status, _give_up)
WORKS["deleteDeployment"] = Work(_delete, _give_up)
WORKS["putSettings"] = Work(_put_settings, _give_up)
