"""Batch predictions: a job is created, gets its rows, is waited for, and its results are downloaded.

::

    create ──► (upload) ──► INITIALIZING │ RUNNING ──► COMPLETED ──► (download)
                                  └── delete ──► ABORTED    └──► FAILED

Nothing tells a job that was made twice from two (writes.py: blind); a job takes one file and refuses a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider.api.errors import DataRobotError, KeyMissing
from airflow_provider.api.uploads import Stream
from airflow_provider.api.waits import EntityWait

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import Client

LOCAL: Mapping[str, str] = {"type": "localFile"}  # through us: uploaded, and downloaded
WAITING = "INITIALIZING"


class BatchPredictionAborted(DataRobotError):
    """Somebody aborted the job."""


class ResultsMissing(DataRobotError):
    """The service says that rows were scored, and gives none."""


def id_of(answer: Answer) -> str:
    """The id of a job that was created: from the body, else from the address that the answer gives."""
    job = answer.json()
    if isinstance(job, Mapping) and job.get("id"):
        return str(job["id"])
    links = job.get("links") if isinstance(job, Mapping) else None
    place = (links or {}).get("self") or answer.location
    if not place:
        raise KeyMissing("the answer has neither an id of the job nor its address", **answer.about())
    return str(place).partition("?")[0].rstrip("/").rpartition("/")[2]


def get(client: Client, job_id: str) -> dict[str, Any]:
    """A job (operation getBatchPrediction)."""
    found: dict[str, Any] = client.call("getBatchPrediction", batchPredictionId=job_id).object()
    return found


def wants_rows(job: Mapping[str, Any]) -> bool:
    """Whether a job still waits for its file, as far as anyone can tell."""
    return job.get("status") == WAITING and not job.get("jobIntakeSize")


def body_of(stream: BinaryIO, name: str) -> Stream:
    """The body of an upload."""
    return Stream(stream, name)


def wait_for(job_id: str) -> EntityWait:
    """Waits until a job is over; its entity tells."""
    return EntityWait(f"batchPredictions/{job_id}/", "batch_prediction")


def abortion(job_id: str) -> dict[str, Any]:
    """The write that stops a job, as a handle keeps it."""
    return {"operation": "deleteBatchPrediction", "arguments": {"batchPredictionId": job_id}, "body": None}


def download(client: Client, into: BinaryIO, job: Mapping[str, Any]) -> int:
    """Writes the results of a job into ``into``; gives their bytes. Memory stays the same for any size.

    :raises ResultsMissing: there are none, though rows were scored.
    """
    client.download("downloadBatchPrediction", into, batchPredictionId=str(job["id"]))
    size = into.tell()
    if size == 0 and job.get("scoredRows"):
        raise ResultsMissing(f"job {job['id']} scored {job['scoredRows']} rows, and its results are empty")
    return size


def told(job: Mapping[str, Any]) -> dict[str, Any]:
    """What a job came to, in our words."""
    return {
        "batch_prediction_id": job.get("id"),
        "status": job.get("status"),
        "scored_rows": job.get("scoredRows"),
        "failed_rows": job.get("failedRows"),
        "skipped_rows": job.get("skippedRows"),
        "elapsed_seconds": job.get("elapsedTimeSec"),
        "monitoring_batch_id": job.get("monitoringBatchId"),
    }
