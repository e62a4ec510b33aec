"""A challenger that is there: another name, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.challengers.rivals import ENVIRONMENT, challenger
from tests.harness import V3
from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

LOST = [{"answer": "reset"}, {"answer": 504}]


def update(stage: Stage, key: str, **arguments: Any) -> Task:
    from airflow_provider.operators.challenger_changes import DataRobotUpdateChallengerOperator

    given = {"deployment_id": LABELLED, "challenger_id": key, **arguments}
    return task(stage, DataRobotUpdateChallengerOperator, **given)


def delete(stage: Stage, key: str, **arguments: Any) -> Task:
    from airflow_provider.operators.challenger_changes import DataRobotDeleteChallengerOperator

    return task(
        stage, DataRobotDeleteChallengerOperator, **{"deployment_id": LABELLED, "challenger_id": key, **arguments}
    )


def test_only_what_differs_is_written(stage: Stage) -> None:
    key = challenger(stage)
    done = update(stage, key, name="v3", prediction_environment_id=ENVIRONMENT).run()
    assert done.state == "success", done
    assert (done.result["name"], done.result["changed"]) == ("v3", {"name": "v3"})
    assert done.result["model_package_id"] == V3
    [written] = stage.service.log(operationId="updateDeploymentChallenger")
    assert written["body"] == {"name": "v3"}
    again = update(stage, key, name="v3").run()
    assert again.result["changed"] == {}
    assert len(stage.service.log(operationId="updateDeploymentChallenger")) == 1


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_of_a_change_is_looked_for(stage: Stage, fault: Any) -> None:
    key = challenger(stage)
    stage.service.fault("lost_answer", operationId="updateDeploymentChallenger", **fault)
    assert update(stage, key, name="v3").run().result["name"] == "v3"
    assert stage.service.count("challengerUpdated", key) == 1


def test_bad_changes(stage: Stage) -> None:
    nothing = update(stage, "x").run()
    assert "give at least one of name and prediction_environment_id" in str(nothing.error)
    missing = update(stage, "0" * 24, name="v3").run()
    assert (missing.state, "NotFound" in str(missing.error)) == ("failed", True)
    key = challenger(stage)
    unknown = update(stage, key, prediction_environment_id="0" * 24).run()
    assert "Unprocessable" in str(unknown.error)


@pytest.mark.parametrize("fault", [None, *LOST], ids=str)
def test_a_challenger_is_deleted_once(stage: Stage, fault: Any) -> None:
    key = challenger(stage)
    if fault:
        stage.service.fault("lost_answer", operationId="deleteDeploymentChallenger", **fault)
    done = delete(stage, key).run()
    told = {"deployment_id": LABELLED, "challenger_id": key}
    assert done.result == {**told, "deleted": True}
    assert stage.service.world("challengers") == {}
    assert delete(stage, key).run().result == {**told, "deleted": False}
    assert stage.service.count("challengerDeleted", key) == 1


def test_a_wrong_deployment_is_no_deletion(stage: Stage) -> None:
    done = delete(stage, "0" * 24, deployment_id="f" * 24).run()
    assert (done.state, "NotFound" in str(done.error)) == ("failed", True)
