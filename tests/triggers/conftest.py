"""The emulator behind a connection, and something at it to wait for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
V3 = "64d000000000000000000003"


@pytest.fixture
def service(datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, airflow_db: None) -> EmulatorDoor:
    """The emulator behind ``datarobot_default``, as the requester; no answer serves twice."""
    monkeypatch.setattr("airflow_provider.api.pool.FRESH", 0.0)
    connect(monkeypatch, datarobot_emulator, "requester")
    return datarobot_emulator


def connect(
    monkeypatch: pytest.MonkeyPatch,
    service: EmulatorDoor,
    user: str,
    name: str = "datarobot_default",
    token: str | None = None,
) -> None:
    """Puts a user's connection into the environment, or one with a token that is nobody's."""
    connection = {"conn_type": "datarobot", "host": service.endpoint, "password": token or service.tokens[user]}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def request_change(service: EmulatorDoor) -> str:
    """Opens a change request, as the requester; its id."""
    body = {
        "entityType": "deployment",
        "entityId": GOVERNED,
        "action": "replaceModelPackage",
        "change": {"modelPackageId": V3, "replacementReason": "accuracy"},
        "comment": "",
        "autoApply": False,
    }
    return str(_ask(service, "POST", "changeRequests/", body).json()["id"])


def cancellation(request_id: str) -> dict[str, Any]:
    """The write that cancels a change request, as a trigger carries it."""
    return {
        "operation": "updateChangeRequestStatus",
        "arguments": {"changeRequestId": request_id},
        "body": {"status": "cancelled"},
    }


def close_request(service: EmulatorDoor, request_id: str) -> None:
    """Cancels a change request, as the requester."""
    _ask(service, "PATCH", f"changeRequests/{request_id}/status/", {"status": "cancelled"})


def status_of(service: EmulatorDoor, request_id: str) -> str:
    """The status of a change request."""
    return str(_ask(service, "GET", f"changeRequests/{request_id}/").json()["status"])


def replace_model(service: EmulatorDoor) -> str:
    """Starts a replacement; the path of its job, relative to the API."""
    body = {"modelPackageId": V3, "reason": "ACCURACY"}
    location = _ask(service, "PATCH", f"deployments/{UNGOVERNED}/model/", body).headers["Location"]
    return str(location).removeprefix(f"{service.endpoint}/")


def _ask(service: EmulatorDoor, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {service.tokens['requester']}"}
    answer = httpx.request(method, f"{service.endpoint}/{path}", json=body, headers=headers, trust_env=False)
    return answer.raise_for_status()
