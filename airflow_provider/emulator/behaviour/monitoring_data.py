"""Deleting what monitoring knows of a deployment: its stored predictions, their requests and their actuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.behaviour import moments
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, nothing, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

EVER = (-1e18, 1e18)


def window(service: Service, start_text: str | None, end_text: str | None) -> tuple[float, float]:
    """Its first second, and the one after its last; None is without a bound."""
    known = moments.naive_is_utc(service)
    first = EVER[0] if start_text is None else moments.seconds(start_text, naive_is_utc=known)
    return first, EVER[1] if end_text is None else moments.seconds(end_text, naive_is_utc=known)


def start_deleting(service: Service, deployment: Record, model_id: str | None, span: tuple[float, float]) -> Record:
    """Begin to delete; the job that does it."""
    arguments = {"deploymentId": deployment["id"], "modelId": model_id, "first": span[0], "end": span[1]}
    location = f"deployments/{deployment['id']}/"
    return start(service, "monitoringDataDeletion", "deleteMonitoringData", arguments, location)


def delete(service: Service, deployment_id: str, model_id: str | None, span: tuple[float, float]) -> None:
    """Delete the rows of one model, or of all, that were made in this time."""
    rows = service.rows
    chosen = "deployment = ? AND moment >= ? AND moment < ? AND (? IS NULL OR model = ?)"
    model = None if model_id is None else rows.number(model_id)
    values = (rows.number(deployment_id), *span, model, model)
    gone = f"SELECT association FROM predictions WHERE {chosen} AND association IS NOT NULL"  # noqa: S608 - constants
    rows.db.execute(
        f"DELETE FROM actuals WHERE deployment = ? AND association IN ({gone})",  # noqa: S608
        (values[0], *values),
    )
    for table in ("predictions", "requests"):
        rows.db.execute(f"DELETE FROM {table} WHERE {chosen}", values)  # noqa: S608 - constants
    rows.commit()
    service.store.change("deployments", deployment_id, {}, "monitoringDataDeleted")


def _delete(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    if service.store.get("deployments", arguments["deploymentId"]) is None:
        raise JobFails("The deployment does not exist any more.")
    delete(service, arguments["deploymentId"], arguments["modelId"], (arguments["first"], arguments["end"]))


WORKS["deleteMonitoringData"] = Work(_delete, nothing)
