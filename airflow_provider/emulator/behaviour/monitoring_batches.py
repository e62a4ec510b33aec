"""Monitoring batches of a deployment: predictions that belong together, and what is known of each model in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

A_DAY = 100  # new batches of a deployment a day, by default (wire.md I)
DAY = 86_400


class Share(NamedTuple):
    """The predictions of one model in a batch."""

    model: str
    rows: int
    first: float
    last: float


def batches_of(service: Service, deployment: Record) -> list[Record]:
    """The batches of a deployment, oldest first."""
    return [one for one in _ever(service, deployment) if not one["deleted"]]


def batch_of(service: Service, deployment: Record, batch_id: str) -> Record:
    """One of them; 404 for any other."""
    batch = service.store.get("monitoringBatches", batch_id)
    if batch is None or batch["deploymentId"] != deployment["id"] or batch["deleted"]:
        raise refuse(404, f"Batch {batch_id} not found.")
    return batch


def limits(service: Service, deployment: Record) -> dict[str, Any]:
    """How many new batches a day are allowed, and how many of them are used; the page shows no answer."""
    return {"batchesPerDay": A_DAY, "batchesCreatedToday": _today(service, deployment)}


def create(service: Service, user: Record, deployment: Record, name: str, **more: Any) -> Record:
    """A new batch; refused beyond the limit of a day, and by the switch ``batch_name_taken`` under a name twice."""
    if _today(service, deployment) >= A_DAY:
        text = f"The limit of {A_DAY} new batches a day is reached."
        raise refuse_by_switch(service.switches["batch_limit"], text)
    refuse_taken(service, deployment, name)
    batch = {
        "deploymentId": deployment["id"],
        "name": name,
        "description": None,
        "externalContextUrl": None,
        "isLocked": False,
        "createdAt": service.clock.now(),
        "createdBy": user["id"],
        "batchPredictionJobId": None,
        "times": {},
        "deleted": False,
        **{key: value for key, value in more.items() if value is not None},
    }
    return service.store.add("monitoringBatches", batch, "monitoringBatchCreated")


def refuse_taken(service: Service, deployment: Record, name: str, but: str | None = None) -> None:
    """Whether two batches may have one name."""
    value = service.switches["batch_name_taken"]
    taken = any(one["name"] == name and one["id"] != but for one in batches_of(service, deployment))
    if taken and value != "allowed":
        raise refuse_by_switch(value, f"A batch named {name!r} exists already.")


def refuse_locked(batch: Record) -> None:
    """A locked batch takes no predictions, and is not deleted."""
    if batch["isLocked"]:
        raise refuse(409, f"Batch {batch['id']} is locked.")


def shares(service: Service, batch: Record) -> list[Share]:
    """The models that have predictions in a batch, in the order of their first."""
    rows = service.rows
    found = rows.db.execute(
        """SELECT model, COUNT(*), MIN(moment), MAX(moment) FROM predictions WHERE deployment = ? AND batch = ?
           GROUP BY model ORDER BY MIN(moment)""",
        (rows.number(batch["deploymentId"]), batch["id"]),
    ).fetchall()
    return [Share(rows.name(model), count, first, last) for model, count, first, last in found]


def times_of(batch: Record, share: Share) -> tuple[float, float]:
    """From when to when a model predicted: as somebody has set it, else as the rows say."""
    told = batch["times"].get(share.model, {})
    return told.get("startTime", share.first), told.get("endTime", share.last)


def view(service: Service, batch: Record) -> dict[str, Any]:
    """The batch as the pages show it."""
    found = shares(service, batch)
    times = [times_of(batch, one) for one in found]
    maker = service.store.tables["users"][batch["createdBy"]]["username"]
    job = service.store.get("batchPredictions", batch["batchPredictionJobId"])
    return {
        "id": batch["id"],
        "name": batch["name"],
        "description": batch["description"],
        "externalContextUrl": batch["externalContextUrl"],
        "isLocked": batch["isLocked"],
        "createdAt": iso(batch["createdAt"]),
        "createdBy": {"id": batch["createdBy"], "name": maker},
        "predictionsCount": sum(one.rows for one in found),
        "earliestPredictionTimestamp": iso(min(start for start, _ in times)) if times else None,
        "latestPredictionTimestamp": iso(max(end for _, end in times)) if times else None,
        "batchPredictionJobId": batch["batchPredictionJobId"],
        "batchPredictionJobStatus": job and job["status"],
        "serviceHealth": {"status": "passing" if found else "unknown", "message": ""},
    }


def model_view(batch: Record, share: Share) -> dict[str, Any]:
    """A model in a batch as the pages show it."""
    start, end = times_of(batch, share)
    return {
        "batchId": batch["id"],
        "modelId": share.model,
        "predictionsCount": share.rows,
        "startTime": iso(start),
        "endTime": iso(end),
    }


def in_metric(service: Service, batch: Record) -> dict[str, Any]:
    """A batch as the values of custom metrics name it (seed 002:2671)."""
    whole = view(service, batch)
    return {
        "id": batch["id"],
        "name": batch["name"],
        "createdAt": whole["createdAt"],
        "lastPredictionTimestamp": whole["latestPredictionTimestamp"],
    }


def _today(service: Service, deployment: Record) -> int:
    """New batches since midnight, UTC; those that were deleted meanwhile count too."""
    midnight = service.clock.now() // DAY * DAY
    return sum(one["createdAt"] >= midnight for one in _ever(service, deployment))


def _ever(service: Service, deployment: Record) -> list[Record]:
    return [one for one in service.store.rows("monitoringBatches") if one["deploymentId"] == deployment["id"]]
