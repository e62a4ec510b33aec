"""Select deployments by what they are, and look after each of them in a task of its own.

Every hour, each important deployment gets one look: it must be active, and its service must not be failing. A
deployment that is not well fails its own task only, and says what is wrong. Copy it and put a notification behind it.

Needs the connection ``datarobot_default``. The Params narrow the selection.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from airflow_provider.operators.deployments import DataRobotListDeploymentsOperator
from airflow_provider.operators.watch import DataRobotWatchDeploymentOperator

# [START howto_select_and_map_deployments]
with DAG(
    dag_id="deployments_health",
    doc_md=__doc__,
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"datarobot_conn_id": "datarobot_default", "retries": 1},
    params={
        "importance": Param("CRITICAL,HIGH", type="string", title="Importances, with commas between"),
        "most": Param(200, type="integer", minimum=1, title="Fail when more deployments than this are selected"),
    },
) as dag:
    select = DataRobotListDeploymentsOperator(
        task_id="select",
        importance="{{ params.importance }}",
        most="{{ params.most }}",
        fields=["id"],
    )
    DataRobotWatchDeploymentOperator.partial(
        task_id="check",
        watch=0,  # one look; a duration watches on
        unhealthy=["failing"],
        retries=0,  # what is wrong is told at once
        max_active_tis_per_dag=8,
        map_index_template="{{ task.deployment_id }}",
    ).expand(deployment_id=select.output)
# [END howto_select_and_map_deployments]
