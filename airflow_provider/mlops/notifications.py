"""Notification channels, policies and mutes: finding ours by name, comparing, and writing what differs as a whole.

The secrets of a channel (``secretToken``, the values of ``customHeaders``) may come back in clear, as asterisks or not
at all: which, no page tells. What cannot be read is compared with nothing; the caller chooses whether it is written
each time. An update is a PUT of which no page says what becomes of fields that it leaves out, so it carries them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.contract.secrets import scrub

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

NAME_LENGTH = 100  # seed 001:1482, 001:2010
CHANNEL_TYPES = ("Database", "Email", "InApp", "InsightsComputations", "MSTeams", "Slack", "Webhook")
CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")
LANGUAGES = ("en", "es_419", "fr", "ja", "ko", "ptBR")
CHANNEL_FIELDS = (
    "contentType",
    "customHeaders",
    "emailAddress",
    "languageCode",
    "name",
    "payloadUrl",
    "secretToken",
    "validateSsl",
)  # of a PUT, seed 001:1510; the code for a mail address is no field of the channel
POLICY_FIELDS = ("active", "channelId", "eventGroup", "eventType", "name")
SHOWN = 300  # characters of a receiver's answer that are told


class SameName(DataRobotError):
    """Several channels or policies have the name that was meant to name one."""


class OtherKind(DataRobotError):
    """The channel of this name has another type, and a type cannot change."""


class NotKept(DataRobotError):
    """The service accepted a channel or policy and shows another."""


class SecretNotReadable(DataRobotError):
    """An update would have to repeat a secret that the service does not show, and that was not given."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What of the wanted fields is not so, and which secrets cannot be compared."""

    fields: tuple[str, ...]
    unseen: tuple[str, ...]


def channel_named(client: Client, name: str) -> dict[str, Any] | None:
    """The channel of this very name (operation listNotificationChannels)."""
    return _only("channel", name, client.iterate("listNotificationChannels", namePart=name))


def policy_named(client: Client, name: str) -> dict[str, Any] | None:
    """The policy of this very name (operation listNotificationPolicies)."""
    return _only("policy", name, client.iterate("listNotificationPolicies", namePart=name))


def _only(what: str, name: str, listed: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    found = [one for one in listed if one.get("name") == name]
    if len(found) > 1:
        ids = ", ".join(str(one["id"]) for one in found)
        raise SameName(f"{len(found)} notification {what}s have the name {name!r}: {ids}")
    return found[0] if found else None


def mute_of(client: Client, policy_id: str, entity_id: str) -> list[dict[str, Any]]:
    """The mutes of a policy for an entity (operation listNotificationPolicyMutes)."""
    listed = client.iterate("listNotificationPolicyMutes", entityId=entity_id)
    return [one for one in listed if one.get("policyId") == policy_id and one.get("entityId") == entity_id]


# --- comparing ----------------------------------------------------------------------------------------------------


def difference(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> Difference:
    """What has to be written, field by field."""
    differs: list[str] = []
    unseen: list[str] = []
    for name, value in wanted.items():
        theirs = _plain(name, now.get(name))
        if name == "secretToken" and hidden(theirs):
            unseen.append(name)
        elif name == "customHeaders" and _hides(theirs):
            same_names = theirs is None or [one["name"] for one in theirs] == [one["name"] for one in value]
            (unseen if same_names else differs).append(name)
        elif theirs != value:
            differs.append(name)
    return Difference(tuple(differs), tuple(unseen))


def _plain(name: str, theirs: Any) -> Any:
    """Their value in the form in which it is written: events are shown as objects, headers in any order of keys."""
    if name in ("eventGroup", "eventType") and isinstance(theirs, Mapping):
        return theirs.get("id")
    if name == "customHeaders" and isinstance(theirs, Sequence):
        return [{"name": one.get("name"), "value": one.get("value")} for one in theirs]
    return theirs


def hidden(value: Any) -> bool:
    """Whether a secret is shown as nothing or as asterisks."""
    return value is None or (isinstance(value, str) and not value.strip("*•"))


def _hides(headers: Any) -> bool:
    return headers is None or (bool(headers) and all(hidden(one["value"]) for one in headers))


# --- writing ------------------------------------------------------------------------------------------------------


def whole(fields: Sequence[str], wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PUT: what is wanted, and everything else as it is.

    :raises SecretNotReadable: for a secret that is there, is not shown, and would go if it were left out
    """
    body = {}
    for name in fields:
        value = wanted[name] if name in wanted else _plain(name, now.get(name))
        if name not in wanted and value is not None and _lost(name, value):
            raise SecretNotReadable(
                f"channel {now.get('id')} has {name}, which the service shows as asterisks, and an update that leaves "
                "it out may delete it: give it too"
            )
        if value is not None:
            body[name] = value
    return body


def _lost(name: str, value: Any) -> bool:
    return bool((name == "secretToken" and hidden(value)) or (name == "customHeaders" and _hides(value)))


def refuse_unkept(what: str, wanted: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises :class:`NotKept` where a channel or policy is not as it was written."""
    left = difference(wanted, now).fields
    if left:
        raise NotKept(f"the service accepted {what} {now.get('id')} and shows another {', '.join(left)}")


# --- remote events ------------------------------------------------------------------------------------------------

EVENTS = (
    "deploymentInfo",
    "externalNaNPredictions",
    "management.deploymentInfo",
    "model_deployments.accuracy_green",
    "model_deployments.accuracy_red",
    "model_deployments.accuracy_yellow_from_green",
    "model_deployments.data_drift_green",
    "model_deployments.data_drift_red",
    "model_deployments.data_drift_yellow_from_green",
    "model_deployments.model_replacement",
    "model_deployments.service_health_green",
    "model_deployments.service_health_red",
    "model_deployments.service_health_yellow_from_green",
    "moderationMetricCreationError",
    "moderationMetricReportingError",
    "moderationModelConfigError",
    "moderationModelRuntimeError",
    "moderationModelScoringError",
    "monitoring.external_model_nan_predictions",
    "monitoring.spooler_channel_green",
    "monitoring.spooler_channel_red",
    "predictionRequestFailed",
    "prediction_request.failed",
    "serviceHealthChangeGreen",
    "serviceHealthChangeRed",
    "serviceHealthChangeYellowFromGreen",
    "spoolerChannelGreen",
    "spoolerChannelRed",
)  # seed 001:2190
TITLE_LENGTH, MESSAGE_LENGTH = 512, 16_384  # seed 001:2200


def remote_event(
    deployment_id: str | None, event_type: str, title: str, message: str, moment: datetime, **more: Any
) -> dict[str, Any]:
    """The body of createRemoteEvent; texts that are too long are cut, and end in an ellipsis then.

    :param more: further keys of the body, left out where None
    """
    given = {
        "deploymentId": deployment_id,
        "eventType": event_type,
        "title": _cut(title, TITLE_LENGTH),
        "message": _cut(message, MESSAGE_LENGTH),
        "timestamp": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        **more,
    }
    return {name: value for name, value in given.items() if value not in (None, "")}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


# --- what was sent ------------------------------------------------------------------------------------------------


def test_result(log: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """``response_status``, ``response`` (its beginning) and ``duration`` of a webhook test; None where not told.

    The log holds the response as text, and the request with its secrets; of the latter nothing is taken.
    """
    try:
        found = json.loads(log.get("response") or "{}")
    except ValueError:
        found = {"body": log.get("response")}
    found = found if isinstance(found, Mapping) else {"body": str(found)}
    body = found.get("body")
    return {
        "response_status": found.get("statusCode") or None,
        "response": None if body is None else scrub(str(body), secrets)[:SHOWN],
        "duration": found.get("duration"),
    }
