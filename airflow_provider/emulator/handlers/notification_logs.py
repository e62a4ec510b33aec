"""What was sent: the log, tests of webhooks and their results, and sending again."""

from __future__ import annotations

import json

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import notifying
from airflow_provider.emulator.behaviour.notifying import Happening
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

LATEST = 25  # that the service shows (wire.md I)
WORDS = {
    "sent": {"pending": "pending", "sent": "sent", "failed": "failed"},
    "success": {"pending": "inProgress", "sent": "success", "failed": "error"},
    "upper": {"pending": "PENDING", "sent": "SUCCEEDED", "failed": "FAILED"},
}  # of the switch notification_words
NOTHING = {"statusCode": "", "headers": "", "body": "", "duration": 0}


@serves("listNotificationLogs")
def list_logs(call: Call) -> Answer:
    """The latest notifications by the user's policies, newest first (seed 001:408)."""
    rows = [one for one in call.service.store.rows("notifications") if one["policyId"] and _mine(call, one)]
    for name in ("policyId", "channelId"):
        if name in call.arguments:
            rows = [one for one in rows if one[name] == call.arguments[name]]
    rows.reverse()
    if call.service.switches["notification_logs"] == "25":
        rows = rows[:LATEST]
    return call.page([{**_log(call, one), "request": _request(one), "response": _response(one)} for one in rows])


@serves("createNotificationWebhookChannelTest")
def test_webhook(call: Call) -> Answer:
    """Sends a test to a channel that need not exist; the page lists all types of channels, not webhooks alone."""
    happening = Happening("misc.webhook_connection_test", "notification_channel", {"id": None, **_named(call.body)})
    payload = notifying.payload_of(call.service, happening)
    sent = notifying.send(call.service, call.body, payload, policy_id="", owner=call.user["id"])
    return Answer(201, {"notificationId": sent["id"]})


def _named(body: Record) -> Record:
    return {"name": body["name"], "channel_type": body["channelType"]}


@serves("getNotificationWebhookChannelTest")
def get_test(call: Call) -> Answer:
    """How a test went."""
    note = _visible(call, call.arguments["notificationId"])
    if note["state"] == "pending" and call.service.switches["webhook_test_pending"] == "404":
        raise refuse(404, "The notification is not logged yet.")
    log = _log(call, note)
    response = None if note["response"] is None else json.dumps(_response(note))
    log |= {"request": json.dumps(_request(note)), "response": response}
    return Answer(200, {"status": log["status"], "notificationLog": log})


@serves("resendNotification")
def resend(call: Call) -> Answer:
    """Sends a notification again; 200 without a body."""
    note = _visible(call, call.body["notificationId"])
    channel = call.service.store.get("notificationChannels", note["channelId"])
    if channel is None:
        raise refuse(404, "The channel of this notification is gone.")
    notifying.send(
        call.service,
        channel,
        note["payload"],
        policy_id=note["policyId"],
        owner=note["owner"],
        parent=note["id"],
    )
    return empty(200)


def _mine(call: Call, note: Record) -> bool:
    return bool(note["owner"] == call.user["id"] or is_admin(call.user))


def _visible(call: Call, key: str) -> Record:
    note = call.service.store.get("notifications", key)
    if note is None or not _mine(call, note):
        raise refuse(404, f"Notification {key} not found.")
    return note


def _log(call: Call, note: Record) -> Record:
    return {
        "id": note["id"],
        "channelId": note["channelId"],
        "channelScope": note["channelScope"],
        "policyId": note["policyId"],
        "parentNotificationId": note["parentId"],
        "emailSubject": note["emailSubject"],
        "retryCount": 0,
        "status": WORDS[call.service.switches["notification_words"]][note["state"]],
        "timestamp": iso(note["at"]),
    }


def _request(note: Record) -> Record:
    headers = {one["name"]: one["value"] for one in note["customHeaders"]}
    return {**note["request"], "headers": json.dumps(headers)}


def _response(note: Record) -> Record:
    return note["response"] or NOTHING
