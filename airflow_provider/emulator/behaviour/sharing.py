"""Who has which role on a deployment: users and groups, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.registry_roles import NO_ROLE, recipient

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

ROLES = ("OWNER", "USER", "CONSUMER")  # wire.md I: what a real client takes


def shown(service: Service, deployment: Record) -> list[Record]:
    """Exactly ``id``, ``name``, ``role`` and ``shareRecipientType`` of each (wire.md K.1)."""
    return [_entry(service, key, role) for key, role in deployment["roles"].items()]


def _entry(service: Service, key: str, role: str) -> Record:
    user = service.store.get("users", key)
    name = user["username"] if user is not None else service.store.tables["groups"][key]["name"]
    return {"id": key, "name": name, "role": role, "shareRecipientType": "group" if user is None else "user"}


def put_roles(service: Service, deployment: Record, given: list[Record]) -> None:
    """Give these roles, NO_ROLE takes one away; 422 for whom nobody knows, 409 without an owner (wire.md I)."""
    held = dict(deployment["roles"])
    for number, one in enumerate(given):
        role = one["role"]
        if role == NO_ROLE and service.switches["no_role"] == "refuse_422":
            raise refuse_by_switch("refuse_422", "NO_ROLE is no role.")
        if role not in (*ROLES, NO_ROLE):
            raise invalid([f"must be one of {', '.join(ROLES)}, not {role!r} @ $.roles[{number}].role"])
        key = recipient(service, one, number)
        held[key] = role
        if role == NO_ROLE:
            del held[key]
    if "OWNER" not in held.values():
        raise refuse(409, "No owner would remain.")
    service.store.change("deployments", deployment["id"], {"roles": held}, "deploymentShared")
