"""Who has which role on a deployment."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour import sharing
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves


@serves("listDeploymentSharedRoles")
def list_roles(call: Call) -> Answer:
    """The roles, filtered by id, name or kind."""
    rows = sharing.shown(call.service, visible(call.service, call.user, call.arguments["deploymentId"]))
    for name in ("id", "name", "shareRecipientType"):
        if name in call.arguments:
            rows = [one for one in rows if one[name] == call.arguments[name]]
    return call.page(call.service.listed(rows))


@serves("updateDeploymentSharedRoles")
def update_roles(call: Call) -> Answer:
    """204; roles that are not named stay."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    sharing.put_roles(call.service, deployment, call.body["roles"])
    return empty(204)
