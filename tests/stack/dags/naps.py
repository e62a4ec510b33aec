"""Fifty tasks that are deferred for a moment that is over before any executor has noticed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG

from airflow_provider.api.waits import UntilWait
from airflow_provider.tasks import DataRobotBaseOperator
from airflow_provider.tasks.run import Await, Run


class Nap(DataRobotBaseOperator):
    """Waits a second."""

    operation = "getVersion"

    def __init__(self, *, number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.number = number

    def identity(self) -> dict[str, Any]:
        return {"number": self.number}

    def start(self, run: Run) -> Await:
        run.adopt("nap")
        return Await(UntilWait(time.time() + 1), "a nap")

    def proceed(self, run: Run, result: dict[str, Any]) -> dict[str, Any]:
        return {"number": self.number}


with DAG("naps", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    Nap.partial(task_id="nap", deferrable=True).expand(number=list(range(50)))
