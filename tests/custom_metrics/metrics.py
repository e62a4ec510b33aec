"""What the tests of this folder share: tasks on custom metrics, and what the service then says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from tests.harness import UNGOVERNED
from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

WANTED = {"deployment_id": UNGOVERNED, "name": "Savings", "units": "EUR", "metric_type": "sum"}


def create(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.custom_metrics import DataRobotCreateCustomMetricOperator

    return _task(stage, DataRobotCreateCustomMetricOperator, {**WANTED, **arguments})


def update(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.custom_metric_changes import DataRobotUpdateCustomMetricOperator

    return _task(stage, DataRobotUpdateCustomMetricOperator, {"deployment_id": UNGOVERNED, **arguments})


def delete(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.custom_metrics import DataRobotDeleteCustomMetricOperator

    return _task(stage, DataRobotDeleteCustomMetricOperator, {"deployment_id": UNGOVERNED, **arguments})


def submit(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.custom_metric_values import DataRobotSubmitCustomMetricValuesOperator

    given = {"deployment_id": UNGOVERNED, "name": "Savings"}
    if "source" in arguments and "timestamp" not in arguments:
        given["timestamp_column"] = "timestamp"
    return _task(stage, DataRobotSubmitCustomMetricValuesOperator, {**given, **arguments})


def summary(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.custom_metric_summary import DataRobotGetCustomMetricSummaryOperator

    kind, given = DataRobotGetCustomMetricSummaryOperator, {"deployment_id": UNGOVERNED, "name": "Savings", **arguments}
    return read_only(stage, kind, **given)


def _task(stage: Stage, kind: Any, arguments: dict[str, Any]) -> Task:
    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    return task(stage, kind, **options, **arguments)


def stored(stage: Stage) -> tuple[float | None, int]:
    """Value and samples of the metric over the last week, asked without our client."""
    metrics = stage.service.world("customMetrics")
    [key] = metrics
    path = f"{stage.service.endpoint}/deployments/{UNGOVERNED}/customMetrics/{key}/summary/"
    token = stage.service.tokens["requester"]
    line = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, trust_env=False).json()["metric"]
    return line["value"], line["sampleCount"]


def rows(stage: Stage, count: int, value: float = 1.0) -> list[dict[str, Any]]:
    """So many values of the hours before the last."""
    now = datetime.fromisoformat(stage.service.clock()["now"])
    return [
        {"value": value, "timestamp": (now - timedelta(minutes=61 + number % 600)).isoformat()}
        for number in range(count)
    ]
