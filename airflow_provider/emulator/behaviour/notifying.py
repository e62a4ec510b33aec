"""Who is told of an event: policies choose, mutes keep silent, channels carry; each notification is logged.

::

    Happening ──► policies (active, event or group, owner sees the entity) ──► minus mutes ──► notification ──► channel
             └──► user notifications, for the kinds that the page lists
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.behaviour import user_notifications, webhooks
from airflow_provider.emulator.behaviour.event_catalogue import label_of, members
from airflow_provider.emulator.behaviour.rights import is_admin, role_on

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that policies can be about.

    :param event: id of the event
    :param kind: what the entity is called in the payload: ``deployment``, ``change_request``, ``dataset``
    :param entity: what is told of it, with its ``id``
    :param deployment: the deployment that it belongs to, as it is stored
    :param owner: who sees the entity when there is no deployment
    :param details: more for the ``event`` part of the payload
    """

    event: str
    kind: str
    entity: Record
    deployment: Record | None = None
    owner: str | None = None
    details: Record = field(default_factory=dict)


def tell(service: Service, happening: Happening) -> None:
    """Notify whoever a policy names; and the users of the deployment where the event is of such a kind."""
    payload = payload_of(service, happening)
    for policy in service.store.rows("notificationPolicies"):
        channel = service.store.get("notificationChannels", policy["channelId"])
        if channel is not None and _meant(service, policy, happening):
            service.store.change("notificationPolicies", policy["id"], {"lastTriggered": service.clock.now()})
            send(service, channel, payload, policy_id=policy["id"], owner=policy["uid"])
    if happening.deployment is not None:
        user_notifications.tell(service, happening.event, happening.deployment)


def payload_of(service: Service, happening: Happening) -> Record:
    """``{event, event_type, <entity>, timestamp}``, with a whole number of seconds (wire.md I)."""
    return {
        "event": {"entity_id": happening.entity["id"], "uid": actor_id(service), **happening.details},
        "event_type": happening.event,
        happening.kind: happening.entity,
        "timestamp": int(service.clock.now()),
    }


def actor_id(service: Service) -> str | None:
    """The user whose request this is; None for what the service does by itself."""
    ids = [user["id"] for user in service.store.rows("users") if user["username"] == service.store.actor]
    return ids[0] if ids else None


def _meant(service: Service, policy: Record, happening: Happening) -> bool:
    named = policy["eventType"] == happening.event
    grouped = policy["eventGroup"] is not None and happening.event in members(policy["eventGroup"])
    return bool(
        policy["active"]
        and (named or grouped)
        and _about(policy, happening)
        and _sees(service, policy["uid"], happening)
        and not _muted(service, policy, happening)
    )


def _about(policy: Record, happening: Happening) -> bool:
    """A policy of a deployment is about this deployment only."""
    wanted = policy.get("relatedEntityId")
    return wanted is None or (happening.deployment is not None and happening.deployment["id"] == wanted)


def _sees(service: Service, user_id: str, happening: Happening) -> bool:
    user = service.store.tables["users"][user_id]
    if happening.deployment is None:
        return happening.owner in (None, user_id) or is_admin(user)
    return role_on(service, user, happening.deployment) is not None


def _muted(service: Service, policy: Record, happening: Happening) -> bool:
    about = {happening.entity["id"]} | ({happening.deployment["id"]} if happening.deployment else set())
    return any(
        one["policyId"] == policy["id"] and one["entityId"] in about for one in service.store.rows("notificationMutes")
    )


def send(
    service: Service, channel: Record, payload: Record, *, policy_id: str, owner: str, parent: str | None = None
) -> Record:
    """Log a notification and send it off; how it went is noted later.

    :param channel: a stored channel, or one of a test that has no id
    :param policy_id: the policy that asked for it; empty for a test
    :param parent: the notification that this one sends again
    """
    note: dict[str, Any] = {
        "channelId": channel.get("id", ""),
        "channelType": channel["channelType"],
        "channelScope": _scope(channel),
        "policyId": policy_id,
        "owner": owner,
        "parentId": parent,
        "payload": payload,
        "emailSubject": f"[DataRobot] {label_of(payload['event_type'])}" if channel["channelType"] == "Email" else "",
        "state": "pending",
        "at": service.clock.now(),
        "request": {"url": channel.get("payloadUrl"), "body": ""},
        "customHeaders": [],
        "response": None,
    }
    sent = service.store.add("notifications", note)
    if channel.get("id"):
        service.store.change("notificationChannels", channel["id"], {"lastNotificationAt": service.clock.now()})
    match channel["channelType"]:
        case "Webhook":
            webhooks.send(service, sent, channel)
        case "Email" if not channel.get("emailAddress"):
            webhooks.over(service, sent["id"], "failed", fault="Not sent: there is no address.")
        case "Email":
            text = f"{label_of(payload['event_type'])}: {payload['event']}"
            mail(service, channel["emailAddress"], sent["emailSubject"], text)
            webhooks.over(service, sent["id"], "sent")
        case "InApp":
            webhooks.over(service, sent["id"], "sent")
        case other:
            webhooks.over(service, sent["id"], "failed", fault=f"{other} channels are not emulated.")
    return sent


def _scope(channel: Record) -> str | None:
    if channel.get("relatedEntityId"):
        return "entity"
    return "organization" if channel.get("orgId") else None


def mail(service: Service, to: str | None, subject: str, text: str) -> None:
    """Put a mail into the mailbox of the emulated world, which is the table ``mails``."""
    service.store.add("mails", {"to": to, "subject": subject, "text": text, "at": service.clock.now()})
