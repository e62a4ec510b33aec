"""Notification policies by name, and mutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task

CHURN = "64e000000000000000000002"
WANTED = {"name": "tell us", "event_type": "management.deploymentInfo"}
SWITCHES = [
    {switch.name: value} for switch in known().values() if switch.area == "notifications" for value in switch.values
]


def channel(stage: Stage, name: str = "bell") -> str:
    from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator

    made = task(stage, DataRobotCreateNotificationChannelOperator, name=name, channel_type="InApp").run()
    return str(made.result["channel_id"])


def creating(stage: Stage, channel_id: str, **arguments: Any) -> Task:
    from airflow_provider.operators.notification_policies import DataRobotCreateNotificationPolicyOperator

    return task(stage, DataRobotCreateNotificationPolicyOperator, **{**WANTED, **arguments, "channel_id": channel_id})


def updating(stage: Stage, policy_id: str, **arguments: Any) -> Ending:
    from airflow_provider.operators.notification_policies import DataRobotUpdateNotificationPolicyOperator

    return task(stage, DataRobotUpdateNotificationPolicyOperator, policy_id=policy_id, **arguments).run()


def muting(stage: Stage, kind: str, policy_id: str, entity_id: str = CHURN) -> Ending:
    from airflow_provider.operators import notification_mutes

    made = getattr(notification_mutes, f"DataRobot{kind}NotificationPolicyOperator")
    return task(stage, made, policy_id=policy_id, entity_id=entity_id).run()


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_a_policy_is_made_once_and_then_only_what_differs_is_written(stage: Stage, switches: dict[str, str]) -> None:
    stage.anew(**switches)
    channel_id = channel(stage)
    made = creating(stage, channel_id).run()
    assert made.state == "success", made
    policy_id = made.result["policy_id"]
    assert (made.result["created"], made.result["changed"]) == (True, [])
    assert creating(stage, channel_id).run().result["changed"] == []
    other = channel(stage, "gong")
    changed = creating(stage, other, active="no").run()
    assert changed.result == {
        "policy_id": policy_id, "name": "tell us", "created": False, "changed": ["channelId", "active"],
    }  # fmt: skip
    accepted = stage.service.accepted()
    assert (accepted["createNotificationPolicy"], accepted["updateNotificationPolicy"]) == (1, 1)
    assert updating(stage, policy_id, name="tell us").result == {"policy_id": policy_id, "changed": []}
    kept = stage.service.world("notificationPolicies")[policy_id]
    assert (kept["active"], kept["channelId"], kept["eventType"]) == (False, other, "management.deploymentInfo")


@pytest.mark.parametrize(("value", "state"), [("replace", "success"), ("merge", "failed")])
def test_a_group_in_place_of_an_event(stage: Stage, value: str, state: str) -> None:
    """Where a PUT merges, nothing takes the event away; that is found out."""
    stage.anew(notification_put=value)
    policy_id = creating(stage, channel(stage)).run().result["policy_id"]
    ended = updating(stage, policy_id, event_group="model_deployments.all")
    assert ended.state == state
    if state == "failed":
        assert "NotKept" in str(ended.error)
        assert "eventType" in str(ended.error)
    else:
        assert ended.result["changed"] == ["eventGroup", "eventType"]


def test_a_policy_is_deleted_once(stage: Stage) -> None:
    from airflow_provider.operators.notification_policies import DataRobotDeleteNotificationPolicyOperator

    policy_id = creating(stage, channel(stage)).run().result["policy_id"]
    for deleted in (True, False):
        ended = task(stage, DataRobotDeleteNotificationPolicyOperator, policy_id=policy_id).run()
        assert ended.result == {"policy_id": policy_id, "deleted": deleted}


def test_a_lost_answer_makes_no_second_policy(stage: Stage) -> None:
    channel_id = channel(stage)
    stage.service.fault("lost_answer", answer="reset", operationId="createNotificationPolicy")
    assert creating(stage, channel_id).run().state == "success"
    assert stage.service.count("notificationPolicyCreated") == 1


def test_two_of_one_name_are_refused(stage: Stage) -> None:
    channel_id = channel(stage)
    first = creating(stage, channel_id).run().result["policy_id"]
    creating(stage, channel_id, name="other").run()
    stage.service.change("notificationPolicies", first, name="other")
    assert "SameName" in str(creating(stage, channel_id, name="other").run().error)


def test_mutes_are_made_once_and_taken_away_whole(stage: Stage) -> None:
    policy_id = creating(stage, channel(stage)).run().result["policy_id"]
    made = muting(stage, "Mute", policy_id).result
    assert made == {"mute_id": made["mute_id"], "policy_id": policy_id, "entity_id": CHURN, "created": True}
    assert muting(stage, "Mute", policy_id).result == {**made, "created": False}
    assert stage.service.count("notificationMuted") == 1
    assert muting(stage, "Unmute", policy_id).result["deleted"] == [made["mute_id"]]
    assert muting(stage, "Unmute", policy_id).result["deleted"] == []
    assert "NotFound" in str(muting(stage, "Mute", "0" * 24).error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": None}, "name must be a text"),
        ({"channel_id": "a b"}, "channel_id must be an id"),
        ({"event_type": None}, "give event_type or event_group"),
        ({"event_group": "model_deployments.all"}, "give event_type or event_group, not both"),
        ({"event_type": "sunshine"}, "eventType"),
        ({"active": "perhaps"}, "active must be true or false"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], said: str) -> None:
    ended = creating(stage, arguments.pop("channel_id", "0" * 24), **arguments).run()
    assert ended.state == "failed"
    assert said in str(ended.error)
    assert stage.service.log() == []
