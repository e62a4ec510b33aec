"""``version/`` and ``status/``."""

from __future__ import annotations

from airflow_provider.emulator import jobs
from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

HOUR = 3_600  # seconds a finished record lives under the switch finished_status


@serves("getVersion", how="shaped")
def get_version(call: Call) -> Answer:
    """The API version that the newest public client expects (wire.md B)."""
    return Answer(200, {"major": 2, "minor": 49, "versionString": "2.49.0", "releasedVersion": "2.48.0"})


@serves("getStatus")
def get_status(call: Call) -> Answer:
    """A status object; once finished 303 with an empty body and the absolute address of the result (wire.md A.1)."""
    job = _job(call)
    if job["state"] != "COMPLETED":
        return Answer(200, _view(call, job))
    location = call.url(job["location"])
    match call.service.switches["job_end"]:
        case "200_completed":
            return Answer(200, _view(call, job))
        case "200_completed_with_location":
            return Answer(200, _view(call, job), {"Location": location})
    return empty(303, Location=location)


@serves("listStatuses")
def list_statuses(call: Call) -> Answer:
    """All status objects that are still there; limit 0 means all."""
    rows = [job for job in call.service.store.rows("jobs") if not _gone(call, job)]
    return call.page([_view(call, job) for job in call.service.listed(rows)])


@serves("deleteStatus")
def delete_status(call: Call) -> Answer:
    """Drop a status object; by the switch ``status_delete`` the work stops with it."""
    job = _job(call)
    if call.service.switches["status_delete"] == "cancels_work" and job["state"] == "running":
        jobs.fail(call.service, job, "The job was cancelled.", "ABORTED")
    call.service.store.change("jobs", job["id"], {"dropped": True}, "statusDropped")
    return empty(204)


def _job(call: Call) -> Record:
    job = call.service.store.get("jobs", call.arguments["statusId"])
    if job is None or _gone(call, job):
        raise refuse(404, f"Status {call.arguments['statusId']} not found.")
    return job


def _gone(call: Call, job: Record) -> bool:
    if job.get("dropped") or job["plan"].get("lost"):
        return True
    forgets = call.service.switches["finished_status"] == "gone_after_hour"
    return forgets and job["state"] != "running" and call.service.clock.now() - job["ended"] > HOUR


def _view(call: Call, job: Record) -> Record:
    failed = job["state"] in jobs.ENDS
    return {
        "statusId": job["id"],
        "status": jobs.word(call.service, job),
        "created": iso(job["created"]),
        "code": 1 if failed else 0,
        "message": job["message"],
        "description": None,
        "statusType": None,
        "type": "LongRunningServiceControllerOperation",
    }
