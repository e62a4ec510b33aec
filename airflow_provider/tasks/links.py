"""Links from a task to what it works on, in the web UI of the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperatorLink


class DataRobotLink(BaseOperatorLink):
    """Opens the deployment that a task works on: what the task keeps as ``web_link`` while it runs.

    Airflow asks after each run of the task, in the same process, and keeps the answer for its web server.
    """

    name = "DataRobot"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address, or an empty string where the task has none."""
        return getattr(operator, "web_link", None) or ""


def deployment_url(web_url: str, deployment_id: str) -> str:
    """The overview page of a deployment (the path that the vendor's own client opens)."""
    return f"{web_url}/deployments/{deployment_id}/overview"


def entity_url(web_url: str, change_request: Mapping[str, Any]) -> str | None:
    """The page of what a change request is about."""
    entity_id = change_request.get("entityId")
    return deployment_url(web_url, str(entity_id)) if entity_id else None
