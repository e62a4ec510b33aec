"""Registering a model of the Leaderboard, and waiting for its build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import share_of
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

NEW_MODEL, CHURN = "64a100000000000000000021", "64c000000000000000000001"
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
OPERATION = "createModelPackageFromLeaderboard"


def register(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.model_packages import DataRobotRegisterModelOperator

    given = {"model_id": NEW_MODEL, "registered_model_name": "Churn classifier", "name": "v6", **arguments}
    return task(stage, DataRobotRegisterModelOperator, **given)


def made(stage: Stage) -> list[dict[str, Any]]:
    return [one for one in stage.service.world("packages").values() if one["modelId"] == NEW_MODEL]


@BOTH
def test_a_model_becomes_a_version_and_is_built(stage: Stage, deferrable: bool) -> None:
    attempt = register(stage, deferrable=deferrable, description="monthly", prediction_threshold="0.7")
    done = attempt.run()
    assert done.state == "success", done
    [package] = made(stage)
    assert done.result == {
        "model_package_id": package["id"],
        "registered_model_id": CHURN,
        "version": 6,
        "name": "v6",
        "model_id": NEW_MODEL,
        "target": "churned",
        "target_type": "Binary",
        "build_status": "complete",
        "adopted": False,
        "duplicates": [],
        "sent_twice": [],
    }
    assert package["description"].startswith("monthly (Airflow ")
    assert package["predictionThreshold"] == 0.7
    assert attempt.deferrals == int(deferrable)


def test_a_registered_model_that_is_not_there_is_made(stage: Stage) -> None:
    done = register(stage, registered_model_name="Churn, blended").run()
    assert (done.state, done.result["version"]) == ("success", 1)
    names = [one["name"] for one in stage.service.world("registeredModels").values()]
    assert names.count("Churn, blended") == 1


def test_without_id_and_name_the_service_names_it(stage: Stage) -> None:
    done = register(stage, registered_model_name=None, name="Alone").run()
    assert (done.state, done.result["version"]) == ("success", 1)


def test_a_name_of_two_registered_models_is_an_error(stage: Stage) -> None:
    stage.service.change("registeredModels", "64c000000000000000000002", name="Churn classifier")
    done = register(stage).run()
    assert done.state == "failed"
    assert f"NotOne: 2 registered models are named 'Churn classifier': {CHURN}, 64c0" in str(done.error)
    assert OPERATION not in stage.service.accepted()


FORMS = [(answer, status, lag) for answer in ("version", "version_and_location", "location", "empty")
         for status in ("tracked", "null") for lag in ("0", "2")]  # fmt: skip


@pytest.mark.parametrize(("answer", "status", "lag"), share_of(FORMS, 0.4))
def test_every_form_of_the_answer(stage: Stage, answer: str, status: str, lag: str) -> None:
    stage.service.switches(package_created_answer=answer, package_build_status=status, lag=lag)
    done = register(stage, registered_model_id=CHURN, registered_model_name=None).run()
    assert done.state == "success", done
    assert done.result["build_status"] == ("complete" if status == "tracked" else None)
    assert len(made(stage)) == 1


def test_a_build_that_fails_fails_the_task_with_its_last_words(stage: Stage) -> None:
    stage.service.jobs("packageBuild", failsWith="no blueprint", times=1)
    attempt = register(stage)
    done = attempt.run()
    assert "was not built: failed: no blueprint" in str(done.error)
    again = attempt.clear()
    assert (again.state, again.result["version"]) == ("success", 7)


def test_a_build_that_takes_too_long_is_left_and_taken_up(stage: Stage) -> None:
    stage.service.jobs("packageBuild", seconds=5000)
    attempt = register(stage, timeout=600)
    late = attempt.run()
    assert "WaitTimedOut" in str(late.error)
    assert attempt.clear().state != "success" or len(made(stage)) == 1
    stage.sleep(5000)
    done = attempt.clear()
    assert (done.state, len(made(stage))) == ("success", 1)


LOSSES = [(fault, answer, store, lag) for fault in ("lost_answer", "late_commit") for answer in ("reset", 504)
          for store in (True, False) for lag in ("0", "1")]  # fmt: skip


@pytest.mark.parametrize(("fault", "answer", "store", "lag"), share_of(LOSSES, 0.4))
def test_a_lost_answer_makes_no_second_version(
    stage: Stage, fault: str, answer: str | int, store: bool, lag: str
) -> None:
    stage.service.switches(lag=lag)
    more = {"seconds": 30} if fault == "late_commit" else {}
    stage.service.fault(fault, operationId=OPERATION, answer=answer, **more)
    done = register(stage, store=store).run()
    assert done.state == "success", done
    assert len(made(stage)) == 1
    assert done.result["adopted"] is True


def test_a_commit_later_than_settle_is_told(stage: Stage) -> None:
    stage.service.fault("late_commit", operationId=OPERATION, answer=504, seconds=75)
    stage.service.jobs("packageBuild", seconds=300)
    done = register(stage).run()
    assert (done.state, len(made(stage))) == ("success", 2)
    assert len(done.result["duplicates"]) == 1
    assert done.result["sent_twice"] == [OPERATION]


def test_without_a_mark_a_lost_answer_is_an_unknown_outcome(stage: Stage) -> None:
    stage.service.fault("lost_answer", operationId=OPERATION, answer="reset")
    done = register(stage, marked=False).run()
    assert "OutcomeUnknown" in str(done.error)
    assert len(made(stage)) == 1


def test_a_rerun_takes_the_version_that_is_there(stage: Stage) -> None:
    first, second = register(stage, store=False).run(), register(stage, store=False).run()
    assert second.result["model_package_id"] == first.result["model_package_id"]
    assert (second.result["adopted"], len(made(stage))) == (True, 1)


CRASHES = [(nth, after, store) for nth in range(1, 7) for after in (False, True) for store in (False, True)]


@pytest.mark.parametrize(("nth", "after", "store"), share_of(CRASHES, 0.25))
def test_a_worker_that_dies_makes_no_second_version(stage: Stage, nth: int, after: bool, store: bool) -> None:
    from tests.harness import Crashing

    stage.transport = Crashing(nth, after)
    done = register(stage, store=store, retries=2, deferrable=False).run()
    assert done.state == "success", done
    assert len(made(stage)) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"model_id": ""}, "model_id must be an id"),
        ({"registered_model_id": CHURN}, "not both"),
        ({"prediction_threshold": 2}, "prediction_threshold must be from 0 to 1"),
        ({"description": "x" * 2048}, "description must have at most 2016"),
        ({"marked": "perhaps"}, "marked must be true or false"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = register(stage, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []


def test_a_plan_shows_the_body(stage: Stage) -> None:
    done = register(stage, plan_only=True).run()
    assert done.result["plan"]["body"]["registeredModelId"] == CHURN
    assert made(stage) == []


# --- the sensor ---------------------------------------------------------------------------------------------------


def test_the_sensor_waits_for_a_build(stage: Stage) -> None:
    from airflow_provider.sensors.model_package import DataRobotModelPackageSensor

    package = "64d000000000000000000003"
    stage.service.change("packages", package, buildStatus="inProgress")
    stage.at(60, lambda: stage.service.change("packages", package, buildStatus="complete"))
    done = task(stage, DataRobotModelPackageSensor, model_package_id=package, poke_interval=20, timeout=600).run()
    assert (done.state, done.result["build_status"]) == ("success", "complete")


def test_the_sensor_fails_with_the_build(stage: Stage) -> None:
    from airflow_provider.sensors.model_package import DataRobotModelPackageSensor

    stage.service.change("packages", "64d000000000000000000003", buildStatus="failed")
    done = task(stage, DataRobotModelPackageSensor, model_package_id="64d000000000000000000003", timeout=60).run()
    assert done.state == "failed"
