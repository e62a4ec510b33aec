"""Links from a task to what it works on, in the web UI of the service."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

LINK_KEY = "datarobot_link"


class DataRobotLink(BaseOperatorLink):
    """Opens the deployment that a task works on; the task pushes the address when it has begun."""

    name = "DataRobot"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address, or an empty string while the task has not begun."""
        value = XCom.get_value(key=LINK_KEY, ti_key=ti_key)
        return value if isinstance(value, str) else ""


def deployment_url(web_url: str, deployment_id: str) -> str:
    """The overview page of a deployment (the path that the vendor's own client opens)."""
    return f"{web_url}/deployments/{deployment_id}/overview"
