"""DataRobotBaseReadOperator: tasks that only ask. Nothing to remember, nothing to wait for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks.introduction import Introduced
from airflow_provider.tasks.links import DataRobotLink
from airflow_provider.tasks.outcomes import translated

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotBaseReadOperator(Introduced, BaseOperator):
    """Base of operators that change nothing.

    :param datarobot_conn_id: the Airflow connection.
    """

    template_fields: Sequence[str] = ("datarobot_conn_id",)
    operator_extra_links = (DataRobotLink(),)
    web_link: str | None = None
    ui_color = "#e3f2ea"

    def __init__(self, *, datarobot_conn_id: str = DataRobotHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.datarobot_conn_id = datarobot_conn_id

    def prepare(self) -> None:
        """Checks the rendered arguments; called before anything is sent."""

    def read(self, client: Client) -> Any:
        """The task's result."""
        raise NotImplementedError(f"{type(self).__name__} must say what it reads")

    def link(self, web_url: str) -> str | None:
        """The page of the service's web UI that the task is about."""
        return None

    def execute(self, context: Context) -> Any:
        """Asks, and gives plain JSON."""
        with translated():
            self.introduce(context)
            self.prepare()
            with DataRobotHook(self.datarobot_conn_id).get_conn() as client:
                self.web_link = self.link(client.settings.web_url)
                return json.loads(json.dumps(self.read(client), default=str))
