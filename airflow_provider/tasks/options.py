"""What the author of a DAG may say to every task that writes, and what becomes of it after rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider.api.waiting import Pacing
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks import arguments
from airflow_provider.tasks.introduction import Introduced
from airflow_provider.tasks.links import DataRobotLink

DAY = 86400.0


class WritingTask(Introduced, BaseOperator):
    """The arguments that all operators share that write.

    :param datarobot_conn_id: the Airflow connection.
    :param deferrable: wait in the triggerer (default: ``[operators] default_deferrable``) or on the worker.
    :param timeout: seconds or a timedelta for the whole task, waits included; holds over retries that take up work.
    :param poll_interval: seconds between the first looks; they grow apart up to a minute.
    :param plan_only: make all checks and reads, log the first write, and stop there.
    :param extra_body: keys for the request body that the contract does not know.
    :param cancel_on_kill: cancel the remote work when a user kills the task, where the service can.
    :param cancel_adopted: also cancel work that this task found under way and took up.
    :param on_timeout: ``cancel`` or ``leave`` the remote work when the deadline passes.
    :param settle: seconds after a lost answer within which the service may still commit the write.
    """

    template_fields: Sequence[str] = (
        "datarobot_conn_id",
        "timeout",
        "poll_interval",
        "plan_only",
        "extra_body",
        "cancel_on_kill",
        "cancel_adopted",
        "on_timeout",
        "settle",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"extra_body": "json"}
    operator_extra_links = (DataRobotLink(),)
    web_link: str | None = None
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        datarobot_conn_id: str = DataRobotHook.default_conn_name,
        deferrable: bool | None = None,
        timeout: float | timedelta | str | None = DAY,
        poll_interval: float | str = 5.0,
        plan_only: bool | str = False,
        extra_body: Mapping[str, Any] | None = None,
        cancel_on_kill: bool | str = True,
        cancel_adopted: bool | str = False,
        on_timeout: str = "cancel",
        settle: float | timedelta | str = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.datarobot_conn_id = datarobot_conn_id
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self.timeout = timeout
        self.poll_interval = poll_interval
        self.plan_only = plan_only
        self.extra_body = extra_body
        self.cancel_on_kill = cancel_on_kill
        self.cancel_adopted = cancel_adopted
        self.on_timeout = on_timeout
        self.settle = settle

    def prepare(self) -> None:
        """Checks the rendered arguments and gives them their types; called before anything is sent."""
        self.plan_only = arguments.flag("plan_only", self.plan_only)
        self.cancel_on_kill = arguments.flag("cancel_on_kill", self.cancel_on_kill)
        self.cancel_adopted = arguments.flag("cancel_adopted", self.cancel_adopted)
        self.extra_body = arguments.mapping("extra_body", self.extra_body)
        self.on_timeout = arguments.one_of("on_timeout", self.on_timeout, ("cancel", "leave"))
        self.timeout = arguments.seconds("timeout", self.timeout)
        self.settle = arguments.seconds("settle", self.settle) or 0.0
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval) or Pacing().interval
