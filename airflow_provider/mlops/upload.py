"""Uploads chunks of actuals: bounded in flight, within the hourly budget, and noted in the ledger at every step.

    chunks ──► known and done: passed over
          ├──► known and running: waited for
          └──► else: batch ──► budget ──► intend ──► post ──► sent ──► (jobs) ──► over

``run`` works until the chunks are at an end or there is something to wait for that takes longer than a worker should
stand by; it then says what, and a later call with the same chunks from the start goes on. Nothing here remembers
anything: the ledger does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from airflow_provider.api.errors import DataRobotError, Refused, TooManyRequests
from airflow_provider.api.locations import local_path
from airflow_provider.api.messages import Call, prepare
from airflow_provider.api.once import send_once
from airflow_provider.mlops.actuals import Chunk, Tally
from airflow_provider.mlops.budget import HOUR, Budget
from airflow_provider.mlops.ledger import Ledger, Outcome

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

OPERATION = "submitDeploymentActualsFromJson"
IN_FLIGHT = 8  # posts at a time
OPEN_JOBS = 200  # jobs that may run before they are waited for
MOST_SENDS = 3  # of a chunk in one attempt, when the record of its job is lost each time
REQUESTS_A_SECOND = 40.0  # wire.md D
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Later:
    """The quota is spent: go on in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Jobs:
    """These jobs run: go on when they are over. Chunk number -> path of the job."""

    paths: dict[int, str]


class ChunkRefused(DataRobotError):
    """The service refused a chunk, or its job failed; its rows are pending."""


@dataclass(slots=True)
class Progress:
    """Rows by what became of them; ``pending`` is what is left of those that were read."""

    sent: int = 0
    skipped: int = 0
    repeated: int = 0
    requests: int = 0
    failed: dict[int, str] = field(default_factory=dict)


class Pace:
    """At most so many requests a second, over all threads."""

    def __init__(self, a_second: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._gap = 1.0 / a_second
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def step(self) -> None:
        """Returns when the next request may go out."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)


@dataclass(slots=True)
class Upload:
    """One pass over the chunks of one input.

    :param service_clock: the service's time, seconds since 1970.
    :param resend_changed: send chunks that are not what they were; else that is an error.
    """

    client: Client
    deployment_id: str
    ledger: Ledger
    budget: Budget
    service_clock: Callable[[], float]
    resend_changed: bool = False
    in_flight: int = IN_FLIGHT
    open_jobs: int = OPEN_JOBS
    progress: Progress = field(default_factory=Progress)
    on_batch: Callable[[Progress], None] = lambda progress: None
    _running: dict[int, str] = field(default_factory=dict)
    _template: Call | None = None

    def run(self, chunks: Iterable[Chunk]) -> Later | Jobs | None:
        """Sends what is missing; None when every chunk is over (done, or failed and named in ``progress.failed``)."""
        pace = Pace(REQUESTS_A_SECOND, self.client.clock, self.client.sleep)
        with ThreadPoolExecutor(self.in_flight) as threads:
            for batch in self._batches(chunks):
                if isinstance(batch, Jobs):
                    return batch
                wait = self._room(batch)
                if wait > 0:
                    return Jobs(dict(self._running)) if self._running else Later(wait)
                refused = self._send(batch, threads, pace)
                if refused is not None:
                    return refused
                self.on_batch(self.progress)
        return Jobs(dict(self._running)) if self._running else None

    def _batches(self, chunks: Iterable[Chunk]) -> Iterator[list[Chunk] | Jobs]:
        """Groups of chunks to send; jobs to wait for when too many run, or when an order must be kept."""
        batch: list[Chunk] = []
        for chunk in chunks:
            if not self._missing(chunk):
                continue
            if chunk.repeats and (batch or self._running):
                if batch:
                    yield batch
                    batch = []
                if self._running:
                    yield Jobs(dict(self._running))
            batch.append(chunk)
            if len(batch) == self.in_flight:
                yield batch
                batch = []
                if len(self._running) >= self.open_jobs:
                    yield Jobs(dict(self._running))
        if batch:
            yield batch

    def _missing(self, chunk: Chunk) -> bool:
        """Whether a chunk has to be sent; counts it where not."""
        if self.resend_changed and (known := self.ledger.entries.get(chunk.number)) and known.digest != chunk.digest:
            self.ledger.forget(chunk)
        entry = self.ledger.entry(chunk)
        if entry is None:
            return True
        own = entry.by.partition("#")[0] == self.ledger.by.partition("#")[0]
        if entry.outcome == "done":
            self.progress.sent += chunk.rows if own else 0
            self.progress.skipped += 0 if own else chunk.rows
            self.progress.repeated += (entry.sends - 1) * entry.rows if own else 0
            return False
        if entry.location is not None and entry.outcome is None:
            self._running[chunk.number] = entry.location
            return False
        if entry.by == self.ledger.by and (entry.outcome == "failed" or entry.sends >= MOST_SENDS):
            self.progress.failed[chunk.number] = entry.reason or "its job was lost again and again"
            return False
        return True

    def _room(self, batch: Sequence[Chunk]) -> float:
        now = self.service_clock()
        return self.budget.wait(self.ledger.spent(now, HOUR), sum(chunk.rows for chunk in batch), now)

    def _send(self, batch: Sequence[Chunk], threads: ThreadPoolExecutor, pace: Pace) -> Later | None:
        self.ledger.intend(batch, self.budget.weight, self.service_clock())
        ends = list(threads.map(lambda chunk: self._post(chunk, pace), batch))
        locations = {c.number: end for c, end in zip(batch, ends, strict=True) if not isinstance(end, DataRobotError)}
        refused = {c.number: end for c, end in zip(batch, ends, strict=True) if isinstance(end, DataRobotError)}
        self.progress.requests += len(batch)
        if locations:
            self.ledger.sent(locations)
            self._running.update({number: place for number, place in locations.items() if place})
        if refused:
            self.ledger.over({number: ("failed", str(error)) for number, error in refused.items()})
        return self._after_refusals(refused)

    def _post(self, chunk: Chunk, pace: Pace) -> str | None | DataRobotError:
        """The path of the chunk's job, None where it has none, or the error."""
        pace.step()
        call = replace(self._call(chunk), body=chunk.body)
        try:
            # Overwriting the same rows again changes nothing: a lost answer needs no settling before the second try.
            sent = send_once(self.client, call, None, kind="settable", settle=0.0)
        except DataRobotError as error:
            return error
        location = sent.answer.location if sent.answer is not None else None
        return local_path(location, self.client.settings) if location else None

    def _call(self, chunk: Chunk) -> Call:
        """The call without its body: envelope and first row are checked against the contract once."""
        if self._template is None:
            import json

            body = json.loads(chunk.body)
            first = {**body, "data": body["data"][:1]}
            self._template = prepare(OPERATION, {"deploymentId": self.deployment_id}, first)
        return self._template

    def _after_refusals(self, refused: dict[int, DataRobotError]) -> Later | None:
        if not refused:
            return None
        busy = [error for error in refused.values() if isinstance(error, TooManyRequests)]
        if len(busy) == len(refused):
            return Later(max(error.retry_after or _to_next_hour(self.service_clock()) for error in busy))
        error = next(one for one in refused.values() if not isinstance(one, TooManyRequests))
        if isinstance(error, Refused):
            raise error
        raise ChunkRefused(f"{len(refused)} chunks could not be sent, the first error: {error}") from error


def settle(ledger: Ledger, outcomes: dict[int, tuple[Outcome, str | None]]) -> dict[int, str]:
    """Notes how jobs ended; chunk number -> reason of those that failed."""
    ledger.over(outcomes)
    return {number: why or "no reason" for number, (outcome, why) in outcomes.items() if outcome == "failed"}


def account(tally: Tally, progress: Progress) -> dict[str, int]:
    """Every row that was read, by what became of it: read = sent + rejected + skipped + pending."""
    skipped = progress.skipped + tally.duplicate
    return {
        "read": tally.read,
        "sent": progress.sent,
        "rejected": tally.rejected,
        "skipped": skipped,
        "pending": tally.read - progress.sent - tally.rejected - skipped,
        "repeated": progress.repeated,
    }


def _to_next_hour(now: float) -> float:
    return HOUR - now % HOUR
