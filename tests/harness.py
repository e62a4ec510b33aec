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
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import time_machine

from tests.people import Deed, Desk

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RETRY_DELAY = 300.0  # Airflow's default
TICK = 0.001  # seconds that every sleep takes longer, so that rounding never wakes anybody too early
Build = Callable[[], Any]


class Crash(BaseException):
    """The worker process is gone: nothing of ours runs after it."""


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

    def __init__(self, service: EmulatorDoor, traveller: time_machine.Traveller, runner: asyncio.Runner) -> None:
        self.service = service
        self.runner = runner
        self.naps: list[float] = []
        self.transport: httpx.BaseTransport | None = None
        self._traveller = traveller
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._people: list[_Person] = []

    def at(self, seconds: float, deed: Callable[[], None]) -> None:
        """Does this once so many seconds from now have passed."""
        heapq.heappush(self._due, (time.time() + seconds, next(self._numbers), deed))

    def sleep(self, seconds: float) -> None:
        """Lets the time of all pass."""
        self.naps.append(seconds)
        end = time.time() + seconds + TICK
        while self._due and self._due[0][0] <= end:
            moment, _, deed = heapq.heappop(self._due)
            self._traveller.move_to(max(moment, time.time()), tick=False)
            deed()
        self._traveller.move_to(end, tick=False)
        for person in self._people:
            person.glance()

    async def asleep(self, seconds: float) -> None:
        """The same in the triggerer."""
        self.sleep(seconds)
        await asyncio.sleep(0)

    def enter(self, user: str, deed: Deed, after: float = 0.0) -> Desk:
        """Someone who does ``deed`` to each pending request, once, so many seconds after first seeing it."""
        desk = Desk(self.service.endpoint, self.service.tokens[user])
        self._people.append(_Person(desk, deed, after))
        return desk

    def leave(self) -> None:
        """Nobody is here any more, and nothing is planned."""
        for person in self._people:
            person.desk.close()
        self._people.clear()
        self._due.clear()
        self.naps.clear()
        self.transport = None


@dataclass
class _Person:
    desk: Desk
    deed: Deed
    after: float
    seen: dict[str, float] = field(default_factory=dict)

    def glance(self) -> None:
        now = time.time()
        for request in self.desk.requests():
            first = self.seen.setdefault(request["id"], now)
            if now - first >= self.after and request["id"] not in self.desk.done:
                self.desk.done.append(request["id"])
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

    def run(self) -> Ending:
        """All attempts, five minutes apart, until the task has ended."""
        while True:
            ending = self.attempt()
            if ending.state not in ("retry", "crashed") or len(self.endings) > self.retries:
                return ending
            self.stage.sleep(RETRY_DELAY)

    def attempt(self) -> Ending:
        """One attempt, deferrals included."""
        from airflow.sdk.exceptions import TaskDeferred

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
        path, kwargs = json.loads(json.dumps(deferred.trigger.serialize()))
        event = self.stage.runner.run(_fired(path, kwargs))
        return json.loads(json.dumps(event))


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
def staged(service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner) -> Iterator[Stage]:
    """Stops the time, and lets the client and the trigger sleep on the stage."""
    from airflow_provider.api import pool
    from airflow_provider.api.client import Client
    from airflow_provider.hooks.datarobot import DataRobotHook

    with time_machine.travel(START, tick=False) as traveller:
        stage = Stage(service, traveller, runner)
        service.reset()

        def get_conn(hook: DataRobotHook) -> Client:
            return Client(hook.settings(), sleep=stage.sleep, rng=random.Random(7), transport=stage.transport)

        monkeypatch.setattr(DataRobotHook, "get_conn", get_conn)
        monkeypatch.setattr(pool, "lease", functools.partial(pool.lease, sleep=stage.asleep, rng=random.Random(7)))
        monkeypatch.setattr(pool, "FRESH", 0.0)  # seconds of the event loop, which the stage does not move
        try:
            yield stage
        finally:
            stage.leave()
