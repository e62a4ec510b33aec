"""Custom metrics of a deployment: create, list, change, delete."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour import custom_metrics, metric_values
from airflow_provider.emulator.behaviour.custom_metrics import metric_of, metrics_of, view
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record


@serves("listDeploymentCustomMetrics")
def list_metrics(call: Call) -> Answer:
    """The custom metrics of a deployment."""
    rows = metrics_of(call.service, _seen(call))
    return call.page([view(one) for one in call.service.listed(rows)])


@serves("createDeploymentCustomMetric")
def create(call: Call) -> Answer:
    """201 with the metric."""
    return Answer(201, view(custom_metrics.create(call.service, call.user, _mine(call), call.body)))


@serves("createDeploymentCustomMetricFromCustomJob")
def create_from_job(call: Call) -> Answer:
    """201 with the metric; clients need createdBy and customJobId besides what the page shows (wire.md K.1)."""
    deployment = _mine(call)
    job = {"customJobId": call.body["customJobId"], "schedule": call.body.get("schedule")}
    body = {"type": "average", "directionality": "higherIsBetter", **call.body}  # in truth the job's template says
    metric = custom_metrics.create(call.service, call.user, deployment, body, **job)
    return Answer(201, {**view(metric), **job, "deployment": _shown(call, deployment)})


def _shown(call: Call, deployment: Record) -> Record:
    names = ("creatorFirstName", "creatorLastName", "creatorGravatarHash", "creatorUsername")
    made = deployment.get("createdAt")
    return {
        "id": deployment["id"],
        "name": deployment["label"],
        "createdAt": iso(made) if isinstance(made, float) else made or call.service.clock.iso(),
        **dict.fromkeys(names, ""),
    }


@serves("getDeploymentCustomMetric")
def get_metric(call: Call) -> Answer:
    """The metric."""
    return Answer(200, view(metric_of(call.service, _seen(call), call.arguments["customMetricId"])))


@serves("updateDeploymentCustomMetric")
def update(call: Call) -> Answer:
    """200 with the metric; an empty list unsets the baseline (wire.md I)."""
    deployment = _mine(call)
    metric = metric_of(call.service, deployment, call.arguments["customMetricId"])
    changes = {name: call.body[name] for name in custom_metrics.SETTABLE if name in call.body}
    if "baselineValues" in changes:
        changes["baselineValues"] = changes["baselineValues"] or []
    custom_metrics.refuse_categories(changes)
    if "name" in changes:
        custom_metrics.refuse_taken(call.service, deployment, changes["name"], but=metric["id"])
    call.service.store.change("customMetrics", metric["id"], changes, "customMetricUpdated")
    return Answer(200, view(metric))


@serves("deleteDeploymentCustomMetric")
def delete(call: Call) -> Answer:
    """204, with its values."""
    metric = metric_of(call.service, _mine(call), call.arguments["customMetricId"])
    metric_values.forget(call.service, metric["id"])
    call.service.store.remove("customMetrics", metric["id"], "customMetricDeleted")
    return empty(204)


def _seen(call: Call) -> Record:
    return visible(call.service, call.user, call.arguments["deploymentId"])


def _mine(call: Call) -> Record:
    return owned(call.service, call.user, call.arguments["deploymentId"])
