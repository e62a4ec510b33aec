"""Links that operators show beside a task: Airflow renders only those that a provider declares."""

from __future__ import annotations

from typing import Any

INFO: dict[str, list[Any]] = {
    "extra-links": ["airflow_provider.tasks.links.DataRobotLink"],
}
