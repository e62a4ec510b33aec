"""Group what belongs together: a monitoring batch a run, values of a custom metric for it, and a lock at the end.

Every task finds the batch of its run by name, so each can be cleared and run again. A locked batch takes no more
predictions.

Needs the connection ``datarobot_default``, a deployment that monitors batches, and the custom metric ``Cost``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from airflow_provider.operators.custom_metric_values import DataRobotSubmitCustomMetricValuesOperator
from airflow_provider.operators.custom_metrics import DataRobotCreateCustomMetricOperator
from airflow_provider.operators.monitoring_batch_changes import DataRobotUpdateMonitoringBatchOperator
from airflow_provider.operators.monitoring_batches import (
    DataRobotCreateMonitoringBatchOperator,
    DataRobotGetMonitoringBatchOperator,
)

# [START monitoring_batches]
with DAG(
    dag_id="monitoring_batches",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    tags=["datarobot", "example"],
    default_args={"retries": 1},
    params={
        "deployment_id": Param("64e000000000000000000002", type="string", minLength=1, title="Deployment"),
        "batch": Param("March", type="string", minLength=1, title="What the batch is called"),
        "cost": Param(120.5, type="number", title="What the batch has cost"),
    },
) as dag:
    batch = DataRobotCreateMonitoringBatchOperator(
        task_id="batch",  # or takes the one that is there
        deployment_id="{{ params.deployment_id }}",
        name="{{ params.batch }}",
        description="Scored by {{ run_id }}",
        on_difference="ignore",
    )
    metric = DataRobotCreateCustomMetricOperator(
        task_id="metric",
        deployment_id="{{ params.deployment_id }}",
        name="Cost",
        units="EUR",
        metric_type="sum",
    )
    cost = DataRobotSubmitCustomMetricValuesOperator(
        task_id="cost",
        deployment_id="{{ params.deployment_id }}",
        name="Cost",
        source=[{"value": "{{ params.cost }}"}],
        batch_id="{{ ti.xcom_pull(task_ids='batch')['batch_id'] }}",
        deferrable=True,
    )
    lock = DataRobotUpdateMonitoringBatchOperator(
        task_id="lock",
        deployment_id="{{ params.deployment_id }}",
        name="{{ params.batch }}",
        locked=True,
    )
    look = DataRobotGetMonitoringBatchOperator(
        task_id="look",
        deployment_id="{{ params.deployment_id }}",
        name="{{ params.batch }}",
    )
    [batch, metric] >> cost >> lock >> look
# [END monitoring_batches]
