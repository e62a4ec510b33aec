"""Register a model of the Leaderboard, deploy it where people say, and carry its scoring code away.

The model becomes a version of a registered model and is built; then it is deployed. Where an approval policy covers new
deployments, the service asks for the approval by itself, and the task waits for it (up to 30 days) without a worker.
Each of the tasks can be retried, or run again in the same DAG run, without a second version or deployment.

Needs the connection ``datarobot_default``. Start it with the Params.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from airflow_provider.operators.create_deployment import DataRobotCreateDeploymentOperator
from airflow_provider.operators.model_files import DataRobotDownloadScoringCodeOperator
from airflow_provider.operators.model_packages import DataRobotRegisterModelOperator

# [START register_and_deploy]
with DAG(
    dag_id="register_and_deploy",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "model_id": Param(type="string", minLength=1, title="Model of the Leaderboard"),
        "registered_model": Param(type="string", minLength=1, title="Name of the registered model"),
        "label": Param(type="string", minLength=1, title="Label of the deployment"),
        "importance": Param("MODERATE", enum=["CRITICAL", "HIGH", "MODERATE", "LOW"], title="Importance"),
        "environment": Param(type="string", minLength=1, title="Prediction environment, by its name"),
        "folder": Param(type="string", minLength=1, title="Folder for the scoring code, a path or URL"),
    },
) as dag:
    register = DataRobotRegisterModelOperator(
        task_id="register",
        model_id="{{ params.model_id }}",
        registered_model_name="{{ params.registered_model }}",  # a new one where there is none of this name
        description="Registered by {{ dag.dag_id }}.",
        deferrable=True,
    )
    deploy = DataRobotCreateDeploymentOperator(
        task_id="deploy",
        deployment_label="{{ params.label }}",
        model_package_id="{{ ti.xcom_pull('register')['model_package_id'] }}",
        importance="{{ params.importance }}",
        prediction_environment="{{ params.environment }}",
        deferrable=True,
    )
    carry = DataRobotDownloadScoringCodeOperator(
        task_id="carry",
        deployment_id="{{ ti.xcom_pull('deploy')['deployment_id'] }}",
        path="{{ params.folder }}/{{ ti.xcom_pull('register')['model_package_id'] }}.jar",
        include_agent=True,  # is built first
        deferrable=True,
    )

    register >> deploy >> carry
# [END register_and_deploy]
