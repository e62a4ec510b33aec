"""The world ``demo`` as tests name it, and the few calls that many of them make: raw HTTP, literal JSON."""

from __future__ import annotations

from typing import Any

import httpx

GOVERNED = "64e000000000000000000001"
UNGOVERNED = "64e000000000000000000002"
NIGHTLY = "64e000000000000000000003"
CHAMPION = "64d000000000000000000001"  # of the governed deployment
OTHER_CHAMPION = "64d000000000000000000002"  # of the ungoverned one
CANDIDATE = "64d000000000000000000003"
SECOND_CANDIDATE = "64d000000000000000000004"
DOUBTFUL = "64d000000000000000000005"
MISFIT = "64d000000000000000000006"
MODEL_OF_CANDIDATE = "64a100000000000000000003"
CHURN = "64c000000000000000000001"
POLICY = "64f000000000000000000001"
REVIEWERS = "64b000000000000000000001"
REQUESTER, REVIEWER, SECOND_REVIEWER, ADMIN = (f"64a00000000000000000000{n}" for n in (1, 2, 3, 4))


def replace(client: httpx.Client, deployment: str = UNGOVERNED, package: str = CANDIDATE) -> httpx.Response:
    body = {"modelPackageId": package, "reason": "ACCURACY"}
    return client.patch(f"deployments/{deployment}/model/", json=body)


def deployment(client: httpx.Client, key: str = UNGOVERNED) -> dict[str, Any]:
    return taken(client.get(f"deployments/{key}/"))


def champion(client: httpx.Client, key: str = UNGOVERNED) -> str:
    return str(deployment(client, key)["modelPackage"]["id"])


def taken(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer."""
    assert answer.status_code < 400, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ask_for(
    client: httpx.Client,
    action: str = "replaceModelPackage",
    change: Any = None,
    *,
    entity: str = GOVERNED,
    auto_apply: bool = False,
    **more: Any,
) -> httpx.Response:
    """POST changeRequests/: by default a replacement of the governed champion; a change of None is left out."""
    if action == "replaceModelPackage" and change is None:
        change = {"modelPackageId": CANDIDATE, "replacementReason": "accuracy"}
    body = {"action": action, "autoApply": auto_apply, "entityId": entity, "entityType": "deployment"}
    changes = {} if change is None else {"change": change}
    return client.post("changeRequests/", json=body | changes | more)


def request(client: httpx.Client, key: str) -> dict[str, Any]:
    return taken(client.get(f"changeRequests/{key}/"))


def review(client: httpx.Client, asked: dict[str, Any], status: str = "approved", **more: Any) -> httpx.Response:
    body = {"changeVersionId": asked["changeVersionId"], "status": status} | more
    return client.post(f"changeRequests/{asked['id']}/reviews/", json=body)


def set_status(client: httpx.Client, asked: dict[str, Any], status: str) -> httpx.Response:
    return client.patch(f"changeRequests/{asked['id']}/status/", json={"status": status})


def policy(entity_type: str, action: str, **more: Any) -> dict[str, Any]:
    """A policy body that applies whatever the importance."""
    return {
        "name": f"{action} of {entity_type}",
        "active": True,
        "trigger": {"entityType": entity_type, "intendedAction": {"action": action}},
        "review": {"groups": [{"id": REVIEWERS, "name": "Model reviewers"}]},
    } | more
