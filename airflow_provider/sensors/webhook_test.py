"""Waiting for the result of a webhook test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import EntityWait, Wait
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotWebhookTestSensor(DataRobotBaseSensor):
    """Waits until a webhook test is over; fails when the receiver did not take it.

    :param notification_id: the test, as a DataRobotTestWebhookChannelOperator with ``wait=False`` returns it.

    Returns ``notification_id``, ``status`` (the word of the service), ``response_status`` and ``duration``; None where
    not told. Fails with the word of the service, and after ``timeout``; also when there is no such test, for one that
    is new may not be logged yet. Operation: getNotificationWebhookChannelTest.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "notification_id")

    def __init__(self, *, notification_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.notification_id = notification_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.notification_id = arguments.identifier("notification_id", self.notification_id)

    def identity(self) -> dict[str, Any]:
        """The test."""
        return {"notification_id": self.notification_id}

    def wait(self, client: Client) -> Wait:
        """The status of the test."""
        return EntityWait(f"notificationWebhookChannelTests/{self.notification_id}/", "webhookTest")

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """How the receiver answered, without its text: it may repeat the request."""
        found = client.call("getNotificationWebhookChannelTest", notificationId=self.notification_id).object()
        told = notifications.test_result(found.get("notificationLog") or {}, ())
        del told["response"]
        return {"notification_id": self.notification_id, "status": found.get("status"), **told}
