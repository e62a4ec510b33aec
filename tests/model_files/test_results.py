"""Prediction results as one CSV file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.mlops.model_files import lines_in
from tests.stages import read_only

if TYPE_CHECKING:
    from tests.harness import Ending, Stage

UNGOVERNED = "64e000000000000000000002"
OPERATION = "listDeploymentPredictionResults"


def download(stage: Stage, folder: Path, **arguments: Any) -> Ending:
    from airflow_provider.operators.prediction_results import DataRobotDownloadPredictionResultsOperator

    given = {"deployment_id": UNGOVERNED, "path": f"{folder}/rows.csv", **arguments}
    return read_only(stage, DataRobotDownloadPredictionResultsOperator, **given).run()


def ids(folder: Path) -> list[str]:
    with (folder / "rows.csv").open(newline="") as file:
        return [row["associationId"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("page_rows", [1000, "7", 10, 25])
def test_all_rows_come_once(stage: Stage, tmp_path: Path, page_rows: Any) -> None:
    stage.service.predictions(UNGOVERNED, rows=25)
    done = download(stage, tmp_path, page_rows=page_rows)
    assert done.state == "success", done
    assert done.result["rows"] == 25
    assert sorted(ids(tmp_path)) == sorted(f"row-{number}" for number in range(25))


def test_a_window_and_filters(stage: Stage, tmp_path: Path) -> None:
    stage.service.predictions(UNGOVERNED, rows=20, start="2026-03-01T00:00:00Z", end="2026-03-01T20:00:00Z")
    done = download(stage, tmp_path, start="2026-03-01T05:00:00Z", end="2026-03-01T10:00:00Z", actuals_present="False")
    assert done.state == "success", done
    assert 0 < done.result["rows"] < 20
    asked = stage.service.log(operationId=OPERATION)[0]["query"]
    assert asked["actualsPresent"] in ("false", "False")


def test_an_empty_window(stage: Stage, tmp_path: Path) -> None:
    done = download(stage, tmp_path)
    assert "EmptyWindow" in str(done.error)
    assert list(tmp_path.iterdir()) == []
    assert download(stage, tmp_path, if_empty="write").result["rows"] == 0
    assert (tmp_path / "rows.csv").read_text().startswith("associationId,")


def test_pages_with_other_columns_are_an_error(stage: Stage, tmp_path: Path) -> None:
    stage.service.predictions(UNGOVERNED, rows=25)
    stage.service.fault(
        "status", operationId=OPERATION, nth=2, code=200, body="other,columns\n1,2\n", content_type="text/csv"
    )
    done = download(stage, tmp_path, page_rows=10)
    assert "RowsDiffer" in str(done.error)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_breaks_off_is_asked_for_again(stage: Stage, tmp_path: Path) -> None:
    stage.service.predictions(UNGOVERNED, rows=25)
    stage.service.fault("truncated", operationId=OPERATION, nth=2)
    assert download(stage, tmp_path, page_rows=10).result["rows"] == 25


@pytest.mark.parametrize(
    ("rows", "count"),
    [(b"", 0), (b"a,b\n", 1), (b"a,b\r\nc,d", 2), (b'"a\nb",c\nd,e\n', 2), (b'"a ""quoted"" word",c\n', 1)],
)
def test_records_are_counted(rows: bytes, count: int) -> None:
    assert lines_in(rows) == count


@pytest.mark.parametrize("given", [{"page_rows": 0}, {"if_empty": "perhaps"}, {"deployment_id": ""}], ids=str)
def test_bad_arguments(stage: Stage, tmp_path: Path, given: dict[str, Any]) -> None:
    assert "InvalidCall" in str(download(stage, tmp_path, **given).error)
    assert stage.service.log() == []
