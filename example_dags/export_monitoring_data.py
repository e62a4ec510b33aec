"""Export a day's predictions and the actuals of the week before, for an audit or a feature store; then clean up.

One run a day, and one mapped task for each deployment. Each folder gets its files whole and then ``manifest.json``:
rows that were counted before and that came, bytes, SHA-256, window, model and export of every file. Who finds a
manifest finds all that it names. A rerun replaces the folder; a retry goes on where the last attempt ended, also on
another worker. Nothing occupies a worker while the service works.

Labels come late, so actuals are exported a week after their predictions. The catalog of the service keeps at most a
hundred exports of each kind: the last task deletes those older than a week.

Needs the connection ``datarobot_default``; ``root`` is a path or URL that Airflow's object storage knows. By hand, give
the Param ``day``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider.operators.export_cleanup import DataRobotDeleteOldExportsOperator
from airflow_provider.operators.exports import (
    DataRobotExportActualsDataOperator,
    DataRobotExportPredictionDataOperator,
)

try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.interval import CronDataIntervalTimetable  # type: ignore[assignment]

# [START export_monitoring_data]
LABELS_AFTER = 7  # days


@task
def wanted(kind: str, days_before: int = 0) -> list[dict[str, Any]]:
    """What to export of each deployment: a day of UTC, into a folder named after both."""
    context = get_current_context()
    params = context["params"]
    day = date.fromisoformat(params["day"] or f"{context['data_interval_start']:%Y-%m-%d}")
    day -= timedelta(days=days_before)
    return [
        {
            "deployment_id": deployment,
            "path": f"{params['root']}/{deployment}/{day}/{kind}",
            "window_start": f"{day}T00:00:00Z",
            "window_end": f"{day + timedelta(days=1)}T00:00:00Z",
            "format": params["format"],
        }
        for deployment in params["deployments"]
    ]


@task
def deployments() -> list[str]:
    """All of them, for the clean-up."""
    chosen: list[str] = get_current_context()["params"]["deployments"]
    return chosen


with DAG(
    dag_id="export_monitoring_data",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "deployments": Param(["64e000000000000000000003"], type="array", minItems=1, title="Deployments"),
        "root": Param("/data/exports", type="string", minLength=1, title="Folder or URL for all exports"),
        "format": Param("csv", enum=["csv", "parquet"], title="Form of the files"),
        "day": Param(None, type=["null", "string"], format="date", title="This day, in place of the data interval"),
    },
) as dag:
    predictions = DataRobotExportPredictionDataOperator.partial(
        task_id="predictions",  # of one model: a champion change inside the day fails, and names the remedy
        timeout=timedelta(hours=6),
        deferrable=True,
    ).expand_kwargs(wanted("predictions"))
    actuals = DataRobotExportActualsDataOperator.partial(
        task_id="actuals",
        if_empty="skip",  # no labels for that day
        timeout=timedelta(hours=6),
        deferrable=True,
    ).expand_kwargs(wanted.override(task_id="wanted_actuals")("actuals", LABELS_AFTER))
    clean_up = DataRobotDeleteOldExportsOperator.partial(
        task_id="clean_up",
        older_than=timedelta(days=7),
        trigger_rule="none_failed",
    ).expand(deployment_id=deployments())
    [predictions, actuals] >> clean_up
# [END export_monitoring_data]
