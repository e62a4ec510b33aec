"""Creating deployments: where one shall stand, what is asked for, and how ours is found again.

A second equal request makes a second deployment, so ours carries a mark at the end of its description. The label alone
tells nothing: the service allows equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider.api.errors import DataRobotError, NotFound, NotServed
from airflow_provider.api.waits import canonical
from airflow_provider.mlops import review
from airflow_provider.mlops.naming import NotOne, the_one

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

PAGE = 100
APPROVAL = {"approvalStatus": "APPROVED"}  # the change of the request that the service opens (wire.md F)
ROUTES: Mapping[str, tuple[str, str]] = {
    "model_package": ("createDeploymentFromModelPackage", "modelPackageId"),
    "leaderboard": ("createDeploymentFromLeaderboard", "modelId"),
    "learning_model": ("createDeploymentFromLearningModel", "modelId"),
}  # operation, and the key of what is deployed


class LabelTaken(DataRobotError):
    """There is a deployment of this label, and it is not one that this task has made."""


class NotLaunched(DataRobotError):
    """The service says that a deployment was launched, and it does not show."""


class NotApproved(DataRobotError):
    """The deployment needs an approval, and nothing shows that one was asked for or given."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a deployment shall stand; what is None is left to the service."""

    server_id: str | None = None
    environment_id: str | None = None

    def body(self) -> dict[str, str]:
        """The keys of a creation."""
        given = {"defaultPredictionServerId": self.server_id, "predictionEnvironmentId": self.environment_id}
        return {name: value for name, value in given.items() if value is not None}


def server_id(client: Client, wanted: str) -> str:
    """The id of the prediction server with this id, URL or host name (operation listPredictionServers)."""
    listed = client.iterate("listPredictionServers", limit=PAGE, offset=0)
    fitting = [one for one in listed if wanted in _names(one)]
    return str(the_one(fitting, f"prediction servers called {wanted!r}")["id"])


def _names(server: Mapping[str, Any]) -> tuple[Any, ...]:
    url = str(server.get("url") or "")
    return (server.get("id"), url, url.rstrip("/"), urlsplit(url).hostname)


def environment_id(client: Client, wanted: str) -> str:
    """The id of the prediction environment with this id or name (operation listPredictionEnvironments).

    :raises NotOne: none or several have the name, or the service does not list environments.
    """
    try:
        listed = list(client.iterate("listPredictionEnvironments", limit=PAGE, offset=0))
    except (NotFound, NotServed) as error:
        raise NotOne(f"this service does not list prediction environments, so give the id: {error}") from error
    fitting = [one for one in listed if wanted in (one.get("id"), one.get("name"))]
    return str(the_one(fitting, f"prediction environments called {wanted!r}")["id"])


def labelled(client: Client, label: str) -> list[dict[str, Any]]:
    """Deployments of exactly this label (operation listDeployments)."""
    listed = client.iterate("listDeployments", search=label, limit=PAGE, offset=0)
    return [one for one in listed if one.get("label") == label]


def is_ours(deployment: Mapping[str, Any], mark: str) -> bool:
    """Whether a deployment carries the mark."""
    return mark in str(deployment.get("description") or "")


def approval_of(deployment: Mapping[str, Any]) -> str | None:
    """PENDING or APPROVED; None where the service does not say."""
    word = (deployment.get("governance") or {}).get("approvalStatus") or deployment.get("approvalStatus")
    return None if word is None else str(word).upper()


def decided_already(client: Client, deployment_id: str) -> dict[str, Any] | None:
    """The approval that was given before anybody waited for it, as ``review.decision`` tells it; None without one.

    It is only told of, so a service that does not show change requests is no error.
    """
    try:
        listed = client.iterate("listChangeRequests", entityType="deployment", entityId=deployment_id)
        resolved = [one for one in listed if _says(one, "action", "approve") and _says(one, "status", "resolved")]
        return review.decision(client, resolved[-1]) if resolved else None
    except DataRobotError:
        return None


def _says(entity: Mapping[str, Any], key: str, word: str) -> bool:
    return canonical(str(entity.get(key))) == word
