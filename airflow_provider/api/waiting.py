"""The engine that drives any wait. It decides; a driver (sync on the worker, async in the triggerer) acts.

    next_step(now) ──► Poll(path) │ Sleep(seconds) │ Refresh │ an end
         ▲                 │              │            │
         │     received(answer, now) / failed(error, now)      refreshed()
         └─────────────────┴──────────────┴────────────┘

An end is Done, Failed, TimedOut or GaveUp, and it is final. Rules:

1. No clock, no dice, no sending here: ``now`` and ``rng`` are arguments.
2. Looks grow apart up to a cap, each shifted by up to a fifth, so that tasks that start together drift apart.
   ``Retry-After`` is honoured, but never past the deadline.
3. At the deadline there is one last look: a job that finished in time is not called late.
4. Transient errors in a row have a time budget; the end is GaveUp, which says nothing about the remote work.
5. A 401 asks once per incident for a fresh connection; a success closes the incident.
6. A 404 or 410 must come several times in a row before it counts: new objects may be missing for a moment (wire.md K).
7. Any other refusal of a look (400, 409, 413, 422, ...) says nothing about the work: three in a row end in GaveUp.
   So does a 403, and a 401 with a connection that was read anew, at once: asking again would not help.
8. A word that nobody knows is waited out for a grace period, then the wait fails and names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from airflow_provider.api.errors import DataRobotError, Forbidden, Gone, NotFound, Refused, Unauthorized
from airflow_provider.api.waits import Done, EveryWait, Failed, Pending, Unknown, UntilWait, Verdict, Wait, WaitAnswer

ABSENT_LOOKS = 3  # a 404 counts when it was seen this often in a row
REFUSED_LOOKS = 3  # so many refusals in a row, and the service cannot be asked
UNKNOWN_GRACE = 600.0  # seconds that an unknown status word is polled on
PATIENCE = 1800.0  # seconds of transient errors in a row before the wait gives up
LEAST_FAILURES = 5  # ... and at least so many of them
JITTER = 0.2


class Rng(Protocol):
    """The part of random.Random that is used."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number between the two."""
        ...


class TimedAnswer(WaitAnswer, Protocol):
    """An answer that may say when to come back."""

    @property
    def retry_after(self) -> float | None:
        """Seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds: the first look after ``first``, then every ``interval``, growing by ``factor`` up to ``cap``."""

    first: float = 0.0
    interval: float = 5.0
    factor: float = 1.5
    cap: float = 60.0

    def delay(self, looks: int, rng: Rng) -> float:
        """The pause after so many looks, with jitter."""
        grown = self.interval
        for _ in range(min(looks - 1, 64)):
            grown = min(grown * self.factor, self.cap)
        return min(grown, self.cap) * rng.uniform(1 - JITTER, 1 + JITTER)


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask this path now."""

    path: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing to do for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refresh:
    """Read the connection again: the token was refused."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The deadline passed, and one last look saw no end."""

    note: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The service could not be asked; what became of the work is not known.

    ``refused``: not for a time, but until somebody mends the connection or its rights.
    """

    reason: str
    refused: bool = False


End = Done | Failed | TimedOut | GaveUp
Step = Poll | Sleep | Refresh | End


class WaitIsOver(RuntimeError):
    """An answer was given to a wait that has ended."""


@dataclass(slots=True)
class Waiting:
    """One wait under way. ``deadline`` and ``now`` are seconds since 1970; None means no deadline."""

    wait: Wait
    pacing: Pacing
    started: float
    deadline: float | None = None
    patience: float = PATIENCE
    absent_looks: int = ABSENT_LOOKS
    note: str = "not looked yet"
    end: End | None = None
    _due: float = field(init=False)
    _looks: int = 0
    _last_look: bool = False
    _failures: int = 0
    _failing_since: float | None = None
    _absences: int = 0
    _refusals: int = 0
    _unknown_since: float | None = None
    _incident: bool = False
    _refresh: bool = False

    def __post_init__(self) -> None:
        self._due = self.started + self.pacing.first

    def next_step(self, now: float) -> Step:
        """What the driver does next."""
        if self.end is None:
            self._settle_time(now)
        if self.end is not None:
            return self.end
        if self._refresh:
            return Refresh()
        wake = self._due if self.deadline is None else min(self._due, self.deadline)
        if now < wake:
            return Sleep(wake - now)
        self._last_look = self.deadline is not None and now >= self.deadline
        path = self.wait.request()
        assert path is not None, "only a wait that asks comes here"
        return Poll(path)

    def received(self, answer: TimedAnswer, now: float, rng: Rng) -> None:
        """Takes an answer with a status below 400."""
        self._refuse_more()
        self._failures, self._failing_since, self._absences, self._incident = 0, None, 0, False
        self._refusals = 0
        self._take(self.wait.receive(answer), now, rng, answer.retry_after)

    def failed(self, error: DataRobotError, now: float, rng: Rng) -> None:
        """Takes an error that came instead of an answer."""
        self._refuse_more()
        if isinstance(error, Unauthorized) and not self._incident:
            self._incident = self._refresh = True
            self._last_look = False  # the look that was refused told nothing: it is repeated
        elif isinstance(error, (NotFound, Gone)):
            self._absent(error, now, rng)
        elif error.retryable:
            self._transient(error, now, rng)
        elif isinstance(error, (Unauthorized, Forbidden)):
            self.end = GaveUp(f"the look was refused: {error}", refused=True)
        elif isinstance(error, Refused):
            self._refused(error, now, rng)
        else:
            self._take(self._failure(str(error)), now, rng, None)

    def look_now(self) -> None:
        """The next step is a look, whatever the pacing says: somebody else keeps the time between looks."""
        self._due = self.started

    def refreshed(self) -> None:
        """The connection was read again."""
        self._refresh = False

    def _settle_time(self, now: float) -> None:
        if isinstance(self.wait, UntilWait):
            self._due = self.wait.time
            if now >= self.wait.time:
                self.end = Done({"time": self.wait.time})
            elif self.deadline is not None and now >= self.deadline:
                self.end = TimedOut("the deadline came before the time that was waited for")
        elif self._last_look:
            self.end = TimedOut(self.note)

    def _take(self, verdict: Verdict, now: float, rng: Rng, retry_after: float | None) -> None:
        if isinstance(verdict, Unknown):
            verdict = self._unknown(verdict.word, now)
        else:
            self._unknown_since = None
        if isinstance(verdict, Pending):
            self.note = verdict.note or self.note
            self._looks += not verdict.at_once  # a look is all that it asks at once, the last one too
            self._last_look = self._last_look and not verdict.at_once
            pause = 0.0 if verdict.at_once else self.pacing.delay(self._looks, rng)
            self._due = now + max(pause, retry_after or 0.0)
        else:
            self.end = verdict

    def _unknown(self, word: str, now: float) -> Pending | Failed | Done:
        if self._unknown_since is None:
            self._unknown_since = now
        if now - self._unknown_since < UNKNOWN_GRACE:
            return Pending(f"the service says {word!r}, a word that no page has")
        self._unknown_since = None
        return self._failure(f"unknown status {word!r} for {UNKNOWN_GRACE:.0f} s")

    def _failure(self, reason: str) -> Pending | Failed | Done:
        """The wait cannot end well any more; of several waits, only the one whose turn it is."""
        failed = Failed(reason)
        return self.wait.note(failed) if isinstance(self.wait, EveryWait) else failed

    def _absent(self, error: DataRobotError, now: float, rng: Rng) -> None:
        self._absences += 1
        if self.wait.absent == "done":
            self._take(Done({"absent": True}), now, rng, None)
        elif self._absences >= self.absent_looks and self.wait.absent != "pending":
            self._absences = 0
            self._take(self._failure(f"not found {self.absent_looks} times in a row: {error}"), now, rng, None)
        else:
            self._take(Pending(f"not found ({self._absences}): {error}"), now, rng, error.retry_after)

    def _refused(self, error: Refused, now: float, rng: Rng) -> None:
        self._refusals += 1
        if self._refusals >= REFUSED_LOOKS:
            self.end = GaveUp(f"refused {self._refusals} times in a row, the last: {error}")
        else:
            self._take(Pending(f"refused ({self._refusals}): {error}"), now, rng, error.retry_after)

    def _transient(self, error: DataRobotError, now: float, rng: Rng) -> None:
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = now
        lasted = now - self._failing_since
        if self._failures >= LEAST_FAILURES and lasted >= self.patience:
            self.end = GaveUp(f"{self._failures} errors in a row over {lasted:.0f} s, the last: {error}")
        self.note = f"error {self._failures} in a row: {error}"
        self._due = now + max(self.pacing.delay(self._failures, rng), error.retry_after or 0.0)

    def _refuse_more(self) -> None:
        if self.end is not None:
            raise WaitIsOver(f"this wait ended with {self.end}")
