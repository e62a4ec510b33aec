"""Notification channels, and the mail addresses that are verified for them."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse_by_switch
from airflow_provider.emulator.behaviour import channels
from airflow_provider.emulator.behaviour.channels import CHANNEL, channel_view, check_address, owned, sees, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

TABLE = "notificationChannels"


@serves("listNotificationChannels")
def list_channels(call: Call) -> Answer:
    """The channels that the user sees."""
    rows = [one for one in call.service.store.rows(TABLE) if sees(call.user, one)]
    part = call.arguments.get("namePart")
    if part is not None:
        rows = [one for one in rows if part in one["name"]]
    return call.page([channel_view(call.service, one) for one in call.service.listed(rows)])


@serves("createNotificationChannel")
def create_channel(call: Call) -> Answer:
    """A new channel; one for mail needs the code that was mailed to the address."""
    if call.body["channelType"] == "Email":
        check_address(call.service, call.body, call.body.get("emailAddress"), new=True)
    channel = {
        **channels.stored(CHANNEL, call.body),
        "channelType": call.body["channelType"],
        "orgId": call.body.get("orgId"),
        "uid": call.user["id"],
        "createdAt": call.service.clock.now(),
        "updatedAt": None,
        "lastNotificationAt": None,
    }
    made = call.service.store.add(TABLE, channel, "notificationChannelCreated")
    return Answer(201, channel_view(call.service, made))


@serves("getNotificationChannel")
def get_channel(call: Call) -> Answer:
    """One channel."""
    channel = visible(call.service, call.user, TABLE, call.arguments["channelId"], "Channel")
    return Answer(200, channel_view(call.service, channel))


@serves("updateNotificationChannel")
def update_channel(call: Call) -> Answer:
    """204; the type stays."""
    channel = _owned(call)
    body = call.body or {}
    if channel["channelType"] == "Email":
        address = body.get("emailAddress", channel["emailAddress"])
        if address != channel["emailAddress"] or call.service.switches["email_update_code"] == "always":
            check_address(call.service, body, address, new=False)
    changes = channels.put(call.service, CHANNEL, channel, body)
    changes["updatedAt"] = call.service.clock.now()
    call.service.store.change(TABLE, channel["id"], changes, "notificationChannelUpdated")
    return empty(204)


@serves("deleteNotificationChannel")
def delete_channel(call: Call) -> Answer:
    """204; what becomes of its policies is a switch."""
    channel = _owned(call)
    policies = channels.policies_of(call.service, channel)
    value = call.service.switches["delete_used_channel"]
    if policies and value != "deletes_policies":
        raise refuse_by_switch(value, "The channel is used by notification policies.")
    for policy in policies:
        call.service.store.remove("notificationPolicies", policy["id"], "notificationPolicyDeleted")
    call.service.store.remove(TABLE, channel["id"], "notificationChannelDeleted")
    return empty(204)


def _owned(call: Call) -> Record:
    return owned(call.service, call.user, TABLE, call.arguments["channelId"], "Channel")


@serves("createNotificationEmailChannelVerification")
def verify_address(call: Call) -> Answer:
    """Mails a six-digit code to the address."""
    return Answer(200, {"notificationId": channels.mail_code(call.service, call.body["emailAddress"])["id"]})


@serves("checkNotificationEmailChannelVerification")
def check_code(call: Call) -> Answer:
    """Whether the code is right."""
    found = channels.take_code(call.service, call.body["emailAddress"], call.body["verificationCode"])
    return Answer(200, {"status": found})
