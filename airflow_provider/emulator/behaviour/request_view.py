"""Change requests and reviews as the service shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider.emulator.behaviour.diffs import diff_of
from airflow_provider.emulator.behaviour.requests import current_version, is_open
from airflow_provider.emulator.behaviour.rights import reviewer_ids, role_on
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CLOSED_DIFF: dict[str, list[str]] = {"changesFrom": [], "changesTo": []}  # of a request whose deployment is gone


def operations_of(service: Service, request: Record, user: Record) -> dict[str, bool]:
    """What this user can do with the request; nothing any more once it is closed (wire.md F)."""
    opened, author = is_open(request), request["userId"] == user["id"]
    deployment = service.store.get("deployments", request["entityId"])
    owner = deployment is not None and role_on(service, user, deployment) == "OWNER"
    return {
        "canCancel": opened and author,
        "canComment": opened,
        "canResolve": request["status"] == "approved" and (author or owner),
        "canReview": opened and user["id"] in reviewer_ids(service, request),
        "canUpdate": opened and author,
    }


def request_view(service: Service, request: Record, user: Record) -> Record:
    """The request as this user sees it, with every documented key."""
    return {
        "id": request["id"],
        "action": request["action"],
        "autoApply": request["autoApply"],
        "change": _change(service, request),
        "changeVersionId": current_version(request),
        "comment": request["comment"],
        "createdAt": _time(service, request["createdAt"]),
        "diff": _diff(service, request),
        "entityId": request["entityId"],
        "entityType": "deployment",
        "numApprovalsRequired": request["numApprovalsRequired"],
        "processedAt": _time_or_none(service, request["processedAt"]),
        "status": request["status"],
        "statusChangedAt": _time_or_none(service, request["statusChangedAt"]),
        "statusChangedBy": request["statusChangedBy"],
        "updatedAt": _time(service, request["updatedAt"]),
        "userId": request["userId"],
        "userName": service.store.tables["users"][request["userId"]]["username"],
        "userOperations": operations_of(service, request, user),
    }


def review_view(service: Service, review: Record) -> Record:
    """A review; one of the system has no user name."""
    user = service.store.get("users", review["userId"])
    return {
        "id": review["id"],
        "changeRequestId": review["changeRequestId"],
        "changeVersionId": review["changeVersionId"],
        "comment": review["comment"],
        "createdAt": _time(service, review["createdAt"]),
        "status": review["status"],
        "userId": review["userId"],
        "userName": user["username"] if user is not None else None,
    }


def _change(service: Service, request: Record) -> Record | None:
    hidden = request["action"] == "delete" and service.switches["delete_change_shown"] == "null"
    return None if hidden else request["change"]


def _diff(service: Service, request: Record) -> Record:
    deployment = service.store.get("deployments", request["entityId"])
    if request["diff"] is not None:
        kept: Record = request["diff"]
        return kept
    if deployment is None:
        return CLOSED_DIFF
    return diff_of(service, request["action"], request["change"], deployment)


def _time(service: Service, moment: float) -> str:
    if service.switches["timestamp_format"] == "with_space":
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return iso(moment)


def _time_or_none(service: Service, moment: float | None) -> str | None:
    return None if moment is None else _time(service, moment)
