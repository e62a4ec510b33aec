"""Tests of webhooks, the log, sending again, remote events, notifications of users."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.notifications.test_channels import HEADERS, SECRET, creating, event, policy_on
from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task
    from tests.receiver import Receiver

CHURN = "64e000000000000000000002"
NOWHERE = "http://192.0.2.1/"  # the emulator refuses to send there


@pytest.fixture(autouse=True)
def plain_secrets() -> Iterator[None]:
    """These tests write their secrets out, as a rendered template would leave them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*written out in the DAG file")
        yield


def trying(stage: Stage, **arguments: Any) -> Task:
    """A test of a webhook; on the first sleep everything that is on its way arrives."""
    from airflow_provider.operators.webhook_tests import DataRobotTestWebhookChannelOperator

    stage.at(0.5, stage.service.deliveries)
    return task(stage, DataRobotTestWebhookChannelOperator, **arguments)


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "on the worker"])
@pytest.mark.parametrize(
    "switches",
    [{}, *({name: one} for name in ("notification_words", "webhook_test_pending") for one in known()[name].values)],
    ids=str,
)
def test_a_webhook_that_answers(stage: Stage, receiver: Receiver, switches: dict[str, str], deferrable: bool) -> None:
    stage.anew(**switches)
    given = {"payload_url": receiver.url, "secret_token": SECRET, "custom_headers": HEADERS}
    tried = trying(stage, deferrable=deferrable, **given)
    ended = tried.run()
    assert ended.state == "success", ended
    assert (ended.result["response_status"], ended.result["response"]) == ("200", "thanks")
    came = receiver.next()
    assert came.signed_with(SECRET)
    assert came.headers["x-team"] == "private-header"
    kept = json.dumps([ended.result, tried.xcoms, tried.trigger, tried.store.values if tried.store else None])
    assert [word for word in (SECRET, "private-header", came.headers["dr-signature"]) if word in kept] == []
    assert stage.service.accepted()["createNotificationWebhookChannelTest"] == 1


def test_a_webhook_that_refuses_fails_the_task_with_its_answer(stage: Stage, receiver: Receiver) -> None:
    receiver.status = 503
    ended = trying(stage, payload_url=receiver.url).run()
    assert ended.state == "retry"
    assert "failed; the receiver answered 503: thanks" in str(ended.error)
    ended = trying(stage, payload_url=NOWHERE).run()
    assert "loopback addresses only" in str(ended.error)


def test_a_word_that_nobody_knows_is_named() -> None:
    from airflow_provider.api.waits import EntityWait, Unknown
    from tests.api.test_waits import Said

    found = EntityWait("x/", "webhookTest").receive(Said({"status": "ENCHANTED", "notificationLog": {}}))
    assert found == Unknown("ENCHANTED")


def test_a_channel_is_tried_out_as_it_is(stage: Stage, receiver: Receiver) -> None:
    channel_id = creating(stage, payload_url=receiver.url).run().result["channel_id"]
    assert trying(stage, channel_id=channel_id).run().state == "success"
    assert receiver.next().signed_with(SECRET)
    stage.service.switches(channel_secrets="masked")
    refused = trying(stage, channel_id=channel_id).run()
    assert "SecretNotReadable" in str(refused.error)
    given = {"secret_token": SECRET, "custom_headers": HEADERS}
    assert trying(stage, channel_id=channel_id, **given).run().state == "success"


def test_a_test_that_is_not_waited_for_has_a_sensor(stage: Stage, receiver: Receiver) -> None:
    from airflow_provider.sensors.webhook_test import DataRobotWebhookTestSensor

    def waiting(key: str, **arguments: Any) -> Ending:
        return task(stage, DataRobotWebhookTestSensor, notification_id=key, **arguments).run()

    started = trying(stage, payload_url=receiver.url, secret_token=SECRET, wait=False).run().result
    assert started["status"] is None
    ended = waiting(started["notification_id"])
    assert ended.result == {
        "notification_id": started["notification_id"],
        "status": "sent",
        "response_status": "200",
        "duration": ended.result["duration"],
    }
    failed = trying(stage, payload_url=NOWHERE, wait=False).run().result
    assert waiting(failed["notification_id"]).state == "failed"
    late = waiting("0" * 24, timeout=120)
    assert "not over after 120 s" in str(late.error)


def test_a_lost_answer_sends_no_second_test(stage: Stage, receiver: Receiver) -> None:
    stage.service.fault("lost_answer", answer="reset", operationId="createNotificationWebhookChannelTest")
    ended = trying(stage, payload_url=receiver.url).run()
    assert "OutcomeUnknown" in str(ended.error)
    assert stage.service.accepted()["createNotificationWebhookChannelTest"] == 1


def test_a_webhook_needs_an_address(stage: Stage) -> None:
    assert "payload_url is needed" in str(trying(stage).run().error)


# --- log ----------------------------------------------------------------------------------------------------------


def test_the_log_and_sending_again(stage: Stage, receiver: Receiver) -> None:
    from airflow_provider.operators.notification_logs import (
        DataRobotListNotificationLogsOperator,
        DataRobotResendNotificationOperator,
    )

    channel_id = creating(stage, payload_url=receiver.url).run().result["channel_id"]
    policy_on(stage, channel_id)
    event(stage)
    first = receiver.next()
    stage.service.deliveries()
    (entry,) = read_only(stage, DataRobotListNotificationLogsOperator, channel_id=channel_id).run().result
    assert (entry["status"], entry["request"]["headers"]) == ("sent", "***")
    assert first.headers["dr-signature"] not in json.dumps(entry)
    again = task(stage, DataRobotResendNotificationOperator, notification_id=entry["id"]).run()
    assert again.result == {"notification_id": entry["id"]}
    assert receiver.next().body == first.body
    newest = read_only(stage, DataRobotListNotificationLogsOperator, limit="1").run().result
    assert [one["parentNotificationId"] for one in newest] == [entry["id"]]
    missing = task(stage, DataRobotResendNotificationOperator, notification_id="0" * 24).run()
    assert "NotFound" in str(missing.error)


def test_the_generic_operator_shows_no_header_of_what_was_sent(stage: Stage, receiver: Receiver) -> None:
    from airflow_provider.operators.call_api import DataRobotCallApiOperator

    given = {"payload_url": receiver.url, "secret_token": SECRET, "custom_headers": HEADERS}
    test_id = trying(stage, **given).run().result["notification_id"]
    signature = receiver.next().headers["dr-signature"]
    operation: dict[str, Any] = {"operation_id": "getNotificationWebhookChannelTest"}
    read = task(stage, DataRobotCallApiOperator, **operation, arguments={"notificationId": test_id}).run()
    assert read.result["body"]["status"] == "sent"
    assert [word for word in (SECRET, "private-header", signature) if word in json.dumps(read.result)] == []


# --- remote events ------------------------------------------------------------------------------------------------


def posting(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.remote_events import DataRobotCreateRemoteEventOperator

    return task(stage, DataRobotCreateRemoteEventOperator, **{"deployment_id": CHURN, "title": "hello", **arguments})


def events(stage: Stage) -> list[dict[str, Any]]:
    return [one["event"] for one in stage.service.world("remoteEvents").values()]


def test_an_event_is_posted(stage: Stage) -> None:
    data = {"newModelId": "a", "oldModelId": "b", "reason": "c"}
    ended = posting(
        stage,
        event_type="model_deployments.model_replacement",
        message="m",
        timestamp="2026-03-01T12:00:00+02:00",
        data=json.dumps(data),
    ).run()
    assert ended.result == {
        "deployment_id": CHURN,
        "event_type": "model_deployments.model_replacement",
        "timestamp": "2026-03-01T10:00:00.000000Z",
        "message": "The event was created.",
    }
    (sent,) = events(stage)
    assert (sent["title"], sent["message"], sent["data"]) == ("hello", "m", data)


def test_without_a_timestamp_it_happened_now(stage: Stage) -> None:
    assert posting(stage).run().result["timestamp"].startswith("2026-03-02T08:00:00")
    assert "message" not in events(stage)[0]


def test_a_lost_answer_posts_no_second_event(stage: Stage) -> None:
    stage.service.fault("lost_answer", answer=504, operationId="createRemoteEvent")
    assert "OutcomeUnknown" in str(posting(stage).run().error)
    assert len(events(stage)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"deployment_id": "{{ x }}"}, "deployment_id must be an id"),
        ({"title": ""}, "title must be a text"),
        ({"title": "x" * 513}, "title must have at most 512 characters"),
        ({"message": "x" * 16_385}, "message must have at most 16384 characters"),
        ({"event_type": "sunshine"}, "event_type must be one of deploymentInfo"),
        ({"timestamp": "2026-03-01T12:00:00"}, "timestamp must be a moment in ISO 8601 with a zone"),
        ({"timestamp": "yesterday"}, "timestamp must be a moment"),
        ({"data": "[]"}, "data must be a mapping"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], said: str) -> None:
    ended = posting(stage, **arguments).run()
    assert ended.state == "failed"
    assert said in str(ended.error)
    assert stage.service.log() == []


def test_the_events_are_those_of_the_contract() -> None:
    from airflow_provider.contract import contract
    from airflow_provider.mlops import notifications

    documented = contract().schemas["RemoteEventCreate"]["properties"]["eventType"]["enum"]
    assert list(notifications.EVENTS) == documented
    kinds = contract().schemas["NotificationChannelCreate"]["properties"]["channelType"]["enum"]
    assert list(notifications.CHANNEL_TYPES) == kinds


# --- users --------------------------------------------------------------------------------------------------------


def told(stage: Stage, **arguments: Any) -> list[str]:
    from airflow_provider.operators.user_notifications import DataRobotListUserNotificationsOperator

    rows = read_only(stage, DataRobotListUserNotificationsOperator, **arguments).run().result
    return [one["userNotificationId"] for one in rows]


def test_notifications_of_the_user(stage: Stage) -> None:
    from airflow_provider.operators import user_notifications as area

    for kind in ("service", "model", "accuracy"):
        stage.service.change("deployments", CHURN, health={kind: "failing"})
    newest, middle, oldest = told(stage)
    assert told(stage, limit=1) == [newest]
    mark, delete = area.DataRobotMarkUserNotificationsReadOperator, area.DataRobotDeleteUserNotificationsOperator
    given: dict[str, Any] = {"notification_ids": f"{oldest},{'0' * 24}"}
    assert task(stage, mark, **given).run().result == {"marked": [oldest]}
    assert task(stage, mark, **given).run().result == {"marked": []}
    assert told(stage, is_read="true") == [oldest]
    assert task(stage, mark, everything=True).run().result == {"marked": [newest, middle]}
    assert told(stage, is_read=False) == []
    assert task(stage, delete, notification_ids=[middle]).run().result == {"deleted": [middle]}
    assert task(stage, delete, everything="yes").run().result == {"deleted": [newest, oldest]}
    assert told(stage) == []
    accepted = stage.service.accepted()
    assert (accepted["markUserNotificationRead"], accepted["markAllUserNotificationsRead"]) == (1, 1)
    assert "one of the two" in str(task(stage, delete).run().error)
