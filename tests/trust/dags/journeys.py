"""Journeys that end well, badly and not at all, with secrets where users have them: in connections."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_provider.operators.call_api import DataRobotCallApiOperator
from airflow_provider.operators.deployment_status import DataRobotDeactivateDeploymentOperator
from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

GOVERNED, OTHER = "64e000000000000000000001", "64e000000000000000000002"
TOKEN, HEADER = "{{ conn.hook.password }}", "{{ conn.hook.extra_dejson.header }}"
WEBHOOK = {"channelType": "Webhook", "name": "called", "payloadUrl": "http://127.0.0.1:9/b", "secretToken": TOKEN}

with DAG(
    "journeys",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    default_args={"retry_delay": timedelta(seconds=1), "deferrable": True},
):
    DataRobotReplaceModelOperator(
        task_id="waits", deployment_id=OTHER, model_package_id="64d000000000000000000003", reason="ACCURACY"
    )
    DataRobotDeactivateDeploymentOperator(task_id="refused", deployment_id=GOVERNED, retries=1, timeout=30)
    DataRobotCreateNotificationChannelOperator(
        task_id="channel",
        name="hook",
        payload_url="http://127.0.0.1:9/a",
        secret_token=TOKEN,
        custom_headers={"X-T": HEADER},
    )
    DataRobotCallApiOperator(task_id="called", operation_id="createNotificationChannel", body=WEBHOOK)
