"""Clean-up of old exports, and the sensor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.exports.exporting import DEPLOYMENT, END, MODEL, START, bad, export, good, predict
from tests.exports.test_exports import actuals, call, give_actuals, training
from tests.harness import Store, Task
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


def clean(stage: Stage, **arguments: Any) -> Any:
    from airflow_provider.operators.export_cleanup import DataRobotDeleteOldExportsOperator

    return task(stage, DataRobotDeleteOldExportsOperator, **{"deployment_id": DEPLOYMENT, **arguments})


def sense(stage: Stage, export_id: str, **arguments: Any) -> Any:
    from airflow_provider.sensors.export import DataRobotExportSensor

    given = {"task_id": "task", "deployment_id": DEPLOYMENT, "export_id": export_id, "deferrable": True, **arguments}
    return Task(stage, lambda: DataRobotExportSensor(**given), Store())


def make_all(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    give_actuals(stage, 3)
    for number, make in enumerate((export, actuals, training)):
        good(make(stage, folder / str(number)).run())


def alive(stage: Stage) -> int:
    return sum(not one["deleted"] for one in stage.service.world("datasets").values())


def test_old_exports_go_with_their_datasets(stage: Stage, folder: Path) -> None:
    make_all(stage, folder)
    assert good(clean(stage).run())["kept"] == 2
    stage.sleep(8 * 86_400)
    call(stage, "predictionDataExports/", start=START, end=END)
    assert good(clean(stage, plan_only=True).run())["plan"]["operation"] == "deleteDataset"
    found = good(clean(stage).run())
    counts = {"datasets_deleted": 2, "exports_deleted": 1, "datasets_gone": 0, "kept": 1}
    assert found == {"deployment_id": DEPLOYMENT, **counts}
    assert alive(stage) == 1
    again = good(clean(stage, kinds="predictions,actuals,training", older_than=0).run())
    assert (again["datasets_deleted"], again["datasets_gone"], again["exports_deleted"]) == (1, 1, 0)
    assert alive(stage) == 0


def test_the_newest_stay_and_those_of_others(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    for number in range(3):
        good(export(stage, folder / str(number), reuse=False).run())
    stage.sleep(60)
    assert good(clean(stage, older_than=1, created_by="0" * 24).run())["kept"] == 3
    found = good(clean(stage, older_than=1, keep=2).run())
    assert (found["datasets_deleted"], found["kept"]) == (1, 2)


@pytest.mark.parametrize("fault", ["lost_answer", "reset"])
def test_a_deletion_whose_answer_is_lost(stage: Stage, folder: Path, fault: str) -> None:
    make_all(stage, folder)
    stage.sleep(8 * 86_400)
    for operation in ("deleteDataset", "deleteDeploymentActualsDataExport"):
        stage.service.fault(fault, operationId=operation)
    found = good(clean(stage).run())
    assert found["datasets_deleted"] == 2
    assert stage.service.count("datasetDeleted") == 2
    assert stage.service.count("exportDeleted") == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [({"kinds": "pictures"}, "kinds must be one of"), ({"older_than": "soon"}, "older_than"), ({"keep": -1}, "keep")],
    ids=str,
)
def test_bad_input(stage: Stage, given: dict[str, Any], told: str) -> None:
    assert told in bad(clean(stage, **given).run(), "InvalidCall")


@pytest.mark.parametrize("deferrable", [False, True], ids=["poked", "deferred"])
def test_the_sensor(stage: Stage, deferrable: bool) -> None:
    predict(stage, 24)
    key = call(stage, "predictionDataExports/", start=START, end=END)["id"]
    stage.while_away(lambda: stage.service.advance(31))
    if not deferrable:
        stage.service.advance(31)
    found = good(sense(stage, key, deferrable=deferrable).run())
    assert (found["export_id"], found["model_id"], len(found["dataset_ids"])) == (key, MODEL, 1)


def test_the_sensor_fails_with_the_export(stage: Stage) -> None:
    key = call(stage, "actualsDataExports/", start=START, end=END)["id"]
    stage.service.advance(31)
    assert "no data" in str(sense(stage, key, kind="actuals").run().error)
    assert "kind must be one of predictions, actuals" in bad(sense(stage, key, kind="training").run(), "InvalidCall")
