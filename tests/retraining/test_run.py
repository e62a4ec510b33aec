"""Running a policy: what comes of it, whose run it is, and how it ends badly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.emulator.switches import known
from tests.harness import GOVERNED, UNGOVERNED, V1, V2
from tests.retraining.people import LENGTH, POST, failed, succeeded

if TYPE_CHECKING:
    from tests.harness import Stage
    from tests.retraining.people import Trainer

WAYS = pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "on the worker"])


@WAYS
def test_a_run_makes_a_challenger(stage: Stage, trainer: Trainer, deferrable: bool) -> None:
    task = trainer.task(deferrable=deferrable)
    result = succeeded(task.run())
    [run] = trainer.runs.values()
    assert bool(task.deferrals) == deferrable
    assert result == {
        "outcome": "challenger_created",
        "deployment_id": UNGOVERNED,
        "policy_id": trainer.policy,
        "run_id": run["id"],
        "status": "Finished",
        "started_at": result["started_at"],
        "finished_at": result["finished_at"],
        "challenger_id": run["challengerId"],
        "model_package_id": run["modelPackageId"],
        "project_id": run["projectId"],
        "registered_model_id": run["registeredModelId"],
        "previous": None,
        "change_request_id": None,
        "adopted": False,
        "answer_lost": False,
        "sent_twice": [],
    }
    assert run["challengerId"] in stage.service.world("challengers")
    assert stage.service.accepted()[POST] == trainer.started == 1


def test_a_run_makes_a_package(stage: Stage, trainer: Trainer) -> None:
    trainer.make("create_model_package")
    result = succeeded(trainer.task().run(), "package_created")
    assert result["model_package_id"] in stage.service.world("packages")
    assert result["challenger_id"] is None


@WAYS
@pytest.mark.parametrize("ends", known()["retraining_ends"].values)
@pytest.mark.parametrize("lag", ["0", "3"])
def test_a_run_replaces_the_champion(stage: Stage, trainer: Trainer, ends: str, lag: str, deferrable: bool) -> None:
    stage.service.switches(retraining_ends=ends, champion_lag=lag)
    trainer.make("model_replacement")
    result = succeeded(trainer.task(deferrable=deferrable).run(), "replaced")
    assert stage.service.world("deployments")[UNGOVERNED]["modelPackageId"] == result["model_package_id"]
    assert result["previous"]["model_package_id"] == V2
    assert stage.service.count("modelReplaced", UNGOVERNED) == 1


def test_under_an_approval_policy_the_approval_is_pending(stage: Stage, trainer: Trainer) -> None:
    trainer.make("model_replacement", GOVERNED)
    result = succeeded(trainer.task().run(), "pending_approval")
    [request] = stage.service.world("changeRequests").values()
    assert (request["id"], request["status"]) == (result["change_request_id"], "pending")
    assert request["change"]["modelPackageId"] == result["model_package_id"]
    assert (
        stage.service.world("deployments")[GOVERNED]["modelPackageId"] == V1 == result["previous"]["model_package_id"]
    )


def test_a_replacement_that_is_not_seen_is_no_success(stage: Stage, trainer: Trainer) -> None:
    stage.service.lie("replaced_not_changed")
    trainer.make("model_replacement")
    text = failed(trainer.task().run(), "ReplacementNotSeen")
    assert f"the champion is model package {V2}" in text
    assert "is over all the same" in text


def test_the_message_of_a_failed_run_is_told_and_a_retry_runs_it_again(stage: Stage, trainer: Trainer) -> None:
    stage.service.jobs("retrainingRun", seconds=60, failsWith="Not enough rows.", times=1)
    task = trainer.task(retries=1)
    succeeded(task.run())
    assert task.endings[0].state == "retry"
    assert "Not enough rows." in str(task.endings[0].error)
    assert trainer.started == 2


@pytest.mark.parametrize("words", known()["retraining_words"].values)
def test_a_run_that_somebody_cancels_fails_for_good(stage: Stage, trainer: Trainer, words: str) -> None:
    stage.service.switches(retraining_words=words)
    task = trainer.task()
    stage.at(90, trainer.cancel)
    assert "was cancelled" in failed(task.run(), "RetrainingCancelled")
    assert trainer.started == 1
    succeeded(task.clear())
    assert trainer.started == 2


def test_a_run_that_vanishes_is_no_success(stage: Stage, trainer: Trainer) -> None:
    def vanish() -> None:
        [run] = trainer.runs
        stage.service.change("retrainingRuns", run, policyId="0" * 24)

    stage.at(90, vanish)
    assert "cannot be read any more: not found 3 times in a row" in failed(trainer.task().run(), "RunVanished")


def test_a_run_that_has_made_nothing_is_no_success(stage: Stage, trainer: Trainer) -> None:
    stage.service.lie("retrained_without_model")
    ending = trainer.task(retries=0).run()
    assert "JobFailed" in str(ending.error)
    assert "unknown outcome: finished as Finished without challengerId" in str(ending.error)


@pytest.mark.parametrize("name", ["words", "start_time", "already_running", "unset", "former_challenger", "ends"])
def test_every_value_of_every_switch_ends_right_or_loud(stage: Stage, trainer: Trainer, name: str) -> None:
    name = f"retraining_{name}"
    for value in known()[name].values:
        for action, outcome in (("create_challenger", "challenger_created"), ("model_replacement", "replaced")):
            trainer.anew(action, **{name: value})
            ending = trainer.task(retries=0).run()
            if name == "retraining_unset" and value != "runs":
                assert "onfigured" in str(ending.error)
                assert stage.service.count("packageCreated") == 0
            else:
                succeeded(ending, outcome)
                assert trainer.started == 1


def test_a_policy_of_another_deployment_is_refused_before_anything_is_sent(stage: Stage, trainer: Trainer) -> None:
    failed(trainer.task(deployment_id=GOVERNED).run(), "NotFound")
    assert POST not in stage.service.accepted()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"policy_id": "a/b"}, "policy_id must be an id"),
        ({"if_running": "join"}, "if_running must be one of adopt, wait, fail"),
        ({"started_after": "yesterday"}, "started_after must be a time"),
        ({"started_after": "2099-01-01T00:00:00Z"}, "started_after lies in the future"),
        ({"appear_timeout": "soon"}, "appear_timeout must be a number of seconds"),
    ],
)
def test_bad_arguments_are_named(stage: Stage, trainer: Trainer, arguments: dict[str, Any], named: str) -> None:
    before = len(stage.service.log())
    assert named in failed(trainer.task(**arguments).run(), "InvalidCall")
    assert len(stage.service.log()) == before


def test_a_plan_starts_nothing(stage: Stage, trainer: Trainer) -> None:
    ending = trainer.task(plan_only=True).run()
    assert ending.result["plan"]["operation"] == POST
    assert ending.result["plan"]["path"].endswith(f"{trainer.policy}/runs/")
    assert trainer.started == 0


# --- a run that goes on already -----------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
def test_a_run_that_goes_on_is_adopted(stage: Stage, trainer: Trainer, store: bool, deferrable: bool) -> None:
    trainer.start()
    stage.sleep(30)
    result = succeeded(trainer.task(store=store, deferrable=deferrable).run())
    assert result["adopted"] is True
    assert result["run_id"] in trainer.runs
    assert trainer.started == 1


@pytest.mark.parametrize("fails", [False, True], ids=["goes well", "fails"])
def test_a_run_that_goes_on_is_waited_for_and_then_one_is_started(stage: Stage, trainer: Trainer, fails: bool) -> None:
    if fails:
        stage.service.jobs("retrainingRun", failsWith="Not enough rows.", times=1)
    trainer.start()
    [first] = trainer.runs
    result = succeeded(trainer.task(if_running="wait").run())
    assert (result["adopted"], result["run_id"] == first) == (False, False)
    assert trainer.started == 2


def test_a_run_that_goes_on_is_refused(stage: Stage, trainer: Trainer) -> None:
    trainer.start()
    [first] = trainer.runs
    assert first in failed(trainer.task(if_running="fail").run(), "RunInProgress")
    assert trainer.started == 1


@pytest.mark.parametrize(("minutes", "adopted"), [(-2, True), (2, False)])
def test_only_a_run_that_began_late_enough_is_adopted(
    stage: Stage, trainer: Trainer, minutes: int, adopted: bool
) -> None:
    moment = stage.service.clock()["epoch"] + minutes * 60
    trainer.start()
    stage.sleep(150)
    after = datetime.fromtimestamp(moment, UTC).isoformat()
    result = succeeded(trainer.task(started_after=after).run())
    assert result["adopted"] is adopted
    assert trainer.started == (1 if adopted else 2)


@pytest.mark.parametrize("value", ["refuse_409", "refuse_404", "ignored"])
@pytest.mark.parametrize(
    ("if_running", "starts", "lag"), [("adopt", 1, "2"), ("wait", 2, "0"), ("fail", 1, "0"), ("fail", 1, "2")]
)
def test_a_person_starts_one_between_look_and_start(
    stage: Stage, trainer: Trainer, value: str, if_running: str, starts: int, lag: str
) -> None:
    """The run of the person is new and began when ours would have: where the service says nothing, it is ours."""
    stage.service.switches(retraining_already_running=value, lag=lag)
    stage.before(POST, trainer.start)
    ending = trainer.task(if_running=if_running).run()
    if value == "ignored":
        succeeded(ending)
        assert trainer.started == 1
    elif if_running == "fail":
        failed(ending, "RunInProgress")
        assert trainer.started == 1
    else:
        succeeded(ending)
        assert trainer.started == starts


@pytest.mark.parametrize("value", ["refuse_422", "ignored"])
@pytest.mark.parametrize(("if_running", "starts"), [("adopt", 1), ("wait", 2)])
def test_the_schedule_of_the_policy_starts_one_in_the_same_minute(
    stage: Stage, trainer: Trainer, value: str, if_running: str, starts: int
) -> None:
    trainer.anew(retraining_already_running=value)
    trainer.own()
    trainer.make(trigger={"type": "schedule", "schedule": {"minute": ["1"], "hour": ["8"]}})
    stage.sleep(59)
    stage.before(POST, lambda: stage.sleep(3))
    succeeded(trainer.task(if_running=if_running).run())
    assert trainer.started == (1 if value == "ignored" else starts)


@pytest.mark.parametrize("value", known()["retraining_already_running"].values)
def test_a_run_that_no_list_shows_yet_is_met_by_the_refusal(stage: Stage, trainer: Trainer, value: str) -> None:
    stage.service.switches(retraining_already_running=value, lag="2")
    trainer.start()
    stage.sleep(30)
    result = succeeded(trainer.task().run())
    assert result["adopted"] is True
    assert trainer.started == 1


def test_a_refusal_without_a_run_is_told(stage: Stage, trainer: Trainer) -> None:
    stage.service.fault("status", operationId=POST, code=409, body={"message": "No workers."})
    assert "No workers." in failed(trainer.task().run(), "Conflict")
    assert trainer.started == 0


# --- kill and deadline --------------------------------------------------------------------------------------------


def killed(trainer: Trainer, stage: Stage, after: float, **arguments: Any) -> Any:
    task = trainer.task(deferrable=False, **arguments)
    stage.at(after, lambda: task.operator.on_kill())
    return task.run()


def test_a_kill_cancels_our_run(stage: Stage, trainer: Trainer) -> None:
    killed(trainer, stage, 90)
    assert stage.service.count("retrainingRunCancelled") == 1


def test_a_kill_leaves_the_run_of_somebody_else(stage: Stage, trainer: Trainer) -> None:
    trainer.start()
    succeeded(killed(trainer, stage, 90))
    assert stage.service.count("retrainingRunCancelled") == 0
    trainer.anew()
    trainer.start()
    killed(trainer, stage, 90, cancel_adopted=True)
    assert stage.service.count("retrainingRunCancelled") == 1


def test_near_the_end_a_kill_says_that_cancelling_is_refused(
    stage: Stage, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    succeeded(killed(trainer, stage, LENGTH * 0.95))
    assert "cannot be cancelled any more: Creating challenger" in capsys.readouterr().out


def test_the_deadline_cancels_our_run_or_leaves_it(stage: Stage, trainer: Trainer) -> None:
    failed(trainer.task(timeout=200).run(), "WaitTimedOut")
    assert stage.service.count("retrainingRunCancelled") == 1
    trainer.anew()
    task = trainer.task(timeout=200, on_timeout="leave")
    failed(task.run(), "WaitTimedOut")
    assert stage.service.count("retrainingRunCancelled") == 0
    succeeded(task.clear())
    assert trainer.started == 1
