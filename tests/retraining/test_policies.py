"""Policies and settings: made once, compared, written only where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.retraining.people import UNGOVERNED, failed
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage, Task
    from tests.retraining.people import Trainer

SCHEDULE = {"type": "schedule", "schedule": {"minute": ["0"], "hour": ["3"], "dayOfMonth": ["1"]}}
LOST = [{"answer": "reset"}, {"answer": 504}]
CREATE, UPDATE = "createDeploymentRetrainingPolicy", "updateDeploymentRetrainingPolicy"


@pytest.fixture(autouse=True)
def afresh(stage: Stage) -> None:
    stage.anew()


def create(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.retraining_policies import DataRobotCreateRetrainingPolicyOperator

    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    given = {"deployment_id": UNGOVERNED, "name": "Monthly", **arguments}
    return task(stage, DataRobotCreateRetrainingPolicyOperator, **options, **given)


def update(stage: Stage, policy_id: str, **arguments: Any) -> Task:
    from airflow_provider.operators.retraining_policies import DataRobotUpdateRetrainingPolicyOperator

    return task(
        stage,
        DataRobotUpdateRetrainingPolicyOperator,
        **{"deployment_id": UNGOVERNED, "policy_id": policy_id, **arguments},
    )


def delete(stage: Stage, policy_id: str, **arguments: Any) -> Task:
    from airflow_provider.operators.retraining_policies import DataRobotDeleteRetrainingPolicyOperator

    given = {"deployment_id": UNGOVERNED, "policy_id": policy_id, **arguments}
    return task(stage, DataRobotDeleteRetrainingPolicyOperator, **given)


def configure(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.retraining_settings import DataRobotUpdateRetrainingSettingsOperator

    return task(stage, DataRobotUpdateRetrainingSettingsOperator, **{"deployment_id": UNGOVERNED, **arguments})


def made(stage: Stage) -> list[dict[str, Any]]:
    return list(stage.service.world("retrainingPolicies").values())


def done(ending: Any) -> dict[str, Any]:
    assert ending.state == "success", str(ending)
    result: dict[str, Any] = ending.result
    return result


def test_a_policy_is_made_once_and_then_taken_by_its_name(stage: Stage) -> None:
    first = done(create(stage, trigger=SCHEDULE, description="Every month.").run())
    second = done(create(stage, trigger=SCHEDULE).run())
    [policy] = made(stage)
    assert first == {
        "deployment_id": UNGOVERNED,
        "policy_id": policy["id"],
        "name": "Monthly",
        "action": "create_challenger",
        "created": True,
        "changed": {},
    }
    assert second == {**first, "created": False}
    assert stage.service.accepted() == {CREATE: 1}


@pytest.mark.parametrize("patch", known()["retraining_policy_patch"].values)
def test_a_policy_that_is_there_gets_what_differs(stage: Stage, patch: str) -> None:
    stage.service.switches(retraining_policy_patch=patch)
    create(stage, trigger={**SCHEDULE, "minIntervalBetweenRuns": "P7D"}).run()
    result = done(create(stage, action="create_model_package", trigger={"schedule": {"hour": ["5"]}}).run())
    [policy] = made(stage)
    assert set(result["changed"]) == {"action", "trigger"}
    assert policy["action"] == "create_model_package"
    assert policy["trigger"]["schedule"] == {"minute": ["0"], "hour": ["5"], "dayOfMonth": ["1"]}
    assert (policy["trigger"]["type"], policy["trigger"]["minIntervalBetweenRuns"]) == ("schedule", "P7D")
    assert stage.service.accepted() == {CREATE: 1, UPDATE: 1}


def test_a_policy_that_is_there_is_kept_or_refused(stage: Stage) -> None:
    create(stage).run()
    assert done(create(stage, action="model_replacement", if_exists="keep").run())["action"] == "create_challenger"
    failed(create(stage, if_exists="fail").run(), "PolicyExists")
    assert stage.service.accepted() == {CREATE: 1}


@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
@pytest.mark.parametrize("lag", ["0", "2"])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_makes_no_second_policy(stage: Stage, fault: dict[str, Any], lag: str, store: bool) -> None:
    stage.service.switches(lag=lag)
    stage.service.fault("lost_answer", operationId=CREATE, **fault)
    result = done(create(stage, store=store).run())
    assert (result["policy_id"], result["created"]) == (made(stage)[0]["id"], False)
    assert stage.service.count("retrainingPolicyCreated") == 1


def test_two_policies_of_one_name_are_not_chosen_from(stage: Stage, trainer: Trainer) -> None:
    ids = {trainer.make(name="Twice"), trainer.make(name="Twice")}
    text = failed(create(stage, name="Twice").run(), "PolicyNotUnique")
    assert all(one in text for one in ids)


@pytest.mark.parametrize("value", known()["retraining_sixth_policy"].values)
def test_a_sixth_policy_says_which_are_there(stage: Stage, value: str) -> None:
    stage.service.switches(retraining_sixth_policy=value)
    for number in range(5):
        done(create(stage, name=f"Policy {number}").run())
    text = str(create(stage, name="One more").run())
    assert "at most 5 policies" in text
    assert "'Policy 3'" in text
    assert len(made(stage)) == 5


def test_an_update_writes_only_what_differs(stage: Stage) -> None:
    policy = done(create(stage, trigger=SCHEDULE).run())["policy_id"]
    same = done(update(stage, policy, action="create_challenger", trigger={"type": "schedule"}).run())
    assert same["changed"] == {}
    other = done(update(stage, policy, name="Weekly", description="").run())
    assert (other["changed"], other["name"]) == ({"name": "Weekly", "description": ""}, "Weekly")
    assert stage.service.accepted() == {CREATE: 1, UPDATE: 1}


@pytest.mark.parametrize("fault", [*LOST, {"answer": 502}], ids=str)
def test_a_lost_update_is_seen(stage: Stage, fault: dict[str, Any]) -> None:
    policy = done(create(stage).run())["policy_id"]
    stage.service.fault("lost_answer", operationId=UPDATE, **fault)
    done(update(stage, policy, name="Weekly").run())
    assert stage.service.count("retrainingPolicyUpdated") == 1


@pytest.mark.parametrize("answer", known()["retraining_delete_answer"].values)
def test_a_policy_is_deleted_once(stage: Stage, answer: str) -> None:
    stage.service.switches(retraining_delete_answer=answer)
    policy = done(create(stage).run())["policy_id"]
    stage.service.fault("lost_answer", operationId="deleteDeploymentRetrainingPolicy")
    assert done(delete(stage, policy).run())["deleted"] is True
    assert done(delete(stage, policy).run())["deleted"] is False
    assert stage.service.count("retrainingPolicyDeleted") == 1


@pytest.mark.parametrize(("value", "error"), [("refuse_409", "Conflict"), ("refuse_422", "Unprocessable")])
def test_a_running_policy_is_not_deleted(stage: Stage, trainer: Trainer, value: str, error: str) -> None:
    trainer.anew(retraining_delete_running=value)
    trainer.start()
    assert "cannot be deleted while it is running" in failed(delete(stage, trainer.policy).run(), error)


def test_settings_are_written_where_they_differ(stage: Stage) -> None:
    environment = stage.service.world("deployments")[UNGOVERNED]["predictionEnvironment"]["id"]
    wanted = {"prediction_environment_id": environment, "retraining_user_id": "64a000000000000000000001"}
    first = done(configure(stage, **wanted).run())
    assert first == {
        "deployment_id": UNGOVERNED,
        "dataset_id": None,
        **wanted,
        "changed": {"predictionEnvironmentId": environment, "retrainingUserId": "64a000000000000000000001"},
    }
    assert done(configure(stage, **wanted).run())["changed"] == {}
    assert stage.service.count("retrainingSettingsUpdated") == 1
    credential = "64a900000000000000000001"
    assert done(configure(stage, credential_id=credential).run())["changed"] == {"credentialId": credential}


def test_settings_that_are_refused_are_told(stage: Stage) -> None:
    assert "must be an owner" in failed(
        configure(stage, retraining_user_id="64a000000000000000000002").run(), "Unprocessable"
    )


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda stage: create(stage, action="promote"), "action must be one of create_challenger"),
        (lambda stage: create(stage, name=" "), "name must be a text"),
        (lambda stage: create(stage, trigger="monthly"), "trigger must be a mapping"),
        (lambda stage: create(stage, if_exists="join"), "if_exists must be one of update, keep, fail"),
        (lambda stage: update(stage, "64f"), "nothing to change was given"),
        (lambda stage: delete(stage, "a b"), "policy_id must be an id"),
        (lambda stage: configure(stage), "nothing to set was given"),
    ],
)
def test_bad_arguments_are_named(stage: Stage, build: Any, named: str) -> None:
    assert named in failed(build(stage).run(), "InvalidCall")
    assert stage.service.log() == []
