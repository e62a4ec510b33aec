"""Channels, policies, mutes, events, and what users are told."""

from __future__ import annotations

from tests.faults.case import Case, Given, World
from tests.stages import LABELLED

CHANNEL = {"name": "ops", "payload_url": "http://127.0.0.1:9/a"}
EVENT = "management.deploymentInfo"


def _channel(world: World) -> Given:
    made = world.made("notification_channels.CreateNotificationChannel", name="bell", channel_type="InApp")
    return {"channel_id": str(made["channel_id"])}


def _hook(world: World) -> Given:
    made = world.made("notification_channels.CreateNotificationChannel", **CHANNEL)
    return {"channel_id": str(made["channel_id"])}


def _policy(world: World) -> Given:
    given = {"name": "tell us", "event_type": EVENT, **_channel(world)}
    return {"policy_id": str(world.made("notification_policies.CreateNotificationPolicy", **given)["policy_id"])}


def _muted(world: World) -> Given:
    given = {**_policy(world), "entity_id": LABELLED}
    world.made("notification_mutes.MuteNotificationPolicy", **given)
    return given


def _receiver(world: World) -> Given:
    world.stage.at(0.5, world.stage.service.deliveries)
    return {"payload_url": world.receiver.url}


def _sent(world: World) -> Given:
    hook = {"name": "hook", "payload_url": world.receiver.url}
    channel = world.made("notification_channels.CreateNotificationChannel", **hook)["channel_id"]
    given = {"name": "p", "channel_id": channel, "event_type": EVENT}
    world.made("notification_policies.CreateNotificationPolicy", **given)
    world.made("remote_events.CreateRemoteEvent", deployment_id=LABELLED, title="hello")
    world.stage.service.deliveries()
    [entry] = world.send("GET", f"notificationLogs/?channelId={channel}")["data"]
    return {"notification_id": str(entry["id"])}


def _told(world: World) -> Given:
    world.stage.service.change("deployments", LABELLED, health={"service": "failing"})
    notes = world.send("GET", "userNotifications/")["data"]
    return {"notification_ids": [str(one["userNotificationId"]) for one in notes][:1]}


CASES = [
    Case("notification_channels.CreateNotificationChannel", {"notificationChannelCreated": 1}, CHANNEL),
    Case(
        "notification_channels.UpdateNotificationChannel",
        {"notificationChannelUpdated": 1},
        {"payload_url": "http://127.0.0.1:9/b"},
        ready=_hook,
    ),
    Case("notification_channels.DeleteNotificationChannel", {"notificationChannelDeleted": 1}, ready=_channel),
    Case(
        "notification_policies.CreateNotificationPolicy",
        {"notificationPolicyCreated": 1},
        {"name": "tell us", "event_type": EVENT},
        ready=_channel,
    ),
    Case(
        "notification_policies.UpdateNotificationPolicy",
        {"notificationPolicyUpdated": 1},
        {"name": "tell all"},
        ready=_policy,
    ),
    Case("notification_policies.DeleteNotificationPolicy", {"notificationPolicyDeleted": 1}, ready=_policy),
    Case(
        "notification_mutes.MuteNotificationPolicy",
        {"notificationMuted": 1},
        {"entity_id": LABELLED},
        ready=_policy,
    ),
    Case("notification_mutes.UnmuteNotificationPolicy", {"notificationUnmuted": 1}, ready=_muted),
    Case("notification_logs.ResendNotification", {"accepted resendNotification": 1}, ready=_sent, anew=True),
    Case(
        "webhook_tests.TestWebhookChannel",
        {"accepted createNotificationWebhookChannelTest": 1},
        ready=_receiver,
        anew=True,
    ),
    Case(
        "remote_events.CreateRemoteEvent",
        {"remoteEventCreated": 1},
        {"deployment_id": LABELLED, "title": "hello"},
        anew=True,
    ),
    Case("user_notifications.MarkUserNotificationsRead", {"userNotificationRead": 1}, ready=_told),
    Case("user_notifications.DeleteUserNotifications", {"userNotificationDeleted": 1}, ready=_told),
]
