"""One attempt of one task: its client, its memory, and the one way to write.

A write is noted before it is sent (state ``intended``, with what was there), and again when it was accepted
(``submitted``). A lost answer is handled by ``api.once``: settle, look twice, adopt or send once more, or give up
with an error that names what to check.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, Refused
from airflow_provider.api.locations import local_path
from airflow_provider.api.messages import prepare
from airflow_provider.api.once import Sent, send_once
from airflow_provider.api.waiting import End, GaveUp, Poll, TimedOut, Waiting
from airflow_provider.api.waits import Done, Failed, Wait, to_json
from airflow_provider.api.writes import WRITES
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
    ``note`` is a line for the log; ``limit`` is a deadline of its own, in seconds from now.
    """

    wait: Wait
    note: str
    cancel: dict[str, Any] | None = None
    limit: float | None = None


def look_once(client: Client, waiting: Waiting) -> End | None:
    """One look at a wait, without any pause: its end, or None while it is not over (or could not be asked)."""
    step = waiting.next_step(client.clock())
    if isinstance(step, Poll):
        try:
            waiting.received(client.get(step.path), client.clock(), client.rng)
        except DataRobotError as error:
            waiting.failed(error, client.clock(), client.rng)
        step = waiting.next_step(client.clock())
    return step if isinstance(step, (Done, Failed, TimedOut, GaveUp)) else None


@dataclass(slots=True)
class Run:
    """What an operator works with during one attempt."""

    client: Client
    memory: Memory
    operation: str
    fingerprint: str
    deadline: float | None
    settle: float
    log: logging.Logger
    plan_only: bool = False
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @property
    def handle(self) -> Handle | None:
        """The handle of the work under way."""
        return self.memory.handle

    def read(self, operation_id: str, **arguments: Any) -> dict[str, Any]:
        """The JSON object that a reading operation answers."""
        found: dict[str, Any] = self.client.call(operation_id, **arguments).json()
        return found

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
        if self.plan_only:
            raise Planned(call)
        self.memory.note(self._intention(stage, before, id))
        try:
            sent = send_once(
                self.client, call, look, kind=WRITES[operation_id].kind, settle=self.settle, sleep=self.sleep
            )
        except DataRobotError as error:
            if error.sent == "no" or isinstance(error, Refused):
                self.memory.settle()  # it provably did nothing
            raise
        self.memory.update(state="submitted", owner="adopted" if sent.adopted else "ours")
        return sent

    def adopt(self, stage: str, *, before: dict[str, Any] | None = None, id: str | None = None) -> None:
        """Notes work that is under way already and was started by somebody else, or by us without a memory of it."""
        handle = self._intention(stage, before, id)
        self.memory.note(handle)
        self.memory.update(state="submitted", owner="adopted")

    def remember(self, step: Await) -> Handle:
        """Notes what is waited for."""
        if step.limit is not None:
            end = self.clock() + step.limit
            self.deadline = end if self.deadline is None else min(end, self.deadline)
        return self.memory.update(wait=to_json(step.wait), cancel=step.cancel, deadline=self.deadline)

    def path_of(self, answer: Answer) -> str | None:
        """The path of the job that an answer points to, relative to the API; None where it points to none."""
        return local_path(answer.location, self.client.settings) if answer.location else None

    def outwait(self, handle: Handle) -> None:
        """Waits until a write that was noted, and perhaps sent, must have been committed if it ever will be."""
        left = handle.at + self.settle - self.clock()
        if handle.state == "intended" and left > 0:
            self.log.info("An earlier attempt may have sent its write; looking again in %.0f s.", left)
            self.sleep(min(left, self.settle))

    def _intention(self, stage: str, before: dict[str, Any] | None, id: str | None) -> Handle:
        known = self.memory.handle if self.memory.handle and self.memory.handle.state != "settled" else None
        return Handle(
            operation=self.operation,
            fingerprint=self.fingerprint,
            stage=stage,
            state="intended",
            at=self.clock(),
            id=id or (known.id if known else None),
            before=before if before is not None else (known.before if known else {}),
            deadline=self.deadline,
        )
