"""Who has which role on a registered model; its packages share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.rights import group_ids, is_admin

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

ROLES = ("OWNER", "USER", "OBSERVER")  # seed 004:1401
NO_ROLE = "NO_ROLE"
TABLE_OF = {"user": "users", "group": "groups"}


def registered_model(service: Service, model_id: str) -> Record:
    """The registered model; 404 when there is none."""
    model = service.store.get("registeredModels", model_id)
    if model is None:
        raise refuse(404, f"Registered model {model_id} not found.")
    return model


def owned_model(service: Service, user: Record, model_id: str) -> Record:
    """The registered model; 403 for those who do not own it."""
    model = registered_model(service, model_id)
    mine = {user["id"], *group_ids(service, user)}
    if is_admin(user) or any(one["role"] == "OWNER" and one["id"] in mine for one in roles_of(model)):
        return model
    raise refuse(403, "You do not have permission to change this registered model.")


def roles_of(model: Record) -> list[Record]:
    """Its roles as ``id``, ``role`` and ``shareRecipientType``; at first only its maker owns it."""
    first = [{"id": model["createdBy"], "role": "OWNER", "shareRecipientType": "user"}]
    found: list[Record] = model.get("roles") or first
    return found


def shown(service: Service, model: Record) -> list[Record]:
    """The roles with the names of those who have them."""
    return [{**one, "name": _name(service, one)} for one in roles_of(model)]


def _name(service: Service, one: Record) -> str:
    record = service.store.tables[TABLE_OF[one["shareRecipientType"]]][one["id"]]
    return str(record["username" if one["shareRecipientType"] == "user" else "name"])


def put_roles(service: Service, model: Record, given: list[Record]) -> None:
    """Give these roles; 422 for whom nobody knows, 409 when no owner would remain (the page of the operation)."""
    held = {(one["shareRecipientType"], one["id"]): one["role"] for one in roles_of(model)}
    for number, one in enumerate(given):
        role = one["role"]
        if role == NO_ROLE and service.switches["no_role"] == "refuse_422":
            raise refuse_by_switch("refuse_422", "NO_ROLE is no role.")
        if role not in (*ROLES, NO_ROLE):
            raise invalid([f"must be one of {', '.join(ROLES)}, not {role!r} @ $.roles[{number}].role"])
        key = (one["shareRecipientType"], recipient(service, one, number))
        held[key] = role
        if role == NO_ROLE:
            del held[key]
    if "OWNER" not in held.values():
        raise refuse(409, "No owner would remain.")
    roles = [{"id": key, "role": role, "shareRecipientType": kind} for (kind, key), role in held.items()]
    service.store.change("registeredModels", model["id"], {"roles": roles}, "registeredModelShared")


def recipient(service: Service, one: Record, number: int) -> str:
    """The id of the user or group that an entry names, by id or (a user) by name; 422 for whom nobody knows."""
    kind = one["shareRecipientType"]
    rows = service.store.rows(TABLE_OF[kind]) if kind in TABLE_OF else []
    for record in rows:
        if one.get("id") == record["id"] or (kind == "user" and one.get("username") == record["username"]):
            return str(record["id"])
    raise invalid([f"no such {kind} @ $.roles[{number}].{'id' if 'id' in one else 'username'}"])
