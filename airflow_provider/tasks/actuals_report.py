"""What an upload of actuals says while it runs, and when it has refused too much."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.actuals import Chunk, Tally
from airflow_provider.mlops.upload import Progress

EVERY = 30.0  # seconds between two lines of progress
LEAST = 1000  # rows before a share means anything


class TooManyRejected(DataRobotError):
    """More rows were refused than ``max_rejected`` allows, by us or by the service."""

    @classmethod
    def of_jobs(cls, failed: int, number: int, reason: str, counts: Mapping[str, int]) -> Self:
        """The service's jobs refused whole chunks."""
        error = cls(f"{failed} chunks failed at the service, chunk {number}: {reason}; account: {counts}")
        error.retryable = True
        return error


class Report:
    """Steady lines of progress, and the limit of rejects."""

    def __init__(
        self, log: logging.Logger, name: str, tally: Tally, most_rejected: float, clock: Callable[[], float]
    ) -> None:
        self._log = log
        self._name = name
        self._tally = tally
        self._most = most_rejected
        self._clock = clock
        self._begun = self._told = clock()

    def batch(self, progress: Progress) -> None:
        """A batch was sent: says so now and then."""
        now = self._clock()
        if now - self._told < EVERY:
            return
        self._told = now
        rate = self._tally.read / max(now - self._begun, 1e-9)
        self._log.info(
            "%s: %d rows read, %d requests sent, %d rejected, %.0f rows/s",
            self._name,
            self._tally.read,
            progress.requests,
            self._tally.rejected,
            rate,
        )

    def watched(self, packed: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks; refuses to go on when too many rows were refused so far."""
        for chunk in packed:
            self.refuse_too_many()
            yield chunk

    def refuse_too_many(self, whole: bool = False) -> None:
        """Raises :class:`TooManyRejected`; a share is judged early only when enough was read to mean anything."""
        tally, most = self._tally, self._most
        allowed = most * tally.read if 0 < most < 1 else most
        early = 0 < most < 1 and not whole and tally.read < LEAST
        if tally.rejected > allowed and not early:
            raise TooManyRejected(
                f"{tally.rejected} of {tally.read} rows were refused, allowed are {most:g}: {tally.reasons}"
            )

    def plan(self, packed: Iterable[Chunk]) -> dict[str, Any]:
        """What would be sent."""
        requests = sum(1 for _ in packed)
        plan = {"requests": requests, "read": self._tally.read, "rejected": self._tally.rejected}
        self._log.info("plan_only: %s", plan)
        return {"plan": {**plan, "reasons": self._tally.reasons}}
