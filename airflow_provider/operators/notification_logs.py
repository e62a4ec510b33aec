"""What was sent: the log of notifications, and sending one again."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from airflow_provider.contract.secrets import mask
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotListNotificationLogsOperator(DataRobotBaseReadOperator):
    """Lists the notifications that were sent, newest first.

    :param policy_id: only those of this policy.
    :param channel_id: only those through this channel.
    :param limit: at most so many; the service may keep the latest 25 only.

    Returns the entries as the service gives them: ``id``, ``status``, ``timestamp``, ``policyId``, ``channelId``,
    ``response`` and others. The headers of requests are masked: they hold the signature and secret values. Operation:
    listNotificationLogs.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "policy_id", "channel_id", "limit")

    def __init__(
        self, *, policy_id: str | None = None, channel_id: str | None = None, limit: int | str = 25, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id
        self.channel_id = channel_id
        self.limit = limit

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.policy_id = arguments.optional_identifier("policy_id", self.policy_id)
        self.channel_id = arguments.optional_identifier("channel_id", self.channel_id)
        self.limit = arguments.whole("limit", self.limit, 1)

    def read(self, client: Client) -> list[dict[str, Any]]:
        """The entries."""
        wanted = {"policyId": self.policy_id, "channelId": self.channel_id}
        listed = client.iterate("listNotificationLogs", **wanted)
        return [mask(one) for one in itertools.islice(listed, int(self.limit))]


class DataRobotResendNotificationOperator(DataRobotBaseOperator):
    """Sends a notification again, through the channel that it went through.

    :param notification_id: ``id`` of an entry of the log.

    Returns ``notification_id``. Each call sends it once more: a lost answer ends in OutcomeUnknown, and nothing is sent
    twice. Fails with NotFound and the other errors of the service. Operation: resendNotification. Memory before Airflow
    3.3: none, so an attempt that broke off after its write may send it a second time.
    """

    operation = "resendNotification"
    template_fields = (*DataRobotBaseOperator.template_fields, "notification_id")

    def __init__(self, *, notification_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.notification_id = notification_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.notification_id = arguments.identifier("notification_id", self.notification_id)

    def identity(self) -> dict[str, Any]:
        """The notification."""
        return {"notification_id": self.notification_id}

    def start(self, run: Run) -> Step:
        """Asks for it."""
        body = {"notificationId": self.notification_id}
        run.submit(self.operation, body, stage="resend", look=None, extra_body=self.extra_body)
        return self.identity()
