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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider.api.errors import DataRobotError, JobFailed, PollBudgetSpent, WaitTimedOut
from airflow_provider.api.waiting import End, Pacing, Refresh, Waiting
from airflow_provider.api.waits import UntilWait, wait_from_json
from airflow_provider.contract.secrets import mask
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks import arguments
from airflow_provider.tasks.links import LINK_KEY, DataRobotLink
from airflow_provider.tasks.memory import Handle, Memory, fingerprint
from airflow_provider.tasks.outcomes import translated
from airflow_provider.tasks.run import Await, Planned, Run, look_once
from airflow_provider.triggers.event import WaitEvent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.triggers.wait import DataRobotWaitTrigger

Step = Await | dict[str, Any] | list[Any]

DAY = 86400.0
BACKSTOP = 600.0  # seconds after our own deadline at which Airflow's timeout of the deferral would strike
FAIL_SIGNAL = "__fail__"


class DataRobotBaseOperator(BaseOperator):
    """Base of all operators that write.

    :param datarobot_conn_id: the Airflow connection.
    :param deferrable: wait in the triggerer (default: ``[operators] default_deferrable``) or on the worker.
    :param timeout: seconds or a timedelta for the whole task, waits included; holds over retries that take up work.
    :param poll_interval: seconds between the first looks; they grow apart up to a minute.
    :param plan_only: make all checks and reads, log the first write, and stop there.
    :param extra_body: keys for the request body that the contract does not know.
    :param cancel_on_kill: cancel the remote work when a user kills the task, where the service can.
    :param cancel_adopted: also cancel work that this task found under way and took up.
    :param on_timeout: ``cancel`` or ``leave`` the remote work when the deadline passes.
    :param settle: seconds after a lost answer within which the service may still commit the write.
    """

    template_fields: Sequence[str] = (
        "datarobot_conn_id",
        "timeout",
        "poll_interval",
        "plan_only",
        "extra_body",
        "cancel_on_kill",
        "cancel_adopted",
        "on_timeout",
        "settle",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"extra_body": "json"}
    operator_extra_links = (DataRobotLink(),)
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        datarobot_conn_id: str = DataRobotHook.default_conn_name,
        deferrable: bool | None = None,
        timeout: float | timedelta | str | None = DAY,
        poll_interval: float | str = 5.0,
        plan_only: bool | str = False,
        extra_body: Mapping[str, Any] | None = None,
        cancel_on_kill: bool | str = True,
        cancel_adopted: bool | str = False,
        on_timeout: str = "cancel",
        settle: float | timedelta | str = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.datarobot_conn_id = datarobot_conn_id
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self.timeout = timeout
        self.poll_interval = poll_interval
        self.plan_only = plan_only
        self.extra_body = extra_body
        self.cancel_on_kill = cancel_on_kill
        self.cancel_adopted = cancel_adopted
        self.on_timeout = on_timeout
        self.settle = settle
        self._run: Run | None = None

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
        raise JobFailed(reason, operation=self.operation)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with the unsettled work of an earlier attempt: waits for it, or looks again."""
        if handle.state == "submitted" and handle.wait:
            return Await(wait_from_json(handle.wait), "work of an earlier attempt", handle.cancel)
        run.outwait(handle)
        return self.start(run)

    def prepare(self) -> None:
        """Checks the rendered arguments and gives them their types; called before anything is sent."""
        self.plan_only = arguments.flag("plan_only", self.plan_only)
        self.cancel_on_kill = arguments.flag("cancel_on_kill", self.cancel_on_kill)
        self.cancel_adopted = arguments.flag("cancel_adopted", self.cancel_adopted)
        self.extra_body = arguments.mapping("extra_body", self.extra_body)
        self.on_timeout = arguments.one_of("on_timeout", self.on_timeout, ("cancel", "leave"))
        self.timeout = arguments.seconds("timeout", self.timeout)
        self.settle = arguments.seconds("settle", self.settle) or 0.0
        self.poll_interval = arguments.seconds("poll_interval", self.poll_interval) or Pacing().interval

    # --- what Airflow calls -----------------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Runs the task up to its end, or up to its first long wait."""
        with translated(), self._opened(context) as run:
            try:
                return self._finish(run, self._first_step(run))
            except Planned as planned:
                return self._plan(planned)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Goes on after the trigger fired; whatever the event says, the service is asked again."""
        told = WaitEvent.from_dict(event)
        with translated(), self._opened(context) as run:
            handle = Handle.from_json(told.handle) or run.memory.recall()
            if handle is None:
                return self._finish(run, self.start(run))
            run.memory.handle = handle
            run.deadline = handle.deadline
            return self._finish(run, self._after(run, told))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Says what becomes of the remote work when the trigger itself failed; nothing is cancelled then."""
        if next_method == FAIL_SIGNAL:
            self.log.warning("The wait broke off. The remote work goes on, and the next attempt takes it up.")
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Cancels the remote work of a task that is killed while it occupies a worker."""
        if self._run is not None:
            self._cancel(self._run, "the task was killed")

    # --- the life cycle ---------------------------------------------------------------------------------------

    @contextmanager
    def _opened(self, context: Context) -> Iterator[Run]:
        """The run of this attempt; its connections are closed however the block ends."""
        self.prepare()
        store = context.get("task_state_store")  # Airflow 3.3 and later
        identity = mask({"connection": self.datarobot_conn_id, **self.identity()})
        self._run = Run(
            client=DataRobotHook(self.datarobot_conn_id).get_conn(),
            memory=Memory(store),
            operation=self.operation,
            fingerprint=fingerprint(self.operation, identity),
            deadline=self._deadline(context),
            settle=float(self.settle),  # type: ignore[arg-type]
            log=self.log,  # type: ignore[arg-type]
            plan_only=bool(self.plan_only),
        )
        try:
            self._push_link(context, self._run)
            yield self._run
        finally:
            self._run.client.close()
            self._run = None

    def _deadline(self, context: Context) -> float | None:
        """Absolute: our timeout from now, and Airflow's execution_timeout from the start of the attempt."""
        ends = []
        if self.timeout is not None:
            ends.append(time.time() + float(self.timeout))  # type: ignore[arg-type]
        if self.execution_timeout is not None:
            started = getattr(context["ti"], "start_date", None)
            start = started.timestamp() if started else time.time()
            ends.append(start + self.execution_timeout.total_seconds())
        return min(ends) if ends else None

    def _push_link(self, context: Context, run: Run) -> None:
        url = self.link(run.client.settings.web_url)
        if url:
            context["ti"].xcom_push(key=LINK_KEY, value=url)

    def link(self, web_url: str) -> str | None:
        """The page of the service's web UI that the task is about."""
        return None

    def _first_step(self, run: Run) -> Step:
        handle = run.memory.recall()
        if handle is None or handle.state == "settled" or run.plan_only:
            return self.start(run)
        if handle.fingerprint != run.fingerprint:
            self.log.warning("An earlier attempt with other arguments left work under way: %s", handle.to_json())
            return self.start(run)
        self.log.info("Taking up the work of an earlier attempt: %s is %s.", handle.stage, handle.state)
        run.deadline = handle.deadline
        return self.take_up(run, handle)

    def _finish(self, run: Run, step: Step) -> Any:
        while isinstance(step, Await):
            handle = run.remember(step)
            self.log.info("Waiting: %s.", step.note)
            end = self._look(run, step)
            if end is None and self.deferrable:
                self._defer(run, step, handle)
            step = self._after(run, WaitEvent.of(end or self._wait_in_place(run, step)))
        run.memory.settle()
        return json.loads(json.dumps(step, default=str))

    def _after(self, run: Run, told: WaitEvent) -> Step:
        match told.outcome:
            case "done":
                return self.proceed(run, told.result)
            case "failed":
                return self.failed(run, told.reason or "the service gave no reason", told.result)
            case "timed_out":
                return self.timed_out(run, told.reason)
            case "gave_up":
                raise PollBudgetSpent(f"{told.reason}; the remote work goes on, the next attempt takes it up")
            case _:
                self.log.warning("The event says nothing (%s); asking the service.", told.reason)
                assert run.handle is not None, "a task that waits has a handle"
                return self.take_up(run, run.handle)

    def timed_out(self, run: Run, note: str | None) -> Step:
        """Goes on after the deadline; by default the remote work is cancelled or left, and the task fails."""
        cancelled = self.on_timeout == "cancel" and self._cancel(run, "the deadline passed")
        if not cancelled:
            note = f"{note}; the remote work goes on"
        raise WaitTimedOut(f"not over at the deadline: {note}", operation=self.operation)

    def _cancel(self, run: Run, why: str) -> bool:
        """Sends the write that stops the work under way; whether it was sent and accepted."""
        handle = run.handle
        if handle is None or handle.state == "settled":
            return False
        if handle.cancel is None or not self._may_cancel(handle):
            self.log.warning("%s; the remote work (%s) goes on: %s", why, handle.stage, self._why_not(handle))
            return False
        try:
            cancel = handle.cancel
            # A client of its own: the run's may be in the middle of a call when a kill arrives.
            with DataRobotHook(self.datarobot_conn_id).get_conn() as client:
                client.call(cancel["operation"], cancel.get("body"), **cancel["arguments"])
        except DataRobotError as error:
            self.log.error("%s; cancelling the remote work (%s) failed: %s", why, handle.stage, error)
            return False
        self.log.info("%s; its remote work (%s) was cancelled.", why, handle.stage)
        run.memory.settle()
        return True

    def _may_cancel(self, handle: Handle) -> bool:
        return bool(self.cancel_on_kill) and (handle.owner == "ours" or bool(self.cancel_adopted))

    def _why_not(self, handle: Handle) -> str:
        if handle.cancel is None:
            return "the service has no call that stops it"
        if not self.cancel_on_kill:
            return "cancel_on_kill is off"
        return "it was not started by this task, and cancel_adopted is off"

    # --- waiting ----------------------------------------------------------------------------------------------

    def _waiting(self, run: Run, step: Await, pacing: Pacing) -> Waiting:
        return Waiting(step.wait, pacing, run.clock(), run.deadline)

    def _look(self, run: Run, step: Await) -> End | None:
        """One look on the worker: what is over already is never deferred."""
        if isinstance(step.wait, UntilWait):
            return None
        return look_once(run.client, self._waiting(run, step, Pacing()))

    def _wait_in_place(self, run: Run, step: Await) -> End:
        interval = float(self.poll_interval)
        waiting = self._waiting(run, step, Pacing(first=interval, interval=interval))
        while isinstance(end := run.client.drive(waiting, self.log.info), Refresh):
            self.log.info("The token was refused; the connection %s is read again.", self.datarobot_conn_id)
            run.client.close()
            run.client = DataRobotHook(self.datarobot_conn_id).get_conn()
            waiting.refreshed()
        return end

    def _defer(self, run: Run, step: Await, handle: Handle) -> None:
        backstop = None
        if run.deadline is not None:
            backstop = timedelta(seconds=max(run.deadline - run.clock(), 0.0) + BACKSTOP)
        self.defer(trigger=self._trigger(run, step, handle), method_name="resume", timeout=backstop)

    def _trigger(self, run: Run, step: Await, handle: Handle) -> DataRobotWaitTrigger:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        return DataRobotWaitTrigger(
            datarobot_conn_id=self.datarobot_conn_id,
            wait=handle.wait or {},
            handle=handle.to_json(),
            deadline=run.deadline,
            pacing={"interval": float(self.poll_interval)},
            cancel=step.cancel if self._may_cancel(handle) else None,
        )

    def _plan(self, planned: Planned) -> dict[str, Any]:
        call = planned.call
        plan = {"operation": call.operation.id, "method": call.operation.method, "path": call.path}
        plan["body"] = mask(call.body)
        self.log.info("plan_only: the task would send %s %s with %s", plan["method"], plan["path"], plan["body"])
        return {"plan": plan}
