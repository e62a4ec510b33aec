"""A new deployment made ready for monitoring: association id, drift, segments, fairness, health, and who may see it.

Run it as often as you like: each task compares first, and writes only what differs.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from airflow_provider.operators.association import DataRobotSetAssociationIdOperator
from airflow_provider.operators.deployment_settings import (
    DataRobotUpdateDeploymentSettingsOperator,
    DataRobotUpdateFairnessSettingsOperator,
    DataRobotUpdateSegmentAnalysisOperator,
)
from airflow_provider.operators.deployment_sharing import DataRobotShareDeploymentOperator

# [START deployment_settings]
with DAG(
    dag_id="deployment_settings",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param("64e000000000000000000002", type="string", minLength=1, title="Deployment"),
        "reviewer": Param("outsider@example.com", type="string", title="Who shall see it"),
    },
) as dag:
    association = DataRobotSetAssociationIdOperator(
        task_id="association",  # before the first predictions: it cannot change later
        deployment_id="{{ params.deployment_id }}",
        columns="customer_id",
    )
    drift = DataRobotUpdateDeploymentSettingsOperator(
        task_id="drift",
        deployment_id="{{ params.deployment_id }}",
        settings={
            "targetDrift": {"enabled": True},
            "featureDrift": {"enabled": True},
            "predictionsDataCollection": {"enabled": True},
        },
        deferrable=True,
    )
    segments = DataRobotUpdateSegmentAnalysisOperator(
        task_id="segments", deployment_id="{{ params.deployment_id }}", attributes=["region", "plan"]
    )
    fairness = DataRobotUpdateFairnessSettingsOperator(
        task_id="fairness",
        deployment_id="{{ params.deployment_id }}",
        protected_features=["gender"],
        fairness_metrics_set="equalParity",
        fairness_threshold=0.8,
    )
    share = DataRobotShareDeploymentOperator(
        task_id="share",
        deployment_id="{{ params.deployment_id }}",
        roles=[{"username": "{{ params.reviewer }}", "role": "USER"}],
    )
    association >> drift >> segments >> fairness >> share
# [END deployment_settings]
