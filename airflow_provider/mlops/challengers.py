"""Challengers of a deployment: what there is, and whether a model may become one.

    package ──► settings on? room? same target? built? new? ──► POST ──► job ──► challenger
                                                                └─ answer lost ──► listed by package and name? taken

The service refuses a sixth challenger, another target type and a model that is there already (wire.md I). What can be
read beforehand is checked beforehand, so that the error names what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, NotFound
from airflow_provider.api.waits import dig

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

MOST = 5  # challengers of a deployment (wire.md I)
NEEDED = ("challengerModels", "predictionsDataCollection", "targetDrift")  # settings, help page "Challengers"
NAME_LENGTH = 512
BUILT = ("complete",)


class ChallengersOff(DataRobotError):
    """The settings of the deployment do not allow challengers."""


class ChallengerRefused(DataRobotError):
    """A model cannot become a challenger of this deployment."""


class ChallengerNotSeen(DataRobotError):
    """The service says that it is done, and the challenger is not as it was asked for."""


def listed(client: Client, deployment_id: str) -> list[dict[str, Any]]:
    """The challengers of a deployment as the service tells them (operation listDeploymentChallengers, no paging)."""
    answer = client.call("listDeploymentChallengers", deploymentId=deployment_id)
    return [dict(one) for one in answer.require("data")]


def get(client: Client, deployment_id: str, challenger_id: str) -> dict[str, Any] | None:
    """One challenger, None where there is none (operation getDeploymentChallenger)."""
    try:
        found: dict[str, Any] = client.call(
            "getDeploymentChallenger", deploymentId=deployment_id, challengerId=challenger_id
        ).object()
    except NotFound:
        return None
    return found


def told(challenger: Mapping[str, Any]) -> dict[str, Any]:
    """A challenger in the words that tasks return."""
    return {
        "challenger_id": challenger.get("id"),
        "name": challenger.get("name"),
        "model_id": dig(challenger, "model.id"),
        "model_name": dig(challenger, "model.name"),
        "model_package_id": dig(challenger, "modelPackage.id"),
        "prediction_environment_id": dig(challenger, "predictionEnvironment.id"),
    }


def of_package(challengers: Sequence[Mapping[str, Any]], package_id: str) -> list[dict[str, Any]]:
    """Those that were made from this package."""
    return [dict(one) for one in challengers if dig(one, "modelPackage.id") == package_id]


def id_in(location: str | None, deployment_id: str) -> str | None:
    """The challenger that the end of its job points to (wire.md A.4); None where it points elsewhere."""
    found = re.search(rf"deployments/{re.escape(deployment_id)}/challengers/([^/?#]+)/?$", location or "")
    return found.group(1) if found else None


def switched_off(settings: Mapping[str, Any], needed: Sequence[str] = NEEDED) -> list[str]:
    """What of the needed settings of a deployment is off (getDeploymentSettings)."""
    return [area for area in needed if dig(settings, f"{area}.enabled") is False]


def refuse_off(client: Client, deployment_id: str) -> None:
    """Raises :class:`ChallengersOff` where a setting that challengers need is off."""
    off = switched_off(client.call("getDeploymentSettings", deploymentId=deployment_id).object())
    if off:
        raise ChallengersOff(
            f"deployment {deployment_id} takes no challengers: {', '.join(off)} "
            f"{'is' if len(off) == 1 else 'are'} off; turn it on with DataRobotUpdateChallengerSettingsOperator",
            operation="createDeploymentChallenger",
        )


def refuse_unfit(
    deployment: Mapping[str, Any], package: Mapping[str, Any], challengers: Sequence[Mapping[str, Any]]
) -> None:
    """Raises :class:`ChallengerRefused`, with the reason, for a package that the service would refuse."""
    reason = unfit(deployment, package, challengers)
    if reason is not None:
        raise ChallengerRefused(
            f"model package {package.get('id')} cannot become a challenger of deployment {deployment.get('id')}: "
            f"{reason}",
            operation="createDeploymentChallenger",
        )


def unfit(
    deployment: Mapping[str, Any], package: Mapping[str, Any], challengers: Sequence[Mapping[str, Any]]
) -> str | None:
    """Why a package cannot become a challenger, as far as the three answers tell; else None."""
    wanted, given = dig(deployment, "model.targetType"), dig(package, "target.type")
    build, model = package.get("buildStatus"), package.get("modelId")
    if len(challengers) >= MOST:
        names = ", ".join(f"{one.get('name')!r} ({one.get('id')})" for one in challengers)
        return f"it has {MOST} already, delete one first: {names}"
    if wanted and given and wanted != given:
        return f"its target type is {given}, and the champion's is {wanted}"
    if build is not None and build not in BUILT:
        return f"its build is {build}, not complete"
    if package.get("isArchived"):
        return "it is archived"
    if model and model == dig(deployment, "model.id"):
        return f"its model {model} is the champion"
    same = [one for one in challengers if model and dig(one, "model.id") == model]
    if same:
        return f"its model {model} is in challenger {same[0].get('id')} ({same[0].get('name')!r}) already"
    return None
