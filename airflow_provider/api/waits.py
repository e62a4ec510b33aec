"""The kinds of waits: what to ask next, and what an answer means. No sending, no clock, no dice here.

    request() ──► relative path of the next GET (None: there is nothing to ask)
    receive(answer) ──► Pending │ Unknown │ Done │ Failed

A wait is plain JSON (``to_json``, ``wait_from_json``): it travels from the worker to the triggerer and stands in the
database meanwhile, so kinds and keys are never renamed. When to ask, how long, and what to do about errors is the
business of ``waiting.py``; which word ends what stands in ``endings.py``.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from airflow_provider.api import judging, moving
from airflow_provider.api.endings import ENTITIES, JOB, Ending, Endings
from airflow_provider.api.readings import More, newest, reader

JSON = dict[str, Any]


class WaitAnswer(Protocol):
    """The part of an answer that waits look at."""

    @property
    def status(self) -> int: ...
    @property
    def location(self) -> str | None: ...
    def json(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Pending:
    """Not over; ``note`` is a line for the log, if there is news. ``at_once``: there is more to ask without a pause."""

    note: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not over as far as anyone knows: the service said a word that no page has."""

    word: str


@dataclass(frozen=True, slots=True)
class Done:
    """Over, and well."""

    result: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Over, and not well: the service said so."""

    reason: str
    result: JSON = field(default_factory=dict)


Verdict = Pending | Unknown | Done | Failed


class Wait(Protocol):
    """What the engine needs of a wait."""

    kind: ClassVar[str]

    @property
    def absent(self) -> Ending: ...
    def request(self) -> str | None: ...
    def receive(self, answer: WaitAnswer) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class JobWait:
    """A job at the path of its ``Location`` (operation getStatus).

    Done gives ``location``: where the 303 pointed, or None when the end was a 200 with COMPLETED.
    """

    kind: ClassVar[str] = "job"
    absent: ClassVar[Ending] = "failed"
    path: str

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        if answer.status == 303:
            return Done({"location": answer.location})
        return _by_word(JOB, JOB.words, answer, Done({"location": None}))


@dataclass(frozen=True, slots=True)
class EntityWait:
    """An object whose own field tells; ``endings`` names a row of ``endings.ENTITIES``.

    ``want`` lists words that count as done besides the row's own (``active`` for a deployment). Done gives the object,
    or what the row keeps of it, as ``entity``.
    """

    kind: ClassVar[str] = "entity"
    path: str
    endings: str
    want: Sequence[str] = ()

    @property
    def absent(self) -> Ending:
        return ENTITIES[self.endings].absent

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        endings = ENTITIES[self.endings]
        words: dict[str, Ending] = {**endings.words, **dict.fromkeys(self.want, "done")}
        return _by_word(endings, words, answer, Done({"entity": _kept(endings, answer.json())}))


@dataclass(frozen=True, slots=True)
class WordWait:
    """Any object until a field of it says one of some words; whoever waits names them, as no row of a table does.

    ``field`` and ``message`` are dotted paths, booleans are ``true`` and ``false``. Every other word is pending. Done
    gives the ``word`` alone: an object that nobody knows may hold secrets, and ends stand in the database.
    """

    kind: ClassVar[str] = "word"
    absent: ClassVar[Ending] = "failed"
    path: str
    field: str
    done: Sequence[str]
    failed: Sequence[str] = ()
    message: str | None = None

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        found = dig(entity, self.field)
        word = str(found).lower() if isinstance(found, bool) else str(found)
        if word in self.done:
            return Done({"word": word})
        if word in self.failed:
            told = dig(entity, self.message) if self.message else None
            return Failed(f"{self.field} is {word}: {told}" if told else f"{self.field} is {word}")
        return Pending(f"{self.field} is {word}")


@dataclass(frozen=True, slots=True)
class ReviewWait:
    """A change request until people (or its policy) have decided (operation getChangeRequest).

    The server's status decides, pinned to the version that was seen (``version``, None: any). Done gives ``outcome``
    (approved, changesRequested, cancelled, resolved or superseded) and the request as ``entity``.
    ``keep_waiting`` lists outcomes that do not end the wait: ``changesRequested`` (an edit may follow) and
    ``superseded`` (a newer version is waited for as well).
    """

    kind: ClassVar[str] = "review"
    absent: ClassVar[Ending] = "failed"
    path: str
    version: str | None = None
    keep_waiting: Sequence[str] = ()

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        word = canonical(str(entity.get("status")))
        if word == "resolved" or word == "cancelled":
            return Done({"outcome": word, "entity": entity})
        seen = entity.get("changeVersionId")
        if self.version is not None and seen != self.version and "superseded" not in self.keep_waiting:
            return Done({"outcome": "superseded", "entity": entity})
        if word == "pending" or word in self.keep_waiting:
            return Pending(f"change request is {word}, version {seen}")
        if word in ("approved", "changesRequested"):
            return Done({"outcome": word, "entity": entity})
        return Unknown(word)


@dataclass(frozen=True, slots=True)
class RunWait:
    """A retraining run (operation getDeploymentRetrainingPolicyRun), whose status words are not documented.

    Without ``finishTime`` it runs, whatever its word. With it: an ``errorMessage`` or a cancelled word means failed,
    one of the ids in ``promises`` (what the policy's action makes) means done, neither means that nobody knows.
    """

    kind: ClassVar[str] = "retraining_run"
    absent: ClassVar[Ending] = "failed"
    path: str
    promises: Sequence[str]

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        return _by_finish(answer.json(), self.promises)


@dataclass(frozen=True, slots=True)
class LatestRunWait:
    """The latest run of a retraining policy (operation getDeploymentRetrainingPolicy), until it is over.

    Read as :class:`RunWait` does. No run yet, or only one that began before ``since`` (seconds since 1970; None: any),
    is pending; a run that does not say when it began counts as new.
    """

    kind: ClassVar[str] = "latest_retraining_run"
    absent: ClassVar[Ending] = "failed"
    path: str
    promises: Sequence[str]
    since: float | None = None

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        run = answer.json().get("latestRun")
        if not run:
            return Pending("the policy has no run yet")
        began = _seconds(run.get("startTime"))
        if self.since is not None and began is not None and began < self.since:
            return Pending(f"the latest run began at {run['startTime']}, a later one is waited for")
        return _by_finish(run, self.promises)


COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True, slots=True)
class ThresholdWait:
    """A number in an answer until it compares as wished; no number yet is pending, never a pass."""

    kind: ClassVar[str] = "threshold"
    absent: ClassVar[Ending] = "failed"
    path: str
    field: str
    comparison: str
    value: float

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        found = dig(answer.json(), self.field)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return Pending(f"{self.field} has no value yet")
        if COMPARISONS[self.comparison](found, self.value):
            return Done({"value": found})
        return Pending(f"{self.field} is {found}, waiting for {self.comparison} {self.value}")


@dataclass(slots=True)
class GateWait:
    """A measured number until it is judged to pass, or (``until`` is ``data``) until there is anything to judge.

    ``reader`` names a module of ``readings``, ``of`` tells it which number, ``rule`` is a ``judging.Rule`` as plain
    JSON. Done gives the ``verdict``, with what it is ``about``. ``further`` and ``kept`` belong to a look that takes
    more than one answer; with ``of["newest_path"]`` the last of them tells how old the newest rows are. With
    ``of["rolls"]`` (hours) the window moves on by the ``Date`` of the service's answers; else it stays what it is.
    """

    kind: ClassVar[str] = "gate"
    absent: ClassVar[Ending] = "failed"
    path: str
    reader: str
    of: Mapping[str, Any]
    rule: Mapping[str, Any]
    until: str = "pass"
    about: JSON = field(default_factory=dict)
    further: str | None = None
    kept: JSON = field(default_factory=dict)

    def request(self) -> str:
        return self.further or self.path

    def roll(self, now: datetime | None) -> None:
        """Move the window on to the present hour; never back, and not where the service tells no time."""
        hours = int(self.of.get("rolls", 0))
        if not hours or now is None:
            return
        window = moving.window_at(now, hours)
        if window["end"] > str((self.about.get("window") or {}).get("end", "")):
            self.path, self.of = moving.moved(self.path, window), moving.told(self.of, window)
            self.about = {**self.about, "window": window}

    def receive(self, answer: WaitAnswer) -> Verdict:
        verdict = self.judged(answer)
        if verdict is None:
            return Pending("", at_once=True)
        if verdict.outcome == "pass" or (verdict.outcome == "fail" and self.until == "data"):
            return Done({"verdict": self.told(verdict)})
        self.roll(getattr(answer, "date", None))
        return Pending(f"{verdict.outcome}: {verdict.reason}")

    def judged(self, answer: WaitAnswer) -> judging.Verdict | None:
        """The verdict on what an answer says, None when another answer is needed first."""
        body = answer.json() or {}
        if "reading" in self.kept:
            found: judging.Reading | More = newest.aged(judging.Reading(**self.kept["reading"]), body, self.of)
        else:
            found = reader(self.reader).read(body, self.of, self.kept)
            if isinstance(found, judging.Reading) and self.of.get("newest_path"):
                found = More(self.of["newest_path"], {"reading": asdict(found)})
        if isinstance(found, More):
            self.further, self.kept = found.path, found.kept
            return None
        self.further, self.kept = None, {}
        return judging.judge(found, judging.Rule.from_json(self.rule))

    def told(self, verdict: judging.Verdict) -> JSON:
        """A verdict as plain JSON, with what it is about."""
        return {**self.about, **verdict.to_json()}


@dataclass(frozen=True, slots=True)
class WatchWait:
    """An object that shall stay good: it never ends well by itself, only badly, or at the deadline of whoever watches.

    ``expect`` maps dotted paths to the value that must stand there, ``refuse`` to values that must not.
    """

    kind: ClassVar[str] = "watch"
    absent: ClassVar[Ending] = "failed"
    path: str
    expect: Mapping[str, Any]
    refuse: Mapping[str, Sequence[Any]]

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        wrong = [
            f"{p} is {dig(entity, p)!r}, not {value!r}" for p, value in self.expect.items() if dig(entity, p) != value
        ]
        wrong += [f"{p} is {dig(entity, p)!r}" for p, values in self.refuse.items() if dig(entity, p) in values]
        if wrong:
            return Failed("; ".join(wrong), {"entity": entity})
        return Pending("all is well so far")


@dataclass(frozen=True, slots=True)
class UntilWait:
    """A point in time, in seconds since 1970; asks nothing."""

    kind: ClassVar[str] = "until"
    absent: ClassVar[Ending] = "failed"
    time: float

    def request(self) -> None:
        return None

    def receive(self, answer: WaitAnswer) -> Verdict:
        raise TypeError("an UntilWait asks nothing and is answered nothing")


@dataclass(slots=True)
class EveryWait:
    """Several waits, asked one after another, until each is over, well or not.

    Done gives ``outcomes``: one object a wait, in order, with ``outcome`` (done or failed), ``reason`` and ``result``.
    """

    kind: ClassVar[str] = "every"
    absent: ClassVar[Ending] = "failed"
    waits: Sequence[Wait]
    over: dict[int, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.waits or any(isinstance(one, (UntilWait, EveryWait)) for one in self.waits):
            raise ValueError("EveryWait holds at least one wait, and only such as ask for an answer of their own")

    def request(self) -> str | None:
        return self.waits[self._turn()].request()

    def receive(self, answer: WaitAnswer) -> Verdict:
        verdict = self.waits[self._turn()].receive(answer)
        if isinstance(verdict, (Pending, Unknown)):
            return verdict
        return self.note(verdict)

    def note(self, verdict: Done | Failed) -> Pending | Done:
        """Takes the end of the wait whose turn it is."""
        failed = isinstance(verdict, Failed)
        self.over[self._turn()] = {
            "outcome": "failed" if failed else "done",
            "reason": verdict.reason if isinstance(verdict, Failed) else None,
            "result": verdict.result,
        }
        if len(self.over) == len(self.waits):
            return Done({"outcomes": [self.over[number] for number in range(len(self.waits))]})
        return Pending(f"{len(self.over)} of {len(self.waits)} are over", at_once=True)

    def _turn(self) -> int:
        return next(number for number in range(len(self.waits)) if number not in self.over)


KINDS: Mapping[str, type[Any]] = {
    kind.kind: kind
    for kind in (
        JobWait,
        EntityWait,
        WordWait,
        ReviewWait,
        RunWait,
        LatestRunWait,
        ThresholdWait,
        GateWait,
        WatchWait,
        UntilWait,
    )
}


def to_json(wait: Wait) -> JSON:
    """The wait as plain JSON."""
    if isinstance(wait, EveryWait):
        return {"kind": wait.kind, "waits": [to_json(one) for one in wait.waits]}
    return {"kind": wait.kind, **{key: _plain(value) for key, value in asdict(wait).items()}}  # type: ignore[call-overload]


def wait_from_json(data: Mapping[str, Any]) -> Wait:
    """The wait that :func:`to_json` wrote; keys that a newer release added are passed over."""
    if data["kind"] == EveryWait.kind:
        return EveryWait([wait_from_json(one) for one in data["waits"]])
    kind = KINDS[data["kind"]]
    known = {one.name: data[one.name] for one in fields(kind) if one.name in data}
    made: Wait = kind(**known)
    return made


def canonical(word: str) -> str:
    """The camelCase spelling of a word that the pages allow in camelCase, PascalCase and UPPER_SNAKE."""
    if word.isupper():
        first, *rest = word.lower().split("_")
        return first + "".join(part.capitalize() for part in rest)
    return word[:1].lower() + word[1:]


def dig(value: Any, path: str) -> Any:
    """What stands at a dotted path, or None."""
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _by_finish(run: Mapping[str, Any], promises: Sequence[str]) -> Verdict:
    """What a retraining run says, whatever its word."""
    word = str(run.get("status"))
    if not run.get("finishTime"):
        return Pending(f"run is {word}")
    if word.lower() in ("cancelled", "canceled"):
        return Failed("run was cancelled", {"entity": run})
    if run.get("errorMessage"):
        return Failed(str(run["errorMessage"]), {"entity": run})
    if any(run.get(name) for name in promises):
        return Done({"entity": run})
    return Failed(f"unknown outcome: finished as {word} without {' or '.join(promises)}", {"entity": run})


def _seconds(text: Any) -> float | None:
    """A moment of the service in seconds since 1970; None where it is none, without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _by_word(endings: Endings, words: Mapping[str, Ending], answer: WaitAnswer, done: Done) -> Verdict:
    entity = answer.json()
    word = str(dig(entity, endings.field))
    ending = words.get(word) or words.get(canonical(word))
    if ending is None:
        return Unknown(word)
    if ending == "done":
        return done
    message = dig(entity, endings.message) if endings.message else None
    if ending == "failed":
        return Failed(f"{word}: {message}" if message else word, {"entity": _kept(endings, entity)})
    return Pending(f"{endings.field} is {word}" + (f": {message}" if message else ""))


def _kept(endings: Endings, entity: Any) -> Any:
    """What a result keeps of an answer, by dotted path where that is not all of it."""
    return entity if endings.keeps is None else {path: dig(entity, path) for path in endings.keeps}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
