"""Notification channels by name: made once, compared, written as a whole, with their secrets hidden."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task
    from tests.receiver import Receiver

SECRET = "s3cret-of-the-hook"
HEADERS = {"X-Team": "private-header"}
WANTED = {"name": "ops", "payload_url": "http://127.0.0.1:9/a", "secret_token": SECRET, "custom_headers": HEADERS}
SWITCHES = [
    {},
    *({switch.name: value} for switch in known().values() if switch.area == "notifications" for value in switch.values),
    {"notification_put": "merge", "channel_secrets": "masked"},
    {"list_order": "newest_first"},
]


@pytest.fixture(autouse=True)
def plain_secrets() -> Iterator[None]:
    """These tests write their secrets out, as a rendered template would leave them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*written out in the DAG file")
        yield


def creating(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator

    return task(stage, DataRobotCreateNotificationChannelOperator, **{**WANTED, **arguments})


def updating(stage: Stage, channel_id: str, **arguments: Any) -> Task:
    from airflow_provider.operators.notification_channels import DataRobotUpdateNotificationChannelOperator

    return task(stage, DataRobotUpdateNotificationChannelOperator, channel_id=channel_id, **arguments)


def deleting(stage: Stage, channel_id: str) -> Ending:
    from airflow_provider.operators.notification_channels import DataRobotDeleteNotificationChannelOperator

    return task(stage, DataRobotDeleteNotificationChannelOperator, channel_id=channel_id).run()


def writes(stage: Stage) -> dict[str, int]:
    return {name: count for name, count in stage.service.accepted().items() if "Notification" in name}


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_a_channel_is_made_once_and_then_only_what_differs_is_written(stage: Stage, switches: dict[str, str]) -> None:
    stage.anew(**switches)
    made = creating(stage).run()
    assert made.state == "success", made
    channel_id = made.result["channel_id"]
    assert made.result == {"channel_id": channel_id, "name": "ops", "created": True, "changed": []}
    again = creating(stage, hidden_secrets="keep").run()
    assert again.result == {"channel_id": channel_id, "name": "ops", "created": False, "changed": []}
    assert writes(stage) == {"createNotificationChannel": 1}
    other = creating(stage, payload_url="http://127.0.0.1:9/b").run()
    assert other.state == "success", other
    assert "payloadUrl" in other.result["changed"]
    assert writes(stage) == {"createNotificationChannel": 1, "updateNotificationChannel": 1}
    now = stage.service.world("notificationChannels")[channel_id]
    assert now["payloadUrl"] == "http://127.0.0.1:9/b"
    assert (now["secretToken"], now["customHeaders"][0]["name"]) == (
        "***",
        "X-Team",
    )  # still there, whatever a PUT does
    assert deleting(stage, channel_id).result == {"channel_id": channel_id, "deleted": True, "policies": 0}
    assert deleting(stage, channel_id).result["deleted"] is False


@pytest.mark.parametrize(("value", "changed"), [("shown", []), ("masked", ["customHeaders", "secretToken"])])
def test_secrets_that_are_not_shown_are_written_each_time(stage: Stage, value: str, changed: list[str]) -> None:
    stage.anew(channel_secrets=value)
    creating(stage).run()
    assert creating(stage).run().result["changed"] == changed


def test_another_secret_is_written(stage: Stage, receiver: Receiver) -> None:
    made = creating(stage, payload_url=receiver.url).run()
    changed = updating(stage, made.result["channel_id"], secret_token="another-secret").run()
    assert changed.result["changed"] == ["secretToken"]
    policy_on(stage, made.result["channel_id"])
    event(stage)
    assert receiver.next().signed_with("another-secret")


def policy_on(stage: Stage, channel_id: str) -> None:
    from airflow_provider.operators.notification_policies import DataRobotCreateNotificationPolicyOperator

    given: dict[str, Any] = {"name": "p", "channel_id": channel_id, "event_type": "management.deploymentInfo"}
    assert task(stage, DataRobotCreateNotificationPolicyOperator, **given).run().state == "success"


def event(stage: Stage) -> None:
    from airflow_provider.operators.remote_events import DataRobotCreateRemoteEventOperator

    given: dict[str, Any] = {"deployment_id": "64e000000000000000000002", "title": "hello"}
    assert task(stage, DataRobotCreateRemoteEventOperator, **given).run().state == "success"


def test_an_update_that_would_lose_a_hidden_secret_is_refused(stage: Stage) -> None:
    stage.anew(channel_secrets="masked")
    channel_id = creating(stage).run().result["channel_id"]
    ended = updating(stage, channel_id, payload_url="http://127.0.0.1:9/c").run()
    assert ended.state == "failed"
    assert "SecretNotReadable" in str(ended.error)
    assert "updateNotificationChannel" not in writes(stage)


def test_an_update_that_is_not_kept_is_found_out(stage: Stage) -> None:
    channel_id = creating(stage).run().result["channel_id"]
    stage.service.lie("notification_put_ignored")
    ended = updating(stage, channel_id, payload_url="http://127.0.0.1:9/c").run()
    assert "NotKept" in str(ended.error)
    assert "payloadUrl" in str(ended.error)


def test_two_of_one_name_are_refused(stage: Stage) -> None:
    channel_id = creating(stage).run().result["channel_id"]
    creating(stage, name="ops 2").run()
    stage.service.change("notificationChannels", channel_id, name="ops 2")
    ended = creating(stage, name="ops 2").run()
    assert "SameName: 2 notification channels have the name 'ops 2'" in str(ended.error)


def test_a_type_cannot_change(stage: Stage) -> None:
    creating(stage).run()
    ended = creating(stage, channel_type="slack").run()
    assert re.search("OtherKind: .* the type Webhook, not Slack", str(ended.error))


@pytest.mark.parametrize("fault", [{"kind": "lost_answer", "answer": "reset"}, {"kind": "lost_answer", "answer": 504}])
def test_a_lost_answer_makes_no_second_channel(stage: Stage, fault: dict[str, Any]) -> None:
    stage.service.fault(**fault, operationId="createNotificationChannel")
    made = creating(stage).run()
    assert made.state == "success", made
    assert stage.service.count("notificationChannelCreated") == 1


def test_a_mail_channel_needs_its_code(stage: Stage) -> None:
    from airflow_provider.operators.call_api import DataRobotCallApiOperator

    mail = {"name": "mail", "channel_type": "Email", "payload_url": None, "email_address": "a@example.com"}
    bare = {"secret_token": None, "custom_headers": None}
    ended = creating(stage, **mail, **bare).run()
    assert "verificationCode" in str(ended.error)
    body = {"channelType": "Email", "emailAddress": "a@example.com", "name": "mail"}
    operation = "createNotificationEmailChannelVerification"
    assert task(stage, DataRobotCallApiOperator, operation_id=operation, body=body).run().state == "success"
    (sent,) = stage.service.world("mails").values()
    code = sent["text"][-7:-1]
    assert creating(stage, **mail, **bare, verification_code=code).run().result["created"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": " "}, "name must be a text"),
        ({"name": "x" * 101}, "name must have at most 100 characters"),
        ({"channel_type": "Pigeon"}, "channel_type must be one of Database"),
        ({"payload_url": None}, "payload_url is needed for a Webhook channel"),
        ({"channel_type": "Email"}, "email_address is needed"),
        ({"content_type": "text/plain"}, "content_type must be one of application/json"),
        ({"custom_headers": ["private-header"]}, "custom_headers must map header names to texts"),
        ({"custom_headers": {"a": 1}}, "custom_headers must map header names to texts"),
        ({"validate_ssl": "perhaps"}, "validate_ssl must be true or false"),
        ({"language_code": "xx"}, "language_code must be one of en"),
        ({"hidden_secrets": "x"}, "hidden_secrets must be one of write, keep"),
        ({"org_id": "a b"}, "org_id must be an id"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], said: str) -> None:
    ended = creating(stage, **arguments).run()
    assert ended.state == "failed"
    assert said in str(ended.error)
    assert "private-header" not in str(ended.error)
    assert stage.service.log() == []


def test_plan_only_shows_no_secret(stage: Stage) -> None:
    planned = creating(stage, plan_only=True).run().result
    assert planned["plan"]["operation"] == "createNotificationChannel"
    assert planned["plan"]["body"]["secretToken"] == "***"
    assert SECRET not in json.dumps(planned)
    assert "private-header" not in json.dumps(planned)


def test_a_secret_in_the_dag_file_is_warned_of() -> None:
    from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator
    from airflow_provider.tasks.secret_arguments import PlainSecretWarning

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        DataRobotCreateNotificationChannelOperator(
            task_id="t",
            name="x",
            secret_token="{{ conn.hook.password }}",
            custom_headers={"a": "{{ conn.hook.login }}"},
        )
        assert seen == []
        DataRobotCreateNotificationChannelOperator(task_id="t", name="x", **{"secret_token": SECRET})
    (warned,) = seen
    assert warned.category is PlainSecretWarning
    assert SECRET not in str(warned.message)
