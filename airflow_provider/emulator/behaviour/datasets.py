"""Datasets of the catalog and their versions.

::

    upload --> version RUNNING --(job, on the clock)--> COMPLETED | ERROR
    delete --> everything about it answers 410 from then on
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import refuse
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.fetching import fetch
from airflow_provider.emulator.jobs import WORKS, JobFails, NotYet, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PARQUET = b"PAR1"
HEAD = 65_536  # bytes that are looked at to tell what a file is
UNREADABLE = "The file is neither CSV nor Parquet."


def visible_dataset(service: Service, user: Record, dataset_id: str) -> Record:
    """The dataset; 404 for what others have made, 410 after its deletion (wire.md J)."""
    dataset = service.store.get("datasets", dataset_id)
    if dataset is None or (dataset["createdBy"] != user["id"] and not is_admin(user)):
        raise refuse(404, f"Dataset {dataset_id} not found.")
    if dataset["deleted"]:
        raise refuse(410, f"Dataset {dataset_id} is deleted.")
    return dataset


def versions_of(service: Service, dataset: Record) -> list[Record]:
    """The versions of a dataset, oldest first."""
    return [one for one in service.store.rows("datasetVersions") if one["datasetId"] == dataset["id"]]


def version_of(service: Service, dataset: Record, version_id: str) -> Record:
    """One version; 404 when it is none of this dataset."""
    version = service.store.get("datasetVersions", version_id)
    if version is None or version["datasetId"] != dataset["id"]:
        raise refuse(404, f"Version {version_id} of dataset {dataset['id']} not found.")
    return version


def latest_version(service: Service, dataset: Record) -> Record:
    """The version that stands for the dataset; a new one at once or when it is ready (``dataset_latest``)."""
    versions = versions_of(service, dataset)
    if service.switches["dataset_latest"] == "when_completed":
        versions = [one for one in versions if one["state"] == "COMPLETED"] or versions[:1]
    return versions[-1]


def create(service: Service, user: Record, name: str, categories: list[str]) -> Record:
    """A new dataset, still without a version."""
    dataset = {"name": name, "createdBy": user["id"], "categories": categories, "deleted": False}
    return service.store.add("datasets", dataset, "datasetCreated")


def add_version(service: Service, user: Record, dataset: Record, kept: Record) -> tuple[Record, Record]:
    """A new version from an uploaded file, and the job that reads it.

    :param kept: the file as ``uploads.py`` tells it
    """
    version = _new_version(service, user, dataset, lines=kept["lines"], size=kept["size"])
    service.files.path(kept["name"]).rename(service.files.path(version["id"]))
    return version, _start(service, dataset, version)


def fetch_version(service: Service, user: Record, dataset: Record, url: str) -> tuple[Record, Record]:
    """The same from a URL; the job is not over before the file is there."""
    version = _new_version(service, user, dataset, lines=0, size=0)
    service.fetches[version["id"]] = fetch(url, service.files.path(version["id"]))
    return version, _start(service, dataset, version)


def _new_version(service: Service, user: Record, dataset: Record, **counts: int) -> Record:
    made = {"datasetId": dataset["id"], "createdBy": user["id"], "createdAt": service.clock.now(), **counts}
    version = {**made, "state": "RUNNING", "error": None, "columns": None}
    return service.store.add("datasetVersions", version, "datasetVersionCreated")


def _start(service: Service, dataset: Record, version: Record) -> Record:
    arguments = {"datasetVersionId": version["id"]}
    return start(service, "datasetProcessing", "processDataset", arguments, f"datasets/{dataset['id']}/")


def delete(service: Service, dataset: Record) -> None:
    """Delete a dataset with its files; its record stays, marked."""
    for version in versions_of(service, dataset):
        service.files.remove(version["id"])
    service.store.change("datasets", dataset["id"], {"deleted": True}, "datasetDeleted")


def view(service: Service, dataset: Record, version: Record) -> Record:
    """The dataset as one of its versions."""
    ready = version["state"] == "COMPLETED"
    columns = version["columns"]
    author = service.store.tables["users"][version["createdBy"]]["username"]
    return {
        "datasetId": dataset["id"],
        "versionId": version["id"],
        "name": dataset["name"],
        "categories": dataset["categories"],
        "creationDate": iso(version["createdAt"]),
        "createdBy": author,
        "isDataEngineEligible": ready,
        "isLatestVersion": version["id"] == latest_version(service, dataset)["id"],
        "isSnapshot": True,
        "dataPersisted": True,
        "processingState": version["state"],
        "error": version["error"],
        "rowCount": None if columns is None else version["lines"] - 1,
        "columnCount": None if columns is None else len(columns),
        "datasetSize": version["size"] if ready else None,
    }


def column_names(service: Service, version: Record) -> list[str] | None:
    """The header of the version's CSV; None for Parquet, which is kept and never read.

    :raises JobFails: for a file that is neither
    """
    with service.files.path(version["id"]).open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(PARQUET):
        return None
    if b"\0" in head:
        raise JobFails(UNREADABLE)
    return next(records(service, version), [])


def records(service: Service, version: Record) -> Iterator[list[str]]:
    """The lines of the version's CSV, the header first; a JobFails where it is none."""
    with service.files.path(version["id"]).open(encoding="utf-8-sig", newline="") as text:
        try:
            yield from csv.reader(text)
        except (UnicodeDecodeError, csv.Error):
            raise JobFails(UNREADABLE) from None


def media_type(service: Service, version: Record) -> str:
    """``text/csv``, or what Parquet is called (wire.md H)."""
    with service.files.path(version["id"]).open("rb") as file:
        return "application/vnd.apache.parquet" if file.read(4) == PARQUET else "text/csv"


def _process(service: Service, job: Record) -> None:
    version = _version(service, job)
    if version is None:
        raise JobFails("The dataset was deleted meanwhile.")
    _await_file(service, version)
    changes: dict[str, Any] = {"columns": column_names(service, version), "state": "COMPLETED"}
    service.store.change("datasetVersions", version["id"], changes, "datasetProcessed")


def _await_file(service: Service, version: Record) -> None:
    """A file that is fetched must have come; one that was on its way when a process ended never will."""
    on_its_way = service.fetches.get(version["id"])
    if on_its_way is not None:
        if not on_its_way.over.is_set():
            raise NotYet
        counted = on_its_way.lines
        service.store.change("datasetVersions", version["id"], {"lines": counted.lines, "size": counted.size})
    if not version["size"] or (on_its_way and on_its_way.fault):
        raise JobFails((on_its_way and on_its_way.fault) or "The file is empty or was not read to its end.")


def _give_up(service: Service, job: Record) -> None:
    version = _version(service, job)
    if version is not None:
        fetched = service.fetches.get(version["id"])
        error = job["plan"].get("failsWith") or (fetched and fetched.fault) or UNREADABLE
        service.store.change("datasetVersions", version["id"], {"state": "ERROR", "error": error})


def _version(service: Service, job: Record) -> Record | None:
    version = service.store.tables["datasetVersions"][job["arguments"]["datasetVersionId"]]
    return None if service.store.tables["datasets"][version["datasetId"]]["deleted"] else version


WORKS["processDataset"] = Work(_process, _give_up)
