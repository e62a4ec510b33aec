"""Keep a custom metric of a deployment: make it once, submit a day's values, and read what the week came to.

The first task takes the metric that is there already, so every run may begin with it. Each value is sent at most once:
a retry sends only the rest, and what may have arrived and cannot be looked up fails the task until somebody has looked.
Rows that are no values are told before anything is sent.

Needs the connection ``datarobot_default``, and a CSV with the columns ``timestamp`` and ``savings``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from airflow_provider.operators.custom_metric_summary import DataRobotGetCustomMetricSummaryOperator
from airflow_provider.operators.custom_metric_values import DataRobotSubmitCustomMetricValuesOperator
from airflow_provider.operators.custom_metrics import DataRobotCreateCustomMetricOperator

# [START custom_metrics]
with DAG(
    dag_id="custom_metrics",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["datarobot", "example"],
    default_args={"retries": 2},
    params={
        "deployment_id": Param("64e000000000000000000002", type="string", minLength=1, title="Deployment"),
        "source": Param("/data/savings.csv", type="string", minLength=1, title="Values: a path or URL"),
    },
) as dag:
    metric = DataRobotCreateCustomMetricOperator(
        task_id="metric",  # or takes it, and fails when it is another one of this name
        deployment_id="{{ params.deployment_id }}",
        name="Savings",
        units="EUR",
        metric_type="sum",
        directionality="higherIsBetter",
    )
    values = DataRobotSubmitCustomMetricValuesOperator(
        task_id="values",
        deployment_id="{{ params.deployment_id }}",
        name="Savings",
        source="{{ params.source }}",
        timestamp_column="timestamp",
        value_column="savings",
        deferrable=True,
    )
    week = DataRobotGetCustomMetricSummaryOperator(
        task_id="week",
        deployment_id="{{ params.deployment_id }}",
        name="Savings",
        window_last="7d",
    )
    metric >> values >> week
# [END custom_metrics]
