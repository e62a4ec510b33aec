"""Trying out a webhook: the service sends to it, and tells what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.api.waits import EntityWait
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.channel_writing import Headers
from airflow_provider.tasks.run import Await, Run
from airflow_provider.tasks.secret_arguments import SecretArguments, headers

STAGE = "test"
TAKEN = ("payloadUrl", "contentType", "secretToken", "customHeaders", "validateSsl", "name")


class DataRobotTestWebhookChannelOperator(SecretArguments, DataRobotBaseOperator):
    """Lets the service send a test to a webhook, and succeeds only when the receiver took it.

    :param channel_id: a channel to try out; arguments that are given win over what it has. A secret that the service
        does not show must be given.
    :param payload_url: where to send to; needed without ``channel_id``.
    :param content_type: ``application/json`` or ``application/x-www-form-urlencoded``.
    :param secret_token: signs the test: header ``DR-Signature``, the HMAC-SHA1 of the body as hex digits.
    :param custom_headers: header names and values to send along; the values are secrets.
    :param validate_ssl: whether the certificate of the receiver is checked.
    :param wait: wait for the result; otherwise a DataRobotWebhookTestSensor may wait for ``notification_id``.

    Take secrets from a connection, ``secret_token="{{ conn.my_hook.password }}"``. Returns ``notification_id``,
    ``status`` (the word of the service), ``response_status``, ``response`` (the beginning of the receiver's answer)
    and ``duration``; None where not told, or not waited for. What the service logs of the request holds the secrets,
    and is left out.

    Fails with JobFailed (the receiver refused or did not answer; with its answer), WaitTimedOut, SecretNotReadable,
    OutcomeUnknown (each test is one more request to the receiver, so a lost answer is not sent again) and the errors of
    the service. Operations: getNotificationChannel, createNotificationWebhookChannelTest,
    getNotificationWebhookChannelTest. Memory before Airflow 3.3: none; another attempt sends another test.
    """

    operation = "createNotificationWebhookChannelTest"
    secret_fields = ("secret_token", "custom_headers")
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "channel_id",
        "payload_url",
        "content_type",
        "secret_token",
        "custom_headers",
        "validate_ssl",
        "wait",
    )

    def __init__(
        self,
        *,
        channel_id: str | None = None,
        payload_url: str | None = None,
        content_type: str | None = None,
        secret_token: str | None = None,
        custom_headers: Headers | None = None,
        validate_ssl: bool | str | None = None,
        wait: bool | str = True,
        timeout: float | timedelta | str | None = timedelta(minutes=10),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.channel_id = channel_id
        self.payload_url = payload_url
        self.content_type = content_type
        self.secret_token = secret_token
        self.custom_headers = custom_headers
        self.validate_ssl = validate_ssl
        self.wait = wait
        self.warn()

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._secrets = self.secrets()
        self.channel_id = arguments.optional_identifier("channel_id", self.channel_id)
        self.wait = arguments.flag("wait", self.wait)
        given = {"payloadUrl": self.payload_url, "secretToken": self.secret_token}
        self._given: dict[str, Any] = {
            name: arguments.text(name, value, 2_000) for name, value in given.items() if not arguments.absent(value)
        }
        if not arguments.absent(self.content_type):
            kinds = notifications.CONTENT_TYPES
            self._given["contentType"] = arguments.one_of("content_type", self.content_type, kinds)
        if not arguments.absent(self.custom_headers):
            self._given["customHeaders"] = headers("custom_headers", self.custom_headers)
        if not arguments.absent(self.validate_ssl):
            self._given["validateSsl"] = arguments.flag("validate_ssl", self.validate_ssl)
        if self.channel_id is None and "payloadUrl" not in self._given:
            raise InvalidCall("payload_url is needed, or a channel_id to take it from")
        prepare(self.operation, {}, self._body({}), self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The webhook."""
        return {"channel_id": self.channel_id, **self._given}

    def start(self, run: Run) -> Step:
        """Asks for the test."""
        channel = {} if self.channel_id is None else run.read("getNotificationChannel", channelId=self.channel_id)
        sent = run.submit(self.operation, self._body(channel), stage=STAGE, look=None, extra_body=self.extra_body)
        assert sent.answer is not None, "nothing is looked for, so nothing can be found instead of an answer"
        test_id = str(sent.answer.require("notificationId"))
        run.memory.update(id=test_id)
        if not self.wait:
            nothing = dict.fromkeys(("status", "response_status", "response", "duration"))
            return {"notification_id": test_id, **nothing}
        return Await(test_wait(test_id), f"webhook test {test_id} is under way")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The receiver took it."""
        return self._told(run)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """What the receiver answered, or why it did not."""
        told = self._told(run)
        answered = f"{told['response_status'] or 'no status'}: {told['response'] or 'no answer'}"
        return super().failed(run, f"{reason}; the receiver answered {answered}", result)

    def _told(self, run: Run) -> dict[str, Any]:
        assert run.handle is not None, "a wait that ended has a handle"
        found = run.read("getNotificationWebhookChannelTest", notificationId=str(run.handle.id))
        told = notifications.test_result(found.get("notificationLog") or {}, self._secrets)
        return {"notification_id": run.handle.id, "status": found.get("status"), **told}

    def _body(self, channel: Mapping[str, Any]) -> dict[str, Any]:
        name = {"name": str(channel.get("name") or "Test from Airflow")}
        whole = notifications.whole(TAKEN, {**name, **self._given}, channel)
        return {"channelType": "Webhook", **whole}


def test_wait(notification_id: str) -> EntityWait:
    """Waits for the result of a webhook test."""
    return EntityWait(f"notificationWebhookChannelTests/{notification_id}/", "webhookTest")
