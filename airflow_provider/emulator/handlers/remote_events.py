"""Events from outside, and the notifications of users."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import happenings, user_notifications
from airflow_provider.emulator.behaviour.rights import visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

TABLE = "userNotifications"
__all__ = ["happenings"]  # imported here, it follows what is committed


@serves("createRemoteEvent")
def create_event(call: Call) -> Answer:
    """201; 404 for a deployment that the user does not see (seed 001:1092)."""
    deployment_id = call.body.get("deploymentId")
    if deployment_id is not None:
        visible(call.service, call.user, deployment_id)
    event = {"event": call.body, "uid": call.user["id"], "at": call.service.clock.now()}
    call.service.store.add("remoteEvents", event, "remoteEventCreated")
    return Answer(201, {"message": "The event was created."})


@serves("listUserNotifications")
def list_notifications(call: Call) -> Answer:
    """What the user was told of, newest first."""
    rows = user_notifications.of_user(call.service, call.user)
    if "isRead" in call.arguments:
        wanted = str(call.arguments["isRead"]).lower() == "true"
        rows = [one for one in rows if one["isRead"] is wanted]
    return call.page([user_notifications.view(one) for one in rows])


@serves("markAllUserNotificationsRead")
def read_all(call: Call) -> Answer:
    """204."""
    for note in user_notifications.of_user(call.service, call.user):
        _read(call, note)
    return empty(204)


@serves("markUserNotificationRead")
def read_one(call: Call) -> Answer:
    """204."""
    _read(call, _mine(call))
    return empty(204)


@serves("deleteAllUserNotifications")
def delete_all(call: Call) -> Answer:
    """204."""
    for note in user_notifications.of_user(call.service, call.user):
        call.service.store.remove(TABLE, note["id"], "userNotificationDeleted")
    return empty(204)


@serves("deleteUserNotification")
def delete_one(call: Call) -> Answer:
    """204."""
    call.service.store.remove(TABLE, _mine(call)["id"], "userNotificationDeleted")
    return empty(204)


def _read(call: Call, note: Record) -> None:
    changes = {"isRead": True, "updated": call.service.clock.now()}
    call.service.store.change(TABLE, note["id"], changes, "userNotificationRead")


def _mine(call: Call) -> Record:
    key = call.arguments["userNotificationId"]
    for note in user_notifications.of_user(call.service, call.user):
        if note["id"] == key:
            return note
    raise refuse(404, f"Notification {key} not found.")
