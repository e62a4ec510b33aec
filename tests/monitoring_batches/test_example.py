"""The example DAG, in Airflow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tests.journeys.conftest import service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]


def test_a_batch_of_a_run(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom) -> None:
    dag: Any = importlib.import_module("example_dags.monitoring_batches").dag
    run = run_dag(dag, run_conf={"batch": "April"})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == dict.fromkeys(("batch", "metric", "cost", "lock", "look"), "success")
    assert (xcoms(run, "look")["name"], xcoms(run, "look")["locked"]) == ("April", True)
    assert xcoms(run, "cost")["sent"] == 1
    assert service.count("metricValuesStored") == 1
