"""Notifications to users: the last 100, for a month (wire.md I)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from airflow_provider.contract import contract
from airflow_provider.emulator.behaviour.event_catalogue import label_of
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MOST = 100
MONTH = 30 * 86_400  # seconds; a month as thirty days is our choice


@functools.cache
def kinds() -> frozenset[str]:
    """Events that users are notified of (seed 001:2500)."""
    schema = contract().schemas["UserNotificationResponse"]["properties"]["eventType"]
    return frozenset(schema["enum"])


def tell(service: Service, event: str, deployment: Record) -> None:
    """Notify the owners of a deployment, where the event is of a kind that users are told of."""
    if event not in kinds():
        return
    for user_id in (one for one, role in deployment["roles"].items() if role == "OWNER"):
        now = service.clock.now()
        note = {
            "userId": user_id,
            "eventType": event,
            "deployment": {"id": deployment["id"], "label": deployment["label"]},
            "title": f"{label_of(event)}: {deployment['label']}",
            "isRead": False,
            "created": now,
            "updated": now,
        }
        service.store.add("userNotifications", note, "userNotified")


def of_user(service: Service, user: Record) -> list[Record]:
    """What the user sees, newest first."""
    since = service.clock.now() - MONTH
    mine = [one for one in service.store.rows("userNotifications") if one["userId"] == user["id"]]
    return [one for one in reversed(mine) if one["created"] >= since][:MOST]


def view(note: Record) -> Record:
    """One notification with every required key."""
    link = f"/console-nextgen/deployments/{note['deployment']['id']}/overview"
    return {
        "userNotificationId": note["id"],
        "eventType": note["eventType"],
        "title": note["title"],
        "description": None,
        "tooltip": None,
        "link": link,
        "isRead": note["isRead"],
        "pushNotificationSent": False,
        "created": iso(note["created"]),
        "updated": iso(note["updated"]),
        "callerUser": {"uid": note["userId"]},
        "relatedDeployment": {
            "deploymentId": note["deployment"]["id"],
            "deploymentName": note["deployment"]["label"],
            "deploymentUrl": link,
        },
    }
