"""Let a model challenge the champion of a deployment, compare both on the same rows, and promote it if it is better.

The challenger scores what the champion has predicted (a replay), so both are judged by the same actuals over the same
window. No data is never a pass: it is a branch of its own here. A challenger that is not better is deleted, because a
deployment has at most five.

Needs the connection ``datarobot_default`` and a deployment whose association id is configured and whose actuals come
in. Start it with the Params ``deployment_id`` and ``model_package_id``. A rerun takes the challenger that is there.
Where a policy asks for an approval, the promotion waits for it; ``gated_promotion.py`` shows the whole way with a watch
and a roll back.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider.operators.challenger_changes import DataRobotDeleteChallengerOperator
from airflow_provider.operators.challenger_replays import DataRobotReplayChallengersOperator
from airflow_provider.operators.challenger_settings import DataRobotUpdateChallengerSettingsOperator
from airflow_provider.operators.challengers import DataRobotCreateChallengerOperator
from airflow_provider.operators.compare_challengers import DataRobotCompareChallengersOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

# [START challengers]
with DAG(
    dag_id="challengers",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "model_package_id": Param(type="string", minLength=1, title="Model package that challenges"),
        "metric": Param("LogLoss", type="string", title="Accuracy metric"),
        "better": Param(1.0, type="number", title="Percent by which it must be better"),
    },
) as dag:
    allow = DataRobotUpdateChallengerSettingsOperator(
        task_id="allow",  # writes nothing where challengers are on already
        deployment_id="{{ params.deployment_id }}",
    )
    challenge = DataRobotCreateChallengerOperator(
        task_id="challenge",
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ params.model_package_id }}",
        deferrable=True,
    )
    replay = DataRobotReplayChallengersOperator(
        task_id="replay",
        deployment_id="{{ params.deployment_id }}",
        if_running="wait",  # one that runs already may not know this challenger
        deferrable=True,
    )
    compare = DataRobotCompareChallengersOperator(
        task_id="compare",
        deployment_id="{{ params.deployment_id }}",
        challenger_ids="{{ ti.xcom_pull('challenge')['challenger_id'] }}",
        metric="{{ params.metric }}",
        comparison=">=",
        threshold="{{ params.better }}",
        window_last="7d",
        minimum_sample=100,
        on_fail="branch",
        on_no_data="branch",
        branches={"pass": "promote", "fail": "remove", "no_data": "look_at_it"},
    )
    promote = DataRobotReplaceModelOperator(
        task_id="promote",
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ ti.xcom_pull('compare')['best_model_package_id'] }}",
        reason="ACCURACY",
        deferrable=True,
    )
    remove = DataRobotDeleteChallengerOperator(
        task_id="remove",
        deployment_id="{{ params.deployment_id }}",
        challenger_id="{{ ti.xcom_pull('challenge')['challenger_id'] }}",
    )
    look_at_it = EmptyOperator(task_id="look_at_it")  # too few actuals, or none: a person should know

    allow >> challenge >> replay >> compare >> [promote, remove, look_at_it]
# [END challengers]
