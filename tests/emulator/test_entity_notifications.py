"""Channels and policies of one deployment, as the Terraform provider makes them (wire.md I)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED, taken
from tests.emulator.test_notification_channels import SECRET
from tests.emulator.test_notification_policies import event, logs
from tests.receiver import Receiver, receiving

RELATED = {"relatedEntityType": "deployment", "relatedEntityId": UNGOVERNED}
CHANNELS = f"entityNotificationChannels/deployment/{UNGOVERNED}/"
POLICIES = f"entityNotificationPolicies/deployment/{UNGOVERNED}/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def channel(client: httpx.Client, url: str = "http://127.0.0.1:9/", **more: Any) -> dict[str, Any]:
    body = {"channelType": "Webhook", "name": "hook", "payloadUrl": url, "secretToken": SECRET, **RELATED, **more}
    answer = client.post("entityNotificationChannels/", json=body)
    assert answer.status_code == 201, answer.text
    return taken(answer)


def policy(client: httpx.Client, channel_id: str, **more: Any) -> httpx.Response:
    body = {"name": "p", "channelId": channel_id, "channelScope": "entity", "active": True, **RELATED, **more}
    return client.post("entityNotificationPolicies/", json=body)


def test_a_channel_from_its_creation_to_its_end(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client
) -> None:
    made = channel(requester, drEntities=[{"id": "a", "name": "b"}])
    assert (made["relatedEntityType"], made["relatedEntityId"]) == ("deployment", UNGOVERNED)
    path = f"{CHANNELS}{made['id']}/"
    assert taken(requester.get(path)) == made
    assert taken(reviewer.get(CHANNELS))["data"] == [made]
    assert outsider.get(CHANNELS).status_code == 404
    assert reviewer.put(path, json={"name": "x"}).status_code == 403
    body = {name: value for name, value in made.items() if value is not None} | {"name": "other"}
    changed = requester.put(path, json=body)
    assert (changed.status_code, changed.json()["name"]) == (200, "other")
    assert taken(requester.get("notificationChannels/"))["data"] == []
    assert requester.get(f"notificationChannels/{made['id']}/").status_code == 404
    elsewhere = f"entityNotificationChannels/deployment/{GOVERNED}/{made['id']}/"
    assert requester.get(elsewhere).status_code == 404
    assert requester.get("entityNotificationChannels/project/1/").status_code == 422
    assert requester.delete(path).status_code == 204
    assert requester.get(path).status_code == 404


def test_a_policy_from_its_creation_to_its_end(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    made = taken(policy(requester, channel(requester)["id"], eventGroup="model_deployments.all"))
    assert (made["eventGroup"]["id"], made["eventType"]) == ("model_deployments.all", None)
    assert made["channel"]["name"] == "hook"
    path = f"{POLICIES}{made['id']}/"
    assert taken(requester.get(path)) == made
    assert [one["id"] for one in taken(requester.get(POLICIES))["data"]] == [made["id"]]
    assert taken(requester.get("notificationPolicies/"))["data"] == []
    body = {"name": "q", "channelId": made["channelId"], "eventType": "change_request.created", "active": False}
    changed = taken(requester.put(path, json=body))
    assert (changed["name"], changed["active"], changed["eventGroup"]) == ("q", False, None)
    assert requester.delete(path).status_code == 204
    assert taken(requester.get(POLICIES))["data"] == []
    assert emulator.count("notificationPolicyDeleted") == 1


def test_what_a_policy_cannot_name(requester: httpx.Client) -> None:
    made = channel(requester)
    assert "eventType" in policy(requester, made["id"], eventType="sunshine").json()["errors"]
    assert "channelId" in policy(requester, "0" * 24, eventType="change_request.created").json()["errors"]
    other = channel(requester, relatedEntityId=GOVERNED)
    assert policy(requester, other["id"], eventType="change_request.created").status_code == 422


def test_a_policy_is_about_its_own_deployment(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver
) -> None:
    made = taken(policy(requester, channel(requester, receiver.url)["id"], eventType="management.deploymentInfo"))
    event(requester, GOVERNED)
    event(requester, UNGOVERNED)
    assert receiver.next().json()["event"]["entity_id"] == UNGOVERNED
    emulator.deliveries()
    (log,) = logs(requester)
    assert (log["policyId"], log["channelScope"]) == (made["id"], "entity")
    assert requester.delete(f"{CHANNELS}{made['channelId']}/").status_code == 409
    emulator.switches(delete_used_channel="deletes_policies")
    assert requester.delete(f"{CHANNELS}{made['channelId']}/").status_code == 204
    assert taken(requester.get(POLICIES))["data"] == []


@pytest.mark.parametrize("value", ["200", "204"])
def test_switch_entity_notification_put(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(entity_notification_put=value)
    made = channel(requester)
    answer = requester.put(f"{CHANNELS}{made['id']}/", json={"name": "other"})
    assert str(answer.status_code) == value
    assert taken(requester.get(f"{CHANNELS}{made['id']}/"))["name"] == "other"
