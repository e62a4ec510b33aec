"""Batch predictions: create, upload, look, download, abort."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import batch_predictions
from airflow_provider.emulator.behaviour.batch_predictions import LOCAL, OVER, has_download, results, status_of, view
from airflow_provider.emulator.behaviour.rights import is_admin, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record
from airflow_provider.emulator.uploads import KEPT


@serves("createBatchPrediction")
def create(call: Call) -> Answer:
    """202 with the job, and its own address as Location (wire.md J)."""
    deployment = visible(call.service, call.user, call.body["deploymentId"])
    made = batch_predictions.create(call.service, call.user, deployment, call.body)
    return Answer(202, _view(call, made), {"Location": _url(call, made)})


@serves("listBatchPredictions")
def list_jobs(call: Call) -> Answer:
    """The jobs of the user."""
    rows = [one for one in call.service.store.rows("batchPredictions") if _may_see(call, one)]
    asked = call.arguments.get("deploymentId")
    found = [one for one in call.service.listed(rows) if asked in (None, one["deploymentId"])]
    word = call.arguments.get("status")
    found = [one for one in found if word in (None, status_of(call.service, one))]
    order = call.arguments.get("orderBy")
    if order is not None:
        found.sort(key=lambda one: float(one["createdAt"]), reverse=order.startswith("-"))
    return call.page([_view(call, one) for one in found])


@serves("getBatchPrediction")
def get_job(call: Call) -> Answer:
    """A plain 200, also at the end (wire.md J)."""
    return Answer(200, _view(call, _job(call)))


@serves("uploadBatchPredictionCsv")
def upload(call: Call) -> Answer:
    """202; a job takes one file."""
    job = _job(call)
    if job["spec"]["intakeSettings"]["type"] != LOCAL:
        raise refuse(422, "The rows of this job are not uploaded.")
    if job["size"] is not None or job["status"] in OVER:
        text = f"The job takes no file any more: it is {status_of(call.service, job)}."
        raise refuse_by_switch(call.service.switches["second_upload"], text)
    batch_predictions.take(call.service, job, call.body[KEPT])
    return empty(202)


@serves("downloadBatchPrediction")
def download(call: Call) -> Answer:
    """The results as CSV; 404 while there are none."""
    job = _job(call)
    if not has_download(job):
        raise refuse(404, f"The job has no results to download: it is {status_of(call.service, job)}.")
    if call.service.lies("scored_nothing"):
        return Answer(200, None, {}, "text/csv", raw=b"")
    return Answer(200, None, {}, "text/csv", file=results(call.service, job))


@serves("deleteBatchPrediction")
def delete(call: Call) -> Answer:
    """Aborts the job; of one that is over by the switch ``batch_delete_finished``."""
    job = _job(call)
    if job["status"] in OVER and call.service.switches["batch_delete_finished"] == "refuse_409":
        raise refuse(409, f"The job cannot be aborted: it is {job['status']}.")
    if job["status"] not in OVER:
        batch_predictions.abort(call.service, job)
    if call.service.switches["deleted_batch_prediction"] == "gone":
        call.service.store.change("batchPredictions", job["id"], {"gone": True})
    return empty(int(call.service.switches["batch_delete_answer"]))


def _job(call: Call) -> Record:
    job = call.service.store.get("batchPredictions", call.arguments["batchPredictionId"])
    if job is None or not _may_see(call, job):
        raise refuse(404, f"Batch prediction job {call.arguments['batchPredictionId']} not found.")
    return job


def _may_see(call: Call, job: Record) -> bool:
    return not job.get("gone") and (job["createdBy"] == call.user["id"] or is_admin(call.user))


def _url(call: Call, job: Record) -> str:
    return call.url(f"batchPredictions/{job['id']}/")


def _view(call: Call, job: Record) -> Record:
    return view(call.service, job, _url(call, job))
