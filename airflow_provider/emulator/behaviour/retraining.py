r"""Runs of a retraining policy: staged jobs on the clock, whose end depends on the policy's action.

::

    POST --> initializing --(a tenth)--> training --(nine tenths)--> last step --(the job ends)--> finished
                 |                          |                            |
                 '------- PATCH ------------'--> cancelled               '--> a cancel is refused from here on
    (the job fails, or the last step does) --> failed, with the message

What the last step makes is told in ``retraining_ends.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.retraining_ends import WORK
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.jobs import SECONDS, fail, start

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
    job = start(service, KIND, WORK, {"runId": run["id"]}, location)
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
