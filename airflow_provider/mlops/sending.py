"""Sends a batch of chunks, and says what became of each.

    intend ──► post ──► accepted: sent
         ├──► 429, or not reached: refused, and to be sent again
         ├──► the answer was lost, 5xx, no Location: nobody knows, to be sent again up to MOST_SENDS times
         └──► anything else: failed, and raised

Every sending is noted in the ledger, and so charged to the quota, before it is made.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from airflow_provider.api.errors import DataRobotError, NotReached, NotUnderstood, TooManyRequests
from airflow_provider.api.locations import local_path
from airflow_provider.api.messages import Call, prepare
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.budget import HOUR
from airflow_provider.mlops.ledger import End, Ledger

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import Client

MOST_SENDS = 3  # of a chunk in one attempt, when its answer or the record of its job is lost each time
REQUESTS_A_SECOND = 40  # wire.md D
SECOND = 1.01  # a little more than the service's
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before chunks are sent again, one round after another


class ChunkFailed(DataRobotError):
    """A chunk could not be sent, or its job failed; its rows are pending, and the next attempt sends them again."""

    retryable = True


class ServiceClock:
    """The service's time in seconds since 1970: the Date of its last answer, and what our clock says since then."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead = 0.0

    def saw(self, answer: Answer) -> None:
        """An answer came just now."""
        if answer.date is not None:
            self._ahead = answer.date.timestamp() - self._clock()

    def now(self) -> float:
        """What the service's clock says."""
        return self._clock() + self._ahead


class Pace:
    """At most so many requests in any second, wherever between their start and their end the service counts them.

    Used around each request (``with pace``), by fewer threads than ``most``.
    """

    def __init__(self, most: int, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._most = most
        self._clock = clock
        self._sleep = sleep
        self._under_way = 0
        self._ends: deque[float] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        while (pause := self._full_for()) > 0:
            self._sleep(pause)

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._under_way -= 1
            self._ends.append(self._clock())

    def _full_for(self) -> float:
        """Seconds until another may start; 0.0 when it has its place."""
        with self._lock:
            now = self._clock()
            while self._ends and self._ends[0] <= now - SECOND:
                self._ends.popleft()
            if self._under_way + len(self._ends) < self._most:
                self._under_way += 1
                return 0.0
            return self._ends[0] + SECOND - now


class Sending:
    """The way of chunks to one deployment. ``requests`` counts posts, ``rows`` what the service accepted of them.

    :param weight: how often a row counts for the quota.
    :param most: chunks of a batch; after a kill so many may have to be sent again.
    """

    in_flight = 1  # posts at a time

    def __init__(
        self, client: Client, deployment_id: str, ledger: Ledger, weight: int, clock: ServiceClock, most: int
    ) -> None:
        self.most = most
        self.requests = 0
        self.rows = 0
        self._client = client
        self._deployment_id = deployment_id
        self._ledger = ledger
        self._weight = weight
        self._clock = clock
        self._round = 0  # how many batches in a row came to nothing

    def take(self, chunk: Chunk) -> Chunk:
        """The chunk as it shall wait for the rest of its batch."""
        return chunk

    def over(self, path: str) -> None:
        """The job at this path went well."""

    def send(self, batch: Sequence[Chunk], threads: Executor) -> tuple[dict[int, str], list[Chunk], float]:
        """Sends each chunk once.

        :return: the paths of jobs by chunk number; the chunks to be sent again, and after how many seconds.
        :raises DataRobotError: for what another sending would not mend; everything is noted before.
        """
        self._ledger.intend(batch, self._weight, self._clock.now())
        results = list(zip(batch, self.posted(batch, threads), strict=True))
        places = {chunk.number: end for chunk, end in results if not isinstance(end, DataRobotError)}
        errors = [(chunk, end) for chunk, end in results if isinstance(end, DataRobotError)]
        if places:
            self.rows += sum(chunk.rows for chunk in batch if chunk.number in places)
            self._ledger.sent(places, self._clock.now(), self.dataset)
        ends = {chunk.number: end for chunk, error in errors if (end := self._end_of(chunk, error))}
        if ends:
            self._ledger.over(ends)
        for chunk, error in errors:
            self._raise_final(chunk, error, ends.get(chunk.number))
        pause = self._pause_after([error for _, error in errors])
        self._round = 0 if places else self._round + 1
        return places, [chunk for chunk, _ in errors], pause

    # --- what differs from way to way -------------------------------------------------------------------------

    operation: ClassVar[str]  # the write that takes the rows
    dataset: str | None = None  # in which the rows of the last batch went

    def ready(self, batch: Sequence[Chunk]) -> str | None:
        """Makes ready for :meth:`send`; the path of a dataset that has to be processed before, and takes its time."""

    def posted(self, batch: Sequence[Chunk], threads: Executor) -> Iterable[str | DataRobotError]:
        """Posts a batch: for each chunk the path of its job, or the error."""
        raise NotImplementedError(f"{type(self).__name__} must say how it posts")

    # --- what holds for all -----------------------------------------------------------------------------------

    def post(self, call: Call) -> str | DataRobotError:
        """Posts once: the path of the job, or the error."""
        self.requests += 1
        try:
            answer = self._client.send(call, tries=1)
            self._clock.saw(answer)
            if answer.location is None:
                text = "accepted without a Location, so nothing tells what becomes of it"
                return NotUnderstood(text, **answer.about())
            return local_path(answer.location, self._client.settings)
        except DataRobotError as error:
            return error

    def _end_of(self, chunk: Chunk, error: DataRobotError) -> End | None:
        """What an error makes of a chunk; None: nobody knows whether it arrived, and it is sent again."""
        if isinstance(error, TooManyRequests) or (isinstance(error, NotReached) and error.retryable):
            return "refused", str(error)
        again = error.sent == "maybe" and error.retryable and self._ledger.entries[chunk.number].tries < MOST_SENDS
        return None if again else ("failed", str(error))

    def _raise_final(self, chunk: Chunk, error: DataRobotError, end: End | None) -> None:
        if end is None:
            return
        if end[0] == "failed" and error.sent == "maybe":
            raise ChunkFailed(f"chunk {chunk.number} could not be sent: {error}") from error
        if end[0] == "failed" or (isinstance(error, NotReached) and self._round >= len(PAUSES)):
            raise error

    def _pause_after(self, errors: Sequence[DataRobotError]) -> float:
        if not errors:
            return 0.0
        told = [error.retry_after for error in errors if error.retry_after is not None]
        if told:
            return max(told)
        if self._round < len(PAUSES):
            return PAUSES[self._round]
        return HOUR - self._clock.now() % HOUR  # turned away again and again: "this hour" has no room (seed 002:891)


class JsonSending(Sending):
    """Each chunk is a request of its own, so many side by side."""

    operation = "submitDeploymentActualsFromJson"

    def __init__(
        self, client: Client, deployment_id: str, ledger: Ledger, weight: int, clock: ServiceClock, most: int
    ) -> None:
        super().__init__(client, deployment_id, ledger, weight, clock, most)
        self.in_flight = most
        self._pace = Pace(REQUESTS_A_SECOND, client.clock, client.sleep)
        self._template: Call | None = None

    def posted(self, batch: Sequence[Chunk], threads: Executor) -> Iterable[str | DataRobotError]:
        """Side by side."""
        self._template = self._template or self._checked(batch[0])
        return threads.map(self._post, batch)

    def _post(self, chunk: Chunk) -> str | DataRobotError:
        assert self._template is not None, "made before the first post"
        with self._pace:
            return self.post(replace(self._template, body=chunk.body))

    def _checked(self, chunk: Chunk) -> Call:
        """The call without its body: envelope and first row are checked against the contract once."""
        body = json.loads(chunk.body)
        first = {**body, "data": body["data"][:1]}
        return prepare(self.operation, {"deploymentId": self._deployment_id}, first)
