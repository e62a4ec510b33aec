"""Channels and policies of one deployment, beside those of users and organisations (wire.md I)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse
from airflow_provider.emulator.behaviour import channels
from airflow_provider.emulator.behaviour.event_catalogue import GROUPS, event_types, shown
from airflow_provider.emulator.behaviour.rights import owned, visible

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

CHANNEL = (*channels.CHANNEL, "drEntities")
POLICY = (*channels.POLICY, "channelScope", "maximalFrequency")


def deployment_of(service: Service, user: Record, named: Mapping[str, Any], *, change: bool = False) -> Record:
    """The deployment that path or body name; other entities are not emulated."""
    if str(named["relatedEntityType"]).lower() != "deployment":
        raise invalid([f"{named['relatedEntityType']!r} is not emulated @ $.relatedEntityType"])
    return (owned if change else visible)(service, user, str(named["relatedEntityId"]))


def related(record: Record, deployment: Record) -> bool:
    """Whether a channel or policy is this deployment's own."""
    return bool(record.get("relatedEntityId") == deployment["id"])


def one(service: Service, table: str, key: str, deployment: Record) -> Record:
    """A channel or policy of the deployment; 404 for others."""
    record = service.store.get(table, key)
    if record is None or not related(record, deployment):
        raise refuse(404, f"{key} not found on deployment {deployment['id']}.")
    return record


def check_policy(service: Service, body: Mapping[str, Any], deployment: Record) -> None:
    """422 for events and channels that do not exist; the channel may be one of an organisation too."""
    faults = [
        f"{body[name]!r} is not known @ $.{name}"
        for name, known in (("eventType", event_types()), ("eventGroup", tuple(GROUPS)))
        if body.get(name) is not None and body[name] not in known
    ]
    channel = service.store.get("notificationChannels", body["channelId"]) if "channelId" in body else None
    if "channelId" in body and (channel is None or channel.get("relatedEntityId") not in (None, deployment["id"])):
        faults.append(f"channel {body['channelId']} is not known @ $.channelId")
    if faults:
        raise invalid(faults)


def channel_view(service: Service, channel: Record) -> Record:
    """A channel with its entity; its secrets as the switch says."""
    view = channels.channel_view(service, channel, counted=False)
    kept = {name: view[name] for name in ("id", "channelType", *channels.CHANNEL)}
    mine = {name: channel.get(name) for name in ("drEntities", "relatedEntityId", "relatedEntityType")}
    return kept | {name: value or "" if name != "drEntities" else value for name, value in mine.items()}


def policy_view(service: Service, policy: Record) -> Record:
    """A policy with its entity and its channel."""
    channel = service.store.tables["notificationChannels"][policy["channelId"]]
    names = ("id", "relatedEntityId", "relatedEntityType", "active", "channelId", "name", *POLICY[5:])
    events = {name: policy[name] and shown(policy[name]) for name in ("eventGroup", "eventType")}
    return {**{name: policy[name] for name in names}, **events, "channel": channel_view(service, channel)}
