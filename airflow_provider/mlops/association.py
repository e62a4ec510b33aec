"""The association id of a deployment: without it, no actual finds its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class AssociationIdMissing(DataRobotError):
    """The deployment has no association id, so actuals cannot be matched with predictions."""


def settings(client: Client, deployment_id: str) -> dict[str, Any]:
    """``columnNames`` and ``requiredInPredictionRequests`` (operation getDeploymentSettings)."""
    found = client.call("getDeploymentSettings", deploymentId=deployment_id).object()
    return dict(found.get("associationId") or {})


def columns(client: Client, deployment_id: str) -> list[str]:
    """The columns of the association id; empty when none is configured."""
    return list(settings(client, deployment_id).get("columnNames") or ())


def required(client: Client, deployment_id: str) -> list[str]:
    """The same; raises :class:`AssociationIdMissing` that says how to configure one."""
    found = columns(client, deployment_id)
    if not found:
        raise AssociationIdMissing(
            f"deployment {deployment_id} has no association id: set one with "
            "DataRobotSetAssociationIdOperator, before the predictions are made that the actuals belong to"
        )
    return found
