"""The one trigger: it drives any wait, and sends nothing but GETs while it runs.

Class path and argument names stand in users' databases; they never change. New arguments get defaults and are
written only when they differ from them, unknown ones are passed over, so that a row of another release still starts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.waiting import PATIENCE, End, GaveUp, Pacing, Refresh, Waiting
from airflow_provider.api.waits import wait_from_json
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.hooks.instances import ENDED, state_of
from airflow_provider.hooks.lines import line, looked_at, moment
from airflow_provider.hooks.stats import OBSERVER
from airflow_provider.triggers.event import WaitEvent
from airflow_provider.triggers.sharing import settings_of

if TYPE_CHECKING:
    from airflow_provider.api.client import AsyncClient

# An executor may report the end of the deferring process up to five seconds late ([workers] min_heartbeat_interval);
# a task that was resumed before that is failed by the scheduler (apache/airflow #72716).
FIRST_POLL = 6.0
_stopping: set[asyncio.Task[None]] = set()  # a loop alone would not keep them
_under_way: set[asyncio.Task[None]] = set()


class DataRobotWaitTrigger(BaseTrigger):
    """Waits for something at the service and fires one :class:`WaitEvent`.

    :param datarobot_conn_id: the connection.
    :param wait: the wait as plain JSON (``airflow_provider.api.waits``).
    :param handle: what the task wants to find in the event.
    :param deadline: seconds since 1970; at the deadline there is one last look, then the outcome is ``timed_out``.
    :param pacing: seconds ``first``, ``interval``, ``cap`` and the ``factor``; what is absent has its default.
    :param patience: seconds of errors in a row after which the outcome is ``gave_up``.
    :param cancel: the one write that stops the work, sent when a user kills the task: ``operation``, ``arguments``,
        ``body``. None: the work goes on, and the log says so.
    """

    def __init__(
        self,
        datarobot_conn_id: str,
        wait: dict[str, Any],
        handle: dict[str, Any] | None = None,
        deadline: float | None = None,
        pacing: dict[str, float] | None = None,
        patience: float = PATIENCE,
        cancel: dict[str, Any] | None = None,
        **_of_another_release: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.datarobot_conn_id = datarobot_conn_id
        self.wait = wait
        self.handle = handle
        self.deadline = deadline
        self.pacing = pacing
        self.patience = patience
        self.cancel = cancel
        self._fired = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, plain JSON only, defaults left out."""
        given: dict[str, Any] = {"datarobot_conn_id": self.datarobot_conn_id, "wait": self.wait}
        optional = {"handle": self.handle, "deadline": self.deadline, "pacing": self.pacing, "cancel": self.cancel}
        given.update({name: value for name, value in optional.items() if value is not None})
        if self.patience != PATIENCE:
            given["patience"] = self.patience
        return "airflow_provider.triggers.wait.DataRobotWaitTrigger", given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks until the wait is over, then fires once and returns."""
        try:
            end = await self._end()
        except asyncio.CancelledError as cancelled:
            if not hasattr(BaseTrigger, "on_kill") and not cancelled.args and self._may_be_killed():
                await self.on_kill()
            raise
        self._fired = True
        yield TriggerEvent(WaitEvent.of(end, self.handle).to_dict())

    async def on_kill(self) -> None:
        """Stops the remote work after a user killed the task, if anything is known that stops it.

        Airflow 3.3.0-3.3.2 also calls this when a trigger merely moves to another triggerer, so the state of the task
        decides: only a task that has ended was killed. A cleared task is left to its next attempt, which adopts.
        """
        if self._fired:
            return
        # A task of its own: Airflow cancels the trigger, this call included, once more at every turn of its loop. It
        # has no limit: a triggerer's first question to its API makes it build that API, a minute on a busy machine, and
        # one that is broken off ends a triggerer of Airflow 3.1 (the next question gets its answer).
        stopping = asyncio.create_task(self._stop(), name="datarobot-kill")
        _stopping.add(stopping)
        stopping.add_done_callback(_stopping.discard)
        while not stopping.done():  # the log of the task is open as long as its trigger runs
            with suppress(asyncio.CancelledError):
                await asyncio.shield(stopping)

    async def _stop(self) -> None:
        try:
            await self._stop_work()
        except Exception as error:  # any doubt leaves the work alone, and nobody is left who could do more
            self.log.warning("The remote work goes on, nothing could be done about it: %r", error)

    async def _stop_work(self) -> None:
        state = await self._task_state()
        if state not in ENDED:
            self.log.info("Task is %s: its remote work goes on.", state or "cleared or unknown")
        elif self.cancel is None:
            self.log.warning("Task was killed. Nothing cancels its remote work, which goes on: %s", self.wait)
        else:
            operation = self.cancel["operation"]
            hook = DataRobotHook(self.datarobot_conn_id)
            answer = await hook.acall(operation, self.cancel.get("body"), **self.cancel.get("arguments", {}))
            self.log.info("Task was killed; %s was sent to cancel its remote work: %s.", operation, answer.status)

    async def _end(self) -> End:
        begun = time.time()
        await self._tell("waiting", until=moment(self.deadline))
        try:
            end, sleep = await self._watched()
        except DataRobotError as error:
            end, sleep = GaveUp(f"the connection {self.datarobot_conn_id!r} cannot be used: {error}"), asyncio.sleep
        # A deadline may be near, or the connection useless: no event comes before the first look would.
        await sleep(max(begun + self._pace.get("first", FIRST_POLL) - time.time(), 0.0))
        told = WaitEvent.of(end)
        await self._tell("over", outcome=told.outcome, note=told.reason)
        return end

    async def _tell(self, state: str, **more: Any) -> None:
        await self._write(line(state, self.handle, wait=looked_at(self.wait), **more))

    async def _write(self, text: str) -> None:
        """A line, by a thread: the supervisor takes lines from a pipe, and a busy one would hold up the whole loop."""
        await self.log.ainfo("%s", text)

    def _note(self, text: str) -> None:
        writing = asyncio.create_task(self._write(text), name="datarobot-note")
        _under_way.add(writing)
        writing.add_done_callback(_under_way.discard)

    async def _watched(self) -> tuple[End, Callable[[float], Awaitable[None]]]:
        """The end, and the way to sleep of the client that saw it."""
        from airflow_provider.api.pool import lease

        waiting, refused = None, None
        while True:
            settings = await settings_of(self.datarobot_conn_id, refused)
            async with lease(settings, observer=OBSERVER) as client:
                waiting = waiting or self._waiting(client)
                step = await client.drive(waiting, self._note)
            if not isinstance(step, Refresh):
                return step, client.sleep
            await self._write(f"The token was refused; the connection {self.datarobot_conn_id} is read again.")
            refused = settings
            waiting.refreshed()

    @property
    def _pace(self) -> dict[str, float]:
        known = {one.name for one in fields(Pacing)}
        return {name: value for name, value in (self.pacing or {}).items() if name in known}

    def _waiting(self, client: AsyncClient) -> Waiting:
        spread = client.rng.uniform(0, self._pace.get("interval", Pacing().interval))  # many may start together
        pacing = Pacing(**{"first": FIRST_POLL + spread, **self._pace})
        return Waiting(wait_from_json(self.wait), pacing, time.time(), self.deadline, self.patience)

    def _may_be_killed(self) -> bool:
        """Before 3.3 a cancelled trigger is not told the cause: a user, the timeout of the deferral, or a shutdown."""
        timeout: datetime | None = getattr(self, "timeout_after", None)
        if timeout is not None and timeout.replace(tzinfo=timeout.tzinfo or UTC) < datetime.now(UTC):
            return False
        # A shutdown cancels every task of the loop; nobody is there any more to tell the state of ours.
        return not all(task.cancelling() for task in asyncio.all_tasks())

    async def _task_state(self) -> str | None:
        """The state of our task instance; None where it is not known."""
        instance = self.task_instance
        if instance is None:
            return None
        state: str | None = await sync_to_async(state_of)(instance)
        return state
