"""Many promotions and many uploads of actuals, as a user maps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider.operators.actuals import DataRobotUploadActualsOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

PACKAGE = "64d000000000000000000003"
VISITS = "64e000000000000000000003"

with DAG(
    "fleet",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"deployments": [], "files": []},
    default_args={"deferrable": True, "retries": 3, "retry_delay": timedelta(seconds=1)},
):

    @task
    def listed(name: str, params: dict[str, Any] | None = None) -> Any:
        """What the run was given, to be mapped over."""
        return (params or {})[name]

    DataRobotReplaceModelOperator.partial(
        task_id="promote", model_package_id=PACKAGE, reason="SCHEDULED_REFRESH", settle=5
    ).expand(deployment_id=listed.override(task_id="deployments")("deployments"))

    DataRobotUploadActualsOperator.partial(
        task_id="upload",
        deployment_id=VISITS,
        association_id_column="id",
        actual_value_column="no_visit",
        # The predictions of these rows were never made; nothing but their arrival counts here.
        keep_actuals_without_predictions=True,
    ).expand(source=listed.override(task_id="files")("files"))
