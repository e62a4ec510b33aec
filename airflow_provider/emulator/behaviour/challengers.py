"""Challengers of a deployment: which models may become one, and how they get there.

::

    POST --> creating --(job)--> ready          (in lists from its end on, or at once: switch challenger_appears)
                        (the job fails) --> gone

:func:`create` makes one without a job, for whoever has a job of its own (a retraining run).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.deployments import settings_of
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MOST = 5  # challengers of a deployment (wire.md I)
NEEDED = {
    "challengerModels": "Challenger models",
    "predictionsDataCollection": "Storage of prediction rows",
    "targetDrift": "Target drift tracking",
}


def challengers_of(service: Service, deployment_id: str, *, ready: bool = False) -> list[Record]:
    """The challengers of a deployment, oldest first.

    :param ready: only those whose creation is over
    """
    rows = [one for one in service.store.rows("challengers") if one["deploymentId"] == deployment_id]
    return [one for one in rows if one["state"] == "ready"] if ready else rows


def shown_challengers(service: Service, deployment_id: str) -> list[Record]:
    """Those that the API shows: the ones being created only by the switch ``challenger_appears``."""
    return challengers_of(service, deployment_id, ready=service.switches["challenger_appears"] == "at_end")


def shown_challenger(service: Service, deployment_id: str, challenger_id: str) -> Record:
    """One of them; 404 for any other."""
    for one in shown_challengers(service, deployment_id):
        if one["id"] == challenger_id:
            return one
    raise refuse(404, f"Challenger {challenger_id} of deployment {deployment_id} not found.")


def are_off(deployment: Record) -> str | None:
    """Why the deployment can have no challengers now: a setting that they need is off (help page "Challengers")."""
    settings = settings_of(deployment)
    off = [what for area, what in NEEDED.items() if not is_on(settings, area)]
    return f"{off[0]} must be enabled for this deployment." if off else None


def is_on(settings: Record, area: str) -> bool:
    """Whether an area of the settings is on; whatever was stored there, as the form is known from a sample only."""
    found = settings.get(area)
    return isinstance(found, dict) and found.get("enabled") is True


def misfit(service: Service, deployment: Record, package: Record) -> str | None:
    """Why the package cannot become a challenger of the deployment, or None (help page "Challengers")."""
    champion = service.store.tables["packages"][deployment["modelPackageId"]]
    known = challengers_of(service, deployment["id"])
    models = {service.store.tables["packages"][one["modelPackageId"]]["modelId"] for one in known}
    if len(known) >= MOST:
        return f"A deployment can have at most {MOST} challengers."
    if package["target"]["type"] != champion["target"]["type"]:
        return f"Target type {package['target']['type']} does not match {champion['target']['type']}."
    if package["target"]["name"] != champion["target"]["name"] and service.switches["challenger_target"] == "same_name":
        return f"Target name {package['target']['name']!r} does not match {champion['target']['name']!r}."
    if package["modelId"] == champion["modelId"] or package["modelId"] in models:
        return "The model is the champion or a challenger already."
    if package["buildStatus"] != "complete":
        return f"Model package is not ready: build is {package['buildStatus']}."
    return "Model package is archived." if package["isArchived"] else None


def create(
    service: Service, deployment: Record, package: Record, name: str, environment: Record | None = None
) -> Record:
    """Make a challenger that is ready at once; its effect is ``challengerCreated``.

    :param environment: ``{"id", "name"}`` of the prediction environment; default: the deployment's own
    :raises JobFails: when the settings or the package do not allow it, in the words of the API
    """
    reason = are_off(deployment) or misfit(service, deployment, package)
    if reason is not None:
        raise JobFails(reason)
    record = _record(deployment, package, name, environment)
    return service.store.add("challengers", {**record, "state": "ready"}, "challengerCreated")


def start_creation(
    service: Service, deployment: Record, package: Record, name: str, environment: Record | None = None
) -> Record:
    """Begin to make a challenger: the job; a refusal where the settings or the package do not allow it."""
    for switch, reason in (
        ("challengers_off", are_off(deployment)),
        ("challenger_misfit", misfit(service, deployment, package)),
    ):
        value = service.switches[switch]
        if reason is not None and value == "job_error":
            service.request_plan["failsWith"] = reason
            break
        if reason is not None:
            raise refuse_by_switch(value, reason)
    record = _record(deployment, package, name, environment)
    challenger = service.store.add("challengers", {**record, "state": "creating"})
    location = f"deployments/{deployment['id']}/challengers/{challenger['id']}/"
    return start(service, "challengerCreation", "createChallenger", {"challengerId": challenger["id"]}, location)


def environment_of(service: Service, environment_id: str) -> Record:
    """A prediction environment by its id; 422 for one that nobody knows."""
    for deployment in service.store.rows("deployments"):
        if deployment["predictionEnvironment"]["id"] == environment_id:
            found: Record = deployment["predictionEnvironment"]
            return found
    raise refuse(422, f"Prediction environment {environment_id} not found.")


def view(service: Service, challenger: Record) -> Record:
    """A challenger with exactly the keys that the Python client takes (wire.md I)."""
    package = service.store.tables["packages"][challenger["modelPackageId"]]
    return {
        "id": challenger["id"],
        "name": challenger["name"],
        "model": {
            "id": package["modelId"],
            "name": package["modelName"],
            "description": package["description"] or "",
            "executionType": package["modelExecutionType"],
            "isDeprecated": package["isDeprecated"],
            "datasetName": "",
            "projectId": package["projectId"],
            "projectName": package["projectName"],
        },
        "modelPackage": {
            "id": package["id"],
            "name": package["name"],
            "registeredModelId": package["registeredModelId"],
        },
        "predictionEnvironment": dict(challenger["predictionEnvironment"]),
    }


def _record(deployment: Record, package: Record, name: str, environment: Record | None) -> Record:
    place = environment or deployment["predictionEnvironment"]
    return {
        "deploymentId": deployment["id"],
        "modelPackageId": package["id"],
        "name": name,
        "predictionEnvironment": {"id": place["id"], "name": place["name"]},
    }


def _finish(service: Service, job: Record) -> None:
    challenger = service.store.get("challengers", job["arguments"]["challengerId"])
    if challenger is None or service.store.get("deployments", challenger["deploymentId"]) is None:
        raise JobFails("The challenger or its deployment was deleted meanwhile.")
    if service.lies("challenger_not_created"):
        service.store.remove("challengers", challenger["id"])
        return
    service.store.change("challengers", challenger["id"], {"state": "ready"}, "challengerCreated")


def _give_up(service: Service, job: Record) -> None:
    if service.store.get("challengers", job["arguments"]["challengerId"]) is not None:
        service.store.remove("challengers", job["arguments"]["challengerId"])


WORKS["createChallenger"] = Work(_finish, _give_up)
