"""Notification channels and policies of one deployment, as newer clients make them."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider.emulator.answers import Answer, empty, refuse_by_switch
from airflow_provider.emulator.behaviour import channels, entity_channels
from airflow_provider.emulator.behaviour.entity_channels import CHANNEL, POLICY, deployment_of, one, related
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

CHANNELS, POLICIES = "notificationChannels", "notificationPolicies"
View = Callable[..., Record]


def _new(call: Call, fields: tuple[str, ...]) -> Record:
    deployment = deployment_of(call.service, call.user, call.body, change=True)
    now = call.service.clock.now()
    return {
        **channels.stored(fields, call.body),
        "relatedEntityId": deployment["id"],
        "relatedEntityType": "deployment",
        "orgId": None,
        "uid": call.user["id"],
        "createdAt": now,
        "created": now,
        "updatedAt": None,
        "lastNotificationAt": None,
        "lastTriggered": None,
    }


def _page(call: Call, table: str, view: View) -> Answer:
    deployment = deployment_of(call.service, call.user, call.arguments)
    rows = [record for record in call.service.store.rows(table) if related(record, deployment)]
    return call.page([view(call.service, record) for record in call.service.listed(rows)])


def _one(call: Call, table: str, key: str, *, change: bool = False) -> Record:
    deployment = deployment_of(call.service, call.user, call.arguments, change=change)
    return one(call.service, table, call.arguments[key], deployment)


def _put(call: Call, table: str, record: Record, fields: tuple[str, ...], view: View, effect: str) -> Answer:
    changes = channels.put(call.service, fields, record, call.body)
    for name in ("channelId", "active", "channelScope"):  # a policy always has these
        if name in changes and changes[name] is None:
            changes[name] = record[name]
    changes["updatedAt"] = call.service.clock.now()
    call.service.store.change(table, record["id"], changes, effect)
    if call.service.switches["entity_notification_put"] == "204":
        return empty(204)
    return Answer(200, view(call.service, record))


@serves("createEntityNotificationChannel")
def create_channel(call: Call) -> Answer:
    """A channel of a deployment, for its owners."""
    channel = _new(call, CHANNEL) | {"channelType": call.body["channelType"]}
    if channel["channelType"] == "Email":
        channels.check_address(call.service, call.body, call.body.get("emailAddress"), new=True)
    made = call.service.store.add(CHANNELS, channel, "notificationChannelCreated")
    return Answer(201, entity_channels.channel_view(call.service, made))


@serves("listEntityNotificationChannels")
def list_channels(call: Call) -> Answer:
    """The channels of a deployment."""
    return _page(call, CHANNELS, entity_channels.channel_view)


@serves("getEntityNotificationChannel")
def get_channel(call: Call) -> Answer:
    """One channel."""
    return Answer(200, entity_channels.channel_view(call.service, _one(call, CHANNELS, "channelId")))


@serves("updateEntityNotificationChannel")
def update_channel(call: Call) -> Answer:
    """The type stays, whatever the body says."""
    channel = _one(call, CHANNELS, "channelId", change=True)
    address = call.body.get("emailAddress", channel["emailAddress"])
    if channel["channelType"] == "Email" and address != channel["emailAddress"]:
        channels.check_address(call.service, call.body, address, new=False)
    return _put(call, CHANNELS, channel, CHANNEL, entity_channels.channel_view, "notificationChannelUpdated")


@serves("deleteEntityNotificationChannel")
def delete_channel(call: Call) -> Answer:
    """204; what becomes of its policies is a switch."""
    channel = _one(call, CHANNELS, "channelId", change=True)
    policies = channels.policies_of(call.service, channel)
    value = call.service.switches["delete_used_channel"]
    if policies and value != "deletes_policies":
        raise refuse_by_switch(value, "The channel is used by notification policies.")
    for policy in policies:
        call.service.store.remove(POLICIES, policy["id"], "notificationPolicyDeleted")
    call.service.store.remove(CHANNELS, channel["id"], "notificationChannelDeleted")
    return empty(204)


@serves("createEntityNotificationPolicy")
def create_policy(call: Call) -> Answer:
    """A policy of a deployment, for its owners; it is about nothing else."""
    policy = _new(call, POLICY)
    entity_channels.check_policy(
        call.service, call.body, call.service.store.tables["deployments"][policy["relatedEntityId"]]
    )
    made = call.service.store.add(POLICIES, policy, "notificationPolicyCreated")
    return Answer(201, entity_channels.policy_view(call.service, made))


@serves("listEntityNotificationPolicies")
def list_policies(call: Call) -> Answer:
    """The policies of a deployment."""
    return _page(call, POLICIES, entity_channels.policy_view)


@serves("getEntityNotificationPolicy")
def get_policy(call: Call) -> Answer:
    """One policy."""
    return Answer(200, entity_channels.policy_view(call.service, _one(call, POLICIES, "policyId")))


@serves("updateEntityNotificationPolicy")
def update_policy(call: Call) -> Answer:
    """Sets the policy."""
    policy = _one(call, POLICIES, "policyId", change=True)
    deployment = call.service.store.tables["deployments"][policy["relatedEntityId"]]
    entity_channels.check_policy(call.service, call.body, deployment)
    return _put(call, POLICIES, policy, POLICY, entity_channels.policy_view, "notificationPolicyUpdated")


@serves("deleteEntityNotificationPolicy")
def delete_policy(call: Call) -> Answer:
    """204."""
    policy = _one(call, POLICIES, "policyId", change=True)
    call.service.store.remove(POLICIES, policy["id"], "notificationPolicyDeleted")
    return empty(204)
