"""The example DAG, in Airflow."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.journeys.conftest import service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]


def test_a_day_of_values(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path) -> None:
    dag: Any = importlib.import_module("example_dags.custom_metrics").dag
    now = datetime.fromisoformat(service.clock()["now"])
    lines = [f"{(now - timedelta(hours=2 + number)).isoformat()},{number}" for number in range(5)]
    source = tmp_path / "savings.csv"
    source.write_text("timestamp,savings\n" + "\n".join(lines) + "\n")
    run = run_dag(dag, logical_date=now, run_conf={"source": str(source)})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == dict.fromkeys(("metric", "values", "week"), "success")
    assert xcoms(run, "metric")["created"] is True
    assert xcoms(run, "values")["sent"] == 5
    assert (xcoms(run, "week")["value"], xcoms(run, "week")["sample"]) == (10, 5)
