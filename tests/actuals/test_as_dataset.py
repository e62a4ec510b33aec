"""The other way: good rows as datasets of the catalog, with the same ledger, account and quota."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.actuals.uploading import LABELLED, REGRESSION, accepted, counts, pairs, stored, upload, write

if TYPE_CHECKING:
    from tests.harness import Stage

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
POST = "submitDeploymentActualsFromDataset"
FILE = "createDatasetFromFile"
ROWS = pairs(95)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "outcomes.csv", [*ROWS[:50], ("x", "perhaps"), *ROWS[50:]])


def send(stage: Stage, source: Any, **more: Any) -> Any:
    return upload(stage, source, **{"route": "dataset", "max_rejected": 1, **more})


def alive(stage: Stage) -> list[str]:
    return [key for key, one in stage.service.world("datasets").items() if not one["deleted"]]


@BOTH
def test_the_good_rows_go_as_one_dataset(stage: Stage, file: Path, deferrable: bool) -> None:
    done = send(stage, file, deferrable=deferrable).run()
    assert counts(done) == (96, 95, 1, 0, 0, 0)
    assert stored(stage.service) == dict(ROWS)
    assert set(accepted(stage.service).values()) == {1}
    assert stage.service.accepted() == {FILE: 1, POST: 1, "deleteDataset": 1}
    assert stage.service.actuals(LABELLED)["charged"] == 95
    assert alive(stage) == []


def test_a_rerun_sends_nothing_and_a_retry_may_change_ways(stage: Stage, file: Path) -> None:
    send(stage, file).run()
    assert counts(send(stage, file, run_id="run-2", route="json").run()) == (96, 0, 1, 95, 0, 0)
    assert stage.service.accepted()[POST] == 1


def test_the_dataset_stays_where_that_is_wanted(stage: Stage, file: Path) -> None:
    assert counts(send(stage, file, delete_datasets="no").run())[1] == 95
    [dataset_id] = alive(stage)
    token = {"Authorization": f"Bearer {stage.service.tokens['requester']}"}
    text = httpx.get(f"{stage.service.endpoint}/datasets/{dataset_id}/file/", headers=token).text
    assert list(csv.reader(io.StringIO(text))) == [["associationId", "actualValue"], *map(list, ROWS)]


def test_all_columns_arrive(stage: Stage, tmp_path: Path) -> None:
    rows = [('"a, ""b"""', "yes", "2026-03-01T10:00:00+02:00", "true"), ("c", "no", "", "")]
    file = write(tmp_path / "outcomes.csv", rows, "id,outcome,at,acted")
    columns = {"timestamp_column": "at", "was_acted_on_column": "acted", "keep_actuals_without_predictions": True}
    assert counts(send(stage, file, **columns).run())[1] == 2
    stage.service.advance(60)
    assert stage.service.actuals(LABELLED, values=True)["values"] == {
        'a, "b"': {"actualValue": "yes", "wasActedOn": True, "timestamp": "2026-03-01T08:00:00.000000Z"},
        "c": {"actualValue": "no", "wasActedOn": None, "timestamp": None},
    }


def test_numbers_for_regression(stage: Stage, tmp_path: Path) -> None:
    stage.service.change("deployments", LABELLED, modelPackageId=REGRESSION)
    file = write(tmp_path / "outcomes.csv", [("a", "1.5"), ("b", "-2e-7")])
    assert counts(send(stage, file).run())[1] == 2
    assert stored(stage.service) == {"a": 1.5, "b": -2e-7}


def test_large_inputs_are_several_datasets_and_keep_the_quota(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider.tasks.actuals_pass.MOST_ACTUALS", 400)
    stage.service.switches(quota_rows="1000")
    begun = stage.service.clock()["epoch"]
    file = write(tmp_path / "outcomes.csv", pairs(1_700))
    assert counts(send(stage, file, hourly_budget=1000).run())[1] == 1_700
    statuses = [one["status"] for one in stage.service.log(operationId=POST)]
    assert statuses == [202] * 5, "400, 400, 200; an hour later the rest"
    assert 3600 <= stage.service.clock()["epoch"] - begun <= 3600 * 1.05
    assert alive(stage) == []


def test_the_last_value_wins_over_two_datasets(stage: Stage, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", [*ROWS, ("row-0", "yes"), ("row-1", "no")])
    assert counts(send(stage, file).run())[1] == 97
    assert stored(stage.service) == dict(ROWS) | {"row-0": "yes", "row-1": "no"}
    assert stage.service.accepted()[POST] == 2


@BOTH
def test_a_dataset_that_takes_long_is_worth_a_deferral(stage: Stage, file: Path, deferrable: bool) -> None:
    stage.service.jobs("datasetProcessing", seconds=900)
    night = send(stage, file, deferrable=deferrable)
    assert counts(night.run())[1] == 95
    assert night.deferrals == (2 if deferrable else 0)
    assert stage.service.accepted()[FILE] == 1


def test_a_dataset_that_cannot_be_read_costs_a_retry(stage: Stage, file: Path) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header", times=1)
    night = send(stage, file, retries=1)
    assert counts(night.run()) == (96, 95, 1, 0, 0, 0)
    assert [ending.state for ending in night.endings] == ["retry", "success"]
    assert "no header" in str(night.endings[0].error)


FAULTS: dict[str, dict[str, Any]] = {
    "upload, lost": {"kind": "lost_answer", "answer": 504, "operationId": FILE},
    "upload, reset": {"kind": "reset", "operationId": FILE},
    "post, 429": {"kind": "retry_after", "code": 429, "seconds": 900, "operationId": POST},
    "post, lost": {"kind": "lost_answer", "answer": "reset", "operationId": POST},
    "post, late": {"kind": "late_commit", "answer": 504, "seconds": 30, "operationId": POST},
    "post, 503": {"kind": "status", "code": 503, "operationId": POST},
    "post, no Location": {"kind": "missing_location", "operationId": POST},
    "job fails": {"kind": "failed_job", "message": "no room", "ends": "ERROR", "operationId": POST},
    "job expired": {"kind": "expired_job", "operationId": POST},
    "delete, 403": {"kind": "status", "code": 403, "operationId": "deleteDataset"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_ends_in_a_right_account(stage: Stage, file: Path, fault: dict[str, Any]) -> None:
    stage.service.fault(**fault)
    night = send(stage, file, retries=1)
    done = night.run()
    assert counts(done)[:5] == (96, 95, 1, 0, 0)
    assert stored(stage.service) == dict(ROWS)
    assert 95 <= sum(accepted(stage.service).values()) <= 95 + done.result["repeated"]
    assert len(night.endings) == (2 if fault["kind"] == "failed_job" else 1)
    assert len(alive(stage)) == (1 if fault["operationId"] == "deleteDataset" else 0)


@pytest.mark.parametrize(("size", "way"), [(1, FILE), (10**9, "submitDeploymentActualsFromJson")])
def test_the_way_by_itself(stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch, size: int, way: str) -> None:
    monkeypatch.setattr("airflow_provider.tasks.actuals_order.LARGE", size)
    assert counts(send(stage, file, route="auto").run())[1] == 95
    assert way in stage.service.accepted()


def test_a_list_goes_as_requests_unless_the_argument_says_otherwise(stage: Stage, tmp_path: Path) -> None:
    rows = [{"id": key, "outcome": value} for key, value in ROWS]
    for way, route in (("json", "auto"), ("dataset", "dataset")):
        assert counts(send(stage, rows, route=route, state_path=str(tmp_path / way)).run())[1] == 95
    assert stage.service.accepted()[POST] == 1


def test_a_plan_counts_datasets(stage: Stage, file: Path) -> None:
    plan = send(stage, file, plan_only=True).run().result["plan"]
    assert (plan["requests"], plan["pending"]) == (1, 95)
    assert stage.service.accepted() == {}


def test_another_way_is_refused(stage: Stage, file: Path) -> None:
    done = send(stage, file, route="pigeon").run()
    assert "route must be one of json, dataset, auto" in str(done.error)
