"""A write happens once where that can be known, and at most once where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api import errors
from airflow_provider.api.client import Client
from airflow_provider.api.messages import Call, prepare
from airflow_provider.api.once import APART, SETTLE, Sent, send_once
from airflow_provider.api.writes import WRITES, Kind
from tests.api.tools import ID, Clock, Even, Script, Scripted, page, says, settings

LOST = httpx.ReadError("connection reset")
ACCEPTED = says(201, {"id": "new"})
TRIGGER = {"entityType": "deployment", "intendedAction": {"action": "create"}}
CREATE = prepare("createApprovalPolicy", body={"name": "n", "active": True, "trigger": TRIGGER})
FOUND = {"id": "found"}


@dataclass
class Bench:
    """A client whose answers are scripted, and a service that shows the object from a moment on."""

    answers: list[Scripted]
    seen_after: float | None = None  # seconds after the start; None: never
    look_fails: Callable[[int], bool] = field(default=lambda _number: False)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.start = self.clock()
        self.script = Script(self.answers)
        self.client = Client(
            settings(), sleep=self.clock.sleep, clock=self.clock, rng=Even(), transport=self.script.transport
        )
        self.looks: list[float] = []

    def look(self) -> Any:
        self.looks.append(self.clock() - self.start)
        if self.look_fails(len(self.looks)):
            raise errors.GatewayFailed("down", operation="listApprovalPolicies")
        shown = self.seen_after is not None and self.clock() - self.start >= self.seen_after
        return FOUND if shown else None

    def send(self, kind: Kind = "marked", look: bool = True, call: Call = CREATE) -> Sent:
        with self.client:
            return send_once(self.client, call, self.look if look else None, kind=kind)

    @property
    def sent(self) -> int:
        return len(self.script.requests)


def test_an_answer_is_an_answer() -> None:
    bench = Bench([ACCEPTED])
    sent = bench.send()
    assert (sent.adopted, sent.sends, sent.found) == (False, 1, None)
    assert sent.answer is not None
    assert sent.answer.json() == {"id": "new"}
    assert (bench.looks, bench.clock.naps) == ([], [])


@pytest.mark.parametrize(
    "lost",
    [
        LOST,
        httpx.ReadTimeout(""),
        httpx.RemoteProtocolError("cut"),
        says(500),
        says(502),
        says(504),
        says(408),
        page("x"),
    ],
    ids=str,
)
def test_what_is_there_at_once_is_adopted(lost: Scripted) -> None:
    bench = Bench([lost], seen_after=0)
    sent = bench.send()
    assert (sent.adopted, sent.found, sent.answer) == (True, FOUND, None)
    assert (bench.looks, bench.sent) == ([0.0], 1)


@pytest.mark.parametrize("kind", ["settable", "guarded", "marked", "blind"])
@pytest.mark.parametrize(("late", "looks"), [(1.0, 2), (SETTLE, 2), (SETTLE + APART, 3)])
def test_a_late_commit_within_the_settling_time_is_found(kind: Kind, late: float, looks: int) -> None:
    bench = Bench([LOST], seen_after=late)
    assert bench.send(kind).found == FOUND
    assert bench.looks == [0.0, SETTLE, SETTLE + APART][:looks]
    assert bench.sent == 1


@pytest.mark.parametrize("kind", ["settable", "guarded", "marked"])
def test_what_never_shows_up_is_sent_once_more(kind: Kind) -> None:
    bench = Bench([LOST, ACCEPTED])
    sent = bench.send(kind)
    assert (sent.adopted, sent.sends, bench.sent) == (False, 2, 2)
    assert bench.looks == [0.0, SETTLE, SETTLE + APART]


def test_a_blind_write_is_never_sent_twice() -> None:
    call = prepare("createDeploymentOnDemandReport", {"deploymentId": ID}, {"id": ID})
    bench = Bench([LOST])
    with pytest.raises(errors.OutcomeUnknown) as caught:
        bench.send(WRITES[call.operation.id].kind, look=False, call=call)
    assert (bench.sent, bench.clock.naps) == (1, [])
    assert str(caught.value) == (
        "createDeploymentOnDemandReport: the answer was lost (createDeploymentOnDemandReport: ReadError at "
        "https://app.example.com: connection reset), and whether it happened is not known; check with your mail, then "
        "run it again or not. It was not sent again: this operation is blind: each one makes and mails a report"
    )
    assert isinstance(caught.value.__cause__, errors.AnswerLost)
    assert not caught.value.retryable


def test_a_blind_write_that_can_be_looked_for_is_looked_for() -> None:
    bench = Bench([LOST])
    with pytest.raises(errors.OutcomeUnknown, match="check with listApprovalPolicies"):
        bench.send("blind")
    assert bench.looks == [0.0, SETTLE, SETTLE + APART]


def test_a_marked_write_without_a_look_is_blind() -> None:
    bench = Bench([LOST])
    with pytest.raises(errors.OutcomeUnknown):
        bench.send("marked", look=False)
    assert (bench.sent, bench.clock.naps) == (1, [])


@pytest.mark.parametrize("kind", ["settable", "guarded"])
def test_without_a_look_a_harmless_repeat_waits_for_the_settling_time(kind: Kind) -> None:
    bench = Bench([LOST, ACCEPTED])
    assert bench.send(kind, look=False).sends == 2
    assert bench.clock.naps == [SETTLE]


@pytest.mark.parametrize(
    ("status", "kind"), [(422, errors.Unprocessable), (409, errors.Conflict), (401, errors.Unauthorized)]
)
def test_a_refusal_is_a_refusal(status: int, kind: type[Exception]) -> None:
    bench = Bench([says(status, {"message": "no"})], seen_after=0)
    with pytest.raises(kind):
        bench.send()
    assert (bench.looks, bench.sent) == ([], 1)


def test_what_was_never_sent_needs_no_look() -> None:
    bench = Bench([httpx.ConnectError("refused")] * 5)
    with pytest.raises(errors.NotReached):
        bench.send()
    assert bench.looks == []
    assert SETTLE not in bench.clock.naps


def test_not_reached_and_then_lost_is_lost() -> None:
    bench = Bench([httpx.ConnectError("refused"), LOST], seen_after=0)
    assert bench.send().adopted
    assert bench.sent == 2


def test_a_second_lost_answer_is_looked_for_and_never_sent_a_third_time() -> None:
    bench = Bench([LOST, says(504)])
    with pytest.raises(errors.OutcomeUnknown, match="answered 504"):
        bench.send()
    assert bench.sent == 2
    second = SETTLE + APART
    assert bench.looks == [0.0, SETTLE, second, second, second + SETTLE, second + SETTLE + APART]


def test_a_second_lost_answer_that_shows_up_is_adopted() -> None:
    bench = Bench([LOST, LOST], seen_after=SETTLE + APART + 10)
    sent = bench.send()
    assert (sent.adopted, sent.sends, bench.sent) == (True, 2, 2)


def test_a_guarded_second_that_is_refused_because_of_the_first_is_adopted() -> None:
    bench = Bench([LOST, says(409, {"message": "is the champion already"})])
    shown = iter([None, None, None, FOUND])
    sent = send_once(bench.client, CREATE, lambda: next(shown), kind="guarded")
    assert (sent.found, sent.sends) == (FOUND, 2)


def test_a_second_that_is_refused_for_another_reason_says_that_it_was_the_second() -> None:
    bench = Bench([LOST, says(409, {"message": "quota"})])
    with pytest.raises(errors.Conflict, match="quota") as caught:
        bench.send()
    assert caught.value.__notes__ == [
        "this was the second sending: the answer to the first was lost, and nothing of it was found"
    ]


@pytest.mark.parametrize("failing", [{2}, {3}, {2, 3}])
def test_a_look_that_fails_proves_nothing(failing: set[int]) -> None:
    bench = Bench([LOST], look_fails=lambda number: number in failing)
    with pytest.raises(errors.OutcomeUnknown, match=r"the look went wrong \(listApprovalPolicies: down"):
        bench.send()
    assert bench.sent == 1


def test_a_first_look_that_fails_is_made_up_for() -> None:
    bench = Bench([LOST, ACCEPTED], look_fails=lambda number: number == 1)
    assert bench.send().sends == 2


def test_an_error_of_the_look_itself_is_not_swallowed() -> None:
    bench = Bench([LOST])
    with pytest.raises(ZeroDivisionError):
        send_once(bench.client, CREATE, lambda: 1 // 0)


def test_settling_and_sleeping_can_be_set() -> None:
    bench = Bench([LOST, ACCEPTED])
    naps: list[float] = []
    send_once(bench.client, CREATE, bench.look, settle=7.0, sleep=naps.append)
    assert naps == [7.0, APART]


ANSWERS = st.sampled_from([LOST, says(504), ACCEPTED, says(409), httpx.ConnectError("x"), says(429)])


@given(
    answers=st.lists(ANSWERS, min_size=12, max_size=12),
    kind=st.sampled_from(["settable", "guarded", "marked", "blind"]),
    seen_after=st.none() | st.sampled_from([0.0, 30.0, 60.0, 61.0, 300.0]),
    look=st.booleans(),
    failing=st.sets(st.integers(1, 6)),
)
def test_whatever_happens_at_most_two_sendings_may_have_happened(
    answers: list[Scripted], kind: Kind, seen_after: float | None, look: bool, failing: set[int]
) -> None:
    bench = Bench(answers, seen_after, lambda number: number in failing)
    result: Sent | errors.DataRobotError
    try:
        result = bench.send(kind, look)
    except errors.DataRobotError as error:
        result = error
    maybe = [one for one in answers[: bench.sent] if one is LOST or getattr(one, "status_code", 0) == 504]
    took = [one for one in answers[: bench.sent] if one is ACCEPTED]
    assert len(maybe) + len(took) <= (1 if kind == "blind" or (kind == "marked" and not look) else 2)
    if len(maybe) == 2:
        assert isinstance(result, errors.OutcomeUnknown) or (isinstance(result, Sent) and result.adopted)
    if maybe and isinstance(result, Sent) and not result.adopted:
        assert result.sends == 2
    if seen_after is not None and seen_after <= SETTLE and look and not failing and len(maybe) == 1:
        assert not took
