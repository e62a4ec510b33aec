"""Tasks without Airflow's processes: real operators, client, trigger and emulator, and no waiting.

    Task.run() ──► attempt ──► execute ──► TaskDeferred ──► the trigger, made of its own JSON ──► event ──┐
                     ▲            ▲                                                                       │
                     │            └────────────── resume, on a new operator ◄─────────────────────────────┘
                     └── retry, clear: a new operator, with the same store or with none

All clocks stand still until somebody sleeps. A sleep moves the time of worker, trigger and service together, does what
is due on the way, and lets people glance at their change requests. So every constant of the package is the real one.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
import time_machine

from tests.people import Deed, Desk

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RETRY_DELAY = 300.0  # Airflow's default
TICK = 0.001  # seconds that every sleep takes longer, so that rounding never wakes anybody too early
FULL = os.environ.get("STORIES") == "all"  # every combination; else a share of them that is drawn by a seed
GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
V1, V2, V3, V4, NEW_FEATURE, OTHER_TARGET = (f"64d00000000000000000000{number}" for number in range(1, 7))
BEFORE = {GOVERNED: V1, UNGOVERNED: V2}
REQUESTER = "requester@example.com"
LINES = {
    "getChangeRequest": r"GET /api/v2/changeRequests/\w+/",
    "createChangeRequest": r"POST /api/v2/changeRequests/",
    "updateChangeRequestStatus": r"PATCH /api/v2/changeRequests/\w+/status/",
    "replaceDeploymentModel": r"PATCH /api/v2/deployments/\w+/model/",
    "createDeploymentPredictionDataExport": r"POST /api/v2/deployments/\w+/predictionDataExports/",
}
Build = Callable[[], Any]
Happening = Callable[[], object]
Story = TypeVar("Story")


def share_of(stories: Iterable[Story], share: float) -> list[Story]:
    """So many of the stories, the same in every run; all of them with ``STORIES=all``."""
    drawing = dice()
    return [story for story in stories if drawing.random() < share or FULL]


def dice(seed: int = 20260302) -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(seed)  # noqa: S311 - draws stories, no secrets


class Crash(BaseException):
    """The worker process is gone: nothing of ours runs after it."""


class Crashing(httpx.BaseTransport):
    """A connection on which the worker dies, once, before or after it has sent its nth request.

    :param operation: counts only requests of this operation.
    :param deed: is done in place of dying.
    """

    def __init__(self, nth: int, after: bool, operation: str | None = None, deed: Happening | None = None) -> None:
        self._wire = httpx.HTTPTransport(verify=False)
        self._nth = nth
        self._after = after
        self._deed = deed
        self._line = LINES[operation] if operation else ""
        self.count = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.path}"
        met = re.fullmatch(self._line, line) is not None if self._line else True
        self.count += met
        now = met and self.count == self._nth
        if now and not self._after:
            self._happen(f"before {line}")
        response = self._wire.handle_request(request)
        if now and self._after:
            response.read()
            self._happen(f"after {line}")
        return response

    def _happen(self, when: str) -> None:
        if self._deed is None:
            raise Crash(when)
        self._deed()

    def close(self) -> None:
        self._wire.close()  # at the end of each attempt; the next one opens it again


class Store:
    """Airflow's task state store as far as it is used: JSON by key, over attempts and clears."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)


class Stage:
    """One emulator and everybody who works with it, in one time."""

    def __init__(
        self,
        service: EmulatorDoor,
        traveller: time_machine.Traveller,
        runner: asyncio.Runner,
        tell_time: Callable[[float], object] | None = None,
    ) -> None:
        self.service = service
        self.runner = runner
        self.task_state: str | None = "failed"  # what Airflow says of a task whose process is told to end
        self.naps: list[float] = []
        self.away: list[Happening] = []
        self.transport: httpx.BaseTransport | None = None
        self._traveller = traveller
        self._tell_time = tell_time
        self._due: list[tuple[float, int, Happening]] = []
        self._numbers = itertools.count()
        self._people: list[Person] = []
        self._desks: dict[str, Desk] = {}
        self._move_to(time.time())

    def anew(self, **switches: Any) -> None:
        """Another story: the world as at the start, nobody here, nothing planned."""
        self.leave()
        self.service.reset(**switches)

    def while_away(self, *deeds: Happening) -> None:
        """Does this while the task is deferred and no triggerer is there yet; one deed for each deferral."""
        self.away += deeds

    def before(self, operation: str, deed: Happening, nth: int = 1) -> None:
        """Does this once, just before the worker sends its nth request of an operation."""
        self.transport = Crashing(nth, after=False, operation=operation, deed=deed)

    def at(self, seconds: float, deed: Happening) -> None:
        """Does this once so many seconds from now have passed."""
        heapq.heappush(self._due, (time.time() + seconds, next(self._numbers), deed))

    def sleep(self, seconds: float) -> None:
        """Lets the time of all pass."""
        self.naps.append(seconds)
        end = time.time() + seconds + TICK
        while self._due and self._due[0][0] <= end:
            moment, _, deed = heapq.heappop(self._due)
            self._move_to(max(moment, time.time()))
            deed()
        self._move_to(end)
        for person in self._people:
            person.glance()

    def _move_to(self, moment: float) -> None:
        self._traveller.move_to(moment, tick=False)
        if self._tell_time is not None:
            self._tell_time(moment)

    async def asleep(self, seconds: float) -> None:
        """The same in the triggerer."""
        self.sleep(seconds)
        await asyncio.sleep(0)

    def enter(self, user: str, deed: Deed, after: float = 0.0, times: int = 1) -> Desk:
        """Someone who does ``deed`` to so many pending requests, so many seconds after first seeing each."""
        person = Person(self.desk(user), deed, after, times)
        self._people.append(person)
        return person.desk

    def desk(self, user: str) -> Desk:
        """What a person can do; one for all stories."""
        if user not in self._desks:
            self._desks[user] = Desk(self.service.endpoint, self.service.tokens[user])
        return self._desks[user]

    def leave(self) -> None:
        """Nobody is here any more, and nothing is planned."""
        self._people.clear()
        self._due.clear()
        self.naps.clear()
        self.away.clear()
        self.transport = None

    def close(self) -> None:
        """The end of all stories."""
        self.leave()
        for desk in self._desks.values():
            desk.close()


@dataclass
class Person:
    """Somebody who does ``deed`` to pending requests, ``after`` so many seconds of looking at each."""

    desk: Desk
    deed: Deed
    after: float
    times: int
    seen: dict[str, float] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def glance(self) -> None:
        """Looks at the open requests, and acts where it is time."""
        if len(self.done) == self.times:
            return
        now = time.time()
        for request in self.desk.requests():
            first = self.seen.setdefault(request["id"], now)
            if now - first >= self.after and request["id"] not in self.done:
                self.done.add(request["id"])
                self.deed(self.desk, request)


@dataclass
class Ending:
    """How an attempt ended: ``success``, ``failed`` (for good), ``retry``, ``skipped`` or ``crashed``."""

    state: str
    result: Any = None
    error: BaseException | None = None

    def __str__(self) -> str:
        return f"{self.state}: {self.error if self.error is not None else self.result}"


@dataclass
class Task:
    """A task instance: attempts of an operator that ``build`` makes anew each time, as each worker process would.

    :param store: what survives an attempt; None before Airflow 3.3.
    :param retries: attempts after the first, for errors that are worth one.
    """

    stage: Stage
    build: Build
    store: Store | None = None
    retries: int = 0
    xcoms: dict[str, Any] = field(default_factory=dict)
    deferrals: int = 0
    endings: list[Ending] = field(default_factory=list)
    operator: Any = None
    trigger: dict[str, Any] = field(default_factory=dict)
    max_tries: int = field(init=False)

    def __post_init__(self) -> None:
        self.max_tries = self.retries

    def run(self) -> Ending:
        """All attempts, five minutes apart, until the task has ended."""
        while True:
            ending = self.attempt()
            if ending.state not in ("retry", "crashed") or len(self.endings) > self.max_tries:
                return ending
            self.stage.sleep(RETRY_DELAY)

    def clear(self) -> Ending:
        """Somebody clears the task: it is run again, with as many retries as at first. The store is kept (3.3)."""
        self.max_tries = len(self.endings) + self.retries
        return self.run()

    def attempt(self) -> Ending:
        """One attempt, deferrals included."""
        from airflow.providers.common.compat.sdk import TaskDeferred

        self.xcoms.clear()  # Airflow does so before each attempt
        context = self._context()
        step = functools.partial(self._execute, context)
        while True:
            self.operator = self.build()
            try:
                return self._ended(Ending("success", json.loads(json.dumps(step(self.operator)))))
            except TaskDeferred as deferred:
                self.deferrals += 1
                step = functools.partial(self._resume, context, deferred, self._event(deferred))
            except Crash as crash:
                return self._ended(Ending("crashed", error=crash))
            except Exception as error:
                return self._ended(_failure(error))

    def _ended(self, ending: Ending) -> Ending:
        self.endings.append(ending)
        return ending

    def _context(self) -> dict[str, Any]:
        instance = SimpleNamespace(
            dag_id="promote",
            task_id="replace",
            run_id="scheduled__2026-03-02",
            map_index=-1,
            try_number=len(self.endings) + 1,
            max_tries=self.max_tries,
            start_date=datetime.now(UTC),
            xcom_push=lambda key, value: self.xcoms.__setitem__(key, json.loads(json.dumps(value))),
        )
        return {"ti": instance} | ({"task_state_store": self.store} if self.store is not None else {})

    @staticmethod
    def _execute(context: dict[str, Any], operator: Any) -> Any:
        from airflow.sdk.bases.operator import ExecutorSafeguard

        sentinel = {f"{type(operator).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
        return operator.execute(context, **sentinel)

    @staticmethod
    def _resume(context: dict[str, Any], deferred: Any, event: Any, operator: Any) -> Any:
        kwargs = {**(deferred.kwargs or {}), "event": event}
        return operator.resume_execution(deferred.method_name, kwargs, context)

    def _event(self, deferred: Any) -> Any:
        """What the trigger fires, after everything went through the database as JSON."""
        path, self.trigger = json.loads(json.dumps(deferred.trigger.serialize()))
        if self.stage.away:
            self.stage.away.pop(0)()
        event = self.stage.runner.run(_fired(path, self.trigger))
        return json.loads(json.dumps(event))


def replacing(
    stage: Stage, deployment: str, *, store: bool = True, deferrable: bool = True, retries: int = 2, **arguments: Any
) -> Task:
    """A task that replaces the champion of the deployment by V3, unless the arguments say otherwise."""
    from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

    given = {"deployment_id": deployment, "model_package_id": V3, "reason": "ACCURACY", "apply_timeout": 900}

    def build() -> DataRobotReplaceModelOperator:
        return DataRobotReplaceModelOperator(task_id="replace", deferrable=deferrable, **{**given, **arguments})

    return Task(stage, build, Store() if store else None, retries)


def calls_of(stage: Stage) -> list[tuple[str, int]]:
    """What the requester has called so far: each operation with how often it was called by then."""
    counts: Counter[str] = Counter()
    calls = []
    for entry in stage.service.log(user=REQUESTER):
        counts[entry["operationId"]] += 1
        calls.append((entry["operationId"], counts[entry["operationId"]]))
    return calls


async def _fired(path: str, kwargs: dict[str, Any]) -> Any:
    from airflow_provider.triggers.wait import DataRobotWaitTrigger

    assert path == f"{DataRobotWaitTrigger.__module__}.{DataRobotWaitTrigger.__qualname__}"
    events = DataRobotWaitTrigger(**kwargs).run()
    try:
        return (await anext(events)).payload
    finally:
        await events.aclose()  # type: ignore[attr-defined]


def _failure(error: Exception) -> Ending:
    from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

    if isinstance(error, AirflowSkipException):
        return Ending("skipped", error=error)
    if isinstance(error, AirflowFailException):
        return Ending("failed", error=error)
    assert isinstance(error, AirflowException), f"an error that is none of ours nor Airflow's: {error!r}"
    return Ending("retry", error=error)


@contextmanager
def staged(
    service: EmulatorDoor,
    monkeypatch: pytest.MonkeyPatch,
    runner: asyncio.Runner,
    tell_time: Callable[[float], object] | None = None,
) -> Iterator[Stage]:
    """Stops the time, and lets the client and the trigger sleep on the stage.

    :param tell_time: is told the time whenever it moves, for a service in another process.
    """
    from airflow_provider.api import pool
    from airflow_provider.api.client import Client
    from airflow_provider.hooks import instances
    from airflow_provider.hooks.datarobot import DataRobotHook
    from airflow_provider.hooks.stats import OBSERVER
    from airflow_provider.triggers import sharing

    with time_machine.travel(START, tick=False) as traveller:
        stage = Stage(service, traveller, runner, tell_time)
        service.reset()

        def get_conn(hook: DataRobotHook) -> Client:
            return Client(hook.settings(), observer=OBSERVER, sleep=stage.sleep, rng=dice(), transport=stage.transport)

        monkeypatch.setattr(DataRobotHook, "get_conn", get_conn)
        monkeypatch.setattr(pool, "lease", functools.partial(pool.lease, sleep=stage.asleep))
        monkeypatch.setattr(pool, "FRESH", 0.0)  # seconds of the event loop, which the stage does not move
        monkeypatch.setattr(instances, "state_of", lambda instance: stage.task_state)
        monkeypatch.setattr(sharing, "LATELY", -1.0)  # each test has a connection of its own
        try:
            yield stage
        finally:
            stage.close()
