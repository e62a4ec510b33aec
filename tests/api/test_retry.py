"""When a call is sent again: by table, and by dice."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api import errors
from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.retry import LONGEST_RETRY_AFTER, PATIENCE, TRIES, Retries, decide
from tests.api.tools import Clock, Even

CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DataRobotError)]
RARE = [None, 0.0, 3.0, 59.9, 3600.0]
READS_AGAIN = {
    *("NotReached", "AnswerLost", "ServiceFailed", "GatewayFailed", "TooManyRequests", "NotUnderstood"),
    *("JobFailed", "PollBudgetSpent"),
}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_of_a_read_and_of_a_write(kind: type[DataRobotError]) -> None:
    error = kind("x")
    assert (decide(False, error, 1, Even()) is not None) == (kind.__name__ in READS_AGAIN)
    assert (decide(True, error, 1, Even()) is not None) == (kind.__name__ in ("NotReached", "TooManyRequests"))


def test_a_429_that_points_to_running_work_is_not_sent_again_by_a_write() -> None:
    error = errors.TooManyRequests("busy", location="/api/v2/status/a/")
    assert decide(True, error, 1, Even()) is None
    assert decide(False, error, 1, Even()) is not None


def test_pauses_double_up_to_a_cap() -> None:
    error = errors.AnswerLost("x")
    pauses = [decide(False, error, attempt, Even(), tries=99) for attempt in (1, 2, 3, 6, 7, 8)]
    assert pauses == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 0.5), (7.0, 7.5), (3600.0, LONGEST_RETRY_AFTER)])
def test_retry_after_is_honoured_and_capped(asked: float, pause: float) -> None:
    assert decide(False, errors.TooManyRequests("x", retry_after=asked), 1, Even()) == pause


@given(
    writes=st.booleans(),
    kind=st.sampled_from(CLASSES),
    attempt=st.integers(1, 8),
    after=st.sampled_from(RARE),
    location=st.sampled_from([None, "/api/v2/status/a/"]),
    spent=st.floats(0, 400),
    dice=st.randoms(),
)
def test_a_decision_keeps_the_rules(
    writes: bool,
    kind: type[DataRobotError],
    attempt: int,
    after: float | None,
    location: str | None,
    spent: float,
    dice: Random,
) -> None:
    error = kind("x", retry_after=after, location=location)
    pause = decide(writes, error, attempt, dice, spent)
    if pause is None:
        return
    assert attempt < TRIES
    assert 0 <= pause <= LONGEST_RETRY_AFTER
    assert spent + pause <= PATIENCE
    assert error.retryable
    if after is not None:
        assert pause >= min(after, LONGEST_RETRY_AFTER)
    if writes:
        assert error.sent == "no" or (isinstance(error, errors.TooManyRequests) and location is None)


def failing(script: list[DataRobotError | None], sent: list[int]) -> Any:
    def send(number: int) -> str:
        sent.append(number)
        error = script[len(sent) - 1] if len(sent) <= len(script) else None
        if error is not None:
            raise error
        return "answer"

    return send


ERRORS = st.builds(
    lambda kind, after, location: kind("x", retry_after=after, location=location),
    st.sampled_from(CLASSES),
    st.sampled_from(RARE),
    st.sampled_from([None, "/api/v2/status/a/"]),
)


@given(script=st.lists(st.none() | ERRORS, max_size=8), writes=st.booleans(), dice=st.randoms())
def test_a_write_goes_out_twice_only_when_the_first_did_nothing(
    script: list[DataRobotError | None], writes: bool, dice: Random
) -> None:
    clock, sent = Clock(), list[int]()
    last = None
    try:
        Retries(writes, dice).run(failing(script, sent), clock.sleep)
    except DataRobotError as error:
        last = error
    assert last is (script[len(sent) - 1] if len(sent) <= len(script) else None)
    before = [one for one in script[: len(sent) - 1] if one is not None]
    assert len(before) == len(sent) - 1
    assert len(sent) <= TRIES
    assert sum(clock.naps) <= PATIENCE
    if writes:
        assert all(e.sent == "no" or (isinstance(e, errors.TooManyRequests) and not e.location) for e in before)


@given(script=st.lists(st.none() | ERRORS, max_size=8), writes=st.booleans())
async def test_the_event_loop_does_the_same(script: list[DataRobotError | None], writes: bool) -> None:
    ends = []
    for asynchronous in (False, True):
        clock, sent = Clock(), list[int]()
        send = failing(script, sent)
        retries = Retries(writes, Even())

        async def asend(number: int, send: Any = send) -> Any:
            return send(number)

        try:
            end = await retries.arun(asend, clock.asleep) if asynchronous else retries.run(send, clock.sleep)
        except DataRobotError as error:
            end = error
        ends.append((end, sent, clock.naps))
    assert ends[0] == ends[1]


def test_other_errors_are_none_of_its_business() -> None:
    def send(_number: int) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        Retries(False, Even()).run(send, Clock().sleep)
