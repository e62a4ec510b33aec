"""Making a challenger: once, checked beforehand, found again after a lost answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.challengers.rivals import CHALLENGERS, ENVIRONMENT, MODEL, call, challenger, settings
from tests.harness import NEW_FEATURE, OTHER_TARGET, V1, V2, V3, V4, Crashing
from tests.stages import LABELLED, read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

LOST = [{"answer": "reset"}, {"answer": 504}]
POST = "createDeploymentChallenger"


def create(stage: Stage, package: str = V3, **arguments: Any) -> Task:
    from airflow_provider.operators.challengers import DataRobotCreateChallengerOperator

    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    given = {"deployment_id": LABELLED, "model_package_id": package, **arguments}
    return task(stage, DataRobotCreateChallengerOperator, **options, **given)


def listing(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.challengers import DataRobotListChallengersOperator

    return read_only(stage, DataRobotListChallengersOperator, deployment_id=LABELLED, **arguments)


def count(stage: Stage) -> int:
    """How many challengers were made."""
    return sum(1 for one in stage.service.effects() if one["effect"] == "challengerCreated")


@pytest.mark.parametrize("appears", ["at_end", "at_once"])
@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_a_package_becomes_a_challenger(stage: Stage, deferrable: bool, appears: str) -> None:
    stage.service.switches(challenger_appears=appears)
    run = create(stage, deferrable=deferrable)
    done = run.run()
    assert done.state == "success", done
    assert bool(run.deferrals) == deferrable
    [record] = stage.service.world("challengers").values()
    assert done.result == {
        "deployment_id": LABELLED,
        "challenger_id": record["id"],
        "name": "Churn classifier v3",
        "model_id": MODEL[V3],
        "model_name": "Light Gradient Boosted Trees Classifier",
        "model_package_id": V3,
        "prediction_environment_id": ENVIRONMENT,
        "adopted": False,
        "duplicates": [],
    }
    assert stage.service.accepted() == {POST: 1}
    [posted] = stage.service.log(operationId=POST)
    assert posted["body"] == {
        "modelPackageId": V3,
        "name": "Churn classifier v3",
        "predictionEnvironmentId": ENVIRONMENT,
    }


@pytest.mark.parametrize("end", ["303", "200_completed"])
def test_what_the_end_of_the_job_says_does_not_matter(stage: Stage, end: str) -> None:
    stage.service.switches(job_end=end, lag=2)
    done = create(stage, name="rival").run()
    assert done.state == "success", done
    assert (done.result["name"], done.result["model_package_id"]) == ("rival", V3)


@pytest.mark.parametrize("lie", ["location_of_other_job", "200_instead_of_202"])
def test_an_answer_that_leads_elsewhere(stage: Stage, lie: str) -> None:
    """The challenger is looked for in the list; the job is not over then, which is told."""
    stage.service.lie(lie)
    stage.service.jobs("challengerCreation", seconds=3)
    done = create(stage).run()
    assert done.state == "success", done
    assert (count(stage), done.result["model_package_id"]) == (1, V3)


def test_a_challenger_that_is_there_is_taken(stage: Stage) -> None:
    there = challenger(stage)
    before = stage.service.accepted()
    done = create(stage).run()
    assert (done.result["challenger_id"], done.result["adopted"]) == (there, True)
    assert done.result["name"] == "rival"
    assert stage.service.accepted() == before
    refused = create(stage, if_exists="fail").run()
    assert refused.state == "failed"
    assert f"its model {MODEL[V3]} is in challenger {there} ('rival') already" in str(refused.error)


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_makes_no_second_challenger(stage: Stage, fault: Any, store: bool) -> None:
    stage.service.fault("lost_answer", operationId=POST, **fault)
    done = create(stage, store=store).run()
    assert done.state == "success", done
    assert done.result["adopted"] is True
    assert (count(stage), stage.service.accepted()) == (1, {POST: 1})


@pytest.mark.parametrize(("seconds", "state"), [(30, "success"), (300, "failed")])
def test_a_late_commit_is_found_or_told(stage: Stage, seconds: float, state: str) -> None:
    stage.service.fault("late_commit", operationId=POST, answer=504, seconds=seconds)
    done = create(stage).run()
    assert done.state == state, done
    stage.sleep(600)
    assert (count(stage), stage.service.accepted()) == (1, {POST: 1})
    if state == "failed":
        assert str(done.error).startswith("OutcomeUnknown: createDeploymentChallenger")
        assert "check with listDeploymentChallengers" in str(done.error)


def test_a_lost_request_is_told_and_a_cleared_task_sends_it(stage: Stage) -> None:
    """Blind: a job that is not over does not show in the list, so nothing is sent a second time by itself."""
    stage.service.fault("reset", operationId=POST)
    run = create(stage, retries=2)
    assert run.run().state == "failed"
    assert len(run.endings) == 1
    done = run.clear()
    assert done.state == "success", done
    assert count(stage) == 1


def test_a_burst_of_429_is_waited_out(stage: Stage) -> None:
    stage.service.fault("retry_after", operationId=POST, code=429, seconds=7, times=3)
    done = create(stage).run()
    assert done.state == "success", done
    assert count(stage) == 1


@pytest.mark.parametrize("nth", [1, 4, 5, 6, 7])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_any_request(stage: Stage, nth: int, after: bool) -> None:
    """The next attempt ends well with one challenger, or says that it cannot know; a second one is never made."""
    stage.transport = Crashing(nth, after)
    run = create(stage, retries=1, deferrable=False)
    run.run()
    stage.sleep(600)
    assert count(stage) <= 1
    assert run.endings[0].state == "crashed"
    last = run.endings[-1]
    if last.state == "success":
        assert count(stage) == 1
    else:
        assert "OutcomeUnknown" in str(last.error)
        assert nth == 5  # the POST itself


def test_a_job_that_fails_is_told_in_its_words(stage: Stage) -> None:
    stage.service.fault("failed_job", message="No workers.", operationId=POST)
    done = create(stage).run()
    assert (done.state, "No workers." in str(done.error)) == ("retry", True)
    assert create(stage).run().state == "success"


@pytest.mark.parametrize("fault", ["expired_job", "job_404"])
def test_a_job_whose_record_is_gone(stage: Stage, fault: str) -> None:
    stage.service.jobs("challengerCreation", seconds=0)
    stage.service.fault(fault, operationId=POST if fault == "expired_job" else "getStatus", times=0)
    done = create(stage).run()
    assert done.state == ("retry" if fault == "expired_job" else "success"), done
    assert count(stage) == (0 if fault == "expired_job" else 1)


def test_a_challenger_that_was_never_made_is_told(stage: Stage) -> None:
    stage.service.lie("challenger_not_created")
    done = create(stage).run()
    assert done.state == "failed"
    assert "ChallengerNotSeen" in str(done.error)
    assert f"has no challenger of model package {V3}" in str(done.error)


# --- what is checked beforehand -----------------------------------------------------------------------------------


def refusal(stage: Stage, package: str = V3, **arguments: Any) -> str:
    """The error of a task that sends nothing."""
    before = stage.service.accepted()
    done = create(stage, package, **arguments).run()
    assert done.state == "failed", done
    assert stage.service.accepted() == before
    assert stage.service.log(operationId=POST) == [] or before.get(POST, 0) > 0
    return str(done.error)


def test_models_that_do_not_fit(stage: Stage) -> None:
    assert "its target type is Regression, and the champion's is Binary" in refusal(stage, OTHER_TARGET)
    assert f"its model {MODEL[V2]} is the champion" in refusal(stage, V2)
    stage.service.change("packages", V3, buildStatus="inProgress")
    assert "its build is inProgress, not complete" in refusal(stage)
    stage.service.change("packages", V3, buildStatus="failed")
    assert "its build is failed, not complete" in refusal(stage)
    stage.service.change("packages", V3, buildStatus="complete", isArchived=True)
    assert "it is archived" in refusal(stage)
    assert "NotFound" in refusal(stage, "0" * 24)


def test_a_model_in_another_package_is_the_same_model(stage: Stage) -> None:
    challenger(stage)
    stage.service.change("packages", V4, modelId=MODEL[V3])
    assert f"its model {MODEL[V3]} is in challenger" in refusal(stage, V4)


def test_a_sixth_challenger(stage: Stage) -> None:
    target = {"name": "churned", "type": "Binary", "classNames": ["yes", "no"]}
    more = "64d000000000000000000011"
    for package in (OTHER_TARGET, more):
        stage.service.change("packages", package, target=target)
    for number, package in enumerate((V1, V4, NEW_FEATURE, OTHER_TARGET, more)):
        challenger(stage, package, name=f"number {number}")
    text = refusal(stage)
    assert "it has 5 already, delete one first: " in text
    assert all(f"'number {number}' (" in text for number in range(5))


@pytest.mark.parametrize("area", ["challengerModels", "targetDrift"])
def test_settings_that_are_off(stage: Stage, area: str) -> None:
    settings(stage, **{area: False})
    text = refusal(stage)
    assert f"takes no challengers: {area} is off; turn it on with DataRobotUpdateChallengerSettingsOperator" in text


@pytest.mark.parametrize("value", ["refuse_422", "refuse_409", "job_error"])
def test_what_cannot_be_seen_beforehand_is_told_by_the_service(stage: Stage, value: str) -> None:
    """Another target name: the page that says so speaks of a list in the web UI only."""
    stage.service.switches(challenger_misfit=value)
    stage.service.change("packages", V3, target={"name": "left", "type": "Binary", "classNames": ["yes", "no"]})
    done = create(stage).run()
    assert done.state == ("retry" if value == "job_error" else "failed")
    assert "Target name 'left' does not match 'churned'" in str(done.error)
    assert count(stage) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"deployment_id": ""}, "deployment_id must be an id"),
        ({"model_package_id": "a/b"}, "model_package_id must be an id"),
        ({"name": "x" * 513}, "name must have at most 512 characters"),
        ({"if_exists": "replace"}, "if_exists must be one of adopt, fail, not 'replace'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], text: str) -> None:
    done = create(stage, **{"package": V3, **arguments}).run()
    assert done.state == "failed"
    assert text in str(done.error)
    assert stage.service.log() == []


def test_a_plan_sends_nothing(stage: Stage) -> None:
    done = create(stage, plan_only=True).run()
    assert done.result["plan"]["operation"] == POST
    assert done.result["plan"]["body"]["modelPackageId"] == V3
    assert stage.service.accepted() == {}


def test_the_list_is_in_the_order_of_the_ids(stage: Stage) -> None:
    keys = sorted([challenger(stage, V3, name="one"), challenger(stage, V4, name="two")])
    assert listing(stage, fields="challenger_id").run().result == keys
    full = listing(stage).run().result
    assert [one["challenger_id"] for one in full] == keys
    assert {one["name"] for one in full} == {"one", "two"}
    assert set(full[0]) == {
        "challenger_id",
        "name",
        "model_id",
        "model_name",
        "model_package_id",
        "prediction_environment_id",
    }
    some = listing(stage, fields=["name", "model_package_id"]).run().result
    assert {(one["name"], one["model_package_id"]) for one in some} == {("one", V3), ("two", V4)}
    wrong = listing(stage, fields="colour").run()
    assert "fields must be one of challenger_id" in str(wrong.error)
    assert listing(stage, fields=[]).run().state == "failed"
    assert call(stage, "GET", CHALLENGERS).json()["data"] != []
