"""Events that were reported of a deployment."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.matching import watched
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

CATEGORIES = {"moderation": "moderation"}  # what types of a category begin with; others hold every event
COLOURS = {"green": "success", "red": "failure", "yellow": "warning", "error": "failure", "failed": "failure"}
SHOWN = ("title", "message", "moderationData")


@serves("listDeploymentEvents")
def list_events(call: Call) -> Answer:
    """Newest first; limit 0 means all."""
    deployment = watched(call)
    start = CATEGORIES.get(call.arguments.get("eventCategory") or "", "")
    rows = [
        _view(one)
        for one in reversed(call.service.store.rows("remoteEvents"))
        if one["event"].get("deploymentId") == deployment["id"] and one["event"]["eventType"].startswith(start)
    ]
    return call.page(rows)


def _view(row: Record) -> dict[str, Any]:
    """As a client reads it, which refuses nulls."""
    event = row["event"]
    kind = event["eventType"]
    found = next((status for word, status in COLOURS.items() if word in kind.lower()), "info")
    told = {name: event[name] for name in SHOWN if event.get(name) is not None}
    return {"id": row["id"], "type": kind, "statusType": found, "timestamp": iso(row["at"]), **told}
