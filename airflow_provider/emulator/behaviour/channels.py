"""Channels, policies and mutes of notifications, as they are stored and shown."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.event_catalogue import label_of, members, shown
from airflow_provider.emulator.behaviour.notifying import mail
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CHANNEL = (
    "contentType",
    "customHeaders",
    "emailAddress",
    "languageCode",
    "name",
    "payloadUrl",
    "secretToken",
    "validateSsl",
)
POLICY = ("active", "channelId", "eventGroup", "eventType", "name")
HIDDEN = "********"


def sees(user: Record, record: Record) -> bool:
    """Whether the user sees a channel or policy: the own ones, those of an organisation, all for administrators.

    Those of a deployment are seen there.
    """
    return record.get("relatedEntityId") is None and bool(
        record["uid"] == user["id"] or record["orgId"] is not None or is_admin(user)
    )


def visible(service: Service, user: Record, table: str, key: str, called: str) -> Record:
    """A channel or policy; 404 where there is none that the user sees."""
    record = service.store.get(table, key)
    if record is None or not sees(user, record):
        raise refuse(404, f"{called} {key} not found.")
    return record


def owned(service: Service, user: Record, table: str, key: str, called: str) -> Record:
    """The same; 403 for what others have made."""
    record = visible(service, user, table, key, called)
    if record["uid"] != user["id"] and not is_admin(user):
        raise refuse(403, f"You do not have permission to change this {called.lower()}.")
    return record


def stored(fields: tuple[str, ...], body: Mapping[str, object]) -> Record:
    """The given fields, null where none is given."""
    return {name: body.get(name) for name in fields}


def put(service: Service, fields: tuple[str, ...], record: Record, body: Mapping[str, object]) -> Record:
    """What a PUT makes of a record: what it leaves out stays or goes, by the switch."""
    if service.lies("notification_put_ignored"):
        return {}
    if service.switches["notification_put"] == "replace":
        return {**stored(fields, body), "name": body.get("name", record["name"])}
    return {name: body[name] for name in fields if name in body}


def channel_view(service: Service, channel: Record, *, counted: bool = True) -> Record:
    """A channel; its secrets as the switch says."""
    view = {
        **{name: channel[name] for name in ("id", "channelType", "orgId", "uid", *CHANNEL)},
        "createdAt": iso(channel["createdAt"]),
        "updatedAt": _moment(channel["updatedAt"]),
        **_secrets(channel, service.switches["channel_secrets"]),
    }
    if counted:
        view["policyCount"] = len(policies_of(service, channel))
        view["lastNotificationAt"] = _moment(channel["lastNotificationAt"])
    return view


def _secrets(channel: Record, value: str) -> Record:
    if value == "shown":
        return {}
    token = channel["secretToken"] and (HIDDEN if value == "masked" else None)
    headers = channel["customHeaders"] and [{**one, "value": HIDDEN} for one in channel["customHeaders"]]
    return {"secretToken": token, "customHeaders": headers if value == "masked" else None}


def policies_of(service: Service, channel: Record) -> list[Record]:
    """The policies that send through a channel."""
    return [one for one in service.store.rows("notificationPolicies") if one["channelId"] == channel["id"]]


def policy_view(service: Service, policy: Record) -> Record:
    """A policy with its channel."""
    channel = service.store.tables["notificationChannels"][policy["channelId"]]
    group, event = policy["eventGroup"], policy["eventType"]
    return {
        **{name: policy[name] for name in ("id", "name", "active", "channelId", "orgId", "uid")},
        "channel": channel_view(service, channel, counted=False),
        "eventGroup": group and {"id": group, "label": label_of(group), "events": [shown(e) for e in members(group)]},
        "eventType": event and shown(event),
        "created": iso(policy["created"]),
        "updatedAt": _moment(policy["updatedAt"]),
        "lastTriggered": _moment(policy["lastTriggered"]),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)


# --- mail addresses -----------------------------------------------------------------------------------------------


def mail_code(service: Service, address: str) -> Record:
    """Mail a six-digit code to an address; its record."""
    code = f"{secrets.randbelow(10**6):06d}"
    made = service.store.add("emailVerifications", {"emailAddress": address, "verificationCode": code, "used": False})
    mail(service, address, "Verify your email address", f"Your verification code is {code}.")
    return made


def take_code(service: Service, address: str | None, code: object) -> bool:
    """Whether the code belongs to the address; whether it does so again is a switch."""
    for one in service.store.rows("emailVerifications"):
        if (one["emailAddress"], one["verificationCode"]) == (address, code):
            if one["used"] and service.switches["email_code_uses"] == "once":
                continue
            service.store.change("emailVerifications", one["id"], {"used": True})
            return True
    return False


def check_address(service: Service, body: Mapping[str, object], address: object, *, new: bool) -> None:
    """Refuse an address that is not verified: 422 without a code, else as documented for a wrong one (seed 001:265)."""
    code = body.get("verificationCode")
    if code is None:
        raise invalid(["required for Email channels @ $.verificationCode"])
    if not take_code(service, str(address), code):
        message = "The verification code is wrong."
        raise refuse_by_switch(service.switches["email_code_wrong"], message) if new else refuse(400, message)
