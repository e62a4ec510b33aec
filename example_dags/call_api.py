"""Use any operation of the API as a task, where no operator of its own exists.

Switches the tracking of target drift on for a deployment: reads its settings, starts the job that changes them, waits
for the job in the triggerer, and reads the settings again. ``DataRobotCallApiOperator`` would wait by itself; here the
wait is a sensor, so that other tasks may start meanwhile.

Needs the connection ``datarobot_default``. Start it with the Param ``deployment_id``.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, chain

from airflow_provider.operators.call_api import DataRobotCallApiOperator
from airflow_provider.sensors.api_job import DataRobotApiJobSensor

# [START howto_call_any_operation]
with DAG(
    dag_id="call_any_operation",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"datarobot_conn_id": "datarobot_default", "retries": 2},
    params={"deployment_id": Param(type="string", minLength=1, title="Deployment")},
) as dag:
    before = DataRobotCallApiOperator(
        task_id="before",
        operation_id="getDeploymentSettings",
        arguments={"deploymentId": "{{ params.deployment_id }}"},
    )
    change = DataRobotCallApiOperator(
        task_id="change",
        operation_id="updateDeploymentSettings",  # the same settings again change nothing, so a retry is harmless
        arguments={"deploymentId": "{{ params.deployment_id }}"},
        body={"targetDrift": {"enabled": True}},
        wait=False,
    )
    changed = DataRobotApiJobSensor(
        task_id="changed",
        location="{{ ti.xcom_pull('change')['job'] }}",
        timeout=3600,
        deferrable=True,
    )
    after = DataRobotCallApiOperator(
        task_id="after",
        operation_id="getDeploymentSettings",
        arguments={"deploymentId": "{{ params.deployment_id }}"},
    )

    chain(before, change, changed, after)
# [END howto_call_any_operation]
