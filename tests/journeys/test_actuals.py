"""Nights of actuals in real Airflow against the emulator: templates, deferral, retries and what stays behind."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.actuals.uploading import LABELLED, accepted, answers, pairs, stored, write

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
ROWS = pairs(95)
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider.mlops.budget.CHUNK_ROWS", 10)
    monkeypatch.setattr("airflow_provider.mlops.upload.LOOKS", (0.0, 0.05))


def nightly(source: Any, deferrable: bool = True, **arguments: Any) -> Any:
    from airflow.sdk import DAG

    from airflow_provider.operators.actuals import DataRobotUploadActualsOperator

    with DAG(f"nightly_{next(_numbers)}", schedule=None, start_date=datetime(2026, 3, 1, tzinfo=UTC)) as dag:
        DataRobotUploadActualsOperator(
            task_id="upload",
            deployment_id=LABELLED,
            source=source,
            association_id_column="id",
            actual_value_column="outcome",
            deferrable=deferrable,
            poll_interval=0.1,
            settle=0.1,
            **arguments,
        )
    return dag


@BOTH
def test_a_night_of_the_data_interval_and_its_rerun(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path, deferrable: bool
) -> None:
    """Arguments are templates; the first run sends, the second finds the ledger."""
    write(tmp_path / "2026-03-02.csv", ROWS)
    arguments = {
        "state_path": f"{tmp_path}/ledgers/{{{{ logical_date | ds }}}}",
        "hourly_budget": "{{ params.budget }}",
        "max_rejected": "{{ 0.01 }}",
        "keep_actuals_without_predictions": "{{ True }}",
        "params": {"budget": 10_000_000},
    }
    dag = nightly(f"{tmp_path}/{{{{ logical_date | ds }}}}.csv", deferrable, **arguments)
    for number, sent in enumerate((95, 0)):
        run = run_dag(dag, logical_date=datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=number))
        assert run.state == "success"
        result = xcoms(run, "upload")
        assert [result[name] for name in ("read", "sent", "skipped", "pending")] == [95, sent, 95 - sent, 0]
        assert result["state"] == f"{tmp_path}/ledgers/2026-03-02"
    assert set(accepted(service).values()) == {1}
    assert stored(service) == dict(ROWS)
    assert f"/deployments/{LABELLED}" in xcoms(run, "upload", key="_link_DataRobotLink")


def test_what_a_task_before_has_given(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path) -> None:
    """A list from XCom; the source of a callable and of a mapped task would be given the same way."""
    from airflow.sdk import DAG, task

    from airflow_provider.operators.actuals import DataRobotUploadActualsOperator

    with DAG("listed", schedule=None) as dag:

        @task
        def outcomes() -> list[dict[str, str]]:
            return [{"id": key, "outcome": value} for key, value in ROWS[:15]]

        DataRobotUploadActualsOperator(
            task_id="upload",
            deployment_id=LABELLED,
            source=outcomes(),  # type: ignore[arg-type]  # is a list when the task runs
            association_id_column="id",
            actual_value_column="outcome",
            state_path=str(tmp_path / "ledger"),
            poll_interval=0.1,
        )
    run = run_dag(dag)
    assert run.state == "success"
    assert xcoms(run, "upload")["sent"] == 15
    assert stored(service) == dict(ROWS[:15])


def test_too_many_rejects_fail_the_run(service: EmulatorDoor, run_dag: RunDag, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", [*ROWS, ("x", "perhaps")])
    run = run_dag(nightly(str(file)))
    assert run.state == "failed"
    assert Path(f"{file}.rejects.jsonl").exists()
    assert len(answers(service)) == 8, "the last batch is not sent"


def test_a_callable_is_a_source_and_does_not_change_the_dag(tmp_path: Path) -> None:
    """A file that is read again must give the same serialized DAG: no address of a function is in it."""
    pytest.importorskip("airflow.serialization.definitions", reason="Airflow before 3.2 serializes another way")
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    text = str(LazyDeserializedDAG.from_dag(nightly(yesterday, state_path=str(tmp_path))).data)
    assert "yesterday" in text
    assert " at 0x" not in text


def yesterday() -> list[dict[str, str]]:
    return []
