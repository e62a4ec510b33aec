"""One task a DAG, as users write them; ``<name>_in_place`` waits on its worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider.operators.actuals import DataRobotUploadActualsOperator
from airflow_provider.operators.custom_metric_values import DataRobotSubmitCustomMetricValuesOperator
from airflow_provider.operators.exports import DataRobotExportPredictionDataOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.retraining import DataRobotRunRetrainingPolicyOperator

REPLACEMENT = {"model_package_id": "64d000000000000000000003", "reason": "ACCURACY"}
FILE = {"source": "{{ params.file }}"}
# Of each: the operator, and what it is told beside the deployment.
STORIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "replacement": (DataRobotReplaceModelOperator, REPLACEMENT),
    "approval": (DataRobotReplaceModelOperator, REPLACEMENT),
    "retraining": (DataRobotRunRetrainingPolicyOperator, {"policy_id": "{{ params.policy }}"}),
    "actuals": (
        DataRobotUploadActualsOperator,
        {**FILE, "association_id_column": "id", "actual_value_column": "outcome", "in_flight": 2},
    ),
    "metric": (
        DataRobotSubmitCustomMetricValuesOperator,
        {**FILE, "name": "{{ params.metric }}", "timestamp_column": "timestamp"},
    ),
    "export": (
        DataRobotExportPredictionDataOperator,
        {
            "path": "{{ params.folder }}",
            "window_start": "{{ params.start }}",
            "window_end": "{{ params.end }}",
            "reuse": False,
        },
    ),
}
PARAMS = dict.fromkeys(("deployment", "policy", "file", "metric", "folder", "start", "end"), "")

for name, (operator, told) in STORIES.items():
    for deferrable in (True, False):
        with DAG(
            name if deferrable else f"{name}_in_place",
            schedule=None,
            start_date=datetime(2026, 1, 1, tzinfo=UTC),
            params=PARAMS,
        ) as dag:
            operator(
                task_id="task",
                deployment_id="{{ params.deployment }}",
                deferrable=deferrable,
                settle=5,
                poll_interval=1,
                retries=6,
                retry_delay=timedelta(seconds=2),
                retry_exponential_backoff=True,  # while the API server is away, no attempt even begins
                **told,
            )
        globals()[dag.dag_id] = dag
