"""The example DAG on the demo world's real data: its figure is scikit-learn's."""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator import seeds
from tests.actuals.uploading import accepted, write

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

VISITS = "64e000000000000000000003"  # "Doctor visits, nightly"


def test_a_night_on_real_data(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    dag: Any = importlib.import_module("example_dags.nightly_actuals").dag
    today = datetime.fromisoformat(service.clock()["now"]).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    made = service.outcomes(VISITS, yesterday.isoformat(), today.isoformat())
    rows = [(one["associationId"], one["actualValue"]) for one in made]
    write(tmp_path / f"{yesterday:%Y-%m-%d}.csv", [*rows, ("insured-x", "perhaps")])
    conf = {"deployment_id": VISITS, "folder": str(tmp_path)}

    run = run_dag(dag, logical_date=today + timedelta(hours=1), run_conf=conf)
    assert {one.task_id: str(one.state) for one in run.get_task_instances()} == dict.fromkeys(
        ("there", "upload", "covered", "judge"), "success"
    )
    account = xcoms(run, "upload")
    assert [account[name] for name in ("read", "sent", "rejected", "pending")] == [501, 500, 1, 0]
    assert set(accepted(service, VISITS).values()) == {1}
    assert xcoms(run, "covered")["value"] == 1.0

    verdict = xcoms(run, "judge")
    predicted = {
        key: score for days, _, key, score, _ in seeds.rows("demo", seeds.sets("demo")[0]["file"]) if days == 1
    }
    truth = [value == "yes" for _, value in rows]
    assert verdict["value"] == pytest.approx(
        metrics.roc_auc_score(truth, [predicted[key] for key, _ in rows]), abs=1e-6
    )
    assert verdict["sample"] == 500

    again = run_dag(dag, logical_date=today + timedelta(hours=2), run_conf=conf)
    assert [xcoms(again, "upload")[name] for name in ("sent", "skipped")] == [0, 500]


def test_a_day_by_hand_that_has_no_file_yet(service: EmulatorDoor, run_dag: RunDag, tmp_path: Path) -> None:
    """The first task waits; here it gives up at once."""
    dag: Any = importlib.import_module("example_dags.nightly_actuals").dag
    waiting = dag.task_dict["there"]
    before, waiting.timeout = waiting.timeout, 0
    try:
        run = run_dag(dag, run_conf={"deployment_id": VISITS, "folder": str(tmp_path), "day": "2026-03-01"})
    finally:
        waiting.timeout = before
    assert run.state == "failed"
    assert service.accepted() == {}


def test_rows_that_the_service_loses_are_noticed(service: EmulatorDoor, run_dag: RunDag, tmp_path: Path) -> None:
    """Its job says that all went well; only half of the rows are there. The coverage tells."""
    dag: Any = importlib.import_module("example_dags.nightly_actuals").dag
    service.lie("actuals_lost")
    day = datetime.fromisoformat(service.clock()["now"]).date() - timedelta(days=1)
    made = [one for one in service.outcomes(VISITS) if one["predictedAt"].startswith(str(day))]
    write(tmp_path / f"{day}.csv", [(one["associationId"], one["actualValue"]) for one in made])
    covered = dag.task_dict["covered"]
    before, covered.timeout = covered.timeout, 1.0
    try:
        run = run_dag(dag, run_conf={"deployment_id": VISITS, "folder": str(tmp_path), "day": str(day)})
    finally:
        covered.timeout = before
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert (states["upload"], states["covered"], states["judge"]) == ("success", "failed", "upstream_failed")
