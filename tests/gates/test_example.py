"""The example DAG: late labels are waited for, then the champion is judged by them."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.test_in_airflow import label, service
from tests.stages import LABELLED

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import RunDag

__all__ = ["service"]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(("baseline", "followed"), [(0.4, "good"), (0.99, "retrain"), (None, "look_at_it")])
def test_each_way_through_the_example(
    service: EmulatorDoor, run_dag: RunDag, baseline: float | None, followed: str
) -> None:
    dag: Any = importlib.import_module("example_dags.accuracy_gate").dag
    label(service)
    if baseline is not None:
        known = {"sampleSize": 500, "metrics": {"AUC": baseline}}
        service.change("packages", "64d000000000000000000002", baseline=known)
    day = NOON + timedelta(minutes=("good", "retrain", "look_at_it").index(followed))  # a run of its own
    run = run_dag(dag, logical_date=day, run_conf={"deployment_id": LABELLED})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == {
        "labelled": "success",
        "judge": "success",
        **{name: "success" if name == followed else "skipped" for name in ("good", "retrain", "look_at_it")},
    }
