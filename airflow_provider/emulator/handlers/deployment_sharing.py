"""Who has which role on a deployment."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour.rights import RANKS, owned, visible
from airflow_provider.emulator.behaviour.shared_roles import asked_for, merged, shown
from airflow_provider.emulator.calls import Call, serves


@serves("listDeploymentSharedRoles")
def list_roles(call: Call) -> Answer:
    """The roles, filtered by id, name or kind."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    rows = asked_for(shown(call.service, deployment["roles"]), call.arguments)
    return call.page(call.service.listed(rows))


@serves("updateDeploymentSharedRoles")
def update_roles(call: Call) -> Answer:
    """204; roles that are not named stay."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    roles = merged(call.service, deployment["roles"], call.body["roles"], RANKS)
    call.service.store.change("deployments", deployment["id"], {"roles": roles}, "deploymentShared")
    return empty(204)
