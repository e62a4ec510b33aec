"""A wait that gives up after a few seconds in which the service cannot be asked, in place of half an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from airflow.sdk import DAG

from airflow_provider.api.waiting import Waiting
from airflow_provider.operators.retraining import DataRobotRunRetrainingPolicyOperator
from airflow_provider.tasks import run

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.triggers.wait import DataRobotWaitTrigger

PATIENCE = 3.0
# On the worker no argument says how long; each task is a process of its own, so this reaches no other DAG.
setattr(run, "Waiting", partial(Waiting, patience=PATIENCE))  # noqa: B010 - mypy knows it for a class


class Impatient(DataRobotRunRetrainingPolicyOperator):
    """Gives up soon in the triggerer, too."""

    def _trigger(self, handle: Handle) -> DataRobotWaitTrigger:
        trigger = super()._trigger(handle)
        trigger.patience = PATIENCE
        return trigger


for mode in ("deferred", "in_place"):
    with DAG(
        f"impatient_{mode}",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        params={"deployment": "", "policy": ""},
    ):
        Impatient(
            task_id="work",
            deployment_id="{{ params.deployment }}",
            policy_id="{{ params.policy }}",
            deferrable=mode == "deferred",
            poll_interval=1,
            retries=1,
            retry_delay=timedelta(seconds=1),
        )
