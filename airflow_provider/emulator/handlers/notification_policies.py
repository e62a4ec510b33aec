"""Notification policies, the mutes that except an entity from them, and the events that they can name."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import channels, event_catalogue
from airflow_provider.emulator.behaviour.channels import POLICY, owned, policy_view, sees, visible
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

TABLE = "notificationPolicies"
MUTES = "notificationMutes"


@serves("listNotificationEvents", how="shaped")
def list_events(call: Call) -> Answer:
    """Events and groups that the user can put into policies."""
    related = call.arguments.get("relatedEntityType") is not None
    return Answer(200, event_catalogue.listed(of_deployments=related, admin=is_admin(call.user)))


@serves("listNotificationPolicies")
def list_policies(call: Call) -> Answer:
    """The policies that the user sees."""
    rows = [one for one in call.service.store.rows(TABLE) if sees(call.user, one)]
    for name in ("channelId", "eventGroup"):
        if name in call.arguments:
            rows = [one for one in rows if one[name] == call.arguments[name]]
    if "namePart" in call.arguments:
        rows = [one for one in rows if call.arguments["namePart"] in one["name"]]
    return call.page([policy_view(call.service, one) for one in call.service.listed(rows)])


@serves("createNotificationPolicy")
def create_policy(call: Call) -> Answer:
    """A new policy; one without event and group is never triggered."""
    _check_channel(call, call.body["channelId"])
    active = call.body.get("active", call.service.switches["policy_active"] == "yes")
    policy = {
        **channels.stored(POLICY, call.body),
        "active": active,
        "orgId": call.body.get("orgId"),
        "uid": call.user["id"],
        "created": call.service.clock.now(),
        "updatedAt": None,
        "lastTriggered": None,
    }
    made = call.service.store.add(TABLE, policy, "notificationPolicyCreated")
    return Answer(201, policy_view(call.service, made))


@serves("getNotificationPolicy")
def get_policy(call: Call) -> Answer:
    """One policy."""
    policy = visible(call.service, call.user, TABLE, call.arguments["policyId"], "Policy")
    return Answer(200, policy_view(call.service, policy))


@serves("updateNotificationPolicy")
def update_policy(call: Call) -> Answer:
    """204."""
    policy, body = _owned(call), call.body or {}
    if "channelId" in body:
        _check_channel(call, body["channelId"])
    changes = channels.put(call.service, POLICY, policy, body)
    for name in ("channelId", "active"):  # a policy always has these
        if name in changes and changes[name] is None:
            changes[name] = policy[name]
    changes["updatedAt"] = call.service.clock.now()
    call.service.store.change(TABLE, policy["id"], changes, "notificationPolicyUpdated")
    return empty(204)


@serves("deleteNotificationPolicy")
def delete_policy(call: Call) -> Answer:
    """204."""
    call.service.store.remove(TABLE, _owned(call)["id"], "notificationPolicyDeleted")
    return empty(204)


def _owned(call: Call) -> Record:
    return owned(call.service, call.user, TABLE, call.arguments["policyId"], "Policy")


def _check_channel(call: Call, key: str) -> None:
    channel = call.service.store.get("notificationChannels", key)
    if channel is None or not sees(call.user, channel):
        raise refuse_by_switch(call.service.switches["policy_channel_missing"], f"Channel {key} not found.")


@serves("listNotificationPolicyMutes")
def list_mutes(call: Call) -> Answer:
    """The mutes of the user; with ``orgId`` those on policies of the organisation."""
    rows = [one for one in call.service.store.rows(MUTES) if one["uid"] == call.user["id"] or is_admin(call.user)]
    if "entityId" in call.arguments:
        rows = [one for one in rows if one["entityId"] == call.arguments["entityId"]]
    if "orgId" in call.arguments:
        rows = [one for one in rows if _organisation(call, one) == call.arguments["orgId"]]
    return call.page(call.service.listed(rows))


def _organisation(call: Call, mute: Record) -> str | None:
    policy = call.service.store.get(TABLE, mute["policyId"])
    return None if policy is None else policy["orgId"]


@serves("createNotificationPolicyMute")
def mute(call: Call) -> Answer:
    """From now on the policy is silent about the entity; a second equal mute is a second one."""
    visible(call.service, call.user, TABLE, call.body["policyId"], "Policy")
    wanted = {"entityId": call.body["entityId"], "policyId": call.body["policyId"], "uid": call.user["id"]}
    return Answer(200, call.service.store.add(MUTES, wanted, "notificationMuted"))


@serves("deleteNotificationPolicyMute")
def unmute(call: Call) -> Answer:
    """200 without a body."""
    found = call.service.store.get(MUTES, call.arguments["muteId"])
    if found is None or (found["uid"] != call.user["id"] and not is_admin(call.user)):
        raise refuse(404, f"Mute {call.arguments['muteId']} not found.")
    call.service.store.remove(MUTES, found["id"], "notificationUnmuted")
    return empty(200)
