"""One promotion that is watched for long, as a user writes it."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_provider.task_groups.promotion import promote_model

with DAG(
    "promotion",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"deployment": "64e000000000000000000002", "package": "64d000000000000000000003"},
    default_args={"deferrable": True, "retries": 1, "retry_delay": timedelta(seconds=1)},
):
    promote_model(
        deployment_id="{{ params.deployment }}",
        model_package_id="{{ params.package }}",
        watch=timedelta(minutes=30),
        record=True,
    )
