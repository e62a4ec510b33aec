"""Challengers at the emulator, by raw HTTP and the control door, in no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from tests.harness import V3
from tests.stages import LABELLED

if TYPE_CHECKING:
    from tests.harness import Stage

ENVIRONMENT = "64a300000000000000000001"
CHALLENGERS = f"deployments/{LABELLED}/challengers/"
REPLAY = f"deployments/{LABELLED}/challengerPredictions/"
MODEL = {V3[:-1] + str(n): f"64a10000000000000000000{n}" for n in range(1, 7)}


def call(stage: Stage, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request of the requester, that must go well."""
    headers = {"Authorization": f"Bearer {stage.service.tokens['requester']}"}
    answer = httpx.request(method, f"{stage.service.endpoint}/{path}", json=body, headers=headers)
    answer.raise_for_status()
    return answer


def ended(stage: Stage, answer: httpx.Response) -> str:
    """The job of an answer, ended now; its id."""
    job = answer.headers["Location"].rstrip("/").rsplit("/", 1)[1]
    stage.service.end_job(job)
    return str(job)


def challenger(stage: Stage, package: str = V3, *, skill: float | None = None, name: str = "rival") -> str:
    """The id of a challenger that is ready now, by somebody else's hand."""
    if skill is not None:
        stage.service.change("packages", package, skill=skill)
    body = {"modelPackageId": package, "name": name, "predictionEnvironmentId": ENVIRONMENT}
    ended(stage, call(stage, "POST", CHALLENGERS, body))
    return next(key for key, one in stage.service.world("challengers").items() if one["modelPackageId"] == package)


def replayed(stage: Stage, **body: Any) -> None:
    """A replay that is over now, by somebody else's hand."""
    ended(stage, call(stage, "POST", REPLAY, body))


def settings(stage: Stage, **areas: bool) -> None:
    """Other settings of the deployment, at once."""
    ended(
        stage, call(stage, "PATCH", f"deployments/{LABELLED}/settings/", {a: {"enabled": o} for a, o in areas.items()})
    )
