"""Replacing the champion of a deployment: the request, its validation, and the look at what really serves.

The service answers 303 on the job of a replacement; that is a hint. What counts is the champion that
getDeployment shows afterwards (wire.md K: ``modelPackage.id`` may lag behind ``status: active``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Conflict, DataRobotError, InvalidCall

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

# seed 002:3800 and wire.md E; DEPRECATION exists in change requests only (seed 000:1564).
REASONS = ("ACCURACY", "DATA_DRIFT", "ERRORS", "SCHEDULED_REFRESH", "SCORING_SPEED", "OTHER")
REQUEST_REASONS = (*REASONS, "DEPRECATION")


class ReplacementRefused(DataRobotError):
    """The validation of the replacement failed; ``checks`` holds each check that did not pass."""

    def __init__(self, message: str, checks: Mapping[str, Any]) -> None:
        super().__init__(message, operation="validateDeploymentModelReplacement")
        self.checks = dict(checks)


class ReplacementNotSeen(DataRobotError):
    """The service says that the replacement is done, and another model is the champion."""


@dataclass(frozen=True, slots=True)
class Target:
    """The model that shall serve: a model package, or a model by its own id (exactly one of them)."""

    model_package_id: str | None = None
    model_id: str | None = None

    def __post_init__(self) -> None:
        if bool(self.model_package_id) == bool(self.model_id):
            given = "both" if self.model_id else "neither"
            raise InvalidCall(f"give exactly one of model_package_id and model_id, not {given}")

    @property
    def ids(self) -> dict[str, str]:
        """The id in the form of a request body."""
        if self.model_package_id:
            return {"modelPackageId": self.model_package_id}
        return {"modelId": str(self.model_id)}

    @property
    def change_action(self) -> str:
        """The change request action for this kind of target."""
        return "replaceModelPackage" if self.model_package_id else "replaceModel"

    def serves(self, champion: Mapping[str, Any] | None) -> bool:
        """Whether this champion is the target."""
        if champion is None:
            return False
        if self.model_package_id:
            return bool(champion.get("model_package_id") == self.model_package_id)
        return bool(champion.get("model_id") == self.model_id)

    def __str__(self) -> str:
        name, value = next(iter(self.ids.items()))
        return f"{'model package' if name == 'modelPackageId' else 'model'} {value}"


def champion_of(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """What serves in a getDeployment answer: ``model_package_id``, ``model_id``, ``name``, ``deployed_at``."""
    package, model = deployment.get("modelPackage") or {}, deployment.get("model") or {}
    return {
        "model_package_id": package.get("id"),
        "model_id": model.get("id"),
        "name": package.get("name"),
        "deployed_at": model.get("deployedAt"),
    }


def is_being_replaced(deployment: Mapping[str, Any]) -> bool:
    """Whether a replacement is under way on the deployment of a getDeployment answer, whoever began it."""
    return deployment.get("status") == "replacingModel"


def submission(target: Target, reason: str, runtime_parameters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The body of replaceDeploymentModel. Runtime parameters travel as a JSON string (wire.md E)."""
    body: dict[str, Any] = {**target.ids, "reason": reason}
    if runtime_parameters:
        body["runtimeParameterValues"] = json.dumps(list(runtime_parameters))
    return body


def change(target: Target, reason: str) -> dict[str, Any]:
    """The ``change`` of a change request for this replacement; the reason is in lower case there (seed 000:1564)."""
    return {**target.ids, "replacementReason": reason.lower()}


def validate(client: Client, deployment_id: str, target: Target) -> dict[str, Any]:
    """Asks validateDeploymentModelReplacement; gives ``status``, ``message``, ``checks`` as the service words them."""
    answer = client.call("validateDeploymentModelReplacement", target.ids, deploymentId=deployment_id).object()
    return {key: answer.get(key) for key in ("status", "message", "checks")}


def refuse_unfit(validation: Mapping[str, Any], target: Target, on_warning: str) -> None:
    """Raises :class:`ReplacementRefused` on ``failing``, and on ``warning`` unless ``on_warning`` is ``allow``."""
    status = str(validation.get("status")).lower()
    if status == "passing" or (status == "warning" and on_warning == "allow"):
        return
    checks = unfit_checks(validation)
    listed = "; ".join(f"{name}: {check.get('message') or check.get('status')}" for name, check in checks.items())
    raise ReplacementRefused(
        f"{target} does not fit, validation is {status}: {validation.get('message')}"
        + (f" ({listed})" if listed else "")
        + ("; on_warning='allow' would accept it" if status == "warning" else ""),
        checks,
    )


def unfit_checks(validation: Mapping[str, Any]) -> dict[str, Any]:
    """The checks of a validation that did not pass."""
    checks = validation.get("checks") or {}
    return {
        name: check
        for name, check in checks.items()
        if isinstance(check, Mapping) and str(check.get("status")).lower() != "passing"
    }


def validation_in(error: DataRobotError) -> dict[str, Any] | None:
    """The validation object that a refused replacement carries (409, wire.md E), or None."""
    body = error.body if isinstance(error, Conflict) else None
    if isinstance(body, Mapping) and isinstance(body.get("checks"), Mapping):
        return dict(body)
    return None
