"""Airflow's own trigger runner in this process; only the other end of its socket, the supervisor, is ours."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider.triggers import wait

TURN = 0.02  # seconds between two turns of the runner's loop, unless a trigger ends before; Airflow takes one


def task_instance(task_id: str = "wait", map_index: int = -1) -> Any:
    """A task instance as the triggerer knows it."""
    try:
        from airflow.executors.workloads import TaskInstanceDTO as Instance
    except ImportError:  # Airflow 3.1
        from airflow.executors.workloads import TaskInstance as Instance
    return Instance(
        id=uuid.uuid4(),
        dag_version_id=uuid.uuid4(),
        task_id=task_id,
        dag_id="dag",
        run_id="run",
        try_number=1,
        map_index=map_index,
        pool_slots=1,
        queue="default",
        priority_weight=1,
    )


def row(number: int, trigger: Any, *, instance: Any = None, timeout_after: datetime | None = None) -> Any:
    """The trigger as its database row gives it to a triggerer, encrypted arguments included."""
    from airflow.executors import workloads
    from airflow.models.trigger import Trigger

    path, kwargs = trigger.serialize()
    return workloads.RunTrigger(  # type: ignore[attr-defined]
        id=number,
        classpath=path,
        encrypted_kwargs=Trigger.encrypt_kwargs(kwargs),
        ti=instance or task_instance(),
        timeout_after=timeout_after,
    )


@dataclass
class Supervisor:
    """What the runner is told (``to_create``, ``to_cancel``, ``states``) and what it tells (``events``, ``failures``).

    ``states`` maps a task, ``wait`` or ``wait_3`` when it is mapped, to its state; a missing one is not known.
    """

    states: dict[str, str | None] = field(default_factory=dict)
    to_create: list[Any] = field(default_factory=list)
    to_cancel: set[int] = field(default_factory=set)
    events: dict[int, Any] = field(default_factory=dict)
    failures: dict[int, Any] = field(default_factory=dict)
    finished: list[int] = field(default_factory=list)
    questions: list[Any] = field(default_factory=list)  # for states of tasks
    deaf: bool = False
    at_leisure: threading.Event | None = None  # answers only when this is set

    async def asend(self, message: Any) -> Any:
        """Answers as the supervisor would."""
        if type(message).__name__ == "TriggerStateChanges":
            return self._exchange(message)
        return self.send(message)

    def send(self, message: Any) -> Any:
        """The same from another thread."""
        from airflow.sdk.execution_time.comms import TaskStatesResult

        if type(message).__name__ != "GetTaskStates":
            return None  # a secret to mask
        self.questions.append(message)
        if self.at_leisure is not None:
            assert self.at_leisure.wait(20)
        if self.deaf:
            raise OSError("nobody is there any more")
        return TaskStatesResult(task_states={"run": self.states} if self.states else {})

    def _exchange(self, message: Any) -> Any:
        from airflow.jobs.triggerer_job_runner import messages

        for entry in message.events or ():
            number, event = (entry.trigger_id, entry.event) if hasattr(entry, "event") else entry
            self.events[number] = json.loads(json.dumps(event.payload))
        self.failures.update(message.failures or ())
        self.finished += message.finished or ()
        create, self.to_create = self.to_create, []
        self.to_cancel -= set(message.finished or ())  # until then, each turn cancels them once more
        return messages.TriggerStateSync(to_create=create, to_cancel=self.to_cancel)


class Triggerer:
    """One triggerer process, as far as a test needs one."""

    def __init__(self, supervisor: Supervisor) -> None:
        from airflow.jobs.triggerer_job_runner import TriggerRunner

        self.supervisor = supervisor
        self.runner = TriggerRunner()
        self.runner.comms_decoder = supervisor  # type: ignore[assignment]

    async def turn(self) -> None:
        """One turn of the runner's main loop (``TriggerRunner.arun``)."""
        finished = await self.runner.cleanup_finished_triggers()
        await self.runner.sync_state_to_supervisor(finished)
        await self.runner.create_triggers()
        await self.runner.cancel_triggers()

    async def until(self, ready: Callable[[], object], seconds: float = 20.0) -> None:
        """Turns until something is so."""
        async with asyncio.timeout(seconds):
            while not ready():
                await self.turn()
                running = {details["task"] for details in self.runner.triggers.values()} | wait._stopping
                if running:
                    await asyncio.wait(running, timeout=TURN, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)

    async def start(self, *rows: Any) -> None:
        """Runs these rows; returns when all of them have begun."""
        self.supervisor.to_create += rows
        await self.until(lambda: all(one.id in self.runner.triggers for one in rows))

    async def cancel(self, *numbers: int) -> None:
        """What the runner does when rows are gone from its share of the database; returns when they are out."""
        self.supervisor.to_cancel |= set(numbers)
        await self.turn()
        await self.until(lambda: not set(numbers) & set(self.runner.triggers) and not wait._stopping)

    async def shut_down(self) -> None:
        """What ``asyncio.run`` does at the end: every task is cancelled, without a word."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@asynccontextmanager
async def triggerer(monkeypatch: pytest.MonkeyPatch, supervisor: Supervisor | None = None) -> AsyncIterator[Triggerer]:
    """A triggerer whose triggers are all ended with the block."""
    from airflow.sdk.execution_time import task_runner

    made = Triggerer(supervisor or Supervisor())
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", made.supervisor, raising=False)
    try:
        yield made
    finally:
        await made.shut_down()


def past() -> datetime:
    """A moment that is over."""
    return datetime(2026, 1, 1, tzinfo=UTC)
