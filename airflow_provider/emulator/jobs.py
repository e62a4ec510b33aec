"""Long operations: status objects, their pace, and what they do at their end.

::

    INITIALIZED --(a tenth of the time)--> RUNNING --(on the clock, or by hand)--> COMPLETED
                                              |                                    ERROR | ABORTED | EXPIRED
                                              +-- stuck: for ever

What a job does is named (``replaceModel`` ...) and has its arguments as plain data. A job that fails gives up its work
(a deployment goes back to the status it had).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.clock import is_number

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

SECONDS: Mapping[str, float] = {
    "modelReplacement": 20,
    "deploymentStatus": 10,
    "deploymentSettings": 2,
    "deploymentDeletion": 5,
    "deploymentErasure": 5,
    "monitoringDataDeletion": 5,
    "onDemandReport": 10,
    "predictionInputs": 10,
    "changeRequestApply": 2,
    "changeRequestCancel": 0,
    "changeRequestOpened": 0,
    "actualsSubmission": 5,
    "actualsFromDataset": 20,
    "datasetProcessing": 5,
    "dataExport": 30,
    "packageBuild": 30,
    "deploymentCreation": 20,
    "scoringCodeBuild": 15,
    "modelPackageFileBuild": 15,
    "customModelLogs": 5,
    "retrainingRun": 3600,
    "customMetricValues": 5,
    "customMetricValuesFromDataset": 20,
    "batchPrediction": 30,
    "challengerCreation": 10,
    "challengerReplay": 30,
}  # service seconds; set others through the control door
ENDS = ("ERROR", "ABORTED", "EXPIRED")
PLAN_KEYS = ("seconds", "failsWith", "ends", "stuck", "byHand", "times")


class JobFails(Exception):
    """The work cannot be done; the text becomes the message of the status object."""


class NotYet(Exception):
    """The work depends on something that is not there yet; it is asked for again a second later."""


class BadPlan(ValueError):
    """A pace that makes no sense."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a job does at its end, and what it does when it fails.

    ``hides`` tells whether its failure is seen only in what it was to make, and its status object ends well.
    """

    apply: Callable[[Service, Record], None]
    give_up: Callable[[Service, Record], None]
    hides: Callable[[Service], bool] = lambda service: False


WORKS: dict[str, Work] = {}


def check_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A pace from outside, checked; raises :class:`BadPlan`."""
    unknown = set(plan) - set(PLAN_KEYS)
    if unknown:
        raise BadPlan(f"unknown key {', '.join(sorted(unknown))}; a pace has {', '.join(PLAN_KEYS)}")
    seconds, times = plan.get("seconds", 0), plan.get("times", 1)
    if not (is_number(seconds) and seconds >= 0):
        raise BadPlan(f"seconds must be a number from 0 on, not {seconds!r}")
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise BadPlan(f"times must be a whole number from 1 on, not {times!r}")
    if plan.get("ends", "ERROR") not in ENDS:
        raise BadPlan(f"ends must be one of {', '.join(ENDS)}, not {plan['ends']!r}")
    return dict(plan)


def start(service: Service, kind: str, work: str, arguments: Record, location: str, *, stuck: bool = False) -> Record:
    """Begin a job; with a pace of 0 seconds it is over at once.

    :param location: where a finished job points, relative to the API root
    :param stuck: whether it never ends
    """
    plan = {"seconds": SECONDS[kind], "stuck": stuck, **service.pace_for(kind), **service.request_plan}
    job = service.store.add(
        "jobs",
        {
            "kind": kind,
            "work": work,
            "arguments": arguments,
            "location": location,
            "created": service.clock.now(),
            "plan": plan,
            "state": "running",
            "message": None,
            "user": service.store.actor,
        },
    )
    if not (plan.get("stuck") or plan.get("byHand")):
        if plan["seconds"] == 0:
            end(service, job["id"])
        else:
            service.store.plan(service.clock.now() + plan["seconds"], "endJob", job_id=job["id"])
    return job


@due("endJob")
def end(service: Service, job_id: str) -> None:
    """The job's time is over: do its work, or fail as planned."""
    job = service.store.get("jobs", job_id)
    if job is None or job["state"] != "running":
        return
    plan = job["plan"]
    before, service.store.actor = service.store.actor, job["user"]
    try:
        if plan.get("failsWith") is not None or plan.get("ends"):
            raise JobFails(plan.get("failsWith") or f"The job ended with {plan['ends']}.")
        WORKS[job["work"]].apply(service, job)
    except NotYet:
        service.store.plan(service.clock.now() + 1, "endJob", job_id=job_id)
    except JobFails as failure:
        fail(service, job, str(failure), plan.get("ends", "ERROR"))
    else:
        service.store.change("jobs", job_id, {"state": "COMPLETED", "ended": service.clock.now()})
    finally:
        service.store.actor = before


def fail(service: Service, job: Record, message: str, ends: str = "ERROR") -> None:
    """End the job with a failure and give up its work."""
    work = WORKS[job["work"]]
    work.give_up(service, {**job, "message": message})
    shown: Record = {"state": ends, "message": message}
    if ends == "ERROR" and work.hides(service):
        shown = {"state": "COMPLETED"}
    service.store.change("jobs", job["id"], {**shown, "ended": service.clock.now()})


def word(service: Service, job: Record) -> str:
    """The status word that a look at the job shows now."""
    if job["state"] != "running":
        return str(job["state"])
    seconds = job["plan"].get("seconds") or 0
    return "INITIALIZED" if service.clock.now() - job["created"] < seconds / 10 else "RUNNING"


def nothing(service: Service, job: Record) -> None:
    """Work that has no effect, or nothing to give up."""


WORKS["nothing"] = Work(nothing, nothing)
