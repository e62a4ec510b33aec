"""A service whose every answer is written in a script, and a task that uploads to it as the operator does."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider.api import errors
from airflow_provider.api.answers import Answer
from airflow_provider.api.messages import Call
from airflow_provider.api.settings import Settings
from airflow_provider.api.waiting import End, Pacing, Poll, Sleep, Waiting
from airflow_provider.api.waits import Done, EveryWait, JobWait
from airflow_provider.mlops.actuals import chunks
from airflow_provider.mlops.budget import HOUR, Budget
from airflow_provider.mlops.ledger import Ledger, account
from airflow_provider.mlops.row_check import RowCheck, Tally
from airflow_provider.mlops.sending import JsonSending, ServiceClock
from airflow_provider.mlops.upload import Jobs, Later, Pause, Upload, ended
from tests.mlops.folder import Folder
from tests.mlops.inputs import NOW, InMemory, numbered

JOB_SECONDS = 5.0
LATE = 45.0  # seconds after which a write is committed whose answer was lost: less than it takes to settle
ENDPOINT = "https://mlops.test/api/v2"
Pair = tuple[str, str]


class Crash(BaseException):
    """The process is gone."""


# What becomes of a post: whether it is committed, and what is answered.
POSTS: dict[str, tuple[bool | None, Callable[[], BaseException] | None]] = {
    "ok": (True, None),
    "no job": (True, None),
    "elsewhere": (True, None),
    "lost before": (False, lambda: errors.AnswerLost("reset")),
    "lost after": (True, lambda: errors.AnswerLost("reset")),
    "late": (None, lambda: errors.GatewayFailed("timeout", status=504)),
    "gateway after": (True, lambda: errors.GatewayFailed("timeout", status=504)),
    "failed before": (False, lambda: errors.ServiceFailed("oops", status=500)),
    "web page": (True, lambda: errors.NotUnderstood("a web page")),
    "not reached": (False, lambda: errors.NotReached("refused")),
    "busy": (False, lambda: errors.TooManyRequests("busy", status=429, retry_after=5.0)),
    "busy for long": (False, lambda: errors.TooManyRequests("busy", status=429, retry_after=1800.0)),
    "busy, no word": (False, lambda: errors.TooManyRequests("busy", status=429)),
    "refused": (False, lambda: errors.Unprocessable("no", status=422)),
    "crash before": (False, Crash),
    "crash after": (True, Crash),
}
# What becomes of a job: how much of it is applied, and what its record says.
ENDS: dict[str, tuple[float, str | None]] = {
    "done": (1.0, None),
    "ERROR": (0.0, "ERROR"),
    "half, ERROR": (0.5, "ERROR"),
    "ABORTED": (0.0, "ABORTED"),
    "EXPIRED": (0.0, "EXPIRED"),
    "done, EXPIRED": (1.0, "EXPIRED"),
    "gone": (0.0, "gone"),
    "done, gone": (1.0, "gone"),
}


@dataclass
class Job:
    rows: list[dict[str, Any]]
    over: float
    end: str
    applied: bool = False


@dataclass
class Service:
    """Everything of the service that an upload sees; also its client.

    :param posts: what becomes of the sendings of one chunk, one after another, by a number of the chunk; then "ok".
    :param ends: the same of its jobs; then "done".
    """

    posts: Callable[[int, int], str] = lambda chunk, sending: "ok"
    ends: Callable[[int, int], str] = lambda chunk, sending: "done"
    budget: Budget = field(default_factory=Budget)
    now: float = NOW.timestamp()
    settings: Settings = field(default_factory=lambda: Settings(ENDPOINT, "token"))
    rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    stored: dict[str, Any] = field(default_factory=dict)
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # 429 that no script asked for, and the like
    jobs: dict[str, Job] = field(default_factory=dict)
    _late: list[tuple[float, bytes, str]] = field(default_factory=list)
    _sendings: Counter[int] = field(default_factory=Counter)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # --- the client ---

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self._tick()

    def send(self, call: Call, *, tries: int | None = None) -> Answer:
        assert tries == 1
        body: bytes = call.body
        with self._lock:
            chunk = int(hashlib.sha256(body).hexdigest()[:6], 16)
            sending = self._sendings[chunk]
            self._sendings[chunk] += 1
            post, end = self.posts(chunk, sending), self.ends(chunk, sending)
            committed, error = POSTS[post]
            if committed and not self._has_room(len(json.loads(body)["data"])):
                self.told["429"] += 1
                raise errors.TooManyRequests("no room", status=429)
            place = self._commit(body, end) if committed else None
            if committed is None:
                self._late.append((self.now + LATE, body, end))
            if error is not None:
                raise error()
            if post == "no job":
                place = None
            elif post == "elsewhere":
                place = "https://evil.test/api/v2/status/1/"
            return self._answer(202, place)

    def get(self, path: str) -> Answer:
        with self._lock:
            self._tick()
            job = self.jobs[path]
            if self.now < job.over:
                return self._answer(200, None, b'{"status": "RUNNING"}')
            word = ENDS[job.end][1]
            if word == "gone":
                raise errors.NotFound("no such status", status=404)
            if word is None:
                return self._answer(303, f"{ENDPOINT}/deployments/d/accuracy/")
            return self._answer(200, None, json.dumps({"status": word, "message": "so it is"}).encode())

    # --- the service ---

    def settled(self) -> dict[str, Any]:
        """What is stored when everything is over."""
        self.now += 100 * HOUR
        self._tick()
        return self.stored

    def most_in_an_hour(self) -> int:
        sliding = [(at, at + HOUR) for at, _ in self.arrivals]
        clock = [(at // HOUR * HOUR, at // HOUR * HOUR + HOUR) for at, _ in self.arrivals]
        return max(sum(rows for at, rows in self.arrivals if a <= at < b) for a, b in [(0.0, 0.0), *sliding, *clock])

    def _has_room(self, rows: int) -> bool:
        recent = sum(weighted for at, weighted in self.arrivals if at > self.now - HOUR)
        return recent + rows * self.budget.weight <= self.budget.rows

    def _commit(self, body: bytes, end: str, at: float | None = None) -> str:
        rows = json.loads(body)["data"]
        at = self.now if at is None else at
        self.arrivals.append((at, len(rows) * self.budget.weight))
        self.accepted.update(row["associationId"] for row in rows)
        path = f"status/{len(self.jobs)}/"
        self.jobs[path] = Job(rows, at + JOB_SECONDS, end)
        return f"{ENDPOINT}/{path}"

    def _tick(self) -> None:
        """What is due, in its order."""
        for at, body, end in [one for one in self._late if one[0] <= self.now]:
            self._late.remove((at, body, end))
            self._commit(body, end, at)
        for job in sorted(self.jobs.values(), key=lambda one: one.over):
            if not job.applied and job.over <= self.now:
                job.applied = True
                share, _ = ENDS[job.end]
                for row in job.rows[: int(len(job.rows) * share)]:
                    self.stored[row["associationId"]] = row["actualValue"]

    def _answer(self, status: int, location: str | None, content: bytes = b"") -> Answer:
        return Answer(status, {"location": location} if location else {}, content, "")


@dataclass
class Task:
    """Attempts of one task over the same input, until one succeeds."""

    service: Service
    pairs: Sequence[Pair]
    size: int = 3
    in_flight: int = 4
    duplicates: str = "last"
    folder: Folder = field(default_factory=Folder)
    run_id: str = "run"
    resend_changed: bool = False
    attempts: int = 0
    passes: int = 0
    crashes: int = 0
    failures: list[BaseException | dict[int, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def run(self, most: int = 40) -> Task:
        while not self._attempt():
            self.service.sleep(300.0)
            assert self.attempts < most, f"no end: {self.failures[-3:]}"
        return self

    def _attempt(self) -> bool:
        self.attempts += 1
        try:
            while (pause := self._pass()) is not None:
                self._wait(pause)
        except Crash as crash:
            self.crashes += 1
            self.failures.append(crash)
            return False
        except errors.DataRobotError as error:
            self.failures.append(error)
            return False
        if self.upload.failed:
            self.failures.append(self.upload.failed)
        return not self.upload.failed

    def _pass(self) -> Pause | None:
        self.passes += 1
        tally, ledger = Tally(), Ledger.read(self.folder, self._by)
        client: Any = self.service
        budget, clock = self.service.budget, ServiceClock(self.service.clock)
        way = JsonSending(client, "5e1b6d1c2f8a4b0012345678", ledger, budget.weight, clock, self.in_flight)
        self.upload = Upload(client, ledger, budget, clock, way, resend_changed=self.resend_changed)
        rows = numbered(*self.pairs)
        check = RowCheck("Binary", None, NOW, tally)
        seen = None if self.duplicates == "ignore" else InMemory()
        packed = chunks(rows, check, tally, duplicates=self.duplicates, seen=seen, size=self.size, on_reject=id)
        try:
            return self.upload.run(packed)
        finally:
            self.counts = account(tally, Ledger.read(self.folder, self._by), self.upload.chunks)
            assert self.counts == account(tally, ledger, self.upload.chunks), "the files say what the process knew"
            assert self.counts["read"] == sum(self.counts[name] for name in ("sent", "rejected", "skipped", "pending"))
            assert all(count >= 0 for count in self.counts.values())

    def _wait(self, pause: Pause) -> None:
        if isinstance(pause, Later):
            self.service.sleep(pause.seconds)
            return
        assert isinstance(pause, Jobs)
        end = self._driven(Waiting(EveryWait([JobWait(path) for path in pause.paths]), Pacing(), self.service.now))
        assert isinstance(end, Done)
        ends = zip(pause.paths, end.result["outcomes"], strict=True)
        Ledger.read(self.folder, self._by).settle({path: ended(one["outcome"], one["reason"]) for path, one in ends})

    def _driven(self, waiting: Waiting) -> End:
        service = self.service
        while True:
            match waiting.next_step(service.now):
                case Poll(path):
                    try:
                        waiting.received(service.get(path), service.now, service.rng)
                    except errors.DataRobotError as error:
                        waiting.failed(error, service.now, service.rng)
                case Sleep(seconds):
                    service.sleep(seconds)
                case end:
                    return end  # type: ignore[return-value]

    @property
    def _by(self) -> str:
        return f"{self.run_id}#{self.attempts}"
