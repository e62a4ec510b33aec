"""Writes that are committed after the client was told that they failed: done once, or the second is told of."""

from __future__ import annotations

import itertools

import pytest

from tests.harness import GOVERNED, UNGOVERNED, V3, Crashing, Ending, Stage, Store, Task, replacing, share_of
from tests.people import approve
from tests.verdicts import Facts, Verdict, tally, verdict_on

SETTLE, APART = 60.0, 5.0  # of the package: the last look comes so many seconds after the lost answer
WRITES = [
    (GOVERNED, "createChangeRequest"),
    (GOVERNED, "updateChangeRequestStatus"),
    (UNGOVERNED, "replaceDeploymentModel"),
]
LATE = (1, 29, 59, 61, 64, 66, 70, 84, 86, 95, 120, 600, 4000)


def play(
    stage: Stage, deployment: str, operation: str, seconds: float, *, job: float, store: bool, deferrable: bool
) -> tuple[Ending, Verdict]:
    stage.anew()
    stage.enter("reviewer", approve, after=30)
    stage.service.jobs("modelReplacement", seconds=job)
    answer = "reset" if store else 504
    stage.service.fault("late_commit", answer=answer, seconds=seconds, operationId=operation)
    ending = replacing(stage, deployment, store=store, deferrable=deferrable).run()
    return ending, verdict_on(stage, ending, deployment)


@pytest.mark.parametrize(("deployment", "operation"), WRITES, ids=[operation for _, operation in WRITES])
def test_a_late_commit_is_one_or_is_told_of(stage: Stage, deployment: str, operation: str) -> None:
    """Within ``settle`` it is found, and nothing is sent again. Later than that a second is never silent."""
    told = []
    stories = share_of(itertools.product(LATE, (20.0, 300.0), (True, False), (True, False)), 0.15)
    for seconds, job, store, deferrable in stories:
        ending, verdict = play(stage, deployment, operation, seconds, job=job, store=store, deferrable=deferrable)
        told.append((f"late by {seconds} s, job of {job} s, {store}, {deferrable}: {ending}", verdict))
        if seconds < SETTLE:
            assert verdict.word == "right"
            assert ending.result["sent_twice"] == []
            assert stage.service.accepted()[operation] == 1
        elif seconds > SETTLE + APART:
            assert ending.result["sent_twice"] == [operation]
    _, wrong = tally(told)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("settle", [0, 10, 300])
def test_settle_says_how_late_is_too_late(stage: Stage, settle: float) -> None:
    stage.service.fault("late_commit", answer=504, seconds=100, operationId="replaceDeploymentModel")
    ending = replacing(stage, UNGOVERNED, settle=settle).run()
    assert verdict_on(stage, ending, UNGOVERNED).word == "right"  # the second is refused while the first is champion
    assert bool(ending.result["sent_twice"]) == (settle < 100)


@pytest.mark.parametrize("seconds", [30, 290, 330, 420, 900])
@pytest.mark.parametrize(("deployment", "operation"), WRITES, ids=[operation for _, operation in WRITES])
def test_a_worker_that_died_over_a_late_commit(stage: Stage, deployment: str, operation: str, seconds: float) -> None:
    """With a memory the next attempt, five minutes later, knows that there may be another."""
    stage.enter("reviewer", approve, after=30)
    stage.service.fault("late_commit", answer=504, seconds=seconds, operationId=operation)
    stage.transport = Crashing(1, after=True, operation=operation)
    task = replacing(stage, deployment)
    ending = task.run()
    assert task.endings[0].state == "crashed"
    verdict = verdict_on(stage, ending, deployment)
    assert verdict.word == ("right" if seconds < 300 else verdict.word)
    assert verdict.word in ("right", "reported")
    assert ending.result["sent_twice"] == ([operation] if seconds > 300 else [])


def test_a_duplicate_request_is_named(stage: Stage) -> None:
    stage.enter("reviewer", approve, after=600)
    stage.service.fault("late_commit", answer=504, seconds=120, operationId="createChangeRequest")
    ending = replacing(stage, GOVERNED).run()
    requests = stage.service.world("changeRequests")
    [duplicate] = [key for key, one in requests.items() if one["status"] != "resolved"]
    assert ending.result["change_request"]["duplicates"] == [duplicate]
    assert Facts.of(stage.service, GOVERNED).champion == V3


def test_a_duplicate_request_is_named_when_nobody_approves(stage: Stage) -> None:
    """``skip`` would hide it."""
    stage.enter("requester", lambda desk, request: desk.set_status(request, "cancelled"), after=600)
    stage.service.fault("late_commit", answer=504, seconds=120, operationId="createChangeRequest")
    ending = replacing(stage, GOVERNED, on_cancelled="skip").run()
    assert ending.state == "failed"
    assert "there are others that ask for the same" in str(ending.error)


@pytest.mark.parametrize(("seconds", "told"), [(30, []), (120, ["createChangeRequest"])])
def test_the_operator_that_only_opens_a_request_tells_of_a_second_too(
    stage: Stage, seconds: float, told: list[str]
) -> None:
    from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator

    def build() -> DataRobotCreateChangeRequestOperator:
        return DataRobotCreateChangeRequestOperator(
            task_id="ask", deployment_id=GOVERNED, action="changeImportance", change={"importance": "LOW"}
        )

    stage.service.fault("late_commit", answer=504, seconds=seconds, operationId="createChangeRequest")
    ending = Task(stage, build, Store()).run()
    stage.sleep(600)
    assert ending.result["sent_twice"] == told
    assert stage.service.count("changeRequestCreated") == 1 + len(told)
