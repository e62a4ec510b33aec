"""Retrain every deployment that wants it, and promote a new model only when it is better on numbers.

On the first of each month, each deployment with the tag ``retrain: monthly`` gets one run of its retraining policy. The
new model challenges the champion: it predicts what the champion has predicted (a replay), both are judged by the same
actuals, and only a better one is promoted; where an approval policy asks for it, people decide. A second DAG does the
same every day for tagged deployments whose model health has turned.

One task a step and deployment, side by side; a deployment that fails does not stop the others. Nothing occupies a
worker while it waits for hours. A rerun makes no second policy. A retry takes up the run that it began; a run that
somebody else began in this hour is taken up too, one that began earlier has not seen this month's data and is waited
for first.

Needs the connection ``datarobot_default``, and deployments with retraining settings (a dataset;
``DataRobotUpdateRetrainingSettingsOperator`` sets it), an association id, and actuals that come in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task_group

from airflow_provider.operators.challenger_replays import DataRobotReplayChallengersOperator
from airflow_provider.operators.compare_challengers import DataRobotCompareChallengersOperator
from airflow_provider.operators.deployments import DataRobotListDeploymentsOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.retraining import DataRobotRunRetrainingPolicyOperator
from airflow_provider.operators.retraining_policies import DataRobotCreateRetrainingPolicyOperator

# [START scheduled_retraining]
COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["datarobot", "example"],
    "doc_md": __doc__,
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=5)},
    "params": {
        "tag": Param('{"retrain": "monthly"}', type="string", title="Tags of the deployments, as JSON"),
        "metric": Param("LogLoss", type="string", title="Accuracy metric"),
        "better": Param(1.0, type="number", title="Percent by which the new model must be better"),
    },
}


def of(task: str, key: str) -> str:
    """What another task of the same deployment has returned."""
    return f"{{{{ ti.xcom_pull('retrain.{task}', map_indexes=ti.map_index)['{key}'] }}}}"


@task_group
def retrain(deployment_id: str) -> None:
    """One deployment: policy, run, replay, comparison, promotion."""
    policy = DataRobotCreateRetrainingPolicyOperator(
        task_id="policy",  # found by its name from the second time on
        deployment_id=deployment_id,
        name="Retraining by Airflow",
        action="create_challenger",
        model_selection_strategy="autopilot_recommended",
    )
    run = DataRobotRunRetrainingPolicyOperator(
        task_id="run",
        deployment_id=deployment_id,
        policy_id=of("policy", "policy_id"),
        if_running="adopt",
        started_after="{{ dag_run.run_after }}",
        timeout=timedelta(hours=12),
        deferrable=True,
    )
    replay = DataRobotReplayChallengersOperator(
        task_id="replay",
        deployment_id=deployment_id,
        if_running="wait",  # one that runs already may not know this challenger
        deferrable=True,
    )
    compare = DataRobotCompareChallengersOperator(
        task_id="compare",
        deployment_id=deployment_id,
        challenger_ids=of("run", "challenger_id"),
        metric="{{ params.metric }}",
        comparison=">=",
        threshold="{{ params.better }}",
        window_last="7d",
        minimum_sample=100,
        on_fail="skip",  # the champion stays; no data fails, for a person should know
    )
    promote = DataRobotReplaceModelOperator(
        task_id="promote",
        deployment_id=deployment_id,
        model_package_id=of("run", "model_package_id"),
        reason="SCHEDULED_REFRESH",
        deferrable=True,
    )
    policy >> run >> replay >> compare >> promote


with DAG(dag_id="scheduled_retraining", schedule="0 3 1 * *", **COMMON) as monthly:
    select = DataRobotListDeploymentsOperator(task_id="select", tags="{{ params.tag }}", status="active", fields=["id"])
    retrain.expand(deployment_id=select.output)

with DAG(dag_id="retraining_on_model_health", schedule="@daily", **COMMON) as on_health:
    select = DataRobotListDeploymentsOperator(
        task_id="select", tags="{{ params.tag }}", model_health=["failing", "warning"], status="active", fields=["id"]
    )
    retrain.expand(deployment_id=select.output)
# [END scheduled_retraining]
