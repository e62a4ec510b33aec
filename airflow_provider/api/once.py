"""Sending a write once, as far as the service lets us know.

    send ──► answered ─────────────────────────────► Sent(answer)
     │ └──► refused, or provably not sent ─────────► that error
     └──► answer lost: look ──► found ─────────────► Sent(found, adopted)
              │ not found
          settle, then look twice ──► found ───────► Sent(found, adopted)
              │ not found, or looks failed
              ├─ blind, or not surely absent ──────► OutcomeUnknown
              └─ else send once more ──► answered ─► Sent(answer, sends=2)
                       └──► lost again: settle, look ──► found: adopted, else OutcomeUnknown

A gateway may give up and the service commit later; ``settle`` is longer than gateways usually wait, so what has not
shown up by then is taken not to have happened. A commit later than that makes a second one: ``Sent.sends`` is 2 then,
and whoever can count should.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import DataRobotError, OutcomeUnknown
from airflow_provider.api.messages import Call
from airflow_provider.api.writes import WRITES, Kind, Write

SETTLE = 60.0  # seconds, longer than the timeouts that gateways usually have
APART = 5.0  # seconds between two looks: a list may be behind its objects
UNLISTED = Write("blind", "the service", "nothing is known about this operation")

Look = Callable[[], Any]
log = logging.getLogger(__name__)


class Sender(Protocol):
    """The part of a client that is used."""

    sleep: Callable[[float], None]

    def send(self, call: Call) -> Answer:
        """Sends a prepared call."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a write: its ``answer``, or what was ``found`` of it. ``sends`` counts the sendings (1 or 2)."""

    answer: Answer | None = None
    found: Any = None
    sends: int = 1

    @property
    def adopted(self) -> bool:
        """Whether the answer was lost and the work was found at the service."""
        return self.answer is None


def send_once(
    client: Sender,
    call: Call,
    look: Look | None,
    *,
    settle: float = SETTLE,
    kind: Kind | None = None,
    sleep: Callable[[float], None] | None = None,
) -> Sent:
    """Sends a write so that it happens once where that can be known, and at most once where it cannot.

    :param look: gives what this write has made or set, None where the service shows nothing of it. Without it, only
        an operation of kind ``settable`` or ``guarded`` is sent a second time.
    :param settle: seconds after a lost answer within which a late commit is expected.
    :param kind: in place of the operation's row in ``writes.WRITES``.
    :param sleep: in place of the client's.
    :raises OutcomeUnknown: names what to check; the write is not sent again.
    """
    row = WRITES.get(call.operation.id, UNLISTED)
    kind = kind or row.kind
    watch = _Watch(look, settle, sleep or client.sleep)
    try:
        return Sent(client.send(call))
    except DataRobotError as error:
        if error.sent != "maybe":
            raise
        first = error
    log.warning("%s; looking whether it happened", first)
    repeatable = kind in ("settable", "guarded") or (kind == "marked" and look is not None)
    found = watch.after_loss(worth_settling=repeatable or look is not None)
    if found is not None:
        return Sent(found=found)
    if not repeatable or watch.unsure:
        unknown = _unknown(call, row, kind, first, watch)
        unknown.may_look_later = repeatable
        raise unknown
    log.warning("%s: nothing of it is to be seen after %.0f s; sending it once more", call.operation.id, settle)
    return _again(client, call, watch, row, kind)


def _again(client: Sender, call: Call, watch: _Watch, row: Write, kind: Kind) -> Sent:
    try:
        return Sent(client.send(call), sends=2)
    except DataRobotError as second:
        lost = second.sent == "maybe"
        # A guarded service may refuse the second because of the first, which came late: that one is looked for.
        found = watch.after_loss(worth_settling=True) if lost else watch.look()
        if found is not None:
            return Sent(found=found, sends=2)
        if lost:
            raise _unknown(call, row, kind, second, watch) from second
        second.sends = 2
        second.add_note("this was the second sending: the answer to the first was lost, and nothing of it was found")
        raise


class _Watch:
    """Looks for what a write has done; ``unsure`` when a look that counts went wrong."""

    def __init__(self, look: Look | None, settle: float, sleep: Callable[[float], None]) -> None:
        self._look = look
        self._settle = settle
        self._sleep = sleep
        self.unsure: DataRobotError | None = None

    def after_loss(self, worth_settling: bool) -> Any:
        """One look at once, two after the settling time; what any of them finds, or None."""
        found = self.look()
        if found is not None or not worth_settling:
            return found
        self._sleep(self._settle)
        self.unsure = None
        found = self.look()
        if found is None and self._look is not None:
            self._sleep(APART)
            found = self.look()
        return found

    def look(self) -> Any:
        """What is there, or None; a look that goes wrong finds nothing and is remembered."""
        if self._look is None:
            return None
        try:
            return self._look()
        except DataRobotError as error:
            self.unsure = error
            log.warning("the look after a lost answer went wrong: %s", error)
            return None


def _unknown(call: Call, row: Write, kind: Kind, lost: DataRobotError, watch: _Watch) -> OutcomeUnknown:
    why = f"the look went wrong ({watch.unsure})" if watch.unsure else f"this operation is {kind}: {row.reason}"
    error = OutcomeUnknown(
        f"the answer was lost ({lost}), and whether it happened is not known; check with {row.look}, "
        f"then run it again or not. It was not sent again: {why}",
        operation=call.operation.id,
        status=lost.status,
        request_id=lost.request_id,
    )
    error.__cause__ = lost
    return error
