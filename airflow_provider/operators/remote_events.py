"""Remote events: telling a deployment what happened outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run


class DataRobotCreateRemoteEventOperator(DataRobotBaseOperator):
    """Posts an event to a deployment: it appears there, and notification policies may tell people of it.

    For tasks that fail there is a notifier: ``airflow_provider.notifications.remote_event``.

    :param deployment_id: the deployment.
    :param title: at most 512 characters.
    :param message: at most 16,384 characters.
    :param event_type: ``deploymentInfo`` (default; policies know it as ``management.deploymentInfo``) or another of the
        documented ones, ``model_deployments.model_replacement`` for example.
    :param timestamp: when it happened, ISO 8601 with a zone; default: now.
    :param data: for a model replacement: ``{"newModelId", "oldModelId", "reason"}``.
    :param prediction_environment_id: the prediction environment that the event is about.

    Other keys of the body (``predictionRequestData``, ``spoolerChannelData``, ``externalNanPredictionsData``) go into
    ``extra_body``.

    Returns ``deployment_id``, ``event_type``, ``timestamp`` and ``message`` (what the service said). Each event is one
    of its own, and nothing tells a first from a second: a lost answer ends in OutcomeUnknown, and nothing is sent
    twice. Fails with NotFound (no such deployment) and the other errors of the service. Operation: createRemoteEvent.
    Memory before Airflow 3.3: none, so an attempt that broke off after its write may post a second event.
    """

    operation = "createRemoteEvent"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "title",
        "message",
        "event_type",
        "timestamp",
        "data",
        "prediction_environment_id",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        title: str,
        message: str = "",
        event_type: str = "deploymentInfo",
        timestamp: datetime | str | None = None,
        data: Mapping[str, str] | str | None = None,
        prediction_environment_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.title = title
        self.message = message
        self.event_type = event_type
        self.timestamp = timestamp
        self.data = data
        self.prediction_environment_id = prediction_environment_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        arguments.named("title", self.title, notifications.TITLE_LENGTH)
        arguments.text("message", self.message, notifications.MESSAGE_LENGTH)
        self._event: dict[str, Any] = {
            "deployment_id": self.deployment_id,
            "event_type": arguments.one_of("event_type", self.event_type, notifications.EVENTS),
            "title": self.title,
            "message": "" if arguments.unset(self.message) else self.message,
            "data": arguments.mapping("data", self.data),
            "predictionEnvironmentId": arguments.optional_identifier(
                "prediction_environment_id", self.prediction_environment_id
            ),
        }
        self._moment = None if arguments.absent(self.timestamp) else _moment(self.timestamp)
        prepare(self.operation, {}, self._body(), self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The event; one without a timestamp is the same whenever it is sent."""
        return {**self._event, "timestamp": None if self._moment is None else self._moment.isoformat()}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Posts the event."""
        body = self._body(datetime.fromtimestamp(run.clock(), UTC))
        sent = run.submit(self.operation, body, stage="event", look=None, extra_body=self.extra_body)
        assert sent.answer is not None, "nothing is looked for, so nothing can be found instead of an answer"
        said = sent.answer.object().get("message")
        told = {"event_type": body["eventType"], "timestamp": body["timestamp"]}
        return {"deployment_id": self.deployment_id, **told, "message": said}

    def _body(self, now: datetime | None = None) -> dict[str, Any]:
        return notifications.remote_event(**self._event, moment=self._moment or now or datetime.now(UTC))


def _moment(value: Any) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidCall(f"timestamp must be a moment in ISO 8601 with a zone, not {value!r}")
    return moment
