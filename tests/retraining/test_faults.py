"""Faults on the POST that starts a run: the store counts one run, or the task says what it does not know.

A story is judged by what the service did: ``right`` (the task went well with the one run that there is), ``unknown``
(OutcomeUnknown that names every run that may be ours), ``reported`` (a second run, and ``sent_twice`` or
``answer_lost`` says that there may be one).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Crashing, Ending, share_of
from tests.retraining.people import LENGTH, POST, RetrainingTask, failed, succeeded

if TYPE_CHECKING:
    from tests.harness import Stage
    from tests.retraining.people import Trainer

LATER = 3600.0
LOST: list[tuple[str, dict[str, Any]]] = [
    ("lost_answer", {"answer": "reset"}),
    ("lost_answer", {"answer": 504}),
    ("reset", {}),
    ("status", {"code": 504}),
    ("status", {"code": 502}),
    ("html_page", {}),
    ("truncated", {}),
    ("late_commit", {"answer": 504, "seconds": 3}),
    ("late_commit", {"answer": "reset", "seconds": 55}),
    ("late_commit", {"answer": 504, "seconds": 62}),
    ("late_commit", {"answer": "reset", "seconds": 90}),
    ("late_commit", {"answer": 504, "seconds": 400}),
]
STORES = [True, False]
LAGS = ["0", "1", "3"]
ANSWERS = ["refuse_409", "refuse_404", "ignored"]
PEOPLE = ["nobody", "before the start", "after the start"]
STORIES = list(itertools.product(range(len(LOST)), STORES, LAGS, ANSWERS, PEOPLE))


def verdict(trainer: Trainer, ending: Ending) -> str:
    """What the story came to, after everything has happened that will."""
    trainer.stage.sleep(LATER)
    runs = trainer.runs
    if ending.state == "success":
        assert ending.result["run_id"] in runs
        if len(runs) == 1:
            return "right"
        told = ending.result["sent_twice"] == [POST] or ending.result["answer_lost"]
        return "reported" if told else f"wrong: {len(runs)} runs, {ending}"
    if "OutcomeUnknown" in str(ending) and runs and all(one in str(ending) for one in runs):
        return "unknown"
    return f"wrong: {len(runs)} runs, {ending}"


@pytest.mark.parametrize("story", share_of(STORIES, 0.03), ids=str)
def test_one_run_whatever_happens_to_the_start(stage: Stage, trainer: Trainer, story: Any) -> None:
    number, store, lag, answer, person = story
    kind, parameters = LOST[number]
    trainer.anew(lag=lag, retraining_already_running=answer)
    stage.service.fault(kind, operationId=POST, user="requester@example.com", **parameters)
    if person == "before the start":
        stage.before(POST, lambda: start_beside(trainer))
    elif person == "after the start":
        stage.at(30, lambda: start_beside(trainer))
    task = trainer.task(store=store, deferrable=number % 2 == 0)
    found = verdict(trainer, task.run())
    assert found == "right" or (found == "reported" and parameters.get("seconds", 0) > LENGTH), found


def start_beside(trainer: Trainer) -> None:
    """Somebody starts a run in the same minute, as an administrator whom the fault does not meet."""
    import httpx

    token = trainer.stage.service.tokens["admin"]
    address = f"{trainer.stage.service.endpoint}/{trainer.path}runs/"
    httpx.post(address, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


@pytest.mark.parametrize("store", STORES, ids=["3.3", "before 3.3"])
@pytest.mark.parametrize("seconds", [62, 90, 400])
def test_a_commit_after_the_second_start_is_reported(stage: Stage, trainer: Trainer, seconds: int, store: bool) -> None:
    """The run is over before the first start is carried out: then the service starts another."""
    stage.service.jobs("retrainingRun", seconds=10)
    stage.service.fault("late_commit", operationId=POST, answer=504, seconds=seconds)
    ending = trainer.task(store=store).run()
    assert verdict(trainer, ending) == ("right" if seconds == 62 else "reported")
    assert trainer.started == (1 if seconds == 62 else 2)


@pytest.mark.parametrize("after", [False, True], ids=["before the POST", "after the POST"])
@pytest.mark.parametrize("store", STORES, ids=["3.3", "before 3.3"])
@pytest.mark.parametrize("length", [LENGTH, 2000.0], ids=["over by the retry", "goes on at the retry"])
def test_the_worker_dies(stage: Stage, trainer: Trainer, after: bool, store: bool, length: float) -> None:
    trainer.anew(lag="2")
    stage.service.jobs("retrainingRun", seconds=length)
    stage.transport = Crashing(1, after, POST)
    task = trainer.task(store=store)
    ending = task.run()
    assert [one.state for one in task.endings] == ["crashed", "success"]
    assert verdict(trainer, ending) == "right"
    assert ending.result["adopted"] is after


@pytest.mark.parametrize("store", STORES, ids=["3.3", "before 3.3"])
def test_a_worker_that_died_finds_two_runs_and_does_not_choose(stage: Stage, trainer: Trainer, store: bool) -> None:
    """Ours and one of a person begin at the same moment, as far as their times say; both are named."""
    stage.service.jobs("retrainingRun", seconds=1)
    stage.transport = Crashing(1, True, POST)

    def another() -> None:
        trainer.start()
        first, second = trainer.runs.values()
        stage.service.change("retrainingRuns", second["id"], created=first["created"])

    stage.at(5, another)
    task = trainer.task(store=store)
    text = failed(task.run(), "OutcomeUnknown")
    assert all(run in text for run in trainer.runs)
    assert trainer.started == 2
    assert stage.service.accepted()[POST] == 2


def test_of_several_new_runs_the_first_that_began_is_ours(stage: Stage, trainer: Trainer) -> None:
    stage.service.jobs("retrainingRun", seconds=1)
    stage.transport = Crashing(1, True, POST)
    stage.at(20, trainer.start)
    result = succeeded(trainer.task().run())
    assert result["run_id"] == min(trainer.runs.values(), key=lambda run: float(run["created"]))["id"]


def test_runs_without_a_start_time_are_not_chosen_from(stage: Stage, trainer: Trainer) -> None:
    trainer.anew(retraining_start_time="when_training")
    stage.service.jobs("retrainingRun", seconds=4000)
    stage.transport = Crashing(1, True, POST)

    def another() -> None:
        trainer.cancel()
        trainer.start()

    stage.at(5, another)
    ending = trainer.task().run()
    assert "OutcomeUnknown" in str(ending)
    assert all(run in str(ending) for run in trainer.runs)


def test_a_run_that_never_appears_is_no_success(stage: Stage, trainer: Trainer) -> None:
    stage.service.fault("status", operationId=POST, code=200, body=None, times=0)
    task = trainer.task()
    text = failed(task.run(), "RunNotSeen")
    assert "no run appeared within 120 s" in text
    assert task.deferrals > 0
    assert trainer.started == 0


def test_old_runs_that_a_list_shows_late_are_not_ours(stage: Stage, trainer: Trainer) -> None:
    stage.service.jobs("retrainingRun", seconds=1)
    trainer.start()
    stage.sleep(60)
    [old] = trainer.runs
    stage.service.switches(lag="2")
    result = succeeded(trainer.task().run())
    assert result["run_id"] != old
    assert trainer.started == 2


def test_all_pages_of_runs_are_known_before_the_start(stage: Stage, trainer: Trainer) -> None:
    stage.service.jobs("retrainingRun", seconds=0)
    for _ in range(101):
        trainer.start()
    old = set(trainer.runs)
    stage.service.fault("lost_answer", operationId=POST)
    assert succeeded(trainer.task().run())["run_id"] not in old
    assert trainer.started == 102


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "on the worker"])
def test_a_service_that_is_away_for_a_while_is_waited_for(stage: Stage, trainer: Trainer, deferrable: bool) -> None:
    stage.service.fault("status", operationId="getDeploymentRetrainingPolicyRun", code=503, nth=2, times=5)
    result = succeeded(trainer.task(deferrable=deferrable).run())
    assert result["adopted"] is False
    assert trainer.started == 1


def test_two_tasks_of_one_policy_share_a_run(stage: Stage, trainer: Trainer) -> None:
    first, second = trainer.task(), trainer.task()
    other: list[Ending] = []
    stage.while_away(lambda: other.append(second.run()))
    one, two = succeeded(first.run()), succeeded(other[0])
    assert one["run_id"] == two["run_id"]
    assert (one["adopted"], two["adopted"]) == (False, True)
    assert trainer.started == 1


def test_a_cleared_task_makes_another_run(stage: Stage, trainer: Trainer) -> None:
    task: RetrainingTask = trainer.task()
    first = succeeded(task.run())["run_id"]
    stage.sleep(60)
    assert succeeded(task.clear())["run_id"] != first
    assert trainer.started == 2


@pytest.mark.parametrize("offset", [-600, 600], ids=["behind", "ahead"])
@pytest.mark.parametrize("store", STORES, ids=["3.3", "before 3.3"])
@pytest.mark.parametrize("crash", [False, True], ids=["lost answer", "dead worker"])
def test_the_service_has_another_time(stage: Stage, trainer: Trainer, offset: int, store: bool, crash: bool) -> None:
    """Ten minutes ahead or behind: only its own clock is compared with its own times."""
    stage.service.clock(offset=offset)
    trainer.start()
    trainer.cancel()  # an older run, seconds before ours
    stage.sleep(10)
    if crash:
        stage.transport = Crashing(1, True, POST)
    else:
        stage.service.fault("lost_answer", operationId=POST)
    result = succeeded(trainer.task(store=store).run())
    assert result["run_id"] == max(trainer.runs.values(), key=lambda run: float(run["created"]))["id"]
    assert trainer.started == 2


@pytest.mark.parametrize("death", share_of(itertools.product(range(1, 9), STORES, [False, True]), 0.4), ids=str)
def test_the_worker_dies_at_any_request(stage: Stage, trainer: Trainer, death: tuple[int, bool, bool]) -> None:
    nth, store, after = death
    trainer.anew("model_replacement")
    stage.transport = Crashing(nth, after)
    task = trainer.task(store=store)
    ending = task.run()
    succeeded(ending, "replaced")
    assert verdict(trainer, ending) == "right"
    assert stage.service.count("modelReplaced") == 1
