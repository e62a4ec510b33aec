"""Exports of monitoring data: what is asked for, the job that makes them, and the datasets that they become.

::

    CREATED --> SCHEDULED --> RUNNING --(job, on the clock)--> SUCCEEDED, with a dataset | FAILED, with a message
       └───────────┴────────────┴---- CANCELLED by its user
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator import jobs
from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import datasets
from airflow_provider.emulator.behaviour.export_rows import Table, table_of, write
from airflow_provider.emulator.behaviour.moments import BadMoment, seconds
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

LIMITS = {"prediction": 200_000, "actuals": 1_000_000}  # rows, wire.md H
DAY = 86_400
NO_ROWS = "There is no data for the given time range."
PATHS = {"prediction": "predictionDataExports", "actuals": "actualsDataExports", "training": "trainingDataExports"}


def of_kind(service: Service, deployment: Record, kind: str) -> list[Record]:
    """The exports of a deployment of one kind, oldest first; of training data only those that succeeded."""
    return [
        one
        for one in service.store.rows("dataExports")
        if (one["kind"], one["deploymentId"]) == (kind, deployment["id"])
        and (kind != "training" or one["outcome"] == "SUCCEEDED")
    ]


def export_of(service: Service, deployment: Record, kind: str, export_id: str) -> Record:
    """One of them; 404 when there is none."""
    export = service.store.get("dataExports", export_id)
    if export is None or export not in of_kind(service, deployment, kind):
        raise refuse(404, f"Export {export_id} not found.")
    return export


def model_package(service: Service, deployment: Record, model_id: str | None) -> Record:
    """The package of the model that is exported: the champion's by default (a public client says so)."""
    champion = service.store.tables["packages"][deployment["modelPackageId"]]
    packages = [champion, *service.store.rows("packages")]
    found = next((one for one in packages if model_id in (None, one["modelId"])), None)
    if found is None:
        raise refuse_by_switch(
            service.switches["export_of_unknown_model"], f"Model {model_id} is not known to this deployment."
        )
    return found


def period_of(body: Record) -> tuple[float | None, float | None]:
    """Start and end in seconds; times without a zone are taken as UTC (wire.md H)."""
    found: dict[str, float | None] = {"start": None, "end": None}
    for name in found:
        if body.get(name) is not None:
            try:
                found[name] = seconds(body[name], naive_is_utc=True)
            except BadMoment as fault:
                raise refuse(422, "Invalid field data", {name: str(fault)}) from None
    start, end = found["start"], found["end"]
    if start is not None and end is not None and start >= end:
        raise refuse(422, "Invalid field data", {"start": "must be before end"})
    return start, end


def begin(service: Service, user: Record, deployment: Record, kind: str, **wanted: Any) -> tuple[Record, Record]:
    """A new export and its job; a refusal when the catalog is full of them."""
    _make_place(service, deployment, kind)
    export = {
        "kind": kind,
        "deploymentId": deployment["id"],
        "start": None,
        "end": None,
        "batchIds": [],
        "createdAt": service.clock.now(),
        "createdBy": user["id"],
        "outcome": None,
        "error": None,
        "datasets": [],
        **wanted,
    }
    export = service.store.add("dataExports", export, "exportCreated")
    where = f"deployments/{deployment['id']}/{PATHS[kind]}/{export['id']}/"
    job = start(service, "dataExport", "exportData", {"exportId": export["id"]}, where)
    service.store.change("dataExports", export["id"], {"jobId": job["id"]})
    return export, job


def _make_place(service: Service, deployment: Record, kind: str) -> None:
    """At most 100 items of each kind in the catalog; a deleted dataset makes room."""
    kept = [one for one in of_kind(service, deployment, kind) if one["outcome"] is None or _in_catalog(service, one)]
    if len(kept) < int(service.switches["export_places"]):
        return
    value = service.switches["export_places_full"]
    if value != "oldest_goes":
        raise refuse_by_switch(value, "The catalog holds the most exports of this kind; delete old ones first.")
    _delete_datasets(service, min(kept, key=lambda one: float(one["createdAt"])))


def _in_catalog(service: Service, export: Record) -> bool:
    found = [service.store.get("datasets", one["id"]) for one in export["datasets"]]
    return any(one is not None and not one["deleted"] for one in found)


def _delete_datasets(service: Service, export: Record) -> None:
    for one in export["datasets"]:
        dataset = service.store.get("datasets", one["id"])
        if dataset is not None and not dataset["deleted"]:
            datasets.delete(service, dataset)


def status_of(service: Service, export: Record) -> str:
    """The word that a look shows now."""
    if export["outcome"] is not None:
        return str(export["outcome"])
    job = service.store.tables["jobs"][export["jobId"]]
    pace = float(job["plan"].get("seconds") or 0)
    passed = service.clock.now() - export["createdAt"]
    if passed < pace / 10:
        return "CREATED"
    return "SCHEDULED" if passed < pace / 2 or service.switches["export_words"] == "documented" else "RUNNING"


def view(service: Service, export: Record) -> Record:
    """An export as the pages show it (seed 002:4811, 1092, 7519)."""
    common = {"id": export["id"], "modelId": export["modelId"], "createdAt": iso(export["createdAt"])}
    if export["kind"] == "training":
        return {
            **common,
            "createdBy": export["createdBy"],
            "data": export["datasets"][0],
            "modelPackageId": export["modelPackageId"],
        }
    common |= {
        "data": export["datasets"],
        "error": {"message": export["error"]} if export["error"] else None,
        "period": None if export["start"] is None else {name: iso(export[name]) for name in ("start", "end")},
        "status": status_of(service, export),
    }
    if export["kind"] == "actuals":
        by = {"id": export["createdBy"]}
        return {**common, "createdBy": by, "onlyMatchedPredictions": export["onlyMatchedPredictions"]}
    batches = [{"batchId": one, "batchName": _batch_name(service, one)} for one in export["batchIds"]]
    return {
        **common,
        "createdBy": export["createdBy"],
        "associationIds": [],
        "augmentationType": export["augmentationType"],
        "batches": batches or None,  # a real client takes no empty list (wire.md K.1)
    }


def _batch_name(service: Service, batch_id: str) -> str:
    batch = service.store.get("monitoringBatches", batch_id) or {}
    return str(batch.get("name") or batch_id)


def cancel(service: Service, export: Record) -> None:
    """What runs is cancelled; 422 when it is over."""
    if export["outcome"] is not None:
        raise refuse(422, f"The export cannot be cancelled: it is {export['outcome']}.")
    service.store.change("dataExports", export["id"], {"outcome": "CANCELLED"}, "exportCancelled")
    job = service.store.tables["jobs"][export["jobId"]]
    if job["state"] == "running":
        if service.switches["cancelled_export_job"] == "aborted":
            jobs.fail(service, job, "The export was cancelled.", "ABORTED")
        else:
            service.store.change("jobs", job["id"], {"state": "COMPLETED", "ended": service.clock.now()})


def delete(service: Service, export: Record) -> None:
    """The record goes, perhaps with its datasets (switch ``deleted_export``)."""
    if service.switches["deleted_export"] == "deletes_dataset":
        _delete_datasets(service, export)
    service.store.remove("dataExports", export["id"], "exportDeleted")


def _export(service: Service, job: Record) -> None:
    export = service.store.get("dataExports", job["arguments"]["exportId"])
    if export is None or export["outcome"] is not None:
        return
    if service.store.get("deployments", export["deploymentId"]) is None:
        raise JobFails("The deployment does not exist any more.")
    table = table_of(service, export)
    most = _limit(service, export)
    if most is not None and table.total > most and service.switches["export_beyond_limit"] == "fails":
        raise JobFails(f"The export has {table.total} rows, more than {most}.")
    if table.total == 0 and service.switches["empty_export"] == "fails":
        raise JobFails(NO_ROWS)
    named = []
    if not service.lies("export_without_data") and (table.total or service.switches["empty_export"] != "no_data"):
        named.append(_as_dataset(service, export, table, most))
    service.store.change("dataExports", export["id"], {"outcome": "SUCCEEDED", "datasets": named}, "exportSucceeded")
    if export["kind"] == "training" and named:
        service.store.change("jobs", job["id"], {"location": f"datasets/{named[0]['id']}/"})


def _limit(service: Service, export: Record) -> int | None:
    asked = service.switches["export_row_limit"]
    usual = LIMITS.get(export["kind"])
    return usual if usual is None or asked == "documented" else int(asked)


def _as_dataset(service: Service, export: Record, table: Table, most: int | None) -> Record:
    user = service.store.tables["users"][export["createdBy"]]
    if service.lies("export_loses_rows"):
        most = table.total // 2
    place = service.files.path(f"export-{export['id']}")
    lines = write(place, table.header, islice(table.rows, most))
    name = f"{export['kind'].capitalize()} data of deployment {export['deploymentId']}.csv"
    dataset = datasets.create(service, user, name, [])
    kept = {"name": place.name, "lines": lines, "size": place.stat().st_size}
    _, job = datasets.add_version(service, user, dataset, kept)
    if service.switches["export_dataset"] == "ready":
        jobs.end(service, job["id"])
    if service.switches["export_expiry"] == "a_day":
        service.store.plan(service.clock.now() + DAY, "expireDataset", dataset_id=dataset["id"])
    return {"id": dataset["id"], "name": name}


@due("expireDataset")
def expire(service: Service, *, dataset_id: str) -> None:
    """The time of an export's dataset is over."""
    dataset = service.store.get("datasets", dataset_id)
    if dataset is not None and not dataset["deleted"]:
        datasets.delete(service, dataset)


def _give_up(service: Service, job: Record) -> None:
    export = service.store.get("dataExports", job["arguments"]["exportId"])
    if export is not None and export["outcome"] is None:
        changes = {"outcome": "FAILED", "error": job["message"] or "The export failed."}
        service.store.change("dataExports", export["id"], changes, "exportFailed")


WORKS["exportData"] = Work(_export, _give_up, lambda service: service.switches["export_failure"] == "entity")
