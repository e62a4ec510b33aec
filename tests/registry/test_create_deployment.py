"""Creating deployments: launched, approved, found again, and never two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Crashing, share_of
from tests.people import approve, ask_for_changes, cancel
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

V3, NEW_MODEL = "64d000000000000000000003", "64a100000000000000000021"
LABEL = "Churn, new"
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
OPERATION = "createDeploymentFromModelPackage"


def create(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.create_deployment import DataRobotCreateDeploymentOperator

    package = {} if "model_id" in arguments else {"model_package_id": V3}
    given = {"deployment_label": LABEL, "importance": "CRITICAL", **package, **arguments}
    return task(stage, DataRobotCreateDeploymentOperator, **given)


def made(stage: Stage) -> list[dict[str, Any]]:
    return [one for one in stage.service.world("deployments").values() if one["label"] == LABEL]


def guard(stage: Stage) -> None:
    """A policy on the creation of critical deployments."""
    from tests.tasks import send

    condition = {"condition": "equals", "fieldName": "importance", "values": ["CRITICAL"]}
    trigger = {
        "entityType": "deployment",
        "filterGroups": None,
        "intendedAction": {"action": "create", "condition": condition},
        "labels": {"groupLabel": "", "label": ""},
    }
    review = {"groups": [{"id": "64b000000000000000000001", "name": "Model reviewers"}], "reminderPeriod": None}
    body = {"name": "New deployments", "active": True, "automaticAction": None, "review": review, "trigger": trigger}
    send(stage.service, "admin", "POST", "approvalPolicies/", body)


@BOTH
def test_a_deployment_is_launched(stage: Stage, deferrable: bool) -> None:
    attempt = create(
        stage,
        deferrable=deferrable,
        description="by hand",
        prediction_server="predictions-two.example.com",
        prediction_environment="AWS, Frankfurt",
    )
    done = attempt.run()
    assert done.state == "success", done
    [deployment] = made(stage)
    assert done.result == {
        "deployment_id": deployment["id"],
        "label": LABEL,
        "model_package_id": V3,
        "model_id": "64a100000000000000000003",
        "status": "active",
        "approval_status": "APPROVED",
        "change_request": None,
        "duplicates": [],
        "sent_twice": [],
    }
    assert deployment["description"].startswith("by hand (Airflow ")
    assert deployment["defaultPredictionServer"]["id"] == "64a500000000000000000002"
    assert deployment["predictionEnvironment"]["id"] == "64a300000000000000000003"
    assert attempt.operator.web_link.endswith(f"/deployments/{deployment['id']}/overview")


@pytest.mark.parametrize("route", ["learning_model", "leaderboard"])
@pytest.mark.parametrize("answer", ["id", "empty"])
@pytest.mark.parametrize("appears", ["at_once", "at_end"])
def test_from_a_model(stage: Stage, route: str, answer: str, appears: str) -> None:
    stage.service.switches(from_leaderboard_answer=answer, deployment_appears=appears, lag="1")
    done = create(stage, model_id=NEW_MODEL, route=route).run()
    assert (done.state, done.result["model_id"]) == ("success", NEW_MODEL), done
    assert len(made(stage)) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"prediction_server": "nowhere"}, "NotOne: 0 things are prediction servers called 'nowhere'"),
        ({"prediction_environment": "Mars"}, "NotOne: 0 things are prediction environments called 'Mars'"),
        ({"model_package_id": "0" * 24}, "NotFound"),
    ],
)
def test_what_is_not_there(stage: Stage, given: dict[str, str], told: str) -> None:
    done = create(stage, **given).run()
    assert told in str(done.error)
    assert made(stage) == []


def test_a_name_of_two_environments_is_an_error(stage: Stage) -> None:
    stage.service.change("predictionEnvironments", "64a300000000000000000002", name="AWS, Frankfurt")
    done = create(stage, prediction_environment="AWS, Frankfurt").run()
    assert "NotOne: 2 things" in str(done.error)


def test_without_a_list_of_environments_the_id_is_needed(stage: Stage) -> None:
    stage.service.switches(prediction_environments="refuse_404")
    assert "so give the id" in str(create(stage, prediction_environment="AWS, Frankfurt").run().error)


@pytest.mark.parametrize(
    ("status", "if_building", "told"),
    [
        ("inProgress", "fail", "NotBuilt: model package 64d000000000000000000003 is still being built"),
        ("failed", "wait", "NotBuilt: the build of model package"),
        ("inProgress", "wait", None),
    ],
)
def test_a_package_that_is_not_built(stage: Stage, status: str, if_building: str, told: str | None) -> None:
    stage.service.change("packages", V3, buildStatus=status)
    stage.at(60, lambda: stage.service.change("packages", V3, buildStatus="complete"))
    done = create(stage, if_building=if_building).run()
    assert (told in str(done.error)) if told else (done.state == "success")
    assert len(made(stage)) == (0 if told else 1)


def test_a_label_that_is_taken(stage: Stage) -> None:
    done = create(stage, deployment_label="Churn, governed").run()
    assert "LabelTaken" in str(done.error)
    assert create(stage, deployment_label="Churn, governed", if_label_taken="create").run().state == "success"


def test_the_quota_is_told_in_the_services_words(stage: Stage) -> None:
    stage.service.switches(deployment_quota="reached")
    assert "limit of deployments" in str(create(stage).run().error)


@pytest.mark.parametrize(("left", "told"), [("errored", "is left in error"), ("gone", "nothing of it is left")])
def test_a_launch_that_fails(stage: Stage, left: str, told: str) -> None:
    stage.service.switches(failed_launch=left)
    stage.service.jobs("deploymentCreation", failsWith="no capacity")
    done = create(stage).run()
    assert "no capacity" in str(done.error)
    assert told in str(done.error)


LOSSES = [(fault, answer, store, appears) for fault in ("lost_answer", "late_commit") for answer in ("reset", 504)
          for store in (True, False) for appears in ("at_once", "at_end")]  # fmt: skip


@pytest.mark.parametrize(("fault", "answer", "store", "appears"), share_of(LOSSES, 0.4))
def test_a_lost_answer_makes_no_second_deployment(
    stage: Stage, fault: str, answer: str | int, store: bool, appears: str
) -> None:
    stage.service.switches(deployment_appears=appears)
    more = {"seconds": 20} if fault == "late_commit" else {}
    stage.service.fault(fault, operationId=OPERATION, answer=answer, **more)
    done = create(stage, store=store).run()
    assert done.state == "success", done
    assert (len(made(stage)), done.result["duplicates"]) == (1, [])


@pytest.mark.parametrize("model", [False, True], ids=["package", "leaderboard"])
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("missing_location", {}),
        ("relative_location", {}),
        ("job_404", {}),
        ("truncated", {}),
        ("empty_body", {}),
        ("retry_after", {"code": 503}),
        ("lie", {"name": "location_of_other_job"}),
        ("lie", {"name": "200_instead_of_202"}),
    ],
    ids=str,
)
def test_what_the_service_may_do_to_the_answer(
    stage: Stage, kind: str, parameters: dict[str, Any], model: bool
) -> None:
    operation = "createDeploymentFromLeaderboard" if model else OPERATION
    if kind == "lie":
        stage.service.lie(parameters["name"])
    else:
        stage.service.fault(kind, operationId=operation, **parameters)
    done = create(stage, **({"model_id": NEW_MODEL, "route": "leaderboard"} if model else {})).run()
    assert done.state == "success", done
    assert len(made(stage)) == 1


def test_what_a_failed_launch_has_left_is_not_added_to(stage: Stage) -> None:
    stage.service.jobs("deploymentCreation", failsWith="no capacity", times=1)
    attempt = create(stage)
    attempt.run()
    again = attempt.clear()
    [left] = made(stage)
    assert f"deployment {left['id']} is left in error" in str(again.error)
    from tests.tasks import send

    send(stage.service, "requester", "DELETE", f"deployments/{left['id']}/")
    done = attempt.clear()
    assert done.state == "success", done
    assert [one["id"] for one in made(stage)] == [done.result["deployment_id"]] != [left["id"]]


def test_a_commit_later_than_settle_is_told(stage: Stage) -> None:
    stage.service.fault("late_commit", operationId=OPERATION, answer=504, seconds=75)
    done = create(stage).run()
    assert (done.state, len(made(stage))) == ("success", 2)
    assert len(done.result["duplicates"]) == 1
    assert done.result["sent_twice"] == [OPERATION]


def test_without_a_mark_a_lost_answer_is_an_unknown_outcome(stage: Stage) -> None:
    stage.service.fault("lost_answer", operationId=OPERATION, answer="reset")
    done = create(stage, marked=False).run()
    assert "OutcomeUnknown" in str(done.error)
    assert len(made(stage)) == 1


CRASHES = [(nth, after, store) for nth in range(1, 10) for after in (False, True) for store in (False, True)]


@pytest.mark.parametrize(("nth", "after", "store"), share_of(CRASHES, 0.2))
def test_a_worker_that_dies_makes_no_second_deployment(stage: Stage, nth: int, after: bool, store: bool) -> None:
    stage.transport = Crashing(nth, after)
    done = create(stage, store=store, retries=2, deferrable=False).run()
    assert done.state == "success", done
    assert len(made(stage)) == 1


# --- under a policy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auto_apply", ["yes", "no"])
@pytest.mark.parametrize("opened", ["at_once", "at_launch"])
def test_the_approval_is_waited_for(stage: Stage, opened: str, auto_apply: str) -> None:
    guard(stage)
    stage.service.switches(approve_request_opened=opened, approve_request_auto_apply=auto_apply)
    stage.enter("reviewer", approve, after=600)
    attempt = create(stage)
    done = attempt.run()
    assert done.state == "success", done
    assert (done.result["approval_status"], done.result["status"]) == ("APPROVED", "active")
    decision = done.result["change_request"]
    assert (decision["action"], decision["status"]) == ("approve", "resolved")
    assert decision["decided_by"] == ["reviewer@example.com"]
    assert made(stage)[0]["approvalStatus"] == "APPROVED"
    assert attempt.deferrals >= 2


def test_an_approval_that_came_before_anybody_waited_is_told(stage: Stage) -> None:
    guard(stage)
    stage.enter("reviewer", approve)
    done = create(stage).run()
    assert done.state == "success", done
    assert done.result["change_request"]["decided_by"] == ["reviewer@example.com"]


def test_nobody_waits_when_the_author_does_not(stage: Stage) -> None:
    guard(stage)
    done = create(stage, wait_for_approval="False").run()
    assert (done.state, done.result["approval_status"]) == ("success", "PENDING")


@pytest.mark.parametrize(
    ("deed", "arguments", "state"),
    [
        (ask_for_changes, {}, "failed"),
        (ask_for_changes, {"on_changes_requested": "skip"}, "skipped"),
    ],
)
def test_other_decisions(stage: Stage, deed: Any, arguments: dict[str, str], state: str) -> None:
    guard(stage)
    stage.enter("reviewer", deed, after=60)
    done = create(stage, **arguments).run()
    assert done.state == state, done
    assert len(made(stage)) == 1


@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("skip", "skipped")])
def test_a_request_that_is_cancelled(stage: Stage, choice: str, state: str) -> None:
    guard(stage)
    stage.enter("requester", cancel, after=60)
    done = create(stage, on_cancelled=choice).run()
    assert done.state == state, done


def test_an_approval_that_shows_nowhere_is_an_error(stage: Stage) -> None:
    guard(stage)
    stage.service.lie("resolved_not_applied")
    stage.enter("reviewer", approve, after=60)
    done = create(stage).run()
    assert "NotApproved" in str(done.error)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deployment_label": ""}, "deployment_label must be a text"),
        ({"model_package_id": V3, "model_id": NEW_MODEL}, "exactly one of model_package_id and model_id"),
        ({"importance": "HUGE"}, "importance must be one of"),
        ({"prediction_threshold": 0.5}, "is for a model_id"),
        ({"if_building": "ignore"}, "if_building must be one of"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = create(stage, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
