"""Small routes that clients call on the way: tags, events, who the token belongs to."""

from __future__ import annotations

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, deployment, taken

TAGS = f"deployments/{UNGOVERNED}/tags/"
EVENTS = f"deployments/{UNGOVERNED}/events/"


def test_a_tag_comes_changes_and_goes(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The vendor's client: POST gives the id, PATCH and DELETE give nothing; the deployment shows its tags."""
    before = deployment(requester)["tags"]
    made = requester.post(TAGS, json={"name": "stage", "value": "test"})
    assert made.status_code == 201
    key = made.json()["id"]
    assert deployment(requester)["tags"] == [*before, {"id": key, "name": "stage", "value": "test"}]
    assert requester.patch(f"{TAGS}{key}/", json={"name": "stage", "value": "live"}).status_code == 204
    found = taken(requester.get("deployments/", params={"tagKeys": ["stage"], "tagValues": ["live"]}))["data"]
    assert [one["id"] for one in found] == [UNGOVERNED]
    gone = requester.delete(f"{TAGS}{key}/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert deployment(requester)["tags"] == before
    assert requester.delete(f"{TAGS}{key}/").status_code == 404
    effects = [one["effect"] for one in emulator.effects() if one["effect"].startswith("tag")]
    assert effects == ["tagCreated", "tagUpdated", "tagDeleted"]


def test_only_owners_tag(emulator: EmulatorDoor, reviewer: httpx.Client, outsider: httpx.Client) -> None:
    governed = "deployments/64e000000000000000000001/tags/"
    body = {"name": "stage", "value": "test"}
    assert reviewer.post(governed, json=body).status_code == 403
    assert outsider.post(governed, json=body).status_code == 404


def test_a_tag_needs_name_and_value(requester: httpx.Client) -> None:
    for body in ({"name": "stage"}, {"name": "", "value": "x"}, {"name": "stage", "value": 1}):
        assert requester.post(TAGS, json=body).status_code == 422


def test_events_of_a_deployment(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The vendor's client reports moderation events with data of their own, and lists them by category."""
    moderation = {
        "eventType": "moderationMetricCreationError",
        "deploymentId": UNGOVERNED,
        "timestamp": "2026-03-01T00:00:00.000000",
        "title": "Failed to create moderation metric",
        "moderationData": {"guardName": "", "metricName": "Blocked Prompts"},
    }
    other = {"eventType": "deploymentInfo", "timestamp": "2026-03-01T00:00:00Z", "message": "hello"}
    for body in (moderation, {**other, "deploymentId": UNGOVERNED}, other):
        assert requester.post("remoteEvents/", json=body).status_code == 201
    listed = taken(requester.get(EVENTS))
    assert [one["type"] for one in listed["data"]] == ["deploymentInfo", "moderationMetricCreationError"]
    assert [one["statusType"] for one in listed["data"]] == ["info", "failure"]
    assert "moderationData" not in listed["data"][0], "null there breaks the client"
    [found] = taken(requester.get(f"{EVENTS}?limit=100&offset=0&eventCategory=moderation"))["data"]
    assert found["moderationData"] == moderation["moderationData"]
    assert found["title"] == moderation["title"]
    assert len(taken(requester.get(f"{EVENTS}?limit=1"))["data"]) == 1
    assert len(taken(requester.get(f"{EVENTS}?limit=0"))["data"]) == 2


def test_who_the_token_belongs_to(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> None:
    """wire.md G: a client reads uid and makes it the retraining user."""
    users = emulator.world("users")
    for client in clients.values():
        found = taken(client.get("account/info/"))
        assert users[found["uid"]]["username"] == found["username"]
        assert "token" not in found
