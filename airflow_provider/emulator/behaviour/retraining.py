r"""Runs of a retraining policy: staged jobs on the clock, whose end depends on the policy's action.

::

    POST --> initializing --(a tenth)--> training --(nine tenths)--> last step --(the job ends)--> finished
                 |                          |                            |
                 '------- PATCH ------------'--> cancelled               '--> a cancel is refused from here on
    (the job fails, or the last step does) --> failed, with the message

Every good run leaves a package in the registry; then it makes a challenger, or replaces the champion, or is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import Refusal, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import challengers, changes
from airflow_provider.emulator.behaviour.policies import policy_for
from airflow_provider.emulator.behaviour.requests import open_request
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.jobs import SECONDS, WORKS, JobFails, NotYet, Work, fail, start
from airflow_provider.emulator.store import new_id

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

KIND = "retrainingRun"
LAST_STEP = {
    "create_challenger": "Creating challenger",
    "create_model_package": "Creating model package",
    "model_replacement": "Replacing model",
}  # the first and the last are named in the help page "Manage Automated Retraining policies"
WORDS = {
    "steps": {"initializing": "Initializing", "training": "Training", "finished": "Finished", "failed": "Failed"},
    "upper_case": {"initializing": "CREATED", "training": "RUNNING", "finished": "SUCCEEDED", "failed": "FAILED"},
    "never_changes": dict.fromkeys(("initializing", "training", "finished", "failed"), "running"),
}
CANCELLING = 60  # seconds, where cancelling takes its time
SKILL = 0.2  # of a retrained model, see challenger_scores.py: newer data, so it predicts somewhat better


def runs_of(service: Service, policy_id: str) -> list[Record]:
    """The runs of a policy, oldest first."""
    return [one for one in service.store.rows("retrainingRuns") if one["policyId"] == policy_id]


def running(service: Service, policy_id: str) -> Record | None:
    """The run of the policy that is not over, if there is one."""
    return next((one for one in runs_of(service, policy_id) if one["state"] == "running"), None)


def run_of(service: Service, policy: Record, run_id: str) -> Record:
    """One run; 404 when it is none of this policy."""
    run = service.store.get("retrainingRuns", run_id)
    if run is None or run["policyId"] != policy["id"]:
        raise refuse(404, f"Run {run_id} of retraining policy {policy['id']} not found.")
    return run


def begin(service: Service, user: Record, policy: Record) -> Record | None:
    """Start a run; refused, or ignored (None), while another one of the policy goes on (wire.md G)."""
    other = running(service, policy["id"])
    if other is not None:
        value = service.switches["retraining_already_running"]
        if value == "ignored":
            return None
        raise refuse_by_switch(value, "Retraining policy is already running.")
    _refuse_without_settings(service, policy)
    run = service.store.add(
        "retrainingRuns",
        {
            "policyId": policy["id"],
            "deploymentId": policy["deploymentId"],
            "userId": user["id"],
            "state": "running",
            "created": service.clock.now(),
            "finished": None,
            "projectId": None,
            "modelPackageId": None,
            "registeredModelId": None,
            "challengerId": None,
            "errorMessage": None,
            "jobId": None,
        },
        "retrainingRunStarted",
    )
    location = f"deployments/{policy['deploymentId']}/retrainingPolicies/{policy['id']}/runs/{run['id']}/"
    job = start(service, KIND, "retrain", {"runId": run["id"]}, location)
    service.store.change("retrainingRuns", run["id"], {"jobId": job["id"]})
    return run


def _refuse_without_settings(service: Service, policy: Record) -> None:
    known = service.store.tables["retrainingSettings"].get(policy["deploymentId"], {})
    value = service.switches["retraining_unset"]
    if value.startswith("refuse_") and not known.get("datasetId"):
        raise refuse_by_switch(value, "Retraining settings of the deployment are not configured.")


# --- how far a run is ---------------------------------------------------------------------------------------------


def step(service: Service, run: Record) -> str:
    """The step that a run is in now: initializing, training, last, finished, failed or cancelled."""
    if run["state"] != "running":
        return str(run["state"])
    job = service.store.get("jobs", run["jobId"])
    seconds = SECONDS[KIND] if job is None else job["plan"].get("seconds") or 0
    share = (service.clock.now() - run["created"]) / seconds if seconds else 1.0
    return "initializing" if share < 0.1 else "training" if share < 0.9 else "last"


def view(service: Service, run: Record) -> Record:
    """A run with every documented key; what is not there yet is null."""
    now = step(service, run)
    late = service.switches["retraining_start_time"] == "when_training" and now == "initializing"
    return {
        "id": run["id"],
        "status": word(service, run, now),
        "startTime": None if late else iso(run["created"]),
        "finishTime": None if run["finished"] is None else iso(run["finished"]),
        **{
            name: run[name]
            for name in ("projectId", "modelPackageId", "registeredModelId", "challengerId", "errorMessage")
        },
    }


def word(service: Service, run: Record, now: str) -> str:
    """The status of a run; no page lists its words (switch ``retraining_words``)."""
    if now == "cancelled":
        return "cancelled"  # the one word that is documented
    words = WORDS[service.switches["retraining_words"]]
    if now == "last":
        policy = service.store.tables["retrainingPolicies"][run["policyId"]]
        own = service.switches["retraining_words"] == "steps"
        return LAST_STEP[policy["action"]] if own else words["training"]
    return words[now]


# --- how it ends --------------------------------------------------------------------------------------------------


def cancel(service: Service, run: Record) -> None:
    """Cancel a run; refused in its last step and when it is over (help page, the code is not known)."""
    now = step(service, run)
    if now in ("initializing", "training"):
        if service.switches["retraining_cancelling"] == "at_once":
            _cancelled(service, run["id"])
        else:
            service.store.plan(service.clock.now() + CANCELLING, "cancelRetraining", run_id=run["id"])
        return
    value = service.switches["retraining_late_cancel"]
    if value != "ignored":
        raise refuse_by_switch(value, f"The run cannot be cancelled any more: {word(service, run, now)}.")


@due("cancelRetraining")
def _cancelled(service: Service, run_id: str) -> None:
    run = service.store.get("retrainingRuns", run_id)
    if run is None or run["state"] != "running":
        return
    changes = {"state": "cancelled", "finished": service.clock.now()}
    service.store.change("retrainingRuns", run_id, changes, "retrainingRunCancelled")
    fail(service, service.store.tables["jobs"][run["jobId"]], "The run was cancelled.", "ABORTED")


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


WORKS["retrain"] = Work(_retrain, _give_up)
