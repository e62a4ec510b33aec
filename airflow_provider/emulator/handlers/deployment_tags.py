"""Tags of a deployment: a name and a value each, shown with the deployment and filtered by in its list."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour.rights import owned
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record, new_id


@serves("createDeploymentTag")
def create_tag(call: Call) -> Answer:
    """201 with the id, as a client reads it; a name may stand there twice."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    tag = {"id": new_id(), **_given(call)}
    _keep(call, deployment, [*deployment["tags"], tag], "tagCreated")
    return Answer(201, tag)


@serves("updateDeploymentTag")
def update_tag(call: Call) -> Answer:
    """204."""
    deployment, tag = _tag(call)
    changed = {**tag, **_given(call)}
    tags = [changed if one is tag else one for one in deployment["tags"]]
    _keep(call, deployment, tags, "tagUpdated")
    return empty(204)


@serves("deleteDeploymentTag")
def delete_tag(call: Call) -> Answer:
    """204."""
    deployment, tag = _tag(call)
    _keep(call, deployment, [one for one in deployment["tags"] if one is not tag], "tagDeleted")
    return empty(204)


def _given(call: Call) -> Record:
    return {name: call.body[name] for name in ("name", "value")}


def _keep(call: Call, deployment: Record, tags: list[Record], effect: str) -> None:
    call.service.store.change("deployments", deployment["id"], {"tags": tags}, effect)


def _tag(call: Call) -> tuple[Record, Record]:
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    for tag in deployment["tags"]:
        if tag["id"] == call.arguments["tagId"]:
            return deployment, tag
    raise refuse(404, f"Tag {call.arguments['tagId']} not found.")
