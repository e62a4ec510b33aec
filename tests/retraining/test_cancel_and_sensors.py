"""Cancelling a run, and waiting for one that somebody else started."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.retraining.people import LENGTH, failed
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Task
    from tests.retraining.people import Trainer

PATCH = "updateDeploymentRetrainingPolicyRun"


def cancel(trainer: Trainer, run_id: str | None = None, **arguments: Any) -> Task:
    from airflow_provider.operators.retraining import DataRobotCancelRetrainingRunOperator

    given = {
        "deployment_id": trainer.deployment,
        "policy_id": trainer.policy,
        "run_id": run_id or next(iter(trainer.runs)),
    }
    return task(trainer.stage, DataRobotCancelRetrainingRunOperator, **{**given, **arguments})


def sensor(trainer: Trainer, latest: bool, **arguments: Any) -> Task:
    from airflow_provider.sensors.retraining import DataRobotLatestRetrainingRunSensor, DataRobotRetrainingRunSensor

    kind: Any = DataRobotLatestRetrainingRunSensor if latest else DataRobotRetrainingRunSensor
    given: dict[str, Any] = {"deployment_id": trainer.deployment, "policy_id": trainer.policy, "poke_interval": 10}
    if not latest:
        given["run_id"] = next(iter(trainer.runs))
    return task(trainer.stage, kind, **{**given, **arguments})


@pytest.mark.parametrize("value", known()["retraining_cancelling"].values)
@pytest.mark.parametrize("words", known()["retraining_words"].values)
def test_a_run_is_cancelled(trainer: Trainer, value: str, words: str) -> None:
    trainer.anew(retraining_cancelling=value, retraining_words=words)
    trainer.start()
    ending = cancel(trainer).run()
    assert ending.state == "success", str(ending)
    assert (ending.result["cancelled"], ending.result["status"]) == (True, "cancelled")
    assert trainer.stage.service.count("retrainingRunCancelled") == 1
    again = cancel(trainer).run()
    assert again.result == ending.result
    assert trainer.stage.service.accepted()[PATCH] == 1


@pytest.mark.parametrize("answer", ["reset", 504])
def test_a_lost_answer_cancels_once(trainer: Trainer, answer: Any) -> None:
    trainer.start()
    trainer.stage.service.fault("lost_answer", operationId=PATCH, answer=answer)
    assert cancel(trainer).run().result["cancelled"] is True
    assert trainer.stage.service.count("retrainingRunCancelled") == 1


@pytest.mark.parametrize("value", ["refuse_409", "refuse_422"])
def test_a_late_cancel_is_refused_and_the_reason_told(trainer: Trainer, value: str) -> None:
    trainer.anew(retraining_late_cancel=value)
    trainer.start()
    trainer.stage.sleep(LENGTH * 0.95)
    text = failed(cancel(trainer).run(), "CancelRefused")
    assert "is Creating challenger and is not cancelled any more" in text
    assert "only before it creates its challenger or replaces the model" in text


def test_a_late_cancel_that_is_ignored_is_no_cancel(trainer: Trainer) -> None:
    trainer.anew(retraining_late_cancel="ignored")
    trainer.start()
    trainer.stage.sleep(LENGTH * 0.95)
    result = cancel(trainer).run().result
    assert result["cancelled"] is False
    assert result["challenger_id"]


def test_a_run_that_is_over_is_not_cancelled(trainer: Trainer) -> None:
    trainer.start()
    trainer.stage.sleep(LENGTH)
    result = cancel(trainer).run().result
    assert (result["cancelled"], result["status"]) == (False, "Finished")
    assert PATCH not in trainer.stage.service.accepted()


def test_a_run_that_is_not_there_is_not_cancelled(trainer: Trainer) -> None:
    failed(cancel(trainer, "0" * 24).run(), "NotFound")


@pytest.mark.parametrize("latest", [False, True], ids=["run", "latest run"])
@pytest.mark.parametrize("mode", ["deferrable", "poke"])
def test_a_sensor_tells_what_came_of_a_run(trainer: Trainer, latest: bool, mode: str) -> None:
    trainer.start()
    given = {"deferrable": True} if mode == "deferrable" else {"deferrable": False, "mode": "poke"}
    if mode == "poke":
        trainer.stage.sleep(LENGTH)  # Airflow's own poking would sleep in real time
    ending = sensor(trainer, latest, **given).run()
    assert ending.state == "success", str(ending)
    [run] = trainer.runs.values()
    assert ending.result["outcome"] == "challenger_created"
    assert (ending.result["run_id"], ending.result["challenger_id"]) == (run["id"], run["challengerId"])


@pytest.mark.parametrize("latest", [False, True], ids=["run", "latest run"])
def test_a_sensor_fails_in_the_words_of_the_service(trainer: Trainer, latest: bool) -> None:
    trainer.stage.service.jobs("retrainingRun", seconds=60, failsWith="Not enough rows.")
    trainer.start()
    ending = sensor(trainer, latest).run()
    assert (ending.state, str(ending.error)) == ("failed", "Not enough rows.")
    assert sensor(trainer, latest, soft_fail=True).run().state == "skipped"


def test_the_latest_run_is_waited_for_until_there_is_one(trainer: Trainer) -> None:
    trainer.stage.at(300, trainer.start)
    assert sensor(trainer, latest=True).run().result["run_id"] in trainer.runs


def test_an_earlier_run_does_not_count(trainer: Trainer) -> None:
    trainer.start()
    [first] = trainer.runs
    trainer.stage.sleep(LENGTH)
    trainer.stage.at(300, trainer.start)
    after = datetime.fromtimestamp(trainer.stage.service.clock()["epoch"], UTC).isoformat()
    result = sensor(trainer, latest=True, started_after=after).run().result
    assert result["run_id"] in set(trainer.runs) - {first}


def test_a_sensor_of_a_replacing_policy_does_not_judge_the_champion(trainer: Trainer) -> None:
    trainer.anew("model_replacement")
    trainer.start()
    assert sensor(trainer, latest=True).run().result["outcome"] == "finished"


def test_a_sensor_names_a_bad_moment(trainer: Trainer) -> None:
    failed(sensor(trainer, latest=True, started_after="soon").run(), "InvalidCall")
