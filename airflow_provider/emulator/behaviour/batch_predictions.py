"""Batch predictions: jobs that score a file or a dataset with the champion of a deployment.

::

    create --> INITIALIZING --(upload, unless the rows are elsewhere)--> INITIALIZING | RUNNING
                    |                                                        |  (on the clock)
                    +-- delete --> ABORTED <-- delete --------------------- +--> COMPLETED | FAILED | ABORTED

Scores are made of the model and the row, so the same row gets the same score of the same model, always.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator import jobs
from airflow_provider.emulator.answers import Refusal
from airflow_provider.emulator.behaviour import monitoring_batches, predictions
from airflow_provider.emulator.behaviour.datasets import latest_version, visible_dataset
from airflow_provider.emulator.behaviour.deployments import settings_of
from airflow_provider.emulator.behaviour.matching import champion_model, target_of
from airflow_provider.emulator.behaviour.scoring import Scoring
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.jobs import WORKS, JobFails, Work

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

LOCAL = "localFile"
OVER = ("COMPLETED", "ABORTED", "FAILED")
ENDS = {"ABORTED": "ABORTED"}  # the status that an end of the job stands for; else FAILED


def create(service: Service, user: Record, deployment: Record, spec: Record) -> Record:
    """A new job; it starts at once unless its rows are to be uploaded."""
    spec = {"intakeSettings": {"type": LOCAL}, "outputSettings": {"type": LOCAL}, **spec}
    record = {
        "deploymentId": deployment["id"],
        "createdBy": user["id"],
        "createdAt": service.clock.now(),
        "spec": spec,
        "modelId": champion_model(service, deployment),
        "status": "INITIALIZING",
        "statusDetails": "Job is waiting for its rows.",
        "jobId": None,
        "monitoringBatchId": None,
        "scored": 0,
        "size": None,
        "endedAt": None,
    }
    made = service.store.add("batchPredictions", record, "batchPredictionCreated")
    if spec["intakeSettings"]["type"] != LOCAL:
        start(service, made)
    return made


def start(service: Service, record: Record) -> None:
    """Begin to score."""
    job = jobs.start(
        service, "batchPrediction", "scoreBatch", {"id": record["id"]}, f"batchPredictions/{record['id']}/"
    )
    service.store.change("jobs", job["id"], {"dropped": True})  # it has no status object: wire.md J
    service.store.change("batchPredictions", record["id"], {"jobId": job["id"]})


def take(service: Service, record: Record, kept: Mapping[str, Any]) -> None:
    """The rows have come."""
    service.files.path(kept["name"]).rename(_intake(service, record))
    service.store.change("batchPredictions", record["id"], {"size": kept["size"]}, "batchPredictionUploaded")
    start(service, record)


def abort(service: Service, record: Record) -> None:
    """Stop the job, if it is not over."""
    job = service.store.get("jobs", record["jobId"])
    if job is not None and job["state"] == "running":
        jobs.fail(service, job, "Aborted by a user.", "ABORTED")
    changes = {"status": "ABORTED", "statusDetails": "Aborted by a user.", "endedAt": service.clock.now()}
    service.store.change("batchPredictions", record["id"], changes, "batchPredictionAborted")


def status_of(service: Service, record: Record) -> str:
    """The word that a look shows now."""
    job = service.store.get("jobs", record["jobId"])
    if record["status"] in OVER or job is None:
        return str(record["status"])
    return "INITIALIZING" if jobs.word(service, job) == "INITIALIZED" else "RUNNING"


def has_download(record: Record) -> bool:
    """Whether its results can be downloaded."""
    return bool(record["status"] == "COMPLETED" and record["spec"]["outputSettings"]["type"] == LOCAL)


def results(service: Service, record: Record) -> Path:
    """The file with the results."""
    return service.files.path(f"scored-{record['id']}")


def view(service: Service, record: Record, url: str) -> dict[str, Any]:
    """The job as clients need it (wire.md J).

    :param url: its own absolute address
    """
    links = {"self": url}
    status = status_of(service, record)
    if record["spec"]["intakeSettings"]["type"] == LOCAL:
        links["csvUpload"] = f"{url}csvUpload/"
    if has_download(record):
        links["download"] = f"{url}download/"
    user = service.store.tables["users"][record["createdBy"]]
    made = service.store.get("jobs", record["jobId"])
    end = record["endedAt"] or service.clock.now()
    return {
        "id": record["id"],
        "status": status,
        "statusDetails": record["statusDetails"],
        "percentageCompleted": 100.0 if status == "COMPLETED" else 0.0,
        "elapsedTimeSec": int(end - made["created"]) if made else 0,
        "scoredRows": record["scored"],
        "failedRows": 0,
        "skippedRows": 0,
        "jobIntakeSize": record["size"] if _shows_intake(service, status) else None,
        "jobOutputSize": results(service, record).stat().st_size if has_download(record) else None,
        "monitoringBatchId": record["monitoringBatchId"],
        "created": iso(record["createdAt"]),
        "createdBy": {"userId": user["id"], "username": user["username"], "fullName": user["username"]},
        "logs": [],
        "queued": status == "INITIALIZING",
        "queuePosition": None,
        "links": links,
        "jobSpec": record["spec"],
    }


def _shows_intake(service: Service, status: str) -> bool:
    return status in OVER or service.switches["batch_intake_size"] == "at_upload"


def _intake(service: Service, record: Record) -> Path:
    return service.files.path(f"to-score-{record['id']}")


def _score(service: Service, job: Record) -> None:
    record = service.store.tables["batchPredictions"][job["arguments"]["id"]]
    deployment = service.store.get("deployments", record["deploymentId"])
    try:
        if deployment is None:
            raise JobFails("The deployment was deleted meanwhile.")
        scored = _scored(service, deployment, record)
    except JobFails as failure:
        service.store.change("batchPredictions", record["id"], {"statusDetails": str(failure)})
        raise
    changes = {
        "status": "COMPLETED",
        "statusDetails": "Job finished.",
        "scored": scored,
        "endedAt": service.clock.now(),
    }
    service.store.change("batchPredictions", record["id"], changes, "batchPredictionCompleted")


def _scored(service: Service, deployment: Record, record: Record) -> int:
    """Scores all rows; how many."""
    spec = record["spec"]
    away = {spec["intakeSettings"]["type"], spec["outputSettings"]["type"]} - {LOCAL, "dataset"}
    if away:
        if service.switches["foreign_stores"] == "pretended":
            return 0
        raise JobFails(f"The emulator cannot reach {', '.join(sorted(away))}.")
    batch = _monitoring_batch(service, deployment, record)
    target, moment = target_of(service, deployment), service.clock.now()
    scoring = Scoring(spec, target, record["modelId"], settings_of(deployment)["associationId"]["columnNames"])
    made = scoring.write(_rows(service, record), results(service, record), moment, batch)
    if spec.get("skipDriftTracking"):
        return sum(1 for _ in made)
    return predictions.add(service, deployment["id"], record["modelId"], made, predictions.PER_REQUEST)


def _monitoring_batch(service: Service, deployment: Record, record: Record) -> str | None:
    prefix = record["spec"].get("monitoringBatchPrefix")
    if not prefix:
        return None
    user = service.store.tables["users"][record["createdBy"]]
    name = f"{prefix} {iso(service.clock.now())}"
    try:
        batch = monitoring_batches.create(service, user, deployment, name, batchPredictionJobId=record["id"])
    except Refusal as refusal:
        raise JobFails(str(refusal.answer.body["message"])) from None
    service.store.change("batchPredictions", record["id"], {"monitoringBatchId": batch["id"]})
    return str(batch["id"])


def _rows(service: Service, record: Record) -> Iterator[dict[str, str]]:
    """The rows by column name; a JobFails for what is no CSV."""
    settings = record["spec"].get("csvSettings") or {}
    intake = record["spec"]["intakeSettings"]
    path = _intake(service, record) if intake["type"] == LOCAL else _dataset_file(service, record, intake)
    encoding = settings.get("encoding") or "utf-8"
    with path.open(encoding="utf-8-sig" if encoding.lower() == "utf-8" else encoding, newline="") as text:
        reader = csv.DictReader(
            text, delimiter=settings.get("delimiter") or ",", quotechar=settings.get("quotechar") or '"', strict=True
        )
        try:
            if not reader.fieldnames:
                raise JobFails("The file has no header.")
            for row in reader:
                if None in row or None in row.values():
                    raise JobFails(f"Line {reader.line_num} has another number of fields than the header.")
                yield row
        except (UnicodeDecodeError, csv.Error) as fault:
            raise JobFails(f"The file is no CSV: {fault}") from None


def _dataset_file(service: Service, record: Record, intake: Mapping[str, Any]) -> Path:
    user = service.store.tables["users"][record["createdBy"]]
    try:
        version = latest_version(service, visible_dataset(service, user, str(intake.get("datasetId"))))
    except Refusal as refusal:
        raise JobFails(str(refusal.answer.body["message"])) from None
    if version["state"] != "COMPLETED" or version["columns"] is None:
        raise JobFails("The dataset is not ready, or no CSV.")
    return service.files.path(version["id"])


def _give_up(service: Service, job: Record) -> None:
    record = service.store.tables["batchPredictions"][job["arguments"]["id"]]
    plan = job["plan"]
    told = plan.get("failsWith") or record["statusDetails"]
    changes = {"status": ENDS.get(plan.get("ends", ""), "FAILED"), "statusDetails": told}
    service.store.change("batchPredictions", record["id"], {**changes, "endedAt": service.clock.now()})


WORKS["scoreBatch"] = Work(_score, _give_up)
