"""Actuals that stand in a dataset: named by the post, read when its job ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import Refusal, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.actual_rows import Reader
from airflow_provider.emulator.behaviour.actuals import Row, apply_batch, give_up_batch
from airflow_provider.emulator.behaviour.changes import existing
from airflow_provider.emulator.behaviour.datasets import latest_version, records, version_of, visible_dataset
from airflow_provider.emulator.jobs import WORKS, JobFails, Work

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MOST = 5_000_000  # rows of one post (wire.md D)
NO_SUCH = "The dataset or its version does not exist, or you cannot read it."
COLUMNS = ("associationIdColumn", "actualValueColumn", "wasActedOnColumn", "timestampColumn")


def named_version(service: Service, user: Record, body: Mapping[str, Any]) -> Record | None:
    """The version that a post names; None where the job shall fail for the lack of it."""
    try:
        dataset = visible_dataset(service, user, body["datasetId"])
        version_id = body.get("datasetVersionId")
        return version_of(service, dataset, version_id) if version_id else latest_version(service, dataset)
    except Refusal:
        value = service.switches["actuals_dataset_missing"]
        if value == "job_error":
            return None
        raise refuse_by_switch(value, NO_SUCH) from None


def check_version(service: Service, version: Record, body: Mapping[str, Any]) -> str | None:
    """What is wrong with a version at the time of the post; 422 where the switches say so.

    :returns: a text when the job shall fail because of it
    """
    if version["lines"] - 1 > MOST:
        text = f"A dataset of actuals must have at most {MOST} rows, not {version['lines'] - 1}."
        if service.switches["actuals_dataset_rows"] == "refuse_422":
            raise refuse(422, text)
        return text
    fault = fault_of(version, body)
    if fault is not None and service.switches["actuals_dataset_fault"] == "refuse_422":
        raise refuse(422, fault)
    return None


def fault_of(version: Record, body: Mapping[str, Any]) -> str | None:
    """Why the version cannot be read now."""
    if version["state"] != "COMPLETED":
        return f"The dataset is not ready: its processing state is {version['state']}."
    if version["columns"] is None:
        return "A dataset of actuals must be CSV."
    missing = [body[name] for name in COLUMNS if body.get(name) and body[name] not in version["columns"]]
    return f"The dataset has no column {', '.join(missing)}." if missing else None


def _store(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    deployment = existing(service, arguments["deploymentId"])
    version = service.store.get("datasetVersions", arguments["datasetVersionId"])
    if version is None or service.store.tables["datasets"][version["datasetId"]]["deleted"]:
        raise JobFails(NO_SUCH)
    fault = fault_of(version, arguments["body"])
    if fault is not None:
        raise JobFails(fault)
    if service.switches["sink"] == "off":
        _read(service, deployment, version, arguments)
    apply_batch(service, job)


def _read(service: Service, deployment: Record, version: Record, arguments: Mapping[str, Any]) -> None:
    """Put the dataset's rows into the log of what was sent."""
    db = service.rows.db
    before = db.execute("SELECT COALESCE(MAX(number), 0) FROM sent").fetchone()[0]
    rows = _rows(service, deployment, version, arguments["body"])
    db.executemany("INSERT INTO sent(association, value, acted, moment) VALUES (?, ?, ?, ?)", rows)
    after = db.execute("SELECT COALESCE(MAX(number), 0) FROM sent").fetchone()[0]
    db.execute("UPDATE batches SET first = ?, last = ? WHERE number = ?", (before + 1, after, arguments["batch"]))


def _rows(service: Service, deployment: Record, version: Record, body: Mapping[str, Any]) -> Iterator[Row]:
    """The rows that can be read; of the others what the switch ``unreadable_rows`` says."""
    reader = Reader(service, deployment)
    places = [version["columns"].index(body[name]) if body.get(name) else None for name in COLUMNS]
    lines = records(service, version)
    next(lines, None)
    for number, line in enumerate(lines, 1):
        cells = [None if place is None or place >= len(line) else line[place] for place in places]
        row = reader.read_text(cells[0] or "", cells[1] or "", cells[2], cells[3])
        if row is not None:
            yield row
        elif line and service.switches["unreadable_rows"] == "job_error":
            raise JobFails(f"Row {number} of the dataset cannot be read.")


WORKS["storeDatasetActuals"] = Work(_store, give_up_batch)
