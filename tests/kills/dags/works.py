"""A DAG of one task for each kind of remote work, waiting in the triggerer and on the worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider.operators.batch_predictions import DataRobotScoreBatchOperator
from airflow_provider.operators.exports import DataRobotExportPredictionDataOperator
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.retraining import DataRobotRunRetrainingPolicyOperator

DEPLOYMENT = "{{ params.deployment }}"


def replacement(**arguments: Any) -> None:
    DataRobotReplaceModelOperator(deployment_id=DEPLOYMENT, model_package_id="{{ params.package }}", **arguments)


def retraining(**arguments: Any) -> None:
    DataRobotRunRetrainingPolicyOperator(deployment_id=DEPLOYMENT, policy_id="{{ params.policy }}", **arguments)


def batch(**arguments: Any) -> None:
    DataRobotScoreBatchOperator(
        deployment_id=DEPLOYMENT,
        source="{{ params.folder }}/rows.csv",
        target="{{ params.folder }}/scores.csv",
        **arguments,
    )


def export(**arguments: Any) -> None:
    DataRobotExportPredictionDataOperator(
        deployment_id=DEPLOYMENT,
        path="{{ params.folder }}/rows",
        window_start="{{ params.start }}",
        window_end="{{ params.end }}",
        model_ids="{{ params.model }}",
        **arguments,
    )


def define(make: Callable[..., None], name: str, run_seconds: float | None = None, **more: Any) -> None:
    """Both DAGs of a kind of work."""
    for mode in ("deferred", "in_place"):
        with DAG(
            f"{name}_{mode}",
            schedule=None,
            start_date=datetime(2026, 1, 1, tzinfo=UTC),
            dagrun_timeout=None if run_seconds is None else timedelta(seconds=run_seconds),
            max_active_runs=64,
            params=dict.fromkeys(("deployment", "package", "policy", "folder", "start", "end", "model"), "")
            | {"timeout": "3600", "on_timeout": "cancel", "cancel_adopted": "false"},
        ):
            make(
                task_id="work",
                deferrable=mode == "deferred",
                poll_interval=2,
                settle=5,
                timeout="{{ params.timeout }}",
                on_timeout="{{ params.on_timeout }}",
                cancel_adopted="{{ params.cancel_adopted }}",
                **more,
            )


for work in (replacement, retraining, batch, export):
    define(work, work.__name__)
define(retraining, "retraining_limited", execution_timeout=timedelta(seconds=40))
define(retraining, "retraining_brief", run_seconds=60)
