"""The example DAG in real Airflow: two deployments, predictions and actuals, and the clean-up."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.exports.exporting import manifest
from tests.tasks import UNGOVERNED, service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import RunDag

__all__ = ["service", "soon"]
VISITS = "64e000000000000000000003"  # "Doctor visits, nightly"


def test_a_night(service: EmulatorDoor, soon: None, run_dag: RunDag, tmp_path: Path) -> None:
    dag: Any = importlib.import_module("example_dags.export_monitoring_data").dag
    day = datetime.fromisoformat(service.clock()["now"]).date() - timedelta(days=1)
    window = {"start": f"{day}T00:00:00Z", "end": f"{day + timedelta(days=1)}T00:00:00Z"}
    service.predictions(UNGOVERNED, rows=48, **window)
    conf = {"deployments": [VISITS, UNGOVERNED], "root": str(tmp_path), "day": str(day), "format": "parquet"}
    run = run_dag(dag, run_conf=conf)
    states = {(one.task_id, one.map_index): str(one.state) for one in run.get_task_instances()}
    assert states == {
        ("wanted", -1): "success",
        ("wanted_actuals", -1): "success",
        ("deployments", -1): "success",
        **{("predictions", place): "success" for place in (0, 1)},
        **{("actuals", place): "skipped" for place in (0, 1)},
        **{("clean_up", place): "success" for place in (0, 1)},
    }
    for deployment, rows in ((VISITS, 500), (UNGOVERNED, 48)):
        told = manifest(tmp_path / deployment / str(day) / "predictions")
        assert (told["rows"], told["planned_rows"], told["format"]) == (rows, rows, "parquet")
        assert (told["start"], told["end"]) == (window["start"], window["end"])
    assert service.count("exportCreated") == 2
