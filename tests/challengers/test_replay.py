"""Replaying challengers: one replay, waited for; one that runs is taken up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.challengers.rivals import REPLAY, call, challenger, settings
from tests.gates.rows import predictions
from tests.harness import Crashing
from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

LOST = [{"answer": "reset"}, {"answer": 504}]
POST = "createDeploymentChallengerPredictions"


def replay(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.challenger_replays import DataRobotReplayChallengersOperator

    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    return task(stage, DataRobotReplayChallengersOperator, **options, **{"deployment_id": LABELLED, **arguments})


def count(stage: Stage) -> int:
    """How many replays were carried out."""
    return stage.service.count("challengersReplayed", LABELLED)


@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_a_replay_is_waited_for(stage: Stage, deferrable: bool) -> None:
    predictions(stage, 20)
    key = challenger(stage)
    run = replay(stage, deferrable=deferrable)
    done = run.run()
    assert done.state == "success", done
    assert bool(run.deferrals) == deferrable
    assert done.result == {"deployment_id": LABELLED, "until": None, "adopted": False, "challengers": [key]}
    assert stage.service.predictions(LABELLED)["rows"] == 40
    assert stage.service.log(operationId=POST)[0]["body"] == {}


@pytest.mark.parametrize(
    "until", ["2026-03-01T12:00:00", "2026-03-01T13:00:00+01:00", datetime(2026, 3, 1, 12, tzinfo=UTC)]
)
def test_a_replay_until_a_time(stage: Stage, until: Any) -> None:
    predictions(stage, 20)
    challenger(stage)
    done = replay(stage, until=until).run()
    assert done.result["until"] == "2026-03-01T12:00:00Z"
    assert stage.service.predictions(LABELLED)["rows"] == 30


def test_a_running_replay_is_taken(stage: Stage) -> None:
    challenger(stage)
    call(stage, "POST", REPLAY, {})
    done = replay(stage).run()
    assert done.state == "success", done
    assert done.result["adopted"] is True
    assert count(stage) == 1


@pytest.mark.parametrize("fails", [False, True], ids=["ends well", "fails"])
def test_a_running_replay_is_waited_out(stage: Stage, fails: bool) -> None:
    challenger(stage)
    if fails:
        stage.service.fault("failed_job", message="Out of memory.", operationId=POST)
    call(stage, "POST", REPLAY, {})
    done = replay(stage, if_running="wait").run()
    assert done.state == "success", done
    assert done.result["adopted"] is False
    assert count(stage) == (1 if fails else 2)


def test_a_running_replay_is_an_error_where_the_author_says_so(stage: Stage) -> None:
    challenger(stage)
    call(stage, "POST", REPLAY, {})
    done = replay(stage, if_running="fail").run()
    assert done.state == "failed"
    assert "runs already (status/" in str(done.error)
    stage.sleep(60)
    assert count(stage) == 1


def test_a_running_replay_without_a_location_is_outlasted(stage: Stage) -> None:
    """The service tells when to come again; then ours is started."""
    stage.service.switches(replay_running="no_location")
    challenger(stage)
    call(stage, "POST", REPLAY, {})
    done = replay(stage).run()
    assert done.state == "success", done
    assert (done.result["adopted"], count(stage)) == (False, 2)


def test_a_burst_of_429_is_no_running_replay(stage: Stage) -> None:
    challenger(stage)
    stage.service.fault("retry_after", operationId=POST, code=429, seconds=5, times=3)
    done = replay(stage).run()
    assert (done.state, done.result["adopted"], count(stage)) == ("success", False, 1)


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_is_told_and_nothing_is_sent_again(stage: Stage, fault: Any) -> None:
    challenger(stage)
    stage.service.fault("lost_answer", operationId=POST, **fault)
    run = replay(stage, retries=2)
    done = run.run()
    assert done.state == "failed"
    assert "OutcomeUnknown" in str(done.error)
    assert len(run.endings) == 1
    assert stage.service.accepted()[POST] == 1
    cleared = run.clear()  # the first still runs: it is taken up
    assert (cleared.state, cleared.result["adopted"]) == ("success", True)
    stage.sleep(60)
    assert count(stage) == 1


@pytest.mark.parametrize(("seconds", "adopted", "replays"), [(30, False, 2), (300, True, 1)])
def test_a_lost_answer_is_repeated_where_the_author_says_so(
    stage: Stage, seconds: float, adopted: bool, replays: int
) -> None:
    """One that still runs after ``settle`` is ours and is taken; one that is over is done again."""
    challenger(stage)
    stage.service.jobs("challengerReplay", seconds=seconds)
    stage.service.fault("lost_answer", operationId=POST, answer=504)
    done = replay(stage, repeat_lost=True).run()
    assert (done.state, done.result["adopted"]) == ("success", adopted)
    assert count(stage) == replays


@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_while_it_sends(stage: Stage, after: bool, repeat: bool) -> None:
    challenger(stage)
    stage.service.jobs("challengerReplay", seconds=900)
    stage.transport = Crashing(3, after)
    run = replay(stage, retries=1, repeat_lost=repeat)
    done = run.run()
    assert run.endings[0].state == "crashed"
    if repeat:
        assert (done.state, done.result["adopted"]) == ("success", after)
        assert count(stage) == 1
    else:
        assert done.state == "failed"
        assert "ended while it started this replay" in str(done.error)
        stage.sleep(1000)
        assert count(stage) == int(after)


def test_a_worker_that_dies_while_it_waits_goes_on(stage: Stage) -> None:
    challenger(stage)
    stage.transport = Crashing(4, after=False)
    run = replay(stage, retries=1, deferrable=False)
    done = run.run()
    assert (run.endings[0].state, done.state, done.result["adopted"]) == ("crashed", "success", False)
    assert count(stage) == 1


def test_a_replay_that_fails_is_told_in_its_words(stage: Stage) -> None:
    challenger(stage)
    stage.service.fault("failed_job", message="Features are missing.", operationId=POST)
    done = replay(stage).run()
    assert (done.state, "Features are missing." in str(done.error)) == ("retry", True)


def test_an_accepted_replay_without_a_job_is_told(stage: Stage) -> None:
    challenger(stage)
    stage.service.lie("200_instead_of_202")
    done = replay(stage, repeat_lost=True).run()
    assert done.state == "failed"
    assert "no Location names its job" in str(done.error)
    stage.sleep(60)
    assert count(stage) == 1


def test_nobody_to_replay_for(stage: Stage) -> None:
    done = replay(stage).run()
    assert done.state == "failed"
    assert "has no challengers: create one first" in str(done.error)
    challenger(stage)
    settings(stage, challengerModels=False)
    off = replay(stage).run()
    assert "challengerModels is off" in str(off.error)
    assert stage.service.log(operationId=POST) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"until": "soon"}, "until must be a time like 2026-03-01T00:00:00Z, not 'soon'"),
        ({"if_running": "kill"}, "if_running must be one of adopt, wait, fail, not 'kill'"),
        ({"repeat_lost": "maybe"}, "repeat_lost must be true or false, not 'maybe'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], text: str) -> None:
    done = replay(stage, **arguments).run()
    assert text in str(done.error)
    assert stage.service.log() == []
