"""Gates in real Airflow: branches, skips, and templates, with the tasks behind them."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.stages import LABELLED

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

NUMBERS = itertools.count()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BRANCHES = {"pass": "promote", "fail": ["retrain"], "no_data": "wait"}
BEHIND = ("promote", "retrain", "wait", "always")


@pytest.fixture
def service(datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> EmulatorDoor:
    """The emulator behind ``datarobot_default``, with 150 predictions of the last day, each with its label."""
    token = datarobot_emulator.tokens["requester"]
    connection = {"conn_type": "datarobot", "host": datarobot_emulator.endpoint, "password": token}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
    monkeypatch.setattr("airflow_provider.triggers.wait.FIRST_POLL", 0.05)
    return datarobot_emulator


def label(service: EmulatorDoor) -> None:
    """150 predictions of the first of March, half of them right."""
    import httpx

    service.predictions(LABELLED, rows=150, start="2026-03-01T00:00:00Z", end="2026-03-02T00:00:00Z")
    data = [{"associationId": f"row-{n}", "actualValue": "yes" if n % 2 else "no"} for n in range(150)]
    answer = httpx.post(
        f"{service.endpoint}/deployments/{LABELLED}/actuals/fromJSON/",
        json={"data": data},
        headers={"Authorization": f"Bearer {service.tokens['requester']}"},
    )
    service.end_job(answer.raise_for_status().headers["Location"].rstrip("/").rsplit("/", 1)[1])


def gated(run_dag: RunDag, kind: str, **arguments: Any) -> Any:
    """A gate with four tasks behind it; how the run and each task ended."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    from airflow_provider.operators.accuracy import DataRobotCheckAccuracyOperator
    from airflow_provider.sensors.accuracy import DataRobotAccuracySensor

    made: Any = DataRobotCheckAccuracyOperator if kind == "operator" else DataRobotAccuracySensor
    params = {"deployment": LABELLED, "least": 0.7}
    with DAG(
        f"gated_{next(NUMBERS)}", schedule=None, params=params, start_date=datetime(2026, 1, 1, tzinfo=UTC)
    ) as dag:
        gate = made(
            task_id="gate",
            deployment_id="{{ params.deployment }}",
            threshold="{{ params.least }}",
            minimum_sample="{{ 100 }}",
            **{"metric": "AUC", "comparison": ">=", "window_last": "36h", **arguments},
        )
        promote, retrain, wait = (EmptyOperator(task_id=name) for name in BEHIND[:3])
        always = EmptyOperator(task_id="always", trigger_rule="all_done")
        gate >> [promote, retrain, wait]
        [promote, retrain, wait] >> always
    run = run_dag(dag, logical_date=NOON)
    return run, {one.task_id: str(one.state) for one in run.get_task_instances()}


@pytest.mark.parametrize(
    ("comparison", "labels", "followed"),
    [(">=", True, "retrain"), ("<", True, "promote"), (">=", False, "wait")],
    ids=["fail", "pass", "no data"],
)
def test_a_branch_is_followed_and_the_verdict_kept(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, comparison: str, labels: bool, followed: str
) -> None:
    if labels:
        label(service)
    run, states = gated(
        run_dag, "operator", comparison=comparison, on_fail="branch", on_no_data="branch", branches=BRANCHES
    )
    assert states.pop("gate") == states.pop("always") == "success"
    assert {name for name, state in states.items() if state == "success"} == {followed}
    assert set(states.values()) == {"success", "skipped"}
    verdict = xcoms(run, "gate")
    assert verdict["window"] == {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T12:00:00Z", "hours": 36}
    assert verdict == xcoms(run, "gate", key="verdict")


def test_without_branches_the_gate_itself_fails(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom) -> None:
    label(service)
    run, states = gated(run_dag, "operator")
    assert states["gate"] == "failed"
    assert "success" not in {states[name] for name in BEHIND[:3]}
    assert xcoms(run, "gate", key="verdict")["outcome"] == "fail"


def test_a_sensor_follows_a_branch_too(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom) -> None:
    label(service)
    branches = {"pass": "promote", "fail": "retrain"}
    run, states = gated(
        run_dag,
        "sensor",
        deferrable=True,
        poke_interval=0.05,
        wait_for="data",
        on_fail="branch",
        branches=branches,
    )
    assert (states["gate"], states["retrain"], states["promote"]) == ("success", "success", "skipped")
    assert xcoms(run, "gate")["outcome"] == "fail"


def test_branches_must_lead_somewhere(service: EmulatorDoor, run_dag: RunDag) -> None:
    _, states = gated(run_dag, "operator", on_fail="branch", branches={"pass": "promote", "fail": "nobody"})
    assert states["gate"] == "failed"
    assert service.log() == []
