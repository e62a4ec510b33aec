"""Who has which role on a registered model; its packages share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import refuse
from airflow_provider.emulator.behaviour.rights import group_ids, is_admin
from airflow_provider.emulator.behaviour.shared_roles import merged

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

ROLES = ("OWNER", "USER", "OBSERVER")  # seed 004:1401


def registered_model(service: Service, model_id: str) -> Record:
    """The registered model; 404 when there is none."""
    model = service.store.get("registeredModels", model_id)
    if model is None:
        raise refuse(404, f"Registered model {model_id} not found.")
    return model


def owned_model(service: Service, user: Record, model_id: str) -> Record:
    """The registered model; 403 for those who do not own it."""
    model = registered_model(service, model_id)
    roles = roles_of(model)
    if is_admin(user) or any(roles.get(key) == "OWNER" for key in (user["id"], *group_ids(service, user))):
        return model
    raise refuse(403, "You do not have permission to change this registered model.")


def roles_of(model: Record) -> dict[str, str]:
    """Its roles by the id of a user or a group; at first only its maker owns it."""
    roles: dict[str, str] = model.get("roles") or {model["createdBy"]: "OWNER"}
    return roles


def put_roles(service: Service, model: Record, given: list[Record]) -> None:
    """Give these roles; the others stay."""
    roles = merged(service, roles_of(model), given, ROLES)
    service.store.change("registeredModels", model["id"], {"roles": roles}, "registeredModelShared")
