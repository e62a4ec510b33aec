"""The example DAG on monitoring: alive, well, and on which data."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.test_in_airflow import service
from tests.stages import LABELLED

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service"]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAYS = ("good", "retrain", "look_at_it")


@pytest.mark.parametrize(
    ("rows", "drift", "followed"), [(1000, 0, "good"), (1000, 1, "retrain"), (300, 0, "look_at_it")]
)
def test_each_way_through_the_example(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, rows: int, drift: float, followed: str
) -> None:
    dag: Any = importlib.import_module("example_dags.monitoring_gates").dag
    span = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-02T11:00:00Z"}
    service.predictions(LABELLED, rows=rows, drift=drift, **span)
    moment = NOON + timedelta(minutes=WAYS.index(followed))  # a run of its own
    run = run_dag(dag, logical_date=moment, run_conf={"deployment_id": LABELLED})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == {
        **dict.fromkeys(("alive", "errors", "latency", "drift"), "success"),
        **{name: "success" if name == followed else "skipped" for name in WAYS},
    }
    verdict = xcoms(run, "drift")
    assert verdict["outcome"] == {"good": "pass", "retrain": "fail", "look_at_it": "no_data"}[followed]
    assert verdict["sample"] == rows


def test_a_service_with_errors_stops_it(service: EmulatorDoor, run_dag: RunDag) -> None:
    dag: Any = importlib.import_module("example_dags.monitoring_gates").dag
    service.predictions(LABELLED, rows=1000, drift=0, start="2026-03-01T12:00:00Z", end="2026-03-02T11:00:00Z")
    failing = {"timestamp": "2026-03-02T09:00:00Z", "statusCode": 503}
    service.predictions(LABELLED, requests=[failing])
    run = run_dag(dag, logical_date=NOON + timedelta(minutes=9), run_conf={"deployment_id": LABELLED})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert (states["errors"], states["latency"], states["drift"]) == ("failed", "success", "upstream_failed")
