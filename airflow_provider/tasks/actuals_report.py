"""What an upload of actuals says while it runs, and when it has refused too much."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.row_check import Tally

EVERY = 30.0  # seconds between two lines of progress
LEAST = 1000  # rows before a share means anything


class TooManyRejected(DataRobotError):
    """More rows were refused than ``max_rejected`` allows."""


class Report:
    """Watches one pass over the chunks: steady lines of progress, and the limit of rejects.

    ``whole``: every row was read. ``reading``: seconds that reading and checking took.

    :param most_rejected: rows that may be refused: a count, or a share below 1.
    :param share: how much of the source was read, where that is known.
    :param quota_left: rows that the hourly budget has room for.
    """

    def __init__(
        self,
        log: logging.Logger,
        name: str,
        tally: Tally,
        most_rejected: float,
        clock: Callable[[], float],
        share: Callable[[], float | None],
        quota_left: Callable[[], int],
    ) -> None:
        self.whole = False
        self.reading = 0.0
        self._log = log
        self._name = name
        self._tally = tally
        self._most = most_rejected
        self._clock = clock
        self._share = share
        self._quota_left = quota_left
        self._begun = self._told = clock()

    def watched(self, packed: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks.

        :raises TooManyRejected: in place of a chunk, when too many of the rows so far were refused (a share of them
            means something from a thousand on), or at the end. The rest is read first, so that every reject is told.
        """
        chunks = iter(packed)
        while (chunk := self._next(chunks)) is not None and not self._too_many():
            self._tell()
            yield chunk
        stopped, so_far = chunk is not None, self._rejected()
        while chunk is not None:
            chunk = self._next(chunks)
        self.whole = True
        if stopped or self._too_many():
            of_all = "" if so_far == self._rejected() else f", in the end {self._rejected()}"
            raise TooManyRejected(f"{so_far} were refused{of_all}; allowed are {self._most:g}: {self._tally.reasons}")

    def _next(self, chunks: Iterator[Chunk]) -> Chunk | None:
        begun = self._clock()
        try:
            return next(chunks, None)
        finally:
            self.reading += self._clock() - begun

    def _rejected(self) -> str:
        return f"{self._tally.rejected} of {self._tally.read} rows"

    def _too_many(self) -> bool:
        """A share is judged early only when enough was read for it to mean anything."""
        tally, is_share = self._tally, 0 < self._most < 1
        if is_share and not self.whole and tally.read < LEAST:
            return False
        return tally.rejected > (self._most * tally.read if is_share else self._most)

    def _tell(self) -> None:
        now, tally = self._clock(), self._tally
        if now - self._told < EVERY:
            return
        self._told = now
        rate, share = tally.read / (now - self._begun), self._share()
        parts = [f"{tally.read} rows read" + (f" ({share:.0%})" if share else ""), f"{tally.rejected} rejected"]
        parts.append(f"{rate:.0f} rows/s")
        if share:
            parts.append(f"about {(now - self._begun) * (1 - share) / share:.0f} s left")
        self._log.info("%s: %s; quota left for %d rows", self._name, ", ".join(parts), self._quota_left())
