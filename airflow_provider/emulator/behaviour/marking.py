"""A new status on a change request, with who, when, and the diff as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.behaviour.diffs import diff_of
from airflow_provider.emulator.behaviour.rights import CLOSED

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


def set_status(service: Service, request: Record, status: str, by: str | None) -> None:
    """A new status; who and when are null when the system set it (seed 000:1388)."""
    now = service.clock.now()
    changes: dict[str, Any] = {
        "status": status,
        "updatedAt": now,
        "statusChangedAt": now if by is not None else None,
        "statusChangedBy": by,
    }
    if status in CLOSED:
        changes["processedAt"] = now
        deployment = service.store.get("deployments", request["entityId"])
        if deployment is not None and request["diff"] is None:
            changes["diff"] = diff_of(service, request["action"], request["change"], deployment)
    effect = f"changeRequest{status[0].upper()}{status[1:]}"
    service.store.change("changeRequests", request["id"], changes, effect)
