"""Deleting monitoring data, and reports made on demand."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, invalid
from airflow_provider.emulator.behaviour import monitoring_data
from airflow_provider.emulator.behaviour.governing import governed, opened_job
from airflow_provider.emulator.behaviour.moments import BadMoment
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.jobs import WORKS, Work, nothing, start
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import Record


@serves("createDeploymentMonitoringDataDeletion")
def delete_monitoring_data(call: Call) -> Answer:
    """200; with a Location, which a real client needs, or without, as on the page (wire.md A.4)."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    first, end, model = ((call.body or {}).get(name) for name in ("start", "end", "modelId"))
    try:
        span = monitoring_data.window(call.service, first, end)
    except BadMoment as bad:
        raise invalid([f"{bad} @ $.start"]) from None
    change = {"dataType": "monitoring", "start": first, "end": end, "modelId": model}
    request = governed(call.service, call.user, deployment, "cleanupStats", change)
    if request is not None:
        return call.accepted(opened_job(call.service, request), status=200)
    job = monitoring_data.start_deleting(call.service, deployment, model, span)
    told = call.service.switches["monitoring_deletion_location"] == "given"
    return call.accepted(job, status=200) if told else empty(200)


@serves("createDeploymentOnDemandReport")
def make_report(call: Call) -> Answer:
    """200 and the Location of the job that makes and mails it (seed 002:4655)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    arguments = {"deploymentId": deployment["id"], "reportId": (call.body or {}).get("id")}
    job = start(call.service, "onDemandReport", "makeReport", arguments, f"deployments/{deployment['id']}/")
    return call.accepted(job, status=200)


def _report(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    if service.store.get("deployments", arguments["deploymentId"]) is not None:
        service.store.change("deployments", arguments["deploymentId"], {}, "reportMailed")


WORKS["makeReport"] = Work(_report, nothing)
