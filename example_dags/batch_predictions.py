"""Score a file with the champion of a deployment, from and to any place that Airflow's object storage knows.

The file is streamed through the worker, and the results are put to their place whole. Nothing occupies a worker while
the service scores. A retry takes up the job that is under way; a kill aborts it. The rows are kept as a monitoring
batch, which is locked at the end.

Needs the connection ``datarobot_default``. For files on s3 or gs, give URLs and the provider's connection in them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider.operators.batch_predictions import DataRobotScoreBatchOperator
from airflow_provider.operators.monitoring_batch_changes import DataRobotUpdateMonitoringBatchOperator
from airflow_provider.sensors.source import DataRobotSourceSensor

# [START batch_predictions]
with DAG(
    dag_id="batch_predictions",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    tags=["datarobot", "example"],
    default_args={"retries": 2},
    params={
        "deployment_id": Param("64e000000000000000000002", type="string", minLength=1, title="Deployment"),
        "source": Param("/data/rows.csv", type="string", minLength=1, title="Rows to score: a path or URL"),
        "target": Param("/data/scores.csv", type="string", minLength=1, title="Where the scores go"),
        "id_column": Param("id", type="string", title="Column that the scores repeat"),
    },
) as dag:
    there = DataRobotSourceSensor(
        task_id="there",
        source="{{ params.source }}",
        timeout=timedelta(hours=6),
        poke_interval=60,
    )
    score = DataRobotScoreBatchOperator(
        task_id="score",
        deployment_id="{{ params.deployment_id }}",
        source="{{ params.source }}",
        target="{{ params.target }}",
        passthrough_columns="{{ params.id_column }}",
        monitoring_batch_prefix="Scored",
        timeout=timedelta(hours=4),
        deferrable=True,
    )
    lock = DataRobotUpdateMonitoringBatchOperator(
        task_id="lock",
        deployment_id="{{ params.deployment_id }}",
        batch_id="{{ ti.xcom_pull(task_ids='score')['monitoring_batch_id'] }}",
        locked=True,
    )
    there >> score >> lock
# [END batch_predictions]
