"""Roles on a thing that is shared: who has which, by the id of a user or a group. An owner always remains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

NO_ROLE = "NO_ROLE"  # takes a role away
TABLE_OF = {"user": "users", "group": "groups"}


def shown(service: Service, roles: Mapping[str, str]) -> list[Record]:
    """Exactly ``id``, ``name``, ``role`` and ``shareRecipientType`` of each (wire.md K.1)."""
    return [_entry(service, key, role) for key, role in roles.items()]


def _entry(service: Service, key: str, role: str) -> Record:
    user = service.store.get("users", key)
    name = user["username"] if user is not None else service.store.tables["groups"][key]["name"]
    return {"id": key, "name": name, "role": role, "shareRecipientType": "group" if user is None else "user"}


def asked_for(rows: list[Record], arguments: Mapping[str, Any]) -> list[Record]:
    """Those that fit the id, the name and the kind that a list is asked for."""
    asked = {name: arguments[name] for name in ("id", "name", "shareRecipientType") if name in arguments}
    return [one for one in rows if all(one[name] == value for name, value in asked.items())]


def merged(service: Service, held: Mapping[str, str], given: list[Record], words: Sequence[str]) -> dict[str, str]:
    """The roles with those that are given; 422 for whom nobody knows, 409 when no owner would remain (wire.md I).

    :param words: the roles that the thing knows, besides NO_ROLE
    """
    roles = dict(held)
    for number, one in enumerate(given):
        role = one["role"]
        if role == NO_ROLE and service.switches["no_role"] == "refuse_422":
            raise refuse_by_switch("refuse_422", "NO_ROLE is no role.")
        if role not in (*words, NO_ROLE):
            raise invalid([f"must be one of {', '.join(words)}, not {role!r} @ $.roles[{number}].role"])
        key = _recipient(service, one, number)
        roles[key] = role
        if role == NO_ROLE:
            del roles[key]
    if "OWNER" not in roles.values():
        raise refuse(409, "No owner would remain.")
    return roles


def _recipient(service: Service, one: Record, number: int) -> str:
    """The id of the user or group that an entry names, by id or (a user) by name; 422 for whom nobody knows."""
    kind = one["shareRecipientType"]
    rows = service.store.rows(TABLE_OF[kind]) if kind in TABLE_OF else []
    for record in rows:
        if one.get("id") == record["id"] or (kind == "user" and one.get("username") == record["username"]):
            return str(record["id"])
    raise invalid([f"no such {kind} @ $.roles[{number}].{'id' if 'id' in one else 'username'}"])
