"""When a call is sent again, and after how long. The only module that uses tenacity.

    error of a read    retryable ──► again, up to TRIES in all
    error of a write   provably not sent, or 429 that points to no running work ──► again; anything else: never

``decide`` is pure: no clock, no sleep, dice as an argument. What to do about a write whose answer was lost is decided
elsewhere (``once.py``), because that takes a look at the service.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, Retrying

from airflow_provider.api.errors import DataRobotError, NotReached, TooManyRequests

T = TypeVar("T")

TRIES = 5  # sendings in all
FIRST_PAUSE = 0.5  # seconds, doubled each time
LONGEST_PAUSE = 30.0
LONGEST_RETRY_AFTER = 60.0  # a worker slot is not held longer for one answer; a deferred wait may take its time
PATIENCE = 180.0  # seconds that all pauses of one call may take together

log = logging.getLogger(__name__)


class Rng(Protocol):
    """The part of random.Random that is used."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number between the two."""
        ...


def decide(
    call_writes: bool, error: DataRobotError, attempt: int, rng: Rng, spent: float = 0.0, tries: int = TRIES
) -> float | None:
    """Seconds to wait before the call is sent again, or None: give up.

    :param call_writes: whether the call may change something at the service.
    :param attempt: how often it was sent, this failure included.
    :param spent: seconds that the pauses of this call took so far.
    """
    again = _unsent(error) if call_writes else error.retryable and not error.here
    if not again or attempt >= tries:
        return None
    if error.retry_after is None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1)) * rng.uniform(0.5, 1.5)
    else:
        # Spread a little, upwards only: everyone who was turned away was told the same moment.
        pause = min(LONGEST_RETRY_AFTER, error.retry_after + rng.uniform(0.0, 1.0))
    return pause if spent + pause <= PATIENCE else None


def _unsent(error: DataRobotError) -> bool:
    """Whether a write provably did nothing. A 429 with a Location is about work that runs already."""
    if isinstance(error, TooManyRequests):
        return error.location is None
    return isinstance(error, NotReached) and error.retryable


class Retries:
    """The sendings of one call, told to tenacity; an object serves one call."""

    def __init__(self, writes: bool, rng: Rng, tries: int = TRIES) -> None:
        self.writes = writes
        self.rng = rng
        self.tries = tries
        self._number = 0
        self._spent = 0.0
        self._pause = 0.0

    def run(self, send: Callable[[int], T], sleep: Callable[[float], None]) -> T:
        """Calls ``send(number)`` until it answers or the last error is final, which is then raised."""
        return Retrying(retry=self._again, wait=self._wait, sleep=sleep, reraise=True)(lambda: send(self._count()))

    async def arun(self, send: Callable[[int], Awaitable[T]], sleep: Callable[[float], Awaitable[None]]) -> T:
        """The same in an event loop."""

        async def attempt() -> T:
            return await send(self._count())

        return await AsyncRetrying(retry=self._again, wait=self._wait, sleep=sleep, reraise=True)(attempt)

    def _count(self) -> int:
        self._number += 1
        return self._number

    def _again(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, DataRobotError):
            return False
        pause = decide(self.writes, error, self._number, self.rng, self._spent, self.tries)
        if pause is None:
            return False
        self._pause = pause
        self._spent += pause
        log.info("%s; sending it again in %.1f s (%d of %d)", error, pause, self._number + 1, self.tries)
        return True

    def _wait(self, state: RetryCallState) -> float:
        return self._pause
