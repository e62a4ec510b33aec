"""The notifiers, by class."""

from __future__ import annotations

from typing import Any

INFO: dict[str, Any] = {
    "notifications": ["airflow_provider.notifications.remote_event.DataRobotRemoteEventNotifier"],
}
