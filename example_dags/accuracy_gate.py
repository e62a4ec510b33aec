"""Judge a week's accuracy once its labels are in, and ask for a retraining when it is no longer good enough.

The labels of a day come in over some days. So the sensor waits, without a worker, until enough predictions of the week
have one; the gate then judges the champion by them. No data is never a pass: it is a branch of its own here.

Needs the connection ``datarobot_default`` and a deployment whose association id is configured. Start it with the Param
``deployment_id``; for a run every morning, give it a schedule and that Param a default. The windows end with the run's
data interval, or with the present hour where there is none.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider.operators.accuracy import DataRobotCheckAccuracyOperator
from airflow_provider.sensors.coverage import DataRobotActualsCoverageSensor

# [START accuracy_gate]
with DAG(
    dag_id="accuracy_gate",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "metric": Param("AUC", type="string", title="Accuracy metric"),
        "worst": Param(-5.0, type="number", title="Percent by which it may be worse than in training"),
    },
) as dag:
    labelled = DataRobotActualsCoverageSensor(
        task_id="labelled",  # late labels are waited for, but not for ever
        deployment_id="{{ params.deployment_id }}",
        share=0.8,
        minimum_predictions=100,
        window_last="7d",
        deferrable=True,
        timeout=timedelta(days=2),
        poke_interval=600,
    )
    judge = DataRobotCheckAccuracyOperator(
        task_id="judge",
        deployment_id="{{ params.deployment_id }}",
        metric="{{ params.metric }}",
        view="improvement",  # against the holdout of the training
        comparison=">=",
        threshold="{{ params.worst }}",
        minimum_sample=100,
        window_last="7d",
        on_fail="branch",
        on_no_data="branch",
        branches={"pass": "good", "fail": "retrain", "no_data": "look_at_it"},
    )
    good = EmptyOperator(task_id="good")
    retrain = EmptyOperator(task_id="retrain")  # put your retraining here
    look_at_it = EmptyOperator(task_id="look_at_it")  # too few labels, or none: a person should know

    labelled >> judge >> [good, retrain, look_at_it]
# [END accuracy_gate]
