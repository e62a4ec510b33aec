"""Who may see, change and review what.

A deployment's roles are OWNER, USER and CONSUMER, of users and of groups; an administrator has all of them. Reviewers
are the members of the policy's groups, else all administrators; a reviewer gains access to the deployment (wire.md F).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import refuse

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CLOSED = ("resolved", "cancelled")
RANKS = ("OWNER", "USER", "CONSUMER")  # wire.md I: what a real client takes


def is_admin(user: Record) -> bool:
    """Whether the user administers MLOps."""
    return bool(user["role"] == "admin")


def role_on(service: Service, user: Record, deployment: Record) -> str | None:
    """The highest of OWNER, USER and CONSUMER, or None for no access."""
    if is_admin(user):
        return "OWNER"
    held = [deployment["roles"].get(key) for key in (user["id"], *group_ids(service, user))]
    role: str | None = next((word for word in RANKS if word in held), None)
    if role is None and any(user["id"] in reviewer_ids(service, one) for one in open_requests(service, deployment)):
        return "USER"
    return role


def open_requests(service: Service, deployment: Record) -> list[Record]:
    """Change requests on the deployment that are neither resolved nor cancelled, oldest first."""
    return [
        one
        for one in service.store.rows("changeRequests")
        if one["entityId"] == deployment["id"] and one["status"] not in CLOSED
    ]


def visible(service: Service, user: Record, deployment_id: str) -> Record:
    """The deployment; 404 when it does not exist or the user has no access to it."""
    deployment = service.store.get("deployments", deployment_id)
    if deployment is None or role_on(service, user, deployment) is None:
        raise refuse(404, f"Deployment {deployment_id} not found.")
    return deployment


def owned(service: Service, user: Record, deployment_id: str) -> Record:
    """The deployment; 403 when the user sees it but does not own it."""
    deployment = visible(service, user, deployment_id)
    if role_on(service, user, deployment) != "OWNER":
        raise refuse(403, "You do not have permission to change this deployment.")
    return deployment


def reviewer_ids(service: Service, request: Record) -> list[str]:
    """Users who may review the change request, apart from its own author."""
    policy = service.store.get("policies", request["policyId"])
    groups = ((policy or {}).get("review") or {}).get("groups")
    if groups:
        known = [service.store.get("groups", group["id"]) for group in groups]
        members = [member for group in known if group is not None for member in group["members"]]
        return [user for user in dict.fromkeys(members) if user != request["userId"]]
    admins = [user["id"] for user in service.store.rows("users") if is_admin(user)]
    return [user for user in admins if user != request["userId"]]


def group_ids(service: Service, user: Record) -> set[str]:
    """Groups that the user is a member of."""
    return {group["id"] for group in service.store.rows("groups") if user["id"] in group["members"]}
