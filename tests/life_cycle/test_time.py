"""Deadlines: absolute, the same on a worker and deferred, over attempts, and never a second after the work was done."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from tests.harness import START, Stage
from tests.life_cycle.conftest import BOTH, Asking, Replacing, handle_of, only_request, task
from tests.people import approve

BEGUN = START.timestamp()


def passed() -> float:
    return time.time() - BEGUN


@BOTH
@pytest.mark.parametrize("timeout", [100, 100.0, "100", timedelta(seconds=100)], ids=repr)
def test_the_deadline_holds_deferred_or_not(stage: Stage, deferrable: bool, timeout: Any) -> None:
    ending = task(stage, Asking, deferrable=deferrable, timeout=timeout).run()
    assert ending.state == "failed"
    assert "WaitTimedOut" in str(ending.error)
    assert 100 <= passed() < 103
    assert only_request(stage)["status"] == "cancelled"


@BOTH
def test_execution_timeout_ends_a_task_a_little_before_airflow_would(stage: Stage, deferrable: bool) -> None:
    one = task(stage, Asking, deferrable=deferrable, execution_timeout=timedelta(seconds=200))
    assert one.run().state == "failed"
    assert 195 <= passed() < 198
    assert only_request(stage)["status"] == "cancelled"
    assert one.deferrals == (1 if deferrable else 0)


def test_a_short_execution_timeout_keeps_a_tenth_for_the_end(stage: Stage) -> None:
    assert task(stage, Asking, execution_timeout=timedelta(seconds=20)).run().state == "failed"
    assert 18 <= passed() < 20


@BOTH
def test_several_waits_of_one_attempt_share_its_execution_timeout(stage: Stage, deferrable: bool) -> None:
    class Thrice(Asking):
        def proceed(self, run: Any, result: dict[str, Any]) -> Any:
            run.memory.settle()
            return self.start(run)

    stage.enter("reviewer", approve, after=80, times=9)
    one = task(stage, Thrice, deferrable=deferrable, execution_timeout=timedelta(seconds=300))
    assert one.run().state == "failed"
    assert 295 <= passed() < 298
    assert len(stage.service.world("changeRequests")) > 2


@BOTH
def test_on_timeout_leave_leaves_the_work(stage: Stage, deferrable: bool) -> None:
    ending = task(stage, Asking, deferrable=deferrable, timeout=100, on_timeout="leave").run()
    assert "the remote work goes on" in str(ending.error)
    assert only_request(stage)["status"] == "pending"


@BOTH
def test_on_timeout_cancel_needs_no_cancel_on_kill(stage: Stage, deferrable: bool) -> None:
    task(stage, Asking, deferrable=deferrable, timeout=100, cancel_on_kill=False).run()
    assert only_request(stage)["status"] == "cancelled"


@pytest.mark.parametrize("cancel_adopted", [False, "True"], ids=repr)
@BOTH
def test_work_that_was_adopted_is_left_unless_it_was_asked_for(
    stage: Stage, deferrable: bool, cancel_adopted: Any
) -> None:
    task(stage, Asking, timeout=1, on_timeout="leave").run()
    one = task(stage, Asking, deferrable=deferrable, adopt=True, timeout=100, cancel_adopted=cancel_adopted)
    assert one.run().state == "failed"
    assert only_request(stage)["status"] == ("cancelled" if cancel_adopted else "pending")


def test_work_that_nothing_stops_goes_on_and_the_error_says_so(stage: Stage) -> None:
    stage.service.jobs("modelReplacement", byHand=True)
    ending = task(stage, Replacing, timeout=100).run()
    assert "the remote work goes on" in str(ending.error)


@BOTH
def test_a_job_that_ended_at_the_deadline_is_not_called_late(stage: Stage, deferrable: bool) -> None:
    stage.service.jobs("modelReplacement", seconds=99)
    assert task(stage, Replacing, deferrable=deferrable, timeout=100, poll_interval=70).run().state == "success"


def test_what_ended_while_the_task_stood_in_a_queue_is_not_called_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = task(stage, Asking, deferrable=True, timeout=100)
    fires = one._event

    def late(deferred: Any) -> Any:
        event = fires(deferred)
        assert event["outcome"] == "timed_out"
        stage.enter("reviewer", approve)
        stage.sleep(3600)
        return event

    monkeypatch.setattr(one, "_event", late)
    assert one.run().result["outcome"] == "approved"


@BOTH
def test_the_deadline_holds_over_attempts(stage: Stage, deferrable: bool) -> None:
    """The worker dies at once; the next attempt comes five minutes later and has what is left."""
    one = task(stage, Asking, deferrable=deferrable, timeout=500, retries=3, crash="before it was noted")
    assert one.run().state == "failed"
    assert 500 <= passed() < 503
    assert [ending.state for ending in one.endings] == ["crashed", "failed"]


def test_execution_timeout_is_new_for_each_attempt_as_airflow_means_it(stage: Stage) -> None:
    one = task(stage, Asking, execution_timeout=timedelta(seconds=200), retries=1, crash="before it was noted")
    assert one.run().state == "failed"
    assert 300 + 195 <= passed() < 300 + 200


@BOTH
def test_who_clears_a_task_after_its_deadline_gives_it_new_time(stage: Stage, deferrable: bool) -> None:
    one = task(stage, Asking, deferrable=deferrable, timeout=100, on_timeout="leave")
    assert one.run().state == "failed"
    stage.sleep(1000)
    stage.enter("reviewer", approve, after=50)
    cleared = one.clear()
    assert cleared.result["outcome"] == "approved"
    assert len(stage.service.world("changeRequests")) == 1
    assert handle_of(one)["state"] == "settled"


@pytest.mark.parametrize(("timeout", "backstop"), [(100, 700), (None, None)])
def test_airflows_timeout_of_the_deferral_is_only_the_backstop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, timeout: float | None, backstop: float | None
) -> None:
    one = task(stage, Asking, deferrable=True, timeout=timeout)
    given: list[Any] = []
    fires = one._event

    def noted(deferred: Any) -> Any:
        given.append(deferred.timeout and round(deferred.timeout.total_seconds()))
        return fires(deferred)

    monkeypatch.setattr(one, "_event", noted)
    stage.enter("reviewer", approve, after=50)
    one.run()
    assert given == [backstop]
