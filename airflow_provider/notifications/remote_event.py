"""A notifier that posts a remote event to a deployment, for ``on_failure_callback`` and friends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseNotifier

from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments

OPERATION = "createRemoteEvent"


class DataRobotRemoteEventNotifier(BaseNotifier):
    """Tells a deployment what became of a task or a DAG run; its notification policies may tell people.

    ::

        on_failure_callback=DataRobotRemoteEventNotifier(deployment_id="{{ var.value.churn }}")

    :param deployment_id: the deployment.
    :param title: at most 512 characters, what is longer is cut; default: which task it is and how it ended.
    :param message: at most 16,384 characters, what is longer is cut; default: run, attempt, error and the page of the
        task's log.
    :param event_type: ``deploymentInfo`` (policies know it as ``management.deploymentInfo``) or another documented one.
    :param datarobot_conn_id: the Airflow connection.

    All arguments are templates, with the context of the callback: ``{{ exception }}``, ``{{ ti.task_id }}``,
    ``{{ change_request.link }}`` where a change request was opened. What Airflow masks in logs is masked in the event
    too. Works for all callbacks of tasks and DAGs, as ``on_request_opened`` of the operators that open change requests,
    and, awaited, in the triggerer.

    The event is posted once: an answer that is lost is not asked for again, and an error ends in the log of the
    callback; Airflow does not let the task fail for it. Operation: createRemoteEvent.
    """

    template_fields = ("datarobot_conn_id", "deployment_id", "title", "message", "event_type")

    def __init__(
        self,
        *,
        deployment_id: str,
        title: str | None = None,
        message: str | None = None,
        event_type: str = "deploymentInfo",
        datarobot_conn_id: str = DataRobotHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.datarobot_conn_id = datarobot_conn_id
        self.deployment_id = deployment_id
        self.title = title
        self.message = message
        self.event_type = event_type

    def notify(self, context: Mapping[str, Any]) -> None:
        """Posts the event."""
        with DataRobotHook(self.datarobot_conn_id).get_conn() as client:
            client.call(OPERATION, self._event(context))

    async def async_notify(self, context: Mapping[str, Any]) -> None:
        """Posts the event from an event loop."""
        await DataRobotHook(self.datarobot_conn_id).acall(OPERATION, self._event(context))

    def _event(self, context: Mapping[str, Any]) -> dict[str, Any]:
        from airflow.sdk.log import redact  # type: ignore[attr-defined]

        title = title_of(context) if arguments.absent(self.title) else self.title
        message = message_of(context) if arguments.unset(self.message) else self.message
        return notifications.remote_event(
            arguments.identifier("deployment_id", self.deployment_id),
            arguments.one_of("event_type", self.event_type, notifications.EVENTS),
            str(redact(title)),
            str(redact(message)),
            datetime.now(UTC),
        )


def title_of(context: Mapping[str, Any]) -> str:
    """Which task or DAG it is, and how it ended."""
    request = context.get("change_request")
    if request:
        hours = request.get("hours_left")
        how = "is open" if hours is None else f"lapses in {hours} h" if hours > 0 else "has lapsed"
        return f"Change request {request['id']} {how}: {request['action']}"
    instance = context.get("ti")
    if instance is not None:
        state = getattr(instance, "state", None)
        word = getattr(state, "value", state) or ("failed" if context.get("exception") else "reports")
        return f"Airflow task {instance.dag_id}.{instance.task_id}: {word}"
    dag = context.get("dag")
    return f"Airflow DAG {getattr(dag, 'dag_id', 'unknown')}: {context.get('reason') or 'reports'}"


def message_of(context: Mapping[str, Any]) -> str:
    """Run, attempt, error and log of the task; of a change request what reviewers need."""
    request = context.get("change_request")
    if request:
        return (
            f"{request['approvals_required']} approval(s) needed for {request['action']} on deployment "
            f"{request['deployment_id']}: {request['link']}\n{request['comment']}"
        )
    instance = context.get("ti")
    lines = [f"Run {context.get('run_id') or getattr(instance, 'run_id', None)}"]
    if instance is not None:
        lines[0] += f", attempt {instance.try_number}"
    if context.get("exception") is not None:
        error = context["exception"]
        lines.append(f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error))
    log_url = getattr(instance, "log_url", None)
    return "\n".join([*lines, *([log_url] if log_url else [])])
