"""Upload a day's outcomes, wait until its predictions have them, and judge the model by what is known now.

One run a day: its data interval names the file. A rerun or a retry sends only what is missing. Nothing occupies a
worker while it waits. A backfill does the same for each of its days; one after another, each knows the whole hourly
quota of the service:

    airflow backfill create --dag-id nightly_actuals --from-date ... --to-date ... --max-active-runs 1

Needs the connection ``datarobot_default`` and a deployment whose association id is configured. The files lie in one
folder, named after their day: ``2026-03-01.csv``. Rows that cannot be sent are listed beside the file, in
``2026-03-01.csv.rejects.jsonl``; what was sent is noted in ``2026-03-01.csv.ledger/``. By hand, give the Param ``day``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider.operators.accuracy import DataRobotCheckAccuracyOperator
from airflow_provider.operators.actuals import DataRobotUploadActualsOperator
from airflow_provider.sensors.coverage import DataRobotActualsCoverageSensor
from airflow_provider.sensors.source import DataRobotSourceSensor

try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.interval import CronDataIntervalTimetable  # type: ignore[assignment]

# [START nightly_actuals]
DAY = "{{ params.day or (data_interval_start | ds) }}"
NEXT = "{{ macros.ds_add(params.day or (data_interval_start | ds), 1) }}"

with DAG(
    dag_id="nightly_actuals",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "deployment_id": Param("64e000000000000000000003", type="string", minLength=1, title="Deployment"),
        "folder": Param("/data/outcomes", type="string", minLength=1, title="Folder or URL of the files"),
        "association_id": Param("id", type="string", title="Column of the association id"),
        "actual_value": Param("outcome", type="string", title="Column of the actual value"),
        "day": Param(None, type=["null", "string"], format="date", title="This day, in place of the data interval"),
    },
) as dag:
    there = DataRobotSourceSensor(
        task_id="there",  # the file may come late
        source=f"{{{{ params.folder }}}}/{DAY}.csv",
        timeout=timedelta(hours=12),
        poke_interval=60,
    )
    upload = DataRobotUploadActualsOperator(
        task_id="upload",  # checked, within the quota, each row once, accounted for
        deployment_id="{{ params.deployment_id }}",
        source=f"{{{{ params.folder }}}}/{DAY}.csv",
        association_id_column="{{ params.association_id }}",
        actual_value_column="{{ params.actual_value }}",
        max_rejected=0.01,  # a share; more fail the task
        keep_actuals_without_predictions=False,
        deferrable=True,
    )
    covered = DataRobotActualsCoverageSensor(
        task_id="covered",  # the service takes its time; and were these the outcomes of that day's predictions?
        deployment_id="{{ params.deployment_id }}",
        share=0.9,
        window_start=f"{DAY}T00:00:00Z",
        window_end=f"{NEXT}T00:00:00Z",
        timeout=timedelta(hours=2),
        poke_interval=60,
        deferrable=True,
    )
    judge = DataRobotCheckAccuracyOperator(
        task_id="judge",
        deployment_id="{{ params.deployment_id }}",
        metric="AUC",
        view="improvement",  # against the holdout of the training
        comparison=">=",
        threshold=-5,
        minimum_sample=100,
        window_end=f"{NEXT}T00:00:00Z",
        window_last="7d",
    )
    there >> upload >> covered >> judge
# [END nightly_actuals]
