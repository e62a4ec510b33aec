"""Workers that die, tasks that are retried, cleared and killed: the work is taken up, and it is done once."""

from __future__ import annotations

import itertools

import pytest

from tests.harness import (
    GOVERNED,
    UNGOVERNED,
    V1,
    V2,
    V3,
    V4,
    Crash,
    Crashing,
    Ending,
    Stage,
    Task,
    replacing,
    share_of,
)
from tests.people import approve, ask_for_changes, cancel
from tests.verdicts import Facts, Verdict, verdict_on

STORES = pytest.mark.parametrize("store", [True, False], ids=["store", "no store"])
MODES = pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
JOURNEYS = pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])


def requests_of_a_worker(stage: Stage, deployment: str, deferrable: bool) -> int:
    """How many requests the workers of a whole journey send; the trigger's are not theirs."""
    stage.anew()
    stage.enter("reviewer", approve, after=20)
    stage.transport = counting = Crashing(0, after=False)
    assert replacing(stage, deployment, deferrable=deferrable).run().state == "success"
    return counting.count


def dying(stage: Stage, deployment: str, *, nth: int, after: bool, store: bool, deferrable: bool) -> Verdict:
    stage.anew()
    stage.enter("reviewer", approve, after=20)
    stage.transport = Crashing(nth, after)
    task = replacing(stage, deployment, store=store, deferrable=deferrable)
    ending = task.run()
    assert task.endings[0].state == "crashed"
    return verdict_on(stage, ending, deployment)


@JOURNEYS
@MODES
def test_a_worker_may_die_at_any_request(stage: Stage, deployment: str, deferrable: bool) -> None:
    numbers = range(1, requests_of_a_worker(stage, deployment, deferrable) + 1)
    deaths = share_of(itertools.product(numbers, (True, False), (True, False)), 0.15)
    verdicts = [
        (
            f"{'after' if after else 'before'} request {nth}, {'store' if store else 'no store'}",
            dying(stage, deployment, nth=nth, after=after, store=store, deferrable=deferrable),
        )
        for nth, after, store in deaths
    ]
    assert [(story, str(verdict)) for story, verdict in verdicts if verdict.word != "right"] == []


@MODES
@pytest.mark.parametrize("operation", ["createChangeRequest", "updateChangeRequestStatus"])
def test_a_retry_takes_up_the_request_of_the_attempt_that_died(stage: Stage, operation: str, deferrable: bool) -> None:
    stage.enter("reviewer", approve)
    task = replacing(stage, GOVERNED, deferrable=deferrable)
    ending = dies_after(stage, task, operation)
    assert ending.result["outcome"] == "replaced"
    assert ending.result["previous"]["model_package_id"] == V1
    assert ending.result["sent_twice"] == []
    assert Facts.of(stage.service, GOVERNED) == Facts(V3, 1, 1, stage.service.accepted())


@STORES
def test_the_previous_champion_is_known_as_long_as_there_is_a_memory(stage: Stage, store: bool) -> None:
    task = replacing(stage, UNGOVERNED, store=store)
    ending = dies_after(stage, task, "replaceDeploymentModel")
    assert ending.result["outcome"] == "already_champion"
    assert (ending.result["previous"] or {}).get("model_package_id") == (V2 if store else None)


@STORES
@JOURNEYS
def test_clearing_a_finished_task_finds_nothing_to_do(stage: Stage, deployment: str, store: bool) -> None:
    stage.enter("reviewer", approve)
    write = "createChangeRequest" if deployment == GOVERNED else "replaceDeploymentModel"
    stage.service.fault("reset", operationId=write)
    task = replacing(stage, deployment, store=store)
    assert task.run().result["sent_twice"] == [write]
    before = stage.service.accepted()
    again = task.clear()
    assert again.result["outcome"] == "already_champion"
    assert again.result["previous"] is None
    assert again.result["change_request"] is None
    assert again.result["sent_twice"] == []
    assert stage.service.accepted() == before


@STORES
def test_clearing_a_cancelled_approval_asks_anew(stage: Stage, store: bool) -> None:
    stage.enter("requester", cancel)
    task = replacing(stage, GOVERNED, store=store)
    assert "is cancelled" in str(task.run().error)
    stage.leave()
    stage.enter("reviewer", approve)
    assert task.clear().result["outcome"] == "replaced"
    assert stage.service.count("changeRequestCreated") == 2
    assert stage.service.count("modelReplaced", GOVERNED) == 1


@STORES
def test_clearing_while_changes_are_requested_tells_so_again(stage: Stage, store: bool) -> None:
    stage.enter("reviewer", ask_for_changes)
    task = replacing(stage, GOVERNED, store=store)
    assert "not with this model" in str(task.run().error)
    assert "not with this model" in str(task.clear().error)
    assert stage.service.count("changeRequestCreated") == 1


def test_another_model_after_a_clear_does_not_go_on_with_the_old_request(stage: Stage) -> None:
    task = replacing(stage, GOVERNED, timeout=600)
    assert "WaitTimedOut" in str(task.run().error)
    other = replacing(stage, GOVERNED, model_package_id=V4)
    other.store = task.store
    ending = other.run()
    assert str(ending.error).startswith("ConflictingRequest: change request ")
    assert "requester@example.com asks for another replaceModelPackage" in str(ending.error)
    assert stage.service.count("changeRequestCreated") == 1


@STORES
@MODES
def test_a_service_that_is_away_for_an_hour_is_waited_for_by_the_retries(
    stage: Stage, store: bool, deferrable: bool
) -> None:
    away = stage.service.fault("status", code=503, operationId="getStatus", times=0)
    stage.at(3600, lambda: stage.service.remove_fault(away))
    task = replacing(stage, UNGOVERNED, store=store, deferrable=deferrable, apply_timeout=7200)
    ending = task.run()
    assert verdict_on(stage, ending, UNGOVERNED).word == "right"
    assert "PollBudgetSpent" in str(task.endings[0])
    assert stage.service.accepted()["replaceDeploymentModel"] == 1


# --- kill ---------------------------------------------------------------------------------------------------------


def killed(stage: Stage, task: Task, after: float) -> Ending:
    """The attempt is killed by a user after so many seconds: on_kill, and then the process is gone."""

    def kill() -> None:
        task.operator.on_kill()
        raise Crash("killed")

    stage.at(after, kill)
    return task.attempt()


def statuses(stage: Stage) -> list[str]:
    return [one["status"] for one in stage.service.world("changeRequests").values()]


def test_a_killed_task_cancels_its_request(stage: Stage) -> None:
    assert killed(stage, replacing(stage, GOVERNED, deferrable=False), 60).state == "crashed"
    assert statuses(stage) == ["cancelled"]


@STORES
def test_a_request_of_an_earlier_attempt_is_ours_too(stage: Stage, store: bool) -> None:
    task = replacing(stage, GOVERNED, deferrable=False, store=store)
    stage.transport = Crashing(9, after=True)
    assert task.attempt().state == "crashed"
    assert statuses(stage) == ["pending"]
    assert killed(stage, task, 60).state == "crashed"
    assert statuses(stage) == ["cancelled"]


@pytest.mark.parametrize(("even_adopted", "status"), [(False, "pending"), (True, "cancelled")])
def test_a_killed_task_leaves_a_request_that_it_found(stage: Stage, even_adopted: bool, status: str) -> None:
    other = replacing(stage, GOVERNED, deferrable=False, cancel_on_kill=False, comment="by another DAG")
    assert killed(stage, other, 60).state == "crashed"
    task = replacing(stage, GOVERNED, deferrable=False, cancel_adopted=even_adopted)
    assert killed(stage, task, 60).state == "crashed"
    assert statuses(stage) == [status]


@JOURNEYS
def test_a_replacement_under_way_is_not_stopped_by_a_kill(stage: Stage, deployment: str) -> None:
    stage.enter("reviewer", approve)
    task = replacing(stage, deployment, deferrable=False)
    stage.service.jobs("modelReplacement", seconds=300)
    assert killed(stage, task, 120).state == "crashed"
    ending = task.run()
    assert verdict_on(stage, ending, deployment).word == "right"


def dies_after(stage: Stage, task: Task, operation: str) -> Ending:
    """Runs the task; its first attempt dies when this write has been answered and nothing of it is noted yet."""
    stage.transport = Crashing(1, after=True, operation=operation)
    ending = task.run()
    assert task.endings[0].state == "crashed"
    return ending
