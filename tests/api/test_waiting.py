"""The engine, with a clock that the test moves."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.errors import (
    Conflict,
    Forbidden,
    GatewayFailed,
    NotFound,
    NotReached,
    TooManyRequests,
    Unauthorized,
)
from airflow_provider.api.waiting import (
    LEAST_FAILURES,
    PATIENCE,
    REFUSED_LOOKS,
    UNKNOWN_GRACE,
    GaveUp,
    Pacing,
    Poll,
    Refresh,
    Sleep,
    TimedOut,
    Waiting,
    WaitIsOver,
)
from airflow_provider.api.waits import Done, EntityWait, EveryWait, Failed, JobWait, UntilWait, Wait

RNG = random.Random(1)  # noqa: S311 - dice of a test


class Said:
    def __init__(self, body: Any, status: int = 200, retry_after: float | None = None) -> None:
        self.status, self.location, self.retry_after, self._body = status, None, retry_after, body

    def json(self) -> Any:
        return self._body


RUNNING, DONE = Said({"status": "RUNNING"}), Said(None, 303)


class Stage:
    """A wait under way and its clock: answers go in, steps come out."""

    def __init__(self, wait: Wait | None = None, deadline: float | None = None, **pacing: float) -> None:
        self.now = 0.0
        self.waiting = Waiting(wait or JobWait("status/1/"), Pacing(**pacing), self.now, deadline)
        self.polls: list[float] = []

    def until_poll(self) -> Any:
        """Sleeps as told, until the engine wants to look or is over."""
        while isinstance(step := self.waiting.next_step(self.now), Sleep):
            assert step.seconds > 0
            self.now += step.seconds
        if isinstance(step, Poll):
            self.polls.append(self.now)
        return step

    def says(self, answer: Any) -> Any:
        """Looks, gets this answer or error, and gives the step after it."""
        assert isinstance(self.until_poll(), Poll)
        if isinstance(answer, Said):
            self.waiting.received(answer, self.now, RNG)
        else:
            self.waiting.failed(answer, self.now, RNG)
        return self.waiting.next_step(self.now)


def test_the_first_look_comes_when_the_pacing_says() -> None:
    stage = Stage(first=6.0)
    assert stage.waiting.next_step(0.0) == Sleep(6.0)
    stage.until_poll()
    assert stage.polls == [6.0]


def test_looks_grow_apart_up_to_the_cap() -> None:
    stage = Stage(interval=5.0, cap=60.0)
    for _ in range(20):
        stage.says(RUNNING)
    gaps = [b - a for a, b in zip(stage.polls, stage.polls[1:], strict=False)]
    assert 4.0 <= gaps[0] <= 6.0
    assert all(gap <= 72.0 for gap in gaps)
    assert gaps[-1] >= 48.0


def test_an_end_is_final() -> None:
    stage = Stage()
    end = stage.says(DONE)
    assert isinstance(end, Done)
    assert stage.waiting.next_step(1e9) is end
    with pytest.raises(WaitIsOver):
        stage.waiting.received(DONE, 0.0, RNG)
    with pytest.raises(WaitIsOver):
        stage.waiting.failed(NotReached("x"), 0.0, RNG)


def test_finished_after_the_deadline_is_still_done() -> None:
    stage = Stage(deadline=7.0, interval=100.0)
    stage.says(RUNNING)
    assert isinstance(stage.says(DONE), Done)
    assert stage.polls == [0.0, 7.0]


def test_the_last_look_at_the_deadline_is_the_last() -> None:
    stage = Stage(deadline=7.0, interval=100.0)
    stage.says(RUNNING)
    end = stage.says(RUNNING)
    assert end == TimedOut("status is RUNNING")


def test_an_error_at_the_last_look_is_a_timeout_that_says_so() -> None:
    stage = Stage(deadline=0.0)
    end = stage.says(GatewayFailed("bad gateway", status=502))
    assert isinstance(end, TimedOut)
    assert "bad gateway" in end.note


def test_a_refused_token_at_the_last_look_is_read_again_and_looked_once_more() -> None:
    stage = Stage(deadline=0.0)
    assert stage.says(Unauthorized("no")) == Refresh()
    stage.waiting.refreshed()
    assert isinstance(stage.says(DONE), Done)


def test_retry_after_is_honoured_and_never_past_the_deadline() -> None:
    stage = Stage(deadline=500.0, interval=5.0)
    stage.says(Said({"status": "RUNNING"}, retry_after=90.0))
    stage.until_poll()
    assert stage.polls[-1] == 90.0
    stage.waiting.failed(TooManyRequests("slow", retry_after=9000.0), stage.now, RNG)
    stage.until_poll()
    assert stage.polls[-1] == 500.0


def test_transient_errors_are_outlived() -> None:
    stage = Stage()
    for _ in range(LEAST_FAILURES + 1):
        stage.says(NotReached("refused"))
    assert isinstance(stage.says(DONE), Done)


def test_the_budget_of_errors_in_a_row_is_a_time() -> None:
    stage = Stage(interval=5.0, cap=60.0)
    end = None
    while not isinstance(end, GaveUp):
        end = stage.says(GatewayFailed("bad gateway"))
        assert stage.now <= PATIENCE + 100
    assert stage.now >= PATIENCE
    assert "bad gateway" in end.reason


def test_a_success_closes_the_budget() -> None:
    stage = Stage(interval=60.0, cap=60.0)
    for _ in range(100):
        stage.says(NotReached("refused"))
        stage.says(RUNNING)
    assert stage.waiting.end is None


def test_one_refresh_for_each_incident() -> None:
    stage = Stage()
    for _ in range(3):
        assert stage.says(Unauthorized("no")) == Refresh()
        stage.waiting.refreshed()
        stage.says(RUNNING)
    assert stage.says(Unauthorized("no")) == Refresh()
    stage.waiting.refreshed()
    assert isinstance(stage.says(Unauthorized("no")), GaveUp)


def test_a_look_that_is_forbidden_ends_the_wait_and_says_nothing_about_the_work() -> None:
    assert isinstance(Stage().says(Forbidden("not yours")), GaveUp)


def test_a_refused_look_says_nothing_about_the_work() -> None:
    stage = Stage()
    for _ in range(REFUSED_LOOKS - 1):
        stage.says(Conflict("not now"))
    stage.says(RUNNING)
    for _ in range(REFUSED_LOOKS - 1):
        stage.says(Conflict("not now"))
    assert isinstance(stage.says(Conflict("not now")), GaveUp)


def test_a_404_counts_only_when_it_lasts() -> None:
    stage = Stage()
    stage.says(NotFound("nothing"))
    stage.says(NotFound("nothing"))
    stage.says(RUNNING)
    stage.says(NotFound("nothing"))
    stage.says(NotFound("nothing"))
    end = stage.says(NotFound("nothing"))
    assert isinstance(end, Failed)
    assert "nothing" in end.reason


def test_a_404_is_the_wish_of_a_deletion() -> None:
    assert Stage(EntityWait("deployments/1/", "deletion")).says(NotFound("gone")) == Done({"absent": True})


def test_an_unknown_word_is_waited_out_and_then_named() -> None:
    stage = Stage(interval=60.0, cap=60.0)
    end = None
    while not isinstance(end, Failed):
        end = stage.says(Said({"status": "PAUSED"}))
        assert stage.now <= UNKNOWN_GRACE + 100
    assert stage.now >= UNKNOWN_GRACE
    assert "PAUSED" in end.reason


def test_a_known_word_closes_the_grace() -> None:
    stage = Stage(interval=UNKNOWN_GRACE, factor=1.0, cap=UNKNOWN_GRACE)
    for _ in range(5):
        stage.says(Said({"status": "PAUSED"}))
        stage.says(RUNNING)
    assert stage.waiting.end is None


def test_a_time_is_waited_for_without_a_look() -> None:
    stage = Stage(UntilWait(50.0))
    assert stage.waiting.next_step(0.0) == Sleep(50.0)
    assert stage.waiting.next_step(50.0) == Done({"time": 50.0})
    late = Stage(UntilWait(50.0), deadline=10.0)
    assert late.waiting.next_step(0.0) == Sleep(10.0)
    assert isinstance(late.waiting.next_step(10.0), TimedOut)


def test_one_of_several_waits_may_fail_without_ending_the_others() -> None:
    stage = Stage(EveryWait([JobWait("status/1/"), JobWait("status/2/"), JobWait("status/3/")]))
    stage.says(DONE)
    for _ in range(3):
        stage.says(NotFound("lost"))
    assert stage.waiting.next_step(stage.now) == Poll("status/3/")
    end = stage.says(DONE)
    assert isinstance(end, Done)
    assert [one["outcome"] for one in end.result["outcomes"]] == ["done", "failed", "done"]


ANSWERS = st.sampled_from(
    [
        RUNNING,
        DONE,
        Said({"status": "COMPLETED"}),
        Said({"status": "ERROR", "message": "m"}),
        Said({"status": "ODD"}),
        Said({}),
        Said({"status": "RUNNING"}, retry_after=1000.0),
        NotReached("n"),
        GatewayFailed("g"),
        TooManyRequests("t", retry_after=30.0),
        Unauthorized("u"),
        NotFound("f"),
        Forbidden("x"),
        Conflict("c"),
    ]
)


@given(st.lists(ANSWERS, max_size=60), st.none() | st.floats(0, 10_000), st.randoms(use_true_random=False))
def test_whatever_comes_the_engine_looks_in_time_and_never_after_its_end(
    answers: list[Any], deadline: float | None, rng: random.Random
) -> None:
    stage = Stage(deadline=deadline)
    for answer in answers:
        step = stage.until_poll()
        if isinstance(step, Refresh):
            stage.waiting.refreshed()
            step = stage.until_poll()
        if not isinstance(step, Poll):
            break
        assert deadline is None or stage.now <= deadline
        if isinstance(answer, Said):
            stage.waiting.received(answer, stage.now, rng)
        else:
            stage.waiting.failed(answer, stage.now, rng)
    if stage.waiting.end is not None:
        assert stage.waiting.next_step(stage.now + 1e6) is stage.waiting.end


@given(st.lists(st.sampled_from([RUNNING, NotReached("n"), Said({"status": "ODD"})]), min_size=400, max_size=400))
def test_with_a_deadline_every_wait_ends(answers: list[Any]) -> None:
    stage = Stage(deadline=3600.0, interval=30.0)
    for answer in answers:
        if not isinstance(stage.until_poll(), Poll):
            break
        if isinstance(answer, Said):
            stage.waiting.received(answer, stage.now, RNG)
        else:
            stage.waiting.failed(answer, stage.now, RNG)
    assert stage.waiting.next_step(stage.now) == stage.waiting.end
    assert stage.waiting.end is not None
