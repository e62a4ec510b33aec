"""Monitoring batches as tasks: made once, taken by name, compared, locked, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import UNGOVERNED
from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

CREATE = "createDeploymentMonitoringBatch"
LOST = [{"answer": "reset"}, {"answer": 504}]
CHAMPION_MODEL = "64a100000000000000000002"


def create(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.monitoring_batches import DataRobotCreateMonitoringBatchOperator

    options = {name: arguments.pop(name) for name in ("store",) if name in arguments}
    given = {"deployment_id": UNGOVERNED, "name": "March", **arguments}
    return task(stage, DataRobotCreateMonitoringBatchOperator, **options, **given)


def update(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.monitoring_batch_changes import DataRobotUpdateMonitoringBatchOperator

    return task(stage, DataRobotUpdateMonitoringBatchOperator, deployment_id=UNGOVERNED, **arguments)


def update_model(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.monitoring_batch_changes import DataRobotUpdateMonitoringBatchModelOperator

    given = {"deployment_id": UNGOVERNED, "name": "March", "model_id": CHAMPION_MODEL, **arguments}
    return task(stage, DataRobotUpdateMonitoringBatchModelOperator, **given)


def delete(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.monitoring_batches import DataRobotDeleteMonitoringBatchOperator

    return task(stage, DataRobotDeleteMonitoringBatchOperator, deployment_id=UNGOVERNED, **arguments)


def get(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.monitoring_batches import DataRobotGetMonitoringBatchOperator

    given = {"deployment_id": UNGOVERNED, **arguments}
    return read_only(stage, DataRobotGetMonitoringBatchOperator, **given)


def batches(stage: Stage) -> list[dict[str, Any]]:
    return [one for one in stage.service.world("monitoringBatches").values() if not one["deleted"]]


@pytest.mark.parametrize("told", ["shown", "empty"])
def test_a_batch_is_made_once(stage: Stage, told: str) -> None:
    stage.anew(batch_limits_answer=told)
    made = create(stage, description="all of it").run()
    assert made.state == "success", made
    [batch] = batches(stage)
    assert (made.result["batch_id"], made.result["created"]) == (batch["id"], True)
    assert bool(made.result["limits"]) == (told == "shown")
    again = create(stage, description="all of it").run()
    assert (again.result["batch_id"], again.result["created"]) == (batch["id"], False)
    assert stage.service.accepted() == {CREATE: 1}


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_makes_no_second_batch(stage: Stage, fault: Any, lag: int, store: bool) -> None:
    stage.anew(lag=lag)
    stage.service.fault("lost_answer", operationId=CREATE, **fault)
    made = create(stage, store=store).run()
    assert (made.state, made.result["created"]) == ("success", True)
    assert len(batches(stage)) == 1


def test_a_second_batch_after_a_late_commit_is_told(stage: Stage) -> None:
    """Committed later than it takes to settle: nobody can see it yet, and whoever comes next does."""
    stage.service.fault("late_commit", operationId=CREATE, seconds=80, answer=504)
    assert create(stage).run().state == "success"
    stage.sleep(60)
    assert len(batches(stage)) == 2
    assert "several batches named 'March'" in str(create(stage).run().error)


def test_a_second_batch_after_a_list_that_was_behind_is_told(stage: Stage) -> None:
    stage.anew(lag=3)
    stage.service.fault("lost_answer", operationId=CREATE)
    ending = create(stage).run()
    assert len(batches(stage)) == 2
    assert "OutcomeUnknown" in str(ending.error)
    assert all(one["id"] in str(ending.error) for one in batches(stage))


def test_a_lost_request_is_sent_once_more(stage: Stage) -> None:
    stage.service.fault("reset", operationId=CREATE)
    assert create(stage).run().state == "success"
    assert len(batches(stage)) == 1


def test_a_name_of_several_is_told(stage: Stage) -> None:
    create(stage).run()
    other = create(stage, name="April").run().result["batch_id"]
    update(stage, batch_id=other, new_name="March").run()
    for ending in (create(stage).run(), delete(stage, name="March").run(), get(stage, name="March").run()):
        assert ending.state == "failed"
        assert "several batches named 'March'" in str(ending.error)


def test_one_that_differs_is_told_changed_or_ignored(stage: Stage) -> None:
    first = create(stage, description="all of it").run().result
    ending = create(stage, description="half").run()
    assert str(ending.error).startswith("MonitoringBatchDiffers")
    assert create(stage, description="half", on_difference="ignore").run().result["changed"] == {}
    changed = create(stage, description="half", locked="true", on_difference="update").run().result
    assert changed["batch_id"] == first["batch_id"]
    assert changed["changed"] == {"description": "half", "isLocked": True}


@pytest.mark.parametrize("word", ["refuse_422", "refuse_429", "refuse_403"])
def test_the_limit_of_a_day_is_told_in_the_words_of_the_service(stage: Stage, word: str) -> None:
    stage.anew(batch_limit=word)
    for number in range(100):
        create(stage, name=f"batch {number}").run()
    ending = create(stage).run()
    assert ending.state in ("failed", "retry")
    assert "The limit of 100 new batches a day is reached." in str(ending.error)


@pytest.mark.parametrize("fault", [None, *LOST], ids=str)
def test_lock_and_unlock(stage: Stage, fault: Any) -> None:
    create(stage).run()
    if fault is not None:
        stage.service.fault("lost_answer", operationId="updateDeploymentMonitoringBatch", **fault)
    assert update(stage, name="March", locked=True).run().result["changed"] == {"isLocked": True}
    assert update(stage, name="March", locked=True).run().result["changed"] == {}
    refused = delete(stage, name="March").run()
    assert "Conflict" in str(refused.error)
    assert update(stage, name="March", locked="False", description="").run().result["changed"] == {"isLocked": False}
    assert stage.service.count("monitoringBatchUpdated") == 2


@pytest.mark.parametrize("fault", [None, *LOST], ids=str)
def test_what_is_gone_is_not_deleted_again(stage: Stage, fault: Any) -> None:
    key = create(stage).run().result["batch_id"]
    if fault is not None:
        stage.service.fault("lost_answer", operationId="deleteDeploymentMonitoringBatch", **fault)
    assert delete(stage, name="March").run().result == {"batch_id": key, "deleted": True}
    assert delete(stage, batch_id=key).run().result == {"batch_id": key, "deleted": False}
    assert delete(stage, name="March").run().result == {"batch_id": None, "deleted": False}
    assert stage.service.accepted()["deleteDeploymentMonitoringBatch"] == 1


def test_what_is_in_a_batch(stage: Stage) -> None:
    key = create(stage).run().result["batch_id"]
    data = [{"associationId": f"b{n}", "predicted": 0.5, "batchId": key} for n in range(3)]
    stage.service.predictions(UNGOVERNED, data=data)
    found = get(stage, name="March").run().result
    assert (found["batch_id"], found["predictions"], found["locked"]) == (key, 3, False)
    assert [(one["modelId"], one["predictionsCount"]) for one in found["models"]] == [(CHAMPION_MODEL, 3)]
    missing = get(stage, name="May").run()
    assert str(missing.error).startswith("MonitoringBatchMissing")

    times = {"start_time": "2026-03-01T00:00:00", "end_time": "2026-04-01T00:00:00Z"}
    changed = update_model(stage, **times).run()
    assert changed.state == "success", changed
    assert set(changed.result["changed"]) == {"startTime", "endTime"}
    assert changed.result["model"]["startTime"].startswith("2026-03-01T00:00:00")
    assert update_model(stage, **times).run().result["changed"] == {}
    assert stage.service.accepted()["updateDeploymentMonitoringBatchModel"] == 1


@pytest.mark.parametrize(
    ("task_of", "arguments", "told"),
    [
        (create, {"name": ""}, "name must be a text"),
        (create, {"locked": "perhaps"}, "locked must be true or false"),
        (create, {"on_difference": "x"}, "on_difference must be one of fail, update, ignore"),
        (update, {"name": "March"}, "nothing is to be changed"),
        (update, {"locked": True}, "give exactly one of batch_id and name"),
        (update_model, {}, "nothing is to be changed"),
        (update_model, {"start_time": "soon"}, "start_time must be a time like"),
        (
            update_model,
            {"start_time": "2026-03-02T00:00:00", "end_time": "2026-03-01T00:00:00"},
            "start_time must not be after end_time",
        ),
        (delete, {"batch_id": "a/b"}, "batch_id must be an id"),
        (get, {}, "give exactly one of batch_id and name"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(stage: Stage, task_of: Any, arguments: Any, told: str) -> None:
    ending = task_of(stage, **arguments).run()
    assert ending.state == "failed"
    assert told in str(ending.error)
    assert stage.service.log(user="requester@example.com") == []
