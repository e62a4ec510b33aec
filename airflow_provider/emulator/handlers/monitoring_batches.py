"""Monitoring batches of a deployment, their limits, and the models that have predictions in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider.emulator.answers import Answer, empty, invalid, refuse
from airflow_provider.emulator.behaviour import monitoring_batches
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.behaviour.monitoring_batches import Share, batch_of, batches_of, shares, view
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

FIELDS = {"description": "description", "externalContextUrl": "externalContextUrl", "isLocked": "isLocked"}


@serves("getDeploymentMonitoringBatchLimits", how="shaped")
def get_limits(call: Call) -> Answer:
    """How many new batches a day; no page shows the answer, so its form is a switch."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    if call.service.switches["batch_limits_answer"] == "empty":
        return empty(200)
    return Answer(200, monitoring_batches.limits(call.service, deployment))


@serves("listDeploymentMonitoringBatches")
def list_batches(call: Call) -> Answer:
    """The batches, filtered and ordered as the query asks."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    filters = _filters(call)
    rows = call.service.listed(batches_of(call.service, deployment))
    found = [view(call.service, one) for one in rows]
    found = [one for one in found if all(fits(one) for fits in filters)]
    order = call.arguments.get("orderBy")
    if order is not None:
        key = order.removeprefix("-")
        found.sort(key=lambda one: str(one[key] or ""), reverse=order.startswith("-"))
    return call.page(found)


def _filters(call: Call) -> list[Callable[[dict[str, Any]], bool]]:
    given, filters = call.arguments, []
    word, maker = given.get("search"), given.get("createdBy")
    if word:
        filters.append(lambda one: word.lower() in one["name"].lower() or word == one["id"])
    if maker:
        filters.append(lambda one: one["createdBy"]["id"] == maker)
    for name, key, after in (
        ("createdAfter", "createdAt", True),
        ("createdBefore", "createdAt", False),
        ("startAfter", "earliestPredictionTimestamp", True),
        ("endBefore", "latestPredictionTimestamp", False),
    ):
        if given.get(name):
            filters.append(_by_time(key, _moment(call, name, given[name]), after=after))
    return filters


def _by_time(key: str, moment: float, *, after: bool) -> Callable[[dict[str, Any]], bool]:
    def fits(one: dict[str, Any]) -> bool:
        found = one[key]
        return found is not None and (seconds(found) > moment if after else seconds(found) < moment)

    return fits


@serves("createDeploymentMonitoringBatch")
def create(call: Call) -> Answer:
    """200 with the batch (wire.md I)."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    name = (call.body or {}).get("batchName")
    if not name:
        raise invalid(["required @ $.batchName"])
    more = {field: call.body.get(field) for field in FIELDS}
    return Answer(200, view(call.service, monitoring_batches.create(call.service, call.user, deployment, name, **more)))


@serves("getDeploymentMonitoringBatch")
def get_batch(call: Call) -> Answer:
    """The batch."""
    return Answer(200, view(call.service, _seen(call)))


@serves("updateDeploymentMonitoringBatch")
def update(call: Call) -> Answer:
    """200 with the batch."""
    batch, body = _mine(call), call.body or {}
    changes = {field: body[field] for field in FIELDS if field in body}
    if body.get("batchName"):
        deployment = {"id": batch["deploymentId"]}
        monitoring_batches.refuse_taken(call.service, deployment, body["batchName"], but=batch["id"])
        changes["name"] = body["batchName"]
    call.service.store.change("monitoringBatches", batch["id"], changes, "monitoringBatchUpdated")
    return Answer(200, view(call.service, batch))


@serves("deleteDeploymentMonitoringBatch")
def delete(call: Call) -> Answer:
    """200 without a body; what becomes of its predictions is a switch."""
    batch = _mine(call)
    if call.service.switches["delete_locked_batch"] == "refuse_409":
        monitoring_batches.refuse_locked(batch)
    rows = call.service.rows
    where = "WHERE deployment = ? AND batch = ?"
    if call.service.switches["deleted_batch"] == "deletes_predictions":
        sql = f"DELETE FROM predictions {where}"  # noqa: S608 - no data in it
    else:
        sql = f"UPDATE predictions SET batch = NULL {where}"  # noqa: S608
    rows.db.execute(sql, (rows.number(batch["deploymentId"]), batch["id"]))
    call.service.store.change("monitoringBatches", batch["id"], {"deleted": True}, "monitoringBatchDeleted")
    return empty(200)


@serves("listDeploymentMonitoringBatchModels", how="computed")
def list_models(call: Call) -> Answer:
    """The models that have predictions in a batch."""
    batch, asked = _seen(call), call.arguments.get("modelId")
    found = [one for one in shares(call.service, batch) if asked in (None, one.model)]
    return call.page([monitoring_batches.model_view(batch, one) for one in found])


@serves("getDeploymentMonitoringBatchModel", how="computed")
def get_model(call: Call) -> Answer:
    """One of them."""
    batch = _seen(call)
    return Answer(200, monitoring_batches.model_view(batch, _share(call, batch)))


@serves("updateDeploymentMonitoringBatchModel")
def update_model(call: Call) -> Answer:
    """200 without a body: from when to when the model's data is."""
    batch = _mine(call)
    share = _share(call, batch)
    body = call.body or {}
    told = {name: _moment(call, name, body[name]) for name in ("startTime", "endTime") if body.get(name)}
    times = {**batch["times"], share.model: {**batch["times"].get(share.model, {}), **told}}
    start, end = monitoring_batches.times_of({"times": times}, share)
    if start > end:
        raise invalid(["must not be after endTime @ $.startTime"])
    call.service.store.change("monitoringBatches", batch["id"], {"times": times}, "monitoringBatchUpdated")
    return empty(200)


def _share(call: Call, batch: Record) -> Share:
    for one in shares(call.service, batch):
        if one.model == call.arguments["modelId"]:
            return one
    raise refuse(404, f"Model {call.arguments['modelId']} has no data in batch {batch['id']}.")


def _moment(call: Call, name: str, text: str) -> float:
    try:
        return seconds(text, naive_is_utc=naive_is_utc(call.service))
    except BadMoment as fault:
        raise invalid([f"{fault} @ $.{name}"]) from None


def _seen(call: Call) -> Record:
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return batch_of(call.service, deployment, call.arguments["monitoringBatchId"])


def _mine(call: Call) -> Record:
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    return batch_of(call.service, deployment, call.arguments["monitoringBatchId"])
