"""Runtime parameters of a deployment."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour import runtime_parameters
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves

ORDERS = {"name": "fieldName", "createdAt": "createdAt"}


@serves("listDeploymentRuntimeParameters")
def list_parameters(call: Call) -> Answer:
    """What the model declares, with current values (seed 002:6513)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    rows = call.service.listed(runtime_parameters.declared(call.service, deployment))
    order = call.arguments.get("orderBy")
    if order is not None:
        rows.sort(key=lambda one: one[ORDERS[order.removeprefix("-")]], reverse=order.startswith("-"))
    return call.page([runtime_parameters.view(one) for one in rows])


@serves("replaceDeploymentRuntimeParameters")
def replace_parameters(call: Call) -> Answer:
    """200 with all of them."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    runtime_parameters.put(call.service, deployment, call.body["runtimeParameterValues"])
    return call.page([runtime_parameters.view(one) for one in runtime_parameters.declared(call.service, deployment)])
