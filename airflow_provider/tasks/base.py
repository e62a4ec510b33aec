"""DataRobotBaseOperator: the life cycle of every task that changes something.

    execute ─► prepare ─► recall ─► start ──► Await? ─► look once ─► over? ─► proceed ─► ... ─► finish
                             └─► take_up ─┘      └─► defer ─► (trigger) ─► resume ─┘
                            (an unsettled handle)     or wait in place

An operator says what it is about (``identity``), and gives ``start`` and ``proceed``; each returns either an
:class:`Await` or the result of the task. Everything that holds for all of them is here and nowhere else: plans,
memory, deferral, deadlines, kills, translation of errors, links, results that survive JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider.api.errors import DataRobotError, PollBudgetSpent, WaitTimedOut
from airflow_provider.api.waits import Done, Failed, wait_from_json
from airflow_provider.api.writes import WRITES
from airflow_provider.contract.secrets import mask
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks import aftermath, telling
from airflow_provider.tasks.memory import Handle, Memory, check_plain, fingerprint
from airflow_provider.tasks.options import WritingTask
from airflow_provider.tasks.outcomes import translated
from airflow_provider.tasks.run import Await, Planned, Run
from airflow_provider.tasks.stopping import stop, was_ended
from airflow_provider.triggers.event import WaitEvent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.messages import Call
    from airflow_provider.triggers.wait import DataRobotWaitTrigger

Step = Await | dict[str, Any] | list[Any]

BACKSTOP = 600.0  # seconds after our own deadline at which Airflow's timeout of the deferral would strike
MARGIN = 5.0  # seconds before Airflow's execution_timeout, of which a tenth is enough when it is short
FAIL_SIGNAL = "__fail__"


class DataRobotBaseOperator(WritingTask):
    """Base of all operators that write; its arguments are those of :class:`WritingTask`."""

    _run: Run | None = None  # while this process works on the task

    # --- what an operator gives -------------------------------------------------------------------------------

    operation: ClassVar[str]  # the operationId of the write that the task is about

    def identity(self) -> dict[str, Any]:
        """What the task is asked to do, after rendering: equal identities are the same work."""
        raise NotImplementedError(f"{type(self).__name__} must say what it is about")

    def start(self, run: Run) -> Step:
        """Looks, and submits what is missing. Called when no unsettled work of an earlier attempt is known."""
        raise NotImplementedError(f"{type(self).__name__} must say how it starts")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Goes on after a wait that ended well; ``run.handle.stage`` tells which. The result is only a hint."""
        raise NotImplementedError(f"{type(self).__name__} waits for nothing")

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Goes on after a wait that ended badly; by default the task fails, and the work counts as over."""
        run.memory.settle()
        raise aftermath.failure(run, self.operation, reason)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with the unsettled work of an earlier attempt: waits for it, or looks again."""
        if handle.state == "submitted" and handle.wait:
            limit = None if handle.until is None else handle.until - run.clock()
            return Await(wait_from_json(handle.wait), "work of an earlier attempt", handle.cancel, limit)
        run.outwait(handle)
        return self.start(run)

    def findable(self) -> bool:
        """Whether an attempt that remembers nothing (before Airflow 3.3) finds the work of an earlier one."""
        row = WRITES.get(self.operation)
        return row is not None and row.kind != "blind"

    def certain(self) -> bool:
        """Whether it makes no difference how often earlier attempts of which nothing is remembered sent the write."""
        row = WRITES.get(self.operation)
        return row is not None and row.kind == "settable"

    # --- what Airflow calls -----------------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Runs the task up to its end, or up to its first long wait."""
        with translated(), self._opened(context) as run:
            try:
                return self._finish(run, self._first_step(run))
            except Planned as planned:
                return self._plan(planned.call)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Goes on after the trigger fired; whatever the event says, the service is asked again."""
        told = WaitEvent.from_dict(event)
        with translated(), self._opened(context) as run:
            handle = Handle.from_json(told.handle)
            if handle is None:
                self.log.warning("The event says nothing (%s); going on with what is remembered.", told.reason)
                return self._finish(run, self._first_step(run))
            if handle.fingerprint != run.fingerprint:
                self.log.warning("The arguments are not those with which this task began to wait.")
            run.go_on_with(handle)
            return self._finish(run, self._after(run, self._last_look(run, handle, told)))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Says what becomes of the remote work when the trigger itself failed; nothing is cancelled then."""
        if next_method == FAIL_SIGNAL:
            self.log.warning("The wait broke off. The remote work goes on, and the next attempt takes it up.")
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Cancels the remote work of a task that a user ends while it occupies a worker."""
        if self._run is not None and was_ended(self._run):
            stop(self._run, "the task was killed", bool(self.cancel_on_kill), bool(self.cancel_adopted))

    # --- the life cycle ---------------------------------------------------------------------------------------

    @contextmanager
    def _opened(self, context: Context) -> Iterator[Run]:
        """The run of this attempt; its connections are closed however the block ends."""
        self.introduce(context)
        self.prepare()
        store = context.get("task_state_store")  # Airflow 3.3 and later
        identity = mask({"connection": self.datarobot_conn_id, **self.identity()})
        self._run = Run(
            connect=lambda: DataRobotHook(self.datarobot_conn_id).get_conn(),
            memory=Memory(None if self.plan_only else store, partial(telling.changed, self.log)),
            operation=self.operation,
            fingerprint=fingerprint(self.operation, identity),
            deadline=None if self.timeout is None else time.time() + float(self.timeout),  # type: ignore[arg-type]
            settle=float(self.settle),  # type: ignore[arg-type]
            log=self.log,  # type: ignore[arg-type]
            plan_only=bool(self.plan_only),
            attempt_end=self._attempt_end(context),
            tries=getattr(context["ti"], "max_tries", None),
            attempt=getattr(context["ti"], "try_number", 1),
            rehearse=self._rehearse,
            instance=context["ti"],
        )
        try:
            self.web_link = self.link(self._run.client.settings.web_url)
            yield self._run
        except DataRobotError as error:
            aftermath.name_exchange(self._run, error)
            aftermath.tell_accepted(self._run, error, self.findable())
            raise
        finally:
            self._run.client.close()
            self._run = None

    def _attempt_end(self, context: Context) -> float | None:
        """When Airflow's execution_timeout ends this attempt, less what a clean end of our own takes."""
        if self.execution_timeout is None:
            return None
        seconds = self.execution_timeout.total_seconds()
        started = getattr(context["ti"], "start_date", None)
        return (started.timestamp() if started else time.time()) + seconds - min(MARGIN, seconds / 10)

    def link(self, web_url: str) -> str | None:
        """The page of the service's web UI that the task is about."""
        return None

    def _first_step(self, run: Run) -> Step:
        handle = run.memory.recall()
        if handle is not None and handle.done and handle.is_of(run.fingerprint, run.tries):
            return aftermath.done_before(run, handle)
        if handle is None or handle.state == "settled":
            return self.start(run)
        if handle.fingerprint != run.fingerprint:
            self.log.warning("An earlier attempt with other arguments left work under way: %s", handle.to_json())
            run.memory.forget()
            return self.start(run)
        if self._was_stopped(run, handle):
            self.log.info("The task was cleared, and its earlier work (%s) did not go well: beginning anew.", handle.id)
            run.memory.settle()
            return self.start(run)
        self.log.info("Taking up the work of an earlier attempt: %s is %s.", handle.stage, handle.state)
        if handle.deadline is not None:
            run.deadline = handle.deadline
        return self.take_up(run, handle)

    def _was_stopped(self, run: Run, handle: Handle) -> bool:
        """Whether somebody cleared the task after its work had been cancelled or had failed: then it is wanted anew.

        A retry, which nobody asked for, tells that outcome instead.
        """
        if handle.tries is None or handle.tries == run.tries or not handle.wait:
            return False
        match run.look(wait_from_json(handle.wait), handle.until):
            case Failed():
                return True
            case Done(result):
                return result.get("outcome") == "cancelled"
            case _:
                return False

    def _last_look(self, run: Run, handle: Handle, told: WaitEvent) -> WaitEvent:
        """A task may stand in a queue after its deadline: what ended meanwhile is not called late."""
        if told.outcome != "timed_out" or not handle.wait:
            return told
        end = run.look(wait_from_json(handle.wait), handle.until)
        return told if end is None else WaitEvent.of(end)

    def _finish(self, run: Run, step: Step) -> Any:
        while isinstance(step, Await):
            if run.plan_only:
                self.log.info("plan_only: the task would wait first: %s.", step.note)
                return {"plan": None, "waits_for": step.note}
            handle = run.remember(step)
            telling.waiting(self.log, handle, step.note)
            end = run.look(step.wait, handle.until)  # what is over already is never deferred
            if end is None and self.deferrable:
                self._defer(handle)
            end = end or run.wait_in_place(step.wait, handle.until, float(self.poll_interval))
            step = self._after(run, WaitEvent.of(end))
        step = aftermath.tell_twice(step, run)
        if run.blank and not self.certain():
            step = aftermath.tell_blank(step, run)
        result = json.loads(json.dumps(mask(step), default=str))
        run.memory.finish(result, run.tries)
        return result

    def _after(self, run: Run, told: WaitEvent) -> Step:
        telling.over(self.log, run.handle, told, run.clock())
        match told.outcome:
            case "done":
                return self.proceed(run, told.result)
            case "failed":
                return self.failed(run, told.reason or "the service gave no reason", told.result)
            case "timed_out":
                return self.timed_out(run, told.reason)
            case "gave_up":
                text = f"{told.reason}; the remote work goes on, the next attempt takes it up"
                raise PollBudgetSpent(text, request_id=run.request_id)
            case "refused":
                raise aftermath.refused(run, told.reason)
            case _:
                self.log.warning("The event says nothing (%s); asking the service.", told.reason)
                assert run.handle is not None, "a task that waits has a handle"
                return self.take_up(run, run.handle)

    def timed_out(self, run: Run, note: str | None) -> Step:
        """Goes on after the deadline; by default the remote work is cancelled or left, and the task fails."""
        if not stop(run, "the deadline passed", self.on_timeout == "cancel", bool(self.cancel_adopted)):
            note = f"{note}; the remote work goes on"
            run.memory.update(deadline=None, until=None)  # whoever clears the task gives it new time
        text = f"not over at the deadline: {note}"
        raise WaitTimedOut(text, operation=self.operation, request_id=run.request_id)

    # --- deferral ---------------------------------------------------------------------------------------------

    def _defer(self, handle: Handle) -> None:
        backstop = None
        if handle.until is not None:
            backstop = timedelta(seconds=max(handle.until - time.time(), 0.0) + BACKSTOP)
        self.defer(trigger=self._trigger(handle), method_name="resume", timeout=backstop)

    def _trigger(self, handle: Handle) -> DataRobotWaitTrigger:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        may_cancel = self.cancel_on_kill and (handle.owner == "ours" or self.cancel_adopted)
        return DataRobotWaitTrigger(
            datarobot_conn_id=self.datarobot_conn_id,
            wait=handle.wait or {},
            handle=handle.to_json(),
            deadline=handle.until,
            pacing={"interval": float(self.poll_interval)},
            cancel=handle.cancel if may_cancel else None,
        )

    def _rehearse(self, handle: Handle) -> None:
        """Raises before a write is sent when its wait could not be deferred afterwards."""
        if self.deferrable:
            check_plain("what the trigger is given", self._trigger(handle).serialize()[1])

    def _plan(self, call: Call) -> dict[str, Any]:
        plan = {"operation": call.operation.id, "method": call.operation.method, "path": call.path}
        plan["body"] = mask(call.shown)
        self.log.info("plan_only: the task would send %s %s with %s", plan["method"], plan["path"], plan["body"])
        return {"plan": plan}
