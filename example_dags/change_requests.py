"""Ask people before a change, wait for them without occupying a worker, and do what they decided.

Opens a change request that sets the status of a deployment, waits up to 30 days, and applies it after the approval.
When the reviewers ask for changes, or somebody cancels the request, another branch is followed instead. For replacing
a model there is one operator that does all of this: see ``gated_promotion.py``.

Needs the connection ``datarobot_default``. Start it with the Params.
"""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider.operators.change_request_decisions import DataRobotResolveChangeRequestOperator
from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator
from airflow_provider.operators.deployments import DataRobotGetDeploymentOperator
from airflow_provider.sensors.change_request import DataRobotChangeRequestSensor

# [START howto_change_request_with_branches]
with DAG(
    dag_id="change_behind_approval",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"datarobot_conn_id": "datarobot_default", "retries": 2},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "status": Param("inactive", enum=["active", "inactive"], title="Status that it shall have"),
        "comment": Param("Planned maintenance.", type="string", title="What the reviewers should know"),
    },
) as dag:
    ask = DataRobotCreateChangeRequestOperator(
        task_id="ask",  # a retry finds the request that is open, and does not ask twice
        deployment_id="{{ params.deployment_id }}",
        action="changeStatus",
        change={"status": "{{ params.status }}"},
        comment="{{ params.comment }}",
    )
    decision = DataRobotChangeRequestSensor(
        task_id="decision",
        change_request_id="{{ ti.xcom_pull('ask')['change_request_id'] }}",
        version="{{ ti.xcom_pull('ask')['version'] }}",  # an approval of anything else is no approval of this
        on_changes_requested="branch",
        on_cancelled="branch",
        branches={"approved": "apply", "changesRequested": "not_now", "cancelled": "not_now"},
        deferrable=True,
    )
    apply = DataRobotResolveChangeRequestOperator(
        task_id="apply",
        change_request_id="{{ ti.xcom_pull('ask')['change_request_id'] }}",
        version="{{ ti.xcom_pull('ask')['version'] }}",
        deferrable=True,
    )
    after = DataRobotGetDeploymentOperator(
        task_id="after",  # what the service says now is the truth
        deployment_id="{{ params.deployment_id }}",
    )
    not_now = EmptyOperator(task_id="not_now")  # who decided, when and why: XCom "decision" of the sensor

    ask >> decision >> [apply, not_now]
    apply >> after
# [END howto_change_request_with_branches]
