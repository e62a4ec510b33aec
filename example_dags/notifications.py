"""Tell people when a task fails, through the notification channels of the service.

The notifier posts an event to the deployment that the task works for. A policy of the service takes it to a webhook
(Slack, a pager, your own service), signed with a secret that both sides know. Channel and policy are made once, by
name; later runs only look whether they are still as wanted. The webhook is tried out before anybody relies on it.

Needs the connections ``datarobot_default`` and ``ops_webhook`` (any type): its host is the address of the webhook, its
password the secret. Start it with the Param ``deployment_id``. With ``rows`` 0 the task fails, so the event can be seen
on its way.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier
from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator
from airflow_provider.operators.notification_policies import DataRobotCreateNotificationPolicyOperator
from airflow_provider.operators.webhook_tests import DataRobotTestWebhookChannelOperator

# [START notifications]
# Secrets come from connections, and are masked wherever Airflow shows them.
SIGNED_WITH = "{{ conn.ops_webhook.password }}"

with DAG(
    dag_id="notifications",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "rows": Param(0, type="integer", minimum=0, title="Rows to score; 0 makes the task fail"),
    },
) as dag:
    channel = DataRobotCreateNotificationChannelOperator(
        task_id="channel",
        name="Airflow webhook",
        payload_url="{{ conn.ops_webhook.host }}",
        secret_token=SIGNED_WITH,
    )
    try_it = DataRobotTestWebhookChannelOperator(
        task_id="try_it",
        channel_id="{{ ti.xcom_pull(task_ids='channel')['channel_id'] }}",
        secret_token=SIGNED_WITH,
        deferrable=True,
    )
    policy = DataRobotCreateNotificationPolicyOperator(
        task_id="policy",
        name="Events from Airflow",
        channel_id="{{ ti.xcom_pull(task_ids='channel')['channel_id'] }}",
        event_type="management.deploymentInfo",  # what remote events of the type deploymentInfo are called in policies
    )

    @task(
        retries=0,
        on_failure_callback=DataRobotRemoteEventNotifier(
            deployment_id="{{ params.deployment_id }}",
            title="{{ ti.task_id }} failed in {{ run_id }}",  # the message tells the error and the page of the log
        ),
    )
    def score(rows: str) -> str:
        """Your own work."""
        if int(rows) == 0:
            raise ValueError("there are no rows to score")
        return f"{rows} rows scored"

    channel >> try_it >> policy >> score("{{ params.rows }}")
# [END notifications]
