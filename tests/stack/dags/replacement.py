"""One replacement, as a user writes it."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

with DAG(
    "replacement",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"deployment": "64e000000000000000000001", "package": "64d000000000000000000003"},
):
    DataRobotReplaceModelOperator(
        task_id="replace",
        deployment_id="{{ params.deployment }}",
        model_package_id="{{ params.package }}",
        reason="ACCURACY",
        deferrable=True,
        settle=5,
        retries=1,
        retry_delay=timedelta(seconds=1),
    )
