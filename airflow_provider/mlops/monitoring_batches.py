"""Monitoring batches of a deployment: found by name, compared, with the models that have predictions in them.

No page says that a name is taken once. So a name that several batches have is told, and never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.naming import find_soon

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

BODY_KEY = {"name": "batchName"}  # what a body calls otherwise than an answer does


class MonitoringBatchMissing(DataRobotError):
    """The deployment has no monitoring batch of this name."""


class MonitoringBatchAmbiguous(DataRobotError):
    """The deployment has several monitoring batches of this name."""


class MonitoringBatchDiffers(DataRobotError):
    """There is a monitoring batch of this name, and it is not as it is wanted."""


class MonitoringBatchNotSeen(DataRobotError):
    """The service accepted a change of a monitoring batch, and the batch is as before."""


def get(client: Client, deployment_id: str, batch_id: str) -> dict[str, Any]:
    """A monitoring batch (operation getDeploymentMonitoringBatch)."""
    found: dict[str, Any] = client.call(
        "getDeploymentMonitoringBatch", deploymentId=deployment_id, monitoringBatchId=batch_id
    ).object()
    return found


def named(client: Client, deployment_id: str, name: str) -> list[dict[str, Any]]:
    """All batches of exactly this name (operation listDeploymentMonitoringBatches)."""
    listed = client.iterate("listDeploymentMonitoringBatches", deploymentId=deployment_id, search=name)
    return [one for one in listed if one.get("name") == name]


def find(client: Client, deployment_id: str, name: str) -> dict[str, Any] | None:
    """The one batch of this name; None where there is none, :class:`MonitoringBatchAmbiguous` for several."""
    found = named(client, deployment_id, name)
    if len(found) > 1:
        ids = ", ".join(str(one["id"]) for one in found)
        raise MonitoringBatchAmbiguous(f"deployment {deployment_id} has several batches named {name!r}: {ids}")
    return found[0] if found else None


def identify(client: Client, deployment_id: str, batch_id: str | None, name: str | None) -> str:
    """The id of a batch that is named by its id or its name; raises :class:`MonitoringBatchMissing`."""
    if batch_id is not None:
        return batch_id
    found = find_soon(client, lambda: find(client, deployment_id, str(name)))
    if found is None:
        raise MonitoringBatchMissing(f"deployment {deployment_id} has no monitoring batch named {name!r}")
    return str(found["id"])


def limits(client: Client, deployment_id: str) -> dict[str, Any]:
    """What the service tells of its limits, as it tells it; empty where it tells nothing (no page shows the answer)."""
    found = client.call("getDeploymentMonitoringBatchLimits", deploymentId=deployment_id)
    return found.object() if found.content.strip() else {}


def models(client: Client, deployment_id: str, batch_id: str) -> list[dict[str, Any]]:
    """The models that have predictions in a batch (operation listDeploymentMonitoringBatchModels)."""
    whose = {"deploymentId": deployment_id, "monitoringBatchId": batch_id}
    return list(client.iterate("listDeploymentMonitoringBatchModels", **whose))


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted values is not so now; no description and an empty one are the same."""
    return {name: value for name, value in wanted.items() if (now.get(name) or None) != (value or None)}


def body_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as a body names them."""
    return {BODY_KEY.get(name, name): value for name, value in values.items()}
