"""Notification channels: create or get by name, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.channel_writing import ChannelOperator
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.run import Run


class DataRobotCreateNotificationChannelOperator(ChannelOperator):
    """Makes sure that a notification channel of this name is there and as wanted: creates it, or writes what differs.

    :param name: at most 100 characters; by it the channel is found again, by another attempt too.
    :param channel_type: Webhook (default), Email, Slack, MSTeams, InApp, Database or InsightsComputations; cannot
        change afterwards.
    :param payload_url: where a Webhook, Slack or MSTeams channel sends to.
    :param content_type: ``application/json`` or ``application/x-www-form-urlencoded``.
    :param secret_token: signs what a webhook sends: header ``DR-Signature``, the HMAC-SHA1 of the body as hex digits.
    :param custom_headers: header names and values that a webhook sends along; the values are secrets.
    :param validate_ssl: whether the certificate of the receiver is checked.
    :param email_address: where an Email channel sends to; needs
    :param verification_code: the code that createNotificationEmailChannelVerification mailed to it.
    :param language_code: en, es_419, fr, ja, ko or ptBR.
    :param org_id: the organisation that the channel is made for.
    :param hidden_secrets: where the service does not show the secrets of the channel that is there, they cannot be
        compared: ``write`` them each time, or ``keep`` them unless something else differs.

    Take secrets from a connection, ``secret_token="{{ conn.my_hook.password }}"``: they are masked in logs, rendered
    templates and XComs. One that is written out in the DAG file gets a PlainSecretWarning. Arguments that are not given
    stay as they are.

    Returns ``channel_id``, ``name``, ``created`` and ``changed`` (names of the fields that were written to a channel
    that was there). Fails with SameName (several channels have the name), OtherKind, SecretNotReadable (an update would
    lose a secret that was not given), NotKept, OutcomeUnknown and the errors of the service. Operations:
    listNotificationChannels, createNotificationChannel, getNotificationChannel, updateNotificationChannel. Memory
    before Airflow 3.3: the name.
    """

    operation = "createNotificationChannel"
    template_fields = (*ChannelOperator.template_fields, "channel_type", "org_id")

    def __init__(self, *, name: str, channel_type: str = "Webhook", org_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.channel_type = channel_type
        self.org_id = org_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.name = self.wanted["name"] = arguments.named("name", self.name, notifications.NAME_LENGTH)
        self.channel_type = arguments.one_of("channel_type", self.channel_type, notifications.CHANNEL_TYPES)
        self.org_id = arguments.optional_identifier("org_id", self.org_id)
        if self.channel_type == "Webhook" and "payloadUrl" not in self.wanted:
            raise InvalidCall("payload_url is needed for a Webhook channel")
        if self.channel_type == "Email" and "emailAddress" not in self.wanted:
            raise InvalidCall("email_address is needed for an Email channel")
        prepare(self.operation, {}, self._body(), self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The whole channel."""
        return self._body()

    def start(self, run: Run) -> Step:
        """Creates what is missing, or writes what differs."""
        known = notifications.channel_named(run.client, str(self.name))
        if known is not None:
            return self._known(run, known)
        sent = run.submit(
            self.operation,
            self._body(),
            stage="create",
            look=lambda: notifications.channel_named(run.client, str(self.name)),
            extra_body=self.extra_body,
        )
        made = sent.answer.object() if sent.answer is not None else sent.found
        return {"channel_id": made["id"], "name": self.name, "created": True, "changed": []}

    def _known(self, run: Run, channel: Mapping[str, Any]) -> dict[str, Any]:
        if channel.get("channelType") != self.channel_type:
            raise notifications.OtherKind(
                f"notification channel {channel['id']} has the name {self.name!r} and the type "
                f"{channel.get('channelType')}, not {self.channel_type}: delete it, or use another name"
            )
        changed = self.write_difference(run, channel)
        return {"channel_id": channel["id"], "name": self.name, "created": False, "changed": changed}

    def _body(self) -> dict[str, Any]:
        org = {} if self.org_id is None else {"orgId": self.org_id}
        return {"channelType": self.channel_type, **self.wanted, **self.code, **org}


class DataRobotUpdateNotificationChannelOperator(ChannelOperator):
    """Sets fields of a notification channel; writes only when something differs.

    :param channel_id: the channel; the other arguments are those of creating one, and stay as they are when not given.
        The service wants ``verification_code`` for each update of an Email channel.

    Returns ``channel_id`` and ``changed`` (names of the fields that were written). Fails with SecretNotReadable,
    NotKept, NotFound and the other errors of the service. Operations: getNotificationChannel,
    updateNotificationChannel. Memory before Airflow 3.3: the wanted values are compared first.
    """

    operation = "updateNotificationChannel"
    template_fields = (*ChannelOperator.template_fields, "channel_id")

    def __init__(self, *, channel_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel_id = channel_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.channel_id = arguments.identifier("channel_id", self.channel_id)
        if not self.wanted and not self.extra_body:
            raise InvalidCall("give at least one field that the channel shall have")
        prepare(self.operation, {"channelId": self.channel_id}, {**self.wanted, **self.code}, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The channel and the wanted values."""
        return {"channel_id": self.channel_id, **self.wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        channel = run.read("getNotificationChannel", channelId=self.channel_id)
        return {"channel_id": self.channel_id, "changed": self.write_difference(run, channel)}


class DataRobotDeleteNotificationChannelOperator(DataRobotBaseOperator):
    """Deletes a notification channel; one that is gone is a success without a write.

    :param channel_id: the channel. Whether the service deletes a channel that policies use is not known; it may refuse.

    Returns ``channel_id``, ``deleted`` and ``policies`` (how many used it). Fails with the errors of the service.
    Operations: getNotificationChannel, deleteNotificationChannel. Memory before Airflow 3.3: a channel that is gone was
    deleted.
    """

    operation = "deleteNotificationChannel"
    template_fields = (*DataRobotBaseOperator.template_fields, "channel_id")

    def __init__(self, *, channel_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel_id = channel_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.channel_id = arguments.identifier("channel_id", self.channel_id)

    def identity(self) -> dict[str, Any]:
        """The channel."""
        return {"channel_id": self.channel_id}

    def start(self, run: Run) -> Step:
        """Deletes what is there."""
        where = {"channelId": self.channel_id}
        channel = delete(run, self.operation, lambda: run.read("getNotificationChannel", **where), **where)
        policies = 0 if channel is None else channel.get("policyCount")
        return {"channel_id": self.channel_id, "deleted": channel is not None, "policies": policies}
