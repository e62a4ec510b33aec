"""One attempt of one task: its client, its memory, and the one way to write.

A write is noted before it is sent (state ``intended``, with what was there), and again when it was accepted
(``submitted``). A lost answer is handled by ``api.once``: settle, look twice, adopt or send once more, or give up
with an error that names what to check.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import AnswerLost, DataRobotError, ForeignLocation, OutcomeUnknown
from airflow_provider.api.locations import local_path
from airflow_provider.api.messages import prepare
from airflow_provider.api.once import Sent, send_once
from airflow_provider.api.waiting import End, GaveUp, Pacing, Poll, Refresh, TimedOut, Waiting
from airflow_provider.api.waits import Done, Failed, UntilWait, Wait, to_json
from airflow_provider.api.writes import WRITES
from airflow_provider.hooks.stats import SENT_TWICE
from airflow_provider.tasks.memory import Handle, Memory

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import Client
    from airflow_provider.api.messages import Call


class Planned(Exception):
    """The first write of a task that only plans."""

    def __init__(self, call: Call) -> None:
        super().__init__(f"{call.operation.method} {call.path}")
        self.call = call


@dataclass(frozen=True, slots=True)
class Await:
    """What the task waits for next.

    ``cancel`` is the one write that stops it (``operation``, ``arguments``, ``body``), None where there is none.
    ``note`` is a line for the log; ``limit`` is a deadline of this wait alone, in seconds from now.
    """

    wait: Wait
    note: str
    cancel: dict[str, Any] | None = None
    limit: float | None = None


def look_once(client: Client, waiting: Waiting) -> End | None:
    """One look at a wait, without any pause: its end, or None while it is not over (or could not be asked)."""
    step = waiting.next_step(client.clock())
    while isinstance(step, Poll):  # more than once only where an answer asks for the next at once
        try:
            waiting.received(client.get(step.path), client.clock(), client.rng)
        except DataRobotError as error:
            waiting.failed(error, client.clock(), client.rng)
        step = waiting.next_step(client.clock())
    return step if isinstance(step, (Done, Failed, TimedOut, GaveUp)) else None


@dataclass(slots=True)
class Run:
    """What an operator works with during one attempt; time is the client's.

    ``connect`` makes a client of the connection as it is now. ``deadline`` is the task's and holds over attempts,
    ``attempt_end`` is this attempt's (seconds since 1970). ``tries`` is what Airflow grants the task, ``attempt`` the
    number of this one. ``rehearse`` raises when a handle could not travel to the triggerer; ``instance`` is Airflow's
    task instance.
    """

    connect: Callable[[], Client]
    memory: Memory
    operation: str
    fingerprint: str
    deadline: float | None
    settle: float
    log: logging.Logger
    plan_only: bool = False
    attempt_end: float | None = None
    tries: int | None = None
    attempt: int = 1
    rehearse: Callable[[Handle], None] = lambda handle: None
    instance: Any = None
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.connect()

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since 1970: the client's clock."""
        return self.client.clock

    @property
    def sleep(self) -> Callable[[float], None]:
        """The client's way of waiting."""
        return self.client.sleep

    @property
    def handle(self) -> Handle | None:
        """The handle of the work under way."""
        return self.memory.handle

    @property
    def unsettled(self) -> Handle | None:
        """The handle where its work is not over."""
        handle = self.memory.handle
        return handle if handle is not None and handle.state != "settled" else None

    @property
    def blank(self) -> bool:
        """Whether there were attempts of which nothing is remembered."""
        return self.attempt > 1 and not self.memory.lasts and not self.plan_only

    @property
    def request_id(self) -> str | None:
        """The service's name for the exchange that began the work under way."""
        return self.memory.handle.request_id if self.memory.handle else None

    def read(self, operation_id: str, **arguments: Any) -> dict[str, Any]:
        """The JSON object that a reading operation answers."""
        return self.client.call(operation_id, **arguments).object()

    def submit(
        self,
        operation_id: str,
        body: Any = None,
        *,
        stage: str,
        look: Callable[[], Any] | None,
        extra_body: Mapping[str, Any] | None = None,
        before: dict[str, Any] | None = None,
        id: str | None = None,
        **arguments: Any,
    ) -> Sent:
        """Sends a write, noted before and after.

        :param stage: how the operator calls this step; it finds it again in the handle.
        :param look: finds out whether the write took effect, and gives None when it did not; without one, a lost
            answer ends in OutcomeUnknown unless a repeat is harmless or refused.
        :param before: what was there, for verifying and for rolling back.
        :return: the answer, or what ``look`` found after a lost answer.
        """
        call = prepare(operation_id, arguments, body, extra_body)
        return self.submit_call(call, stage=stage, look=look, before=before, id=id)

    def submit_call(
        self,
        call: Call,
        *,
        stage: str,
        look: Callable[[], Any] | None,
        before: dict[str, Any] | None = None,
        id: str | None = None,
    ) -> Sent:
        """The same for a call that is prepared already: bulk rows are checked by a check of their own."""
        operation_id = call.operation.id
        if self.plan_only:
            raise Planned(call)
        earlier, intention = self.unsettled, self._intention(stage, before, id)
        self._refuse_blind_repeat(call, look, earlier)
        self.rehearse(intention)
        self.memory.note(intention)
        try:
            sent = send_once(self.client, call, look, settle=self.settle)
        except DataRobotError as error:
            if isinstance(error, OutcomeUnknown) and error.may_look_later and self.memory.lasts:
                # The handle stays as it is: the next attempt waits until the write must have happened, and looks.
                again = f"{error.message}; the next attempt looks again"
                raise AnswerLost(again, operation=operation_id, request_id=error.request_id) from error
            # It did nothing, or the error names what a person has to check. In both cases the next attempt finds
            # nothing of it to take up, only what was under way before.
            self.memory.put_back(earlier if earlier is not None and earlier.state == "submitted" else None)
            raise
        repeated = sent.sends > 1 or (earlier is not None and (earlier.stage, earlier.state) == (stage, "intended"))
        twice = [*intention.sent_twice, operation_id] if repeated else intention.sent_twice
        if repeated:
            self.log.warning(
                "%s was sent twice: should the first be carried out after all, look for a second.", call.path
            )
            SENT_TWICE.tell(operation=operation_id)
        owner, request_id = ("adopted", None) if sent.answer is None else ("ours", sent.answer.request_id)
        try:
            self.memory.update(state="submitted", owner=owner, sent_twice=twice, request_id=request_id)
        except Exception:  # Airflow's own: its API server is away for longer than its client tries
            self.log.error("%s was accepted, and this attempt ends because Airflow does not keep that.", call.path)
            raise
        return sent

    def adopt(self, stage: str, *, before: dict[str, Any] | None = None, id: str | None = None) -> None:
        """Notes work that is under way already and was started by somebody else, or by us without a memory of it."""
        known = self.unsettled.request_id if self.unsettled else None
        handle = self._intention(stage, before, id)
        self.memory.note(replace(handle, state="submitted", owner="adopted", request_id=known))

    def go_on_with(self, handle: Handle) -> None:
        """Goes on with work that this attempt began before it was deferred."""
        self.memory.handle = handle
        self.deadline, self.attempt_end = handle.deadline, handle.attempt_end

    def remember(self, step: Await) -> Handle:
        """Notes what is waited for, and until when."""
        ends = [self.deadline, self.attempt_end, None if step.limit is None else self.clock() + step.limit]
        until = min((end for end in ends if end is not None), default=None)
        wait, known = to_json(step.wait), self.handle
        goes_on = known is not None and known.wait == wait and known.since is not None  # another attempt began it
        return self.memory.update(
            wait=wait,
            since=known.since if known is not None and goes_on else self.clock(),
            cancel=step.cancel,
            deadline=self.deadline,
            attempt_end=self.attempt_end,
            until=until,
        )

    def look(self, wait: Wait, until: float | None) -> End | None:
        """One look: the end of the wait, or None. A wait that asks nothing is not looked at."""
        if isinstance(wait, UntilWait):
            return None
        return look_once(self.client, Waiting(wait, Pacing(), self.clock(), until))

    def wait_in_place(self, wait: Wait, until: float | None, interval: float) -> End:
        """Looks every ``interval`` seconds and then more seldom, until the wait is over."""
        waiting = Waiting(wait, Pacing(first=interval, interval=interval), self.clock(), until)
        while isinstance(end := self.client.drive(waiting, self.log.info), Refresh):
            self.log.info("The token was refused; the connection is read again.")
            self.client.close()
            self.client = self.connect()
            waiting.refreshed()
        return end

    def path_of(self, answer: Answer) -> str | None:
        """The path of the job that an answer points to, relative to the API; None where it points to none."""
        try:
            return local_path(answer.location, self.client.settings) if answer.location else None
        except ForeignLocation as error:
            error.request_id = answer.request_id
            raise

    def outwait(self, handle: Handle) -> None:
        """Waits until a write that was noted, and perhaps sent, must have been committed if it ever will be."""
        left = handle.at + self.settle - self.clock()
        if handle.state == "intended" and left > 0:
            self.log.info("An earlier attempt may have sent its write; looking again in %.0f s.", left)
            self.sleep(min(left, self.settle))

    def _refuse_blind_repeat(self, call: Call, look: Callable[[], Any] | None, earlier: Handle | None) -> None:
        """An attempt that died may have sent the same write; where nothing can tell, a person has to."""
        write = WRITES[call.operation.id]
        tellable = look is not None or write.kind in ("settable", "guarded")
        if earlier is None or earlier.state != "intended" or tellable:
            return
        self.memory.settle()
        raise OutcomeUnknown(
            f"an earlier attempt ended while it sent this write, and whether it happened is not known; check with "
            f"{write.look}, then clear the task to send it again, or do not",
            operation=call.operation.id,
        )

    def _intention(self, stage: str, before: dict[str, Any] | None, id: str | None) -> Handle:
        known = self.unsettled
        return Handle(
            operation=self.operation,
            fingerprint=self.fingerprint,
            stage=stage,
            state="intended",
            at=self.clock(),
            id=id or (known.id if known else None),
            before=before if before is not None else (known.before if known else {}),
            deadline=self.deadline,
            attempt_end=self.attempt_end,
            tries=self.tries,
            sent_twice=self._untold(),
        )

    def _untold(self) -> list[str]:
        """What was sent twice for the same work, and was told by no result: a late commit is late for new work, too."""
        last = self.memory.handle
        return [] if last is None or last.done or last.fingerprint != self.fingerprint else last.sent_twice
