"""What the tests of exports share: tasks, a deployment with known rows, and a look at what came of it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task

DEPLOYMENT, MODEL = "64e000000000000000000002", "64a100000000000000000002"
REQUESTER = "64a000000000000000000001"
START, END = "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"  # the day before the stage's time
CREATE = "createDeploymentPredictionDataExport"


def predict(stage: Stage, rows: int = 240, start: str = START, end: str = END, **more: Any) -> None:
    """So many predictions, evenly over the time; ids ``row-0``, ``row-1``, ..."""
    stage.service.predictions(DEPLOYMENT, rows=rows, start=start, end=end, **more)


def export(stage: Stage, folder: Path | str, **arguments: Any) -> Task:
    """A task that exports the predictions of the day."""
    from airflow_provider.operators.exports import DataRobotExportPredictionDataOperator

    return of_kind(stage, DataRobotExportPredictionDataOperator, folder, **arguments)


def of_kind(stage: Stage, kind: Any, folder: Path | str, **arguments: Any) -> Task:
    """A task of one of the operators."""
    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    given = {
        "deployment_id": DEPLOYMENT,
        "path": str(folder),
        "staging": str(Path(str(folder)).parent / "staging"),
        **({} if "Training" in kind.__name__ else {"window_start": START, "window_end": END}),
        **arguments,
    }
    return task(stage, kind, **options, **given)


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest, and whether the files are what it says."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    names = {file["name"] for file in found["files"]}
    assert {path.name for path in folder.iterdir()} == {*names, "manifest.json"}, "nothing else may be there"
    for file in found["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert found["rows"] == sum(file["rows"] for file in found["files"])
    return found


def lines(folder: Path) -> list[dict[str, str]]:
    """The rows of all files of the manifest, in any order."""
    found: list[dict[str, str]] = []
    for file in manifest(folder)["files"]:
        with (folder / file["name"]).open(newline="") as text:
            rows = list(csv.DictReader(text))
        assert len(rows) == file["rows"]
        found += rows
    return found


def times(folder: Path) -> list[str]:
    """When the exported predictions were made, in order."""
    return sorted(row["DR_RESERVED_PREDICTION_TIMESTAMP"] for row in lines(folder))


def good(ending: Ending) -> Any:
    """The result of a task that went well."""
    assert ending.state == "success", ending
    return ending.result


def bad(ending: Ending, name: str, state: str = "failed") -> str:
    """The words of an error of this name."""
    assert ending.state == state, ending
    assert name in str(ending.error), ending
    return str(ending.error)


def created(stage: Stage) -> int:
    """How many exports were made at the service."""
    return stage.service.count("exportCreated")
