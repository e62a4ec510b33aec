"""From what is committed to the events of the service: one place, whatever made the commit.

::

    commit (model replaced, health changed, review added, ...) ──► Happening ──► notifying.tell
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_provider.emulator.behaviour.event_catalogue import event_types
from airflow_provider.emulator.behaviour.notifying import Happening, tell
from airflow_provider.emulator.following import follows

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Commit, Record

OF_DEPLOYMENT = {
    "modelReplaced": "model_deployments.model_replacement",
    "deploymentCreated": "model_deployments.deployment_creation",
    "deploymentDeleted": "model_deployments.deployment_deletion",
    "monitoringDataDeleted": "model_deployments.deployment_monitoring_data_cleared",
}
OF_PART = {
    "retrainingRuns": {
        "retrainingRunStarted": "model_deployments.retraining_policy_run_started",
        "retrainingRunFinished": "model_deployments.retraining_policy_run_succeeded",
        "retrainingRunFailed": "model_deployments.retraining_policy_run_failed",
    },
    "challengers": {
        "challengerCreated": "model_deployments.challenger_model_created",
        "challengerDeleted": "model_deployments.challenger_model_deleted",
    },
    "batchPredictions": {"batchPredictionCompleted": "batch_predictions.success"},
    "monitoringBatches": {"monitoringBatchDeleted": "model_deployments.batch_deleted"},
}  # of what belongs to a deployment
OF_STATUS = {
    "active": "model_deployments.deployment_launch_succeeded",
    "inactive": "model_deployments.deployment_shutdown_succeeded",
}
OF_REQUEST = {
    "changeRequestCreated": "change_request.created",
    "changeRequestEdited": "change_request.proposed_changes_updated",
    "changeRequestPending": "change_request.pending",
    "changeRequestResolved": "change_request.resolved",
    "changeRequestCancelled": "change_request.cancelled",
}
OF_REVIEW = {
    "approved": "change_request.approving_review_added",
    "changesRequested": "change_request.changes_requesting_review_added",
    "commented": "change_request.commenting_review_added",
}
OF_DATASET = {"datasetCreated": "dataset.created", "datasetDeleted": "dataset.deleted"}
OF_HEALTH = {
    "service": "service_health_{}",
    "model": "data_drift_{}",
    "accuracy": "accuracy_{}",
    "fairness": "health.fairness_health.{}",
    "customMetrics": "health.custom_metrics_health.{}",
    "predictionsTimeliness": "predictions_timeliness_health_{}",
    "actualsTimeliness": "actuals_timeliness_health_{}",
}
COLOURS = {"passing": "green", "warning": "yellow", "failing": "red"}
OF_REMOTE = {
    "deploymentInfo": "management.deploymentInfo",
    "externalNaNPredictions": "monitoring.external_model_nan_predictions",
    "predictionRequestFailed": "prediction_request.failed",
    "serviceHealthChangeGreen": "model_deployments.service_health_green",
    "serviceHealthChangeRed": "model_deployments.service_health_red",
    "serviceHealthChangeYellowFromGreen": "model_deployments.service_health_yellow_from_green",
    "spoolerChannelGreen": "monitoring.spooler_channel_green",
    "spoolerChannelRed": "monitoring.spooler_channel_red",
}  # the others are named alike on both sides


@follows
def notice(service: Service, commit: Commit) -> None:
    """Tell of what a commit means, if it means anything."""
    reader = READERS.get(commit.table)
    if reader is not None:
        for happening in reader(service, commit):
            tell(service, happening)


def deployment_of(record: Record) -> Record:
    """What a payload tells of a deployment."""
    told = ("id", "label", "description", "status", "importance")
    return {**{name: record.get(name) for name in told}, "model_package_id": record.get("modelPackageId")}


def _about(event: str, record: Record, **details: object) -> Happening:
    return Happening(event, "deployment", deployment_of(record), record, details=dict(details))


def _deployment(service: Service, commit: Commit) -> Iterator[Happening]:
    effect, record = commit.effect or "", commit.record
    if effect in OF_DEPLOYMENT:
        yield _about(OF_DEPLOYMENT[effect], record)
    elif effect == "statusChanged" and record["status"] in OF_STATUS:
        yield _about(OF_STATUS[record["status"]], record)
    if "health" in commit.before:
        yield from _health(commit)


def _health(commit: Commit) -> Iterator[Happening]:
    old, new = commit.before["health"] or {}, commit.record["health"]
    for kind, name in OF_HEALTH.items():
        colour, earlier = COLOURS.get(str(new.get(kind))), COLOURS.get(str(old.get(kind)))
        if colour is None or colour == earlier:
            continue
        if colour == "yellow":
            old_colour = "red" if earlier == "red" else "green"
            colour = f"{old_colour}_to_yellow" if ".{}" in name else f"yellow_from_{old_colour}"
        event = f"model_deployments.{name.format(colour)}"
        if event in event_types():  # timeliness has red ones only
            yield _about(event, commit.record)


def _part(service: Service, commit: Commit) -> Iterator[Happening]:
    event = OF_PART[commit.table].get(commit.effect or "")
    deployment = service.store.get("deployments", commit.record["deploymentId"])
    if event is not None and deployment is not None:
        yield _about(event, deployment, part_id=commit.record["id"])


def _request(service: Service, commit: Commit) -> Iterator[Happening]:
    event = OF_REQUEST.get(commit.effect or "")
    if event is not None:
        yield _asked(service, event, commit.record)
        if event == "change_request.created" and commit.record["action"] == "approve":
            yield _asked(service, "change_request.deployment_approval_requested", commit.record)


def _review(service: Service, commit: Commit) -> Iterator[Happening]:
    if commit.effect == "reviewCreated":
        request = service.store.tables["changeRequests"][commit.record["changeRequestId"]]
        yield _asked(service, OF_REVIEW[commit.record["status"]], request)


def _asked(service: Service, event: str, request: Record) -> Happening:
    deployment = service.store.get("deployments", request["entityId"])
    told = {name: request[name] for name in ("id", "action", "status", "comment")}
    entity = {**told, "entity_type": "deployment", "entity_id": request["entityId"]}
    return Happening(event, "change_request", entity, deployment, owner=request["userId"])


def _dataset(service: Service, commit: Commit) -> Iterator[Happening]:
    if commit.effect in OF_DATASET:
        entity = {"id": commit.record["id"], "name": commit.record["name"]}
        yield Happening(OF_DATASET[commit.effect], "dataset", entity, owner=commit.record["createdBy"])


def _remote(service: Service, commit: Commit) -> Iterator[Happening]:
    sent = commit.record["event"]
    event = OF_REMOTE.get(sent["eventType"], sent["eventType"])
    details = {name: sent[name] for name in ("title", "message", "timestamp", "data") if name in sent}
    deployment = service.store.get("deployments", sent.get("deploymentId", ""))
    if deployment is not None:
        yield _about(event, deployment, **details)
    else:
        yield Happening(event, "remote_event", {"id": commit.record["id"]}, None, commit.record["uid"], details)


READERS: Mapping[str, Callable[[Service, Commit], Iterator[Happening]]] = {
    "deployments": _deployment,
    "changeRequests": _request,
    "reviews": _review,
    "datasets": _dataset,
    "remoteEvents": _remote,
    **dict.fromkeys(OF_PART, _part),
}
