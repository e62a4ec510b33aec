"""Retraining policies of a deployment and its retraining settings: found, compared, written only where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

PAGE = 100
MOST = 5  # policies of a deployment (help page "Manage Automated Retraining policies")
# An id of an update, and the object in which the answer shows it (seed 002:6474-6506).
SETTINGS: Mapping[str, str] = {
    "datasetId": "dataset",
    "predictionEnvironmentId": "predictionEnvironment",
    "retrainingUserId": "retrainingUser",
}


class PolicyNotUnique(DataRobotError):
    """Several policies of the deployment have the same name."""


class PolicyExists(DataRobotError):
    """There is a policy of the name, and the author wants none then."""


def policies(client: Client, deployment_id: str) -> list[dict[str, Any]]:
    """All retraining policies of a deployment (operation listDeploymentRetrainingPolicies)."""
    return list(client.iterate("listDeploymentRetrainingPolicies", limit=PAGE, deploymentId=deployment_id))


def policy_named(client: Client, deployment_id: str, name: str) -> dict[str, Any] | None:
    """The policy of this name; None where there is none. Raises :class:`PolicyNotUnique` for several."""
    found = [one for one in policies(client, deployment_id) if one.get("name") == name]
    if len(found) > 1:
        ids = ", ".join(str(one["id"]) for one in found)
        raise PolicyNotUnique(f"deployment {deployment_id} has {len(found)} retraining policies named {name!r}: {ids}")
    return found[0] if found else None


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be written so that the wanted values hold.

    Of an object only the wanted keys are compared. It is written with the keys that stand there already, because
    nobody says whether an update merges objects or replaces them.
    """
    return {
        name: _completed(value, now.get(name)) for name, value in wanted.items() if not _holds(value, now.get(name))
    }


def _holds(wanted: Any, now: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(now, Mapping) and all(_holds(value, now.get(key)) for key, value in wanted.items())
    return bool(wanted == now)


def _completed(wanted: Any, now: Any) -> Any:
    if not isinstance(wanted, Mapping) or not isinstance(now, Mapping):
        return wanted
    kept = {key: value for key, value in now.items() if value is not None}
    return {**kept, **{key: _completed(value, now.get(key)) for key, value in wanted.items()}}


def settings(client: Client, deployment_id: str) -> dict[str, Any]:
    """The retraining settings as ids, in the words of an update (operation getDeploymentRetrainingSettings).

    The credential is never shown.
    """
    found = client.call("getDeploymentRetrainingSettings", deploymentId=deployment_id).object()
    return {name: (found.get(shown) or {}).get("id") for name, shown in SETTINGS.items()}
