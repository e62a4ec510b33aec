"""Promote a model behind a governance approval, watch it, and bring the old one back when it does not do well.

Nobody has to be there: while people decide (minutes to weeks), the task occupies no worker. A retry at any point takes
up what is under way and never asks or replaces twice.

Needs the connection ``datarobot_default``. Start it with the Params ``deployment_id`` and ``model_package_id``.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider.operators.deployments import DataRobotGetDeploymentOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.validation import DataRobotValidateModelReplacementOperator
from airflow_provider.operators.watch import DataRobotWatchDeploymentOperator

# [START gated_promotion]
with DAG(
    dag_id="gated_promotion",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "model_package_id": Param(type="string", minLength=1, title="Model package that shall serve"),
        "reason": Param("SCHEDULED_REFRESH", type="string", title="Reason of the replacement"),
        "watch_minutes": Param(10, type="number", minimum=0, title="Minutes to watch the new champion"),
    },
) as dag:
    before = DataRobotGetDeploymentOperator(
        task_id="before",  # keeps the champion of today, for the way back
        deployment_id="{{ params.deployment_id }}",
    )
    validate = DataRobotValidateModelReplacementOperator(
        task_id="validate",  # refuses an unfit model before anybody is asked
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ params.model_package_id }}",
    )
    promote = DataRobotReplaceModelOperator(
        task_id="promote",  # asks for approval where a policy wants it, waits, validates again, applies, verifies
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ params.model_package_id }}",
        reason="{{ params.reason }}",
        on_warning="allow",
        timeout=timedelta(days=30),
        deferrable=True,
    )
    post_check = DataRobotWatchDeploymentOperator(
        task_id="post_check",  # the champion is ours, the deployment active, its service not failing
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ params.model_package_id }}",
        watch="{{ params.watch_minutes * 60 }}",
        deferrable=True,
        retries=0,
    )
    roll_back = DataRobotReplaceModelOperator(
        task_id="roll_back",  # only after a failure; without effect when the old champion never left
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ ti.xcom_pull('before')['champion']['model_package_id'] }}",
        reason="ERRORS",
        comment="The check after the promotion of {{ params.model_package_id }} failed: back to the previous champion.",
        on_warning="allow",
        deferrable=True,
        trigger_rule="one_failed",
    )
    promoted = EmptyOperator(task_id="promoted")  # the run is a success only when the promotion is

    before >> validate >> promote >> post_check >> [roll_back, promoted]
# [END gated_promotion]
