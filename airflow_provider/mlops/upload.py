"""Uploads chunks of actuals: bounded in flight, within the hourly budget, and noted in the ledger at every step.

    chunks ──► done before: passed over
          ├──► running: looked at, waited for
          └──► missing: batch ──► order ──► budget ──► send ──► (jobs) ──► over
                                     └──── again ◄──────┘

``run`` works until the chunks are at an end, or until something has to be waited for that takes longer than a worker
should stand by; it then says what, and a later call with the same chunks from the start goes on. Nothing here remembers
anything: the ledger does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.waits import Done, Failed, JobWait
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.budget import Budget
from airflow_provider.mlops.ledger import End, Ledger
from airflow_provider.mlops.sending import MOST_SENDS, Sending, ServiceClock

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

OPEN_JOBS = 200  # jobs that may run before they are looked at
STAND_BY = 60.0  # seconds that a worker waits in place; what takes longer is worth a deferral
LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds before each look at running jobs while standing by
LOST = ("EXPIRED", "not found")  # how the reason begins when a job's record is gone: nobody knows how it ended
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Later:
    """Go on in so many seconds, with a new pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Jobs:
    """Go on with a new pass when the jobs at these paths are over."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Processing:
    """Go on with a new pass when the dataset at this path is processed."""

    path: str


Pause = Later | Jobs | Processing


@dataclass(slots=True)
class _Job:
    """A job that runs: the window and the numbers of the chunks that it carries."""

    window: int
    chunks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Upload:
    """One pass over the chunks of one input.

    ``chunks`` were read so far; ``failed`` has the reason by number of each chunk that is given up in this attempt.

    :param sending: the way of the chunks.
    :param settle: seconds within which something whose answer was lost may still arrive; only an id that stands twice
        has to wait for that.
    :param resend_changed: send chunks that are not what they were; else that is an error.
    """

    client: Client
    ledger: Ledger
    budget: Budget
    clock: ServiceClock
    sending: Sending
    settle: float = 60.0
    resend_changed: bool = False
    chunks: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    _running: dict[str, _Job] = field(default_factory=dict)  # by the path of its record
    _lost: bool = False  # the record of a job is gone, and the rows of its chunk have been passed already
    _stuck: int | None = None  # the first window with a failed chunk: later ones have to wait for it
    _window: int = 0  # of the last batch
    _reading: int = 0  # window of the last chunk that was read
    _latest: int = 0  # number of the last sending of all chunks that were read
    _before: int = 0  # ... of all windows before the one that is read
    _threads: ThreadPoolExecutor = field(init=False)

    def run(self, chunks: Iterable[Chunk]) -> Pause | None:
        """Sends what is missing; None when every chunk is over (done, or failed and named in ``failed``)."""
        with ThreadPoolExecutor(self.sending.in_flight) as self._threads:
            for batch in self._batches(chunks, self.sending.take):
                pause = self._clear_way(batch[0].window)
                if pause is None and not self._is_stuck(batch[0].window):
                    pause = self._deliver(batch)
                if pause is not None:
                    return pause
            return self._unfinished(self._all_over(()))

    def missing(self, chunks: Iterable[Chunk]) -> list[list[int]]:
        """What would be sent: for each batch the rows of its chunks."""
        return [[chunk.rows for chunk in batch] for batch in self._batches(chunks, lambda chunk: chunk)]

    # --- what is to be sent -----------------------------------------------------------------------------------

    def _batches(self, chunks: Iterable[Chunk], take: Callable[[Chunk], Chunk]) -> Iterator[list[Chunk]]:
        """Groups of chunks to send, each of one window. What was yielded is sent before more is looked at."""
        batch: list[Chunk] = []
        for chunk in chunks:
            if batch and (chunk.window > batch[0].window or len(batch) == self.sending.most):
                yield batch
                batch = []
            if chunk.window > self._reading:
                self._reading, self._before = chunk.window, self._latest
            self.chunks += 1
            if self._is_missing(chunk):
                batch.append(take(chunk))
        if batch:
            yield batch

    def _is_missing(self, chunk: Chunk) -> bool:
        entry = self.ledger.entry(chunk, resend_changed=self.resend_changed)
        if entry is None:
            return True
        self._latest = max(self._latest, entry.order)
        if entry.order < self._before:
            return True  # something before it was sent after it, and this has to have the last word
        if entry.outcome == "done":
            return False
        if entry.location is not None and entry.outcome is None:
            self._note_running(entry.location, chunk)
            return False
        if entry.by == self.ledger.by and (entry.outcome == "failed" or entry.tries >= MOST_SENDS):
            self._give_up(chunk.number, chunk.window, entry.reason or "it got lost again and again")
            return False
        return True

    def _note_running(self, path: str, chunk: Chunk) -> None:
        self._running.setdefault(path, _Job(chunk.window)).chunks.append(chunk.number)

    def _give_up(self, number: int, window: int, reason: str) -> None:
        self.failed[number] = reason
        self._stuck = window if self._stuck is None else min(self._stuck, window)

    def _is_stuck(self, window: int) -> bool:
        """Whether a window has to stay pending, because one before it cannot be finished now."""
        return self._stuck is not None and self._stuck < window

    # --- order and jobs ---------------------------------------------------------------------------------------

    def _clear_way(self, window: int) -> Pause | None:
        """What a batch of this window has to wait for, other than its budget."""
        if window > self._window:
            pause = self._unfinished(self._all_over(LOOKS, before=window))
            if pause is None and not self._is_stuck(window):
                pause = self._stand_by(self.ledger.unsure + self.settle - self.clock.now())
            self._window = window
            return pause
        if len(self._running) >= OPEN_JOBS and not self._all_over(LOOKS, most=OPEN_JOBS // 2):
            return Jobs(tuple(self._running))
        return None

    def _unfinished(self, all_over: bool) -> Pause | None:
        if not all_over:
            return Jobs(tuple(self._running))
        return Later(0.0) if self._lost else None

    def _all_over(self, pauses: Sequence[float], most: int = 0, before: int | None = None) -> bool:
        """Looks at running jobs, at once or after each of the pauses, until at most so many of them run."""
        for pause in pauses or (0.0,):
            paths = [path for path, job in self._running.items() if before is None or job.window < before]
            if len(paths) <= most:
                return True
            self.client.sleep(pause)
            self._look(paths)
        return sum(path in self._running for path in paths) <= most

    def _look(self, paths: Sequence[str]) -> None:
        states = zip(paths, self._threads.map(self._state, paths), strict=True)
        ends = {path: end for path, end in states if end is not None}
        self.ledger.settle(ends)
        for path, (outcome, reason) in ends.items():
            job = self._running.pop(path)
            if outcome == "done":
                self.sending.over(path)
            if outcome == "failed":
                for number in job.chunks:
                    self._give_up(number, job.window, reason or "no reason")
            self._lost = self._lost or outcome == "lost"

    def _state(self, path: str) -> End | None:
        """How a job ended; None while it runs, or cannot be asked: whoever waits for it knows what to do then."""
        try:
            verdict = JobWait(path).receive(self.client.get(path))
        except DataRobotError as error:
            log.debug("a look at %s: %s", path, error)
            return None
        if isinstance(verdict, Done):
            return ended("done", None)
        return ended("failed", verdict.reason) if isinstance(verdict, Failed) else None

    # --- sending ----------------------------------------------------------------------------------------------

    def _deliver(self, batch: list[Chunk]) -> Pause | None:
        """Sends a batch, as much at a time as the budget has room for."""
        while batch:
            now, charges = self.clock.now(), self.ledger.spent()
            fitting = _fitting(batch, self.budget.left(charges, now))
            if fitting:
                path = self.sending.ready(batch[:fitting])
                if path is not None:
                    return Processing(path)
                places, again, seconds = self.sending.send(batch[:fitting], self._threads)
                for chunk in batch[:fitting]:
                    if chunk.number in places:
                        self._note_running(places[chunk.number], chunk)
                self._latest = max(self._latest, self.ledger.latest)
                batch = again + batch[fitting:]
            else:
                seconds = self.budget.wait(charges, sum(chunk.rows for chunk in batch), now)
            pause = self._stand_by(seconds) if batch else None
            if pause is not None:
                return pause
        return None

    def _stand_by(self, seconds: float) -> Pause | None:
        """Waits in place where that is short; else says so, once no job runs any more whose record might be lost."""
        if seconds <= STAND_BY:
            self.client.sleep(max(seconds, 0.0))
            return None
        ready = self.client.clock() + seconds
        if not self._all_over(LOOKS):
            return Jobs(tuple(self._running))
        return Later(max(ready - self.client.clock(), 0.0))


def ended(outcome: str, reason: str | None) -> End:
    """How a chunk ended, by the outcome of the wait for its job."""
    if outcome == "done":
        return "done", None
    reason = reason or "no reason"
    return ("lost" if reason.startswith(LOST) else "failed"), reason


def _fitting(batch: Sequence[Chunk], rows: int) -> int:
    """How many of the chunks, from the first on, so many rows have room for."""
    for number, chunk in enumerate(batch):
        rows -= chunk.rows
        if rows < 0:
            return number
    return len(batch)
