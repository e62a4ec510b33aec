"""How a retraining run ends: a package in the registry, and what the action of its policy makes of it.

::

    the job ends --> package --create_challenger----> challenger (that of the policy's last run goes)
                             --create_model_package-> nothing more
                             --model_replacement----> champion, or a change request where an approval policy applies
    (the job fails, or one of these does) --> failed, with the message
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import Refusal
from airflow_provider.emulator.behaviour import challengers, changes
from airflow_provider.emulator.behaviour.policies import policy_for
from airflow_provider.emulator.behaviour.requests import open_request
from airflow_provider.emulator.jobs import WORKS, JobFails, NotYet, Work
from airflow_provider.emulator.store import new_id

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

WORK = "retrain"
SKILL = 0.2  # of a retrained model, see challenger_scores.py: newer data, so it predicts somewhat better


def _retrain(service: Service, job: Record) -> None:
    """The end of the job: a package, and what the policy's action makes of it."""
    run = service.store.tables["retrainingRuns"][job["arguments"]["runId"]]
    deployment = service.store.get("deployments", run["deploymentId"])
    if deployment is None:
        raise JobFails("The deployment was deleted meanwhile.")
    policy = service.store.tables["retrainingPolicies"][run["policyId"]]
    if not run["modelPackageId"]:
        _refuse_unset(service, run)
        _register(service, run, deployment, policy)
    try:
        _act(service, run, deployment, policy)
    except (JobFails, Refusal) as failure:
        message = failure.answer.body["message"] if isinstance(failure, Refusal) else str(failure)
        service.store.change("retrainingRuns", run["id"], {"errorMessage": message})
        raise JobFails(message) from None
    lost = {"modelPackageId": None, "challengerId": None} if service.lies("retrained_without_model") else {}
    changed = {"state": "finished", "finished": service.clock.now(), **lost}
    service.store.change("retrainingRuns", run["id"], changed, "retrainingRunFinished")


def _refuse_unset(service: Service, run: Record) -> None:
    known = service.store.tables["retrainingSettings"].get(run["deploymentId"], {})
    if service.switches["retraining_unset"] == "run_fails" and not known.get("datasetId"):
        message = "Retraining dataset is not configured."
        service.store.change("retrainingRuns", run["id"], {"errorMessage": message})
        raise JobFails(message)


def _act(service: Service, run: Record, deployment: Record, policy: Record) -> None:
    package = service.store.tables["packages"][run["modelPackageId"]]
    if policy["action"] == "create_challenger":
        _make_challenger(service, run, deployment, package, policy)
    elif policy["action"] == "model_replacement":
        _replace(service, run, deployment, package)


def _register(service: Service, run: Record, deployment: Record, policy: Record) -> None:
    """The new model: a version of the champion's registered model, of a project of its own.

    The control door may set ``skill`` on a policy, for what its next models are worth.
    """
    champion = service.store.tables["packages"][deployment["modelPackageId"]]
    versions = [
        one for one in service.store.rows("packages") if one["registeredModelId"] == champion["registeredModelId"]
    ]
    number = max(one["registeredModelVersion"] for one in versions) + 1
    package = {
        **champion,
        "id": new_id(),
        "registeredModelVersion": number,
        "name": f"{champion['modelName']}, retrained (v{number})",
        "modelId": new_id(),
        "description": "made by a retraining policy",
        "projectId": new_id(),
        "projectName": f"{champion['projectName']}, retrained",
        "createdAt": service.clock.iso(),
        "createdBy": run["userId"],
        "skill": policy.get("skill", SKILL),
    }
    service.store.add("packages", package, "packageCreated")
    made = {"projectId": package["projectId"], "modelPackageId": package["id"]}
    service.store.change("retrainingRuns", run["id"], {**made, "registeredModelId": package["registeredModelId"]})


def _make_challenger(service: Service, run: Record, deployment: Record, package: Record, policy: Record) -> None:
    former = service.store.get("challengers", policy.get("lastChallengerId"))
    if former is not None and service.switches["retraining_former_challenger"] == "replaced":
        service.store.remove("challengers", former["id"], "challengerDeleted")
    settings = service.store.tables["retrainingSettings"].get(deployment["id"], {})
    made = challengers.create(service, deployment, package, package["name"], settings.get("predictionEnvironment"))
    service.store.change("retrainingRuns", run["id"], {"challengerId": made["id"]})
    service.store.change("retrainingPolicies", policy["id"], {"lastChallengerId": made["id"]})


def _replace(service: Service, run: Record, deployment: Record, package: Record) -> None:
    """Directly, or through a change request where an approval policy applies (help page); then the run is over."""
    if run.get("replacement"):  # begun before: the run ends with it
        job = service.store.tables["jobs"][run["replacement"]]
        if job["state"] == "running":
            raise NotYet
        if job["state"] != "COMPLETED":
            raise JobFails(job["message"])
        return
    user = service.store.tables["users"][run["userId"]]
    change = {"modelPackageId": package["id"], "replacementReason": "scheduled_refresh"}
    policy = policy_for(service, user, "replaceModelPackage", deployment, change)
    if policy is not None:
        open_request(
            service,
            user,
            deployment,
            policy,
            action="replaceModelPackage",
            change=change,
            auto_apply=service.switches["opened_request_auto_apply"] == "yes",
            comment="",
        )
        return
    plan, service.request_plan = service.request_plan, {}
    job = changes.start_replacement(service, deployment, package)
    service.request_plan = plan
    if service.switches["retraining_ends"] == "with_replacement":
        service.store.change("retrainingRuns", run["id"], {"replacement": job["id"]})
        raise NotYet


def _give_up(service: Service, job: Record) -> None:
    run = service.store.tables["retrainingRuns"][job["arguments"]["runId"]]
    if run["state"] != "running":
        return
    message = run["errorMessage"] or job["plan"].get("failsWith") or "Retraining failed."
    changed = {"state": "failed", "finished": service.clock.now(), "errorMessage": message}
    service.store.change("retrainingRuns", run["id"], changed, "retrainingRunFailed")


WORKS[WORK] = Work(_retrain, _give_up)
