"""Notification policies and mutes, what triggers them, and the log of what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import (
    ADMIN,
    CANDIDATE,
    GOVERNED,
    REQUESTER,
    UNGOVERNED,
    ask_for,
    replace,
    review,
    set_status,
    taken,
)
from tests.emulator.test_datasets import upload
from tests.emulator.test_notification_channels import SECRET, webhook
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def policy(client: httpx.Client, channel_id: str, **more: Any) -> dict[str, Any]:
    body = {"channelId": channel_id, "name": "policy"} | (more or {"eventGroup": "model_deployments.all"})
    answer = client.post("notificationPolicies/", json=body)
    assert answer.status_code == 201, answer.text
    return taken(answer)


def on(client: httpx.Client, receiver: Receiver, *events: str, **more: Any) -> list[dict[str, Any]]:
    """A channel to the receiver, and a policy for each event."""
    channel = webhook(client, receiver.url)
    return [policy(client, channel["id"], eventType=event, **more) for event in events]


def logs(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = taken(client.get(f"notificationLogs/?offset=0&limit=100{query}"))["data"]
    return rows


def event(client: httpx.Client, deployment: str = UNGOVERNED, **more: Any) -> httpx.Response:
    body = {"eventType": "deploymentInfo", "timestamp": "2025-06-01T12:00:00Z", "deploymentId": deployment} | more
    return client.post("remoteEvents/", json=body)


def test_a_policy_from_its_creation_to_its_end(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    """Seed 001:469-784: POST 201, GET 200, PUT 204, DELETE 204."""
    channel = webhook(requester)
    made = policy(requester, channel["id"], eventType="change_request.created", active=False)
    assert (made["active"], made["uid"], made["channel"]["name"]) == (False, REQUESTER, "hook")
    assert made["eventType"]["id"] == "change_request.created"
    assert made["eventGroup"] is None
    path = f"notificationPolicies/{made['id']}/"
    assert taken(requester.get(path)) == made
    body = {"name": "p2", "channelId": channel["id"], "active": True, "eventGroup": "change_requests.all"}
    answer = requester.put(path, json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    now = taken(requester.get(path))
    assert (now["name"], now["active"], now["eventType"]) == ("p2", True, None)
    assert "change_request.created" in [one["id"] for one in now["eventGroup"]["events"]]
    for query, found in (
        ("namePart=p", 1),
        ("namePart=z", 0),
        (f"channelId={channel['id']}", 1),
        (f"channelId={'0' * 24}", 0),
        ("eventGroup=change_requests.all", 1),
        ("eventGroup=dataset.all", 0),
    ):
        assert len(taken(requester.get(f"notificationPolicies/?{query}"))["data"]) == found
    assert taken(requester.get(f"notificationChannels/{channel['id']}/"))["policyCount"] == 1
    assert reviewer.get(path).status_code == 404
    assert requester.delete(path).status_code == 204
    assert requester.get(path).status_code == 404
    assert emulator.count("notificationPolicyDeleted", made["id"]) == 1


@pytest.mark.parametrize(("value", "status"), [("refuse_404", 404), ("refuse_422", 422)])
def test_switch_policy_channel_missing(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(policy_channel_missing=value)
    body = {"channelId": "0" * 24, "name": "p"}
    assert requester.post("notificationPolicies/", json=body).status_code == status


@pytest.mark.parametrize(("value", "active"), [("yes", True), ("no", False)])
def test_switch_policy_active(emulator: EmulatorDoor, requester: httpx.Client, value: str, active: bool) -> None:
    emulator.switches(policy_active=value)
    assert policy(requester, webhook(requester)["id"])["active"] is active


def test_events_that_can_be_named(requester: httpx.Client, admin: httpx.Client) -> None:
    """Seed 001:354-400: filtered by the user's permissions and by the kind of entity."""
    all_of_it = taken(requester.get("notificationEvents/"))
    names = {one["id"] for one in all_of_it["events"]}
    assert "dataset.created" in names
    assert "users_delete.started" not in names
    assert "users_delete.started" in {one["id"] for one in taken(admin.get("notificationEvents/"))["events"]}
    of_deployments = taken(requester.get("notificationEvents/?relatedEntityType=deployment"))
    assert "dataset.created" not in {one["id"] for one in of_deployments["events"]}
    groups = {one["id"]: one["events"] for one in of_deployments["eventGroups"]}
    assert "model_deployments.service_health_red" in groups["model_deployments.critical_health"]
    assert "model_deployments.service_health_yellow_from_green" not in groups["model_deployments.critical_health"]
    assert "management.deploymentInfo" in groups["model_deployments.management_agent"]


def test_a_remote_event_arrives_at_the_webhook(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver
) -> None:
    """wire.md I: {event: {entity_id, uid}, event_type, <entity>, timestamp (epoch)}, signed."""
    (made,) = on(requester, receiver, "management.deploymentInfo")
    answer = event(requester, title="Task failed", message="because")
    assert answer.status_code == 201
    assert set(answer.json()) == {"message"}
    came = receiver.next()
    assert came.signed_with(SECRET)
    payload = came.json()
    assert payload["event_type"] == "management.deploymentInfo"
    assert (payload["event"]["entity_id"], payload["event"]["uid"]) == (UNGOVERNED, REQUESTER)
    assert (payload["event"]["title"], payload["event"]["message"]) == ("Task failed", "because")
    assert payload["deployment"]["label"] == "Churn, ungoverned"
    assert isinstance(payload["timestamp"], int)
    emulator.deliveries()
    (log,) = logs(requester)
    assert (log["policyId"], log["channelId"], log["status"]) == (made["id"], made["channelId"], "sent")
    assert log["response"]["statusCode"] == "200"
    assert json.loads(log["request"]["body"]) == payload
    assert "DR-Signature" in log["request"]["headers"]
    assert taken(requester.get(f"notificationPolicies/{made['id']}/"))["lastTriggered"] is not None
    assert taken(requester.get(f"notificationChannels/{made['channelId']}/"))["lastNotificationAt"] is not None


def test_events_of_the_service_itself(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, receiver: Receiver
) -> None:
    channel = webhook(requester, receiver.url)
    for group in ("model_deployments.all", "change_requests.all", "dataset.all"):
        policy(requester, channel["id"], eventGroup=group)

    def heard(count: int) -> list[str]:
        return sorted(receiver.next().json()["event_type"].partition(".")[2] for _ in range(count))

    replace(requester)
    emulator.advance(21)
    assert heard(1) == ["model_replacement"]
    requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive"})
    emulator.advance(11)
    assert heard(1) == ["deployment_shutdown_succeeded"]
    asked = taken(ask_for(requester))
    assert heard(1) == ["created"]
    review(reviewer, asked, "commented")
    review(reviewer, asked)
    assert heard(2) == ["approving_review_added", "commenting_review_added"]
    set_status(requester, asked, "cancelled")
    assert heard(1) == ["cancelled"]
    upload(requester)
    assert heard(1) == ["created"]
    requester.delete(f"deployments/{UNGOVERNED}/")
    assert heard(1) == ["deployment_deletion"]
    assert receiver.came.empty()


def test_changes_of_health(emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver) -> None:
    channel = webhook(requester, receiver.url)
    policy(requester, channel["id"], eventGroup="model_deployments.health")
    for words, name in (
        ({"service": "warning"}, "service_health_yellow_from_green"),
        ({"service": "failing"}, "service_health_red"),
        ({"service": "warning"}, "service_health_yellow_from_red"),
        ({"service": "passing"}, "service_health_green"),
        ({"model": "failing"}, "data_drift_red"),
        ({"accuracy": "failing"}, "accuracy_red"),
        ({"fairness": "warning"}, "health.fairness_health.green_to_yellow"),
        ({"customMetrics": "failing"}, "health.custom_metrics_health.red"),
        ({"customMetrics": "warning"}, "health.custom_metrics_health.red_to_yellow"),
        ({"actualsTimeliness": "failing"}, "actuals_timeliness_health_red"),
    ):
        emulator.change("deployments", UNGOVERNED, health=words)
        assert receiver.next().json()["event_type"] == f"model_deployments.{name}"
    emulator.change("deployments", UNGOVERNED, health={"accuracy": "failing"})
    emulator.change("deployments", UNGOVERNED, health={"accuracy": "unknown", "actualsTimeliness": "passing"})
    emulator.deliveries()
    assert receiver.came.empty()


def test_what_belongs_to_a_deployment(emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver) -> None:
    channel = webhook(requester, receiver.url)
    policy(requester, channel["id"], eventGroup="challenger_management.all")
    policy(requester, channel["id"], eventType="model_deployments.batch_deleted")
    batch = taken(requester.post(f"deployments/{UNGOVERNED}/monitoringBatches/", json={"batchName": "b"}))
    requester.delete(f"deployments/{UNGOVERNED}/monitoringBatches/{batch['id']}/")
    heard = receiver.next().json()
    assert heard["event_type"] == "model_deployments.batch_deleted"
    assert (heard["event"]["entity_id"], heard["event"]["part_id"]) == (UNGOVERNED, batch["id"])
    assert heard["deployment"]["label"] == "Churn, ungoverned"


def test_who_hears_of_what(
    emulator: EmulatorDoor, requester: httpx.Client, outsider: httpx.Client, receiver: Receiver
) -> None:
    """An inactive policy, one for another event, and one of a user who does not see the deployment stay silent."""
    on(requester, receiver, "management.deploymentInfo", active=False)
    on(requester, receiver, "change_request.created")
    on(outsider, receiver, "management.deploymentInfo")
    webhook_only = policy(requester, webhook(requester, receiver.url)["id"], active=True)
    requester.put(f"notificationPolicies/{webhook_only['id']}/", json={})
    assert event(requester).status_code == 201
    assert emulator.deliveries() == {}
    assert event(outsider).status_code == 404  # seed 001:1092
    assert event(requester, eventType="sunshine").status_code == 422


def test_a_mute_keeps_a_policy_silent_about_one_entity(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, receiver: Receiver
) -> None:
    """Seed 001:786-899: POST 200, DELETE 200 without a body."""
    (made,) = on(requester, receiver, "management.deploymentInfo")
    wanted = {"entityId": UNGOVERNED, "policyId": made["id"]}
    answer = requester.post("notificationPolicyMutes/", json=wanted)
    assert answer.status_code == 200
    mute = answer.json()
    assert mute == {"id": mute["id"], "uid": REQUESTER, **wanted}
    event(requester)
    event(requester, GOVERNED)
    assert receiver.next().json()["event"]["entity_id"] == GOVERNED
    assert taken(requester.get(f"notificationPolicyMutes/?entityId={UNGOVERNED}"))["data"] == [mute]
    assert taken(requester.get(f"notificationPolicyMutes/?entityId={GOVERNED}"))["data"] == []
    assert taken(requester.get("notificationPolicyMutes/?orgId=x"))["data"] == []
    assert requester.post("notificationPolicyMutes/", json=wanted).json()["id"] != mute["id"]
    assert reviewer.delete(f"notificationPolicyMutes/{mute['id']}/").status_code == 404
    for one in taken(requester.get("notificationPolicyMutes/"))["data"]:
        answer = requester.delete(f"notificationPolicyMutes/{one['id']}/")
        assert (answer.status_code, answer.content) == (200, b"")
    assert requester.delete(f"notificationPolicyMutes/{mute['id']}/").status_code == 404
    event(requester)
    assert receiver.next().json()["event"]["entity_id"] == UNGOVERNED
    assert emulator.count("notificationMuted") == 2
    assert requester.post("notificationPolicyMutes/", json={**wanted, "policyId": "x"}).status_code == 404


@pytest.mark.parametrize(("value", "count"), [("25", 25), ("all", 30)])
def test_switch_notification_logs(emulator: EmulatorDoor, requester: httpx.Client, value: str, count: int) -> None:
    emulator.switches(notification_logs=value)
    made = policy(requester, webhook(requester, "http://192.0.2.1/")["id"], eventType="management.deploymentInfo")
    other = policy(requester, webhook(requester)["id"], eventType="dataset.created")
    for number in range(30):
        event(requester, title=str(number))
    newest, *_ = found = logs(requester, f"&policyId={made['id']}")
    assert (len(found), newest["status"]) == (count, "failed")
    assert json.loads(newest["request"]["body"])["event"]["title"] == "29"
    assert "loopback" in newest["response"]["body"]
    assert logs(requester, f"&channelId={other['channelId']}") == []


def test_a_notification_is_sent_again(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, receiver: Receiver
) -> None:
    """Seed 001:1000-1029: POST 200 without a body."""
    on(requester, receiver, "management.deploymentInfo")
    event(requester)
    first = receiver.next()
    (log,) = logs(requester)
    body = {"notificationId": log["id"]}
    assert reviewer.post("notifications/", json=body).status_code == 404
    answer = requester.post("notifications/", json=body)
    assert (answer.status_code, answer.content) == (200, b"")
    assert receiver.next().body == first.body
    again, before = logs(requester)
    assert (again["parentNotificationId"], before["parentNotificationId"]) == (log["id"], None)


@pytest.mark.parametrize("kind", ["Slack", "InApp"])
def test_other_kinds_of_channels_are_logged(emulator: EmulatorDoor, requester: httpx.Client, kind: str) -> None:
    channel = webhook(requester, channelType=kind)
    policy(requester, channel["id"], eventType="management.deploymentInfo")
    event(requester)
    (log,) = logs(requester)
    assert log["status"] == ("sent" if kind == "InApp" else "failed")


def test_a_receiver_that_hangs_holds_nothing_up(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver
) -> None:
    """Sent off the event loop: one receiver is silent, answers and the other receiver go on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        policy(requester, webhook(requester, address)["id"], eventType="management.deploymentInfo")
        on(requester, receiver, "management.deploymentInfo")
        assert event(requester).elapsed.total_seconds() < 5
        assert receiver.next().signed_with(SECRET)
        assert "pending" in {one["status"] for one in logs(requester)}


# --- users --------------------------------------------------------------------------------------------------------


def told(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = taken(client.get(f"userNotifications/{query}"))["data"]
    return rows


def test_owners_are_told_of_bad_health(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    """Seed 001:1099-1286: newest first, isRead filters, 204 for all writes; kinds as in seed 001:2500."""
    for kind in ("service", "accuracy"):
        emulator.change("deployments", UNGOVERNED, health={kind: "failing"})
    newest, oldest = told(requester)
    assert newest["eventType"] == "model_deployments.accuracy_red"
    assert newest["relatedDeployment"]["deploymentId"] == UNGOVERNED
    assert told(reviewer) == []
    path = f"userNotifications/{oldest['userNotificationId']}/"
    assert reviewer.patch(path).status_code == 404
    assert requester.patch(path).status_code == 204
    assert [one["eventType"] for one in told(requester, "?isRead=true")] == ["model_deployments.service_health_red"]
    assert [one["eventType"] for one in told(requester, "?isRead=False")] == ["model_deployments.accuracy_red"]
    assert requester.patch("userNotifications/").status_code == 204
    assert told(requester, "?isRead=false") == []
    assert requester.delete(path).status_code == 204
    assert requester.delete(path).status_code == 404
    assert [one["userNotificationId"] for one in told(requester)] == [newest["userNotificationId"]]
    assert requester.delete("userNotifications/").status_code == 204
    assert told(requester) == []
    assert emulator.count("userNotificationDeleted") == 2


def test_the_last_hundred_for_a_month(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I."""
    for number in range(202):
        emulator.change("deployments", UNGOVERNED, health={"service": ("failing", "passing")[number % 2]})
    found = taken(requester.get("userNotifications/?limit=1000"))
    assert found["totalCount"] == 100
    emulator.advance(31 * 86_400)
    assert told(requester) == []


def test_what_is_deferred_by_an_approval_is_told_at_its_own_time(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, admin: httpx.Client, receiver: Receiver
) -> None:
    """A change that nobody asks for at that moment has no user."""
    on(requester, receiver, "model_deployments.model_replacement", "change_request.resolved")
    asked = taken(ask_for(requester, auto_apply=True))
    review(reviewer, asked)
    emulator.advance(30)
    heard = {one["event_type"]: one for one in (receiver.next().json(), receiver.next().json())}
    assert heard["model_deployments.model_replacement"]["deployment"]["model_package_id"] == CANDIDATE
    resolved = heard["change_request.resolved"]["change_request"]
    assert (resolved["id"], resolved["action"]) == (asked["id"], "replaceModelPackage")
    assert ADMIN not in json.dumps(heard)
