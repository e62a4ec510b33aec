"""Look at a deployment every morning: whether it is used, answers well, and sees the data that it was trained on.

The sensor waits, without a worker, until there are new predictions; then the service's error rate and latency are
checked, and at last drift decides what follows. No data is never a pass: it is a branch of its own here.

Needs the connection ``datarobot_default``. Start it with the Param ``deployment_id``; for a run every morning, give it
a schedule and that Param a default. The windows end with the run's data interval, or with the present hour where there
is none.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from airflow_provider.operators.drift import DataRobotCheckFeatureDriftOperator
from airflow_provider.operators.service_health import DataRobotCheckServiceHealthOperator
from airflow_provider.sensors.timeliness import DataRobotPredictionsTimelinessSensor

# [START monitoring_gates]
DEPLOYMENT = "{{ params.deployment_id }}"

with DAG(
    dag_id="monitoring_gates",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "slowest": Param(500, type="integer", title="Milliseconds that 95 % of the requests may take"),
        "drift": Param(0.15, type="number", title="PSI from which a feature has drifted"),
    },
) as dag:
    alive = DataRobotPredictionsTimelinessSensor(
        task_id="alive",
        deployment_id=DEPLOYMENT,
        max_age="6h",
        minimum_sample=100,
        window_last="24h",
        deferrable=True,
        timeout=timedelta(hours=4),
        poke_interval=600,
    )
    errors = DataRobotCheckServiceHealthOperator(
        task_id="errors",
        deployment_id=DEPLOYMENT,
        metric="serverErrorRate",
        threshold=0.01,
        window_last="24h",
    )
    latency = DataRobotCheckServiceHealthOperator(
        task_id="latency",
        deployment_id=DEPLOYMENT,
        metric="responseTime",
        quantile=0.95,
        threshold="{{ params.slowest }}",
        window_last="24h",
    )
    drift = DataRobotCheckFeatureDriftOperator(
        task_id="drift",
        deployment_id=DEPLOYMENT,
        threshold="{{ params.drift }}",
        minimum_importance=0.5,  # the others may drift
        minimum_sample=500,
        window_last="7d",
        max_age="24h",
        on_fail="branch",
        on_no_data="branch",
        branches={"pass": "good", "fail": "retrain", "no_data": "look_at_it"},
    )
    good = EmptyOperator(task_id="good")
    retrain = EmptyOperator(task_id="retrain")  # put your retraining here
    look_at_it = EmptyOperator(task_id="look_at_it")  # too few rows, or none lately: a person should know

    alive >> [errors, latency] >> drift >> [good, retrain, look_at_it]
# [END monitoring_gates]
