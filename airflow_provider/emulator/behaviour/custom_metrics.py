"""Custom metrics of a deployment: what they are. Their values are in ``metric_values.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import refuse, refuse_by_switch
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MOST = 25  # of a deployment (wire.md I)
COLUMNS = ("value", "sampleCount", "timestamp", "batch")  # where a dataset has what (seed 002:2049)
SETTABLE = ("name", "units", "description", "directionality", "type", "baselineValues", *COLUMNS)


def metrics_of(service: Service, deployment: Record) -> list[Record]:
    """The custom metrics of a deployment, oldest first."""
    return [one for one in service.store.rows("customMetrics") if one["deploymentId"] == deployment["id"]]


def metric_of(service: Service, deployment: Record, metric_id: str) -> Record:
    """One of them; 404 for any other (seed 002:2243)."""
    metric = service.store.get("customMetrics", metric_id)
    if metric is None or metric["deploymentId"] != deployment["id"]:
        raise refuse(404, f"Custom metric {metric_id} was not found.")
    return metric


def create(service: Service, user: Record, deployment: Record, body: Record, **more: Any) -> Record:
    """A new metric; refused beyond the limit, and under a name that is taken (wire.md I)."""
    if len(metrics_of(service, deployment)) >= MOST:
        raise refuse_by_switch(service.switches["metric_limit"], "Maximum number of custom metrics reached")
    refuse_taken(service, deployment, body["name"])
    refuse_categories(body)
    metric = {
        "deploymentId": deployment["id"],
        "createdBy": user["id"],
        "createdAt": service.clock.now(),
        "isModelSpecific": body.get("isModelSpecific", False),
        "timeStep": body.get("timeStep", "hour"),
        "directionality": None,
        "units": "",
        "description": "",
        **dict.fromkeys(COLUMNS),
        **{name: body[name] for name in SETTABLE if body.get(name) is not None},
        "baselineValues": body.get("baselineValues") or [],
        **more,
    }
    return service.store.add("customMetrics", metric, "customMetricCreated")


def refuse_taken(service: Service, deployment: Record, name: str, but: str | None = None) -> None:
    """A name is taken once in a deployment."""
    if any(one["name"] == name and one["id"] != but for one in metrics_of(service, deployment)):
        text = f"Custom metric name {name!r} is already used in this deployment."
        raise refuse_by_switch(service.switches["metric_name_taken"], text)


def refuse_categories(body: Record) -> None:
    """501 for metrics of categories."""
    if body.get("type") == "categorical":
        raise refuse(501, "Custom metrics of categories are not emulated.")


def view(metric: Record) -> Record:
    """The metric as the pages show it."""
    shown = {name: metric[name] for name in (*SETTABLE, "id", "isModelSpecific", "timeStep")}
    return {
        **shown,
        "createdAt": iso(metric["createdAt"]),
        "createdBy": {"id": metric["createdBy"]},
        "displayChart": True,
    }


def baseline(metric: Record) -> float | None:
    """The first of its baseline values; None where none is set."""
    return float(metric["baselineValues"][0]["value"]) if metric["baselineValues"] else None
