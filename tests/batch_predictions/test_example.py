"""The example DAG, in Airflow."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.journeys.conftest import service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]


def test_a_file_is_scored(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path) -> None:
    dag: Any = importlib.import_module("example_dags.batch_predictions").dag
    source, target = tmp_path / "rows.csv", tmp_path / "out" / "scores.csv"
    source.write_text("id,age\n" + "".join(f"{number},{20 + number}\n" for number in range(50)))
    run = run_dag(dag, run_conf={"source": str(source), "target": str(target)})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == dict.fromkeys(("there", "score", "lock"), "success")
    assert xcoms(run, "score")["scored_rows"] == 50
    assert len(target.read_text().splitlines()) == 51
    assert xcoms(run, "lock")["changed"] == {"isLocked": True}
