"""DataRobotBaseSensor: sensors drive the same waits as operators, through the same trigger.

    execute ─► poke, as mode says ──┐                             ┌─► follow (branches) ─► XCom
            └► look once ─► defer ──┴─► over? ─► answer ─► settle ┘
                 └─► (trigger) ─► resume

A sensor gives ``wait`` (what it looks at) and ``answer`` (what an end means). In poke and reschedule mode each poke is
one look; deferrable, the trigger looks. The deadline is ours in all modes: ``timeout`` from the first look of the first
attempt where Airflow keeps a task's state (3.3), else from the start of each attempt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider.api.waiting import End, GaveUp, Pacing, Refresh, TimedOut, Waiting
from airflow_provider.api.waits import Done, Failed, Wait, to_json, wait_from_json
from airflow_provider.contract.secrets import mask
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks import telling
from airflow_provider.tasks.links import DataRobotLink
from airflow_provider.tasks.memory import Handle, Memory, fingerprint
from airflow_provider.tasks.outcomes import translated
from airflow_provider.tasks.run import look_once
from airflow_provider.triggers.event import WaitEvent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

BACKSTOP = 600.0  # seconds after our own deadline at which Airflow's timeout of the deferral would strike


class DataRobotBaseSensor(BaseSensorOperator):
    """Base of all sensors.

    :param datarobot_conn_id: the Airflow connection.
    :param deferrable: wait in the triggerer (default: ``[operators] default_deferrable``) or as ``mode`` says.
    :param timeout: seconds or a timedelta after which the sensor fails (``soft_fail``: is skipped). A retry of an
        attempt that broke off keeps the deadline from Airflow 3.3 on.
    :param poke_interval: seconds between looks; in the triggerer they grow apart up to a minute.

    In ``reschedule`` mode each look is a process of its own: a 404 counts at once, and a status word that nobody knows
    is waited out until ``timeout``. The other ways of waiting want to see the first three times in a row, and the
    second for ten minutes.
    """

    template_fields: Sequence[str] = ("datarobot_conn_id",)
    operator_extra_links = (DataRobotLink(),)
    web_link: str | None = None  # the page of the service's web UI that the sensor is about
    ui_color = "#e3f2ea"

    looks_again: ClassVar[bool] = False  # whether what the trigger told is asked for once more: it may have changed

    def __init__(
        self,
        *,
        datarobot_conn_id: str = DataRobotHook.default_conn_name,
        deferrable: bool | None = None,
        timeout: float | timedelta = timedelta(days=7),
        poke_interval: float | timedelta = 60.0,
        **kwargs: Any,
    ) -> None:
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
        super().__init__(timeout=seconds, poke_interval=poke_interval, **kwargs)
        self.datarobot_conn_id = datarobot_conn_id
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self._memory = Memory(None)
        self._waiting: Waiting | None = None

    # --- what a sensor gives ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Checks the rendered arguments; called before anything is sent."""

    def identity(self) -> dict[str, Any]:
        """What the sensor is asked to wait for, after rendering: a later attempt with the same goes on waiting."""
        raise NotImplementedError(f"{type(self).__name__} must say what it is about")

    def wait(self, client: Client) -> Wait:
        """What the sensor looks at."""
        raise NotImplementedError(f"{type(self).__name__} must say what it waits for")

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> Any:
        """The sensor's XCom after an end; raises to fail or skip."""
        return result

    def follow(self, context: Context, answer: Any) -> None:
        """Chooses among the tasks behind the sensor; nothing by default."""

    def link(self, web_url: str) -> str | None:
        """The page of the service's web UI that the sensor is about, when it is known beforehand."""
        return None

    # --- what Airflow calls -----------------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Pokes as ``mode`` says, or looks once and defers."""
        with self._settling(context):
            answer = self._start(context) if self.deferrable else super().execute(context)
        self.follow(context, answer)
        return answer

    def poke(self, context: Context) -> PokeReturnValue:
        """One look."""
        with self._softened(), translated(), self._client() as client:
            if self._waiting is None:
                self._waiting = self._begun(client)
                if self.reschedule:
                    self._waiting.absent_looks = 1  # the next look is another process, which cannot count on
            self._waiting.look_now()
            end = self._look(client, self._waiting)
            if end is None:
                self.log.info("%s", self._waiting.note)
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._over(context, client, end))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Goes on after a deferral. A branch is followed outside the base class, which takes it for a failure."""
        with self._settling(context):
            self._memory.recall()
            answer = super().resume_execution(next_method, next_kwargs, context)
        self.follow(context, answer)
        return answer

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Gives the answer to what the trigger told, after another look where that may have changed."""
        told = WaitEvent.from_dict(event)
        self._memory.handle = handle = Handle.from_json(told.handle) or self._memory.handle
        with translated(), self._client() as client:
            if told.outcome != "unknown" and not (told.outcome == "done" and self.looks_again):
                return self._over(context, client, _end_of(told))
            if told.outcome == "unknown":
                self.log.warning("The event says nothing (%s); asking the service.", told.reason)
            if handle is None or handle.wait is None:
                return self._look_or_defer(context, client, self._begun(client))
            waiting = Waiting(wait_from_json(handle.wait), Pacing(), time.time(), handle.deadline)
            return self._look_or_defer(context, client, waiting)

    # --- the same for all -------------------------------------------------------------------------------------

    def _start(self, context: Context) -> Any:
        with self._softened(), translated(), self._client() as client:
            return self._look_or_defer(context, client, self._begun(client))

    @contextmanager
    def _client(self) -> Iterator[Client]:
        self.prepare()
        with DataRobotHook(self.datarobot_conn_id).get_conn() as client:
            self.web_link = self.link(client.settings.web_url) or self.web_link
            yield client

    def _begun(self, client: Client) -> Waiting:
        """The wait and its deadline: those of an earlier attempt that broke off, else new ones."""
        digest = fingerprint(self.task_type, mask({"connection": self.datarobot_conn_id, **self.identity()}))
        known = self._memory.recall()
        if known is None or known.state == "settled" or known.fingerprint != digest or known.wait is None:
            known = Handle(
                operation=self.task_type,
                fingerprint=digest,
                stage="wait",
                state="submitted",
                at=time.time(),
                owner="adopted",
                wait=to_json(self.wait(client)),
                deadline=time.time() + self.timeout,
                # Without a store, each look of reschedule mode knows of itself alone.
                since=time.time() if self._memory.lasts or self.deferrable or not self.reschedule else None,
            )
            self._memory.note(known)
        telling.waiting(self.log, known, "begins to look")
        return Waiting(wait_from_json(known.wait or {}), Pacing(), time.time(), known.deadline)

    def _look(self, client: Client, waiting: Waiting) -> End | None:
        """One look, and a second with a connection that is read again when the token was refused."""
        end = look_once(client, waiting)
        if isinstance(waiting.next_step(client.clock()), Refresh):
            self.log.info("The token was refused; the connection %s is read again.", self.datarobot_conn_id)
            waiting.refreshed()
            with DataRobotHook(self.datarobot_conn_id).get_conn() as again:
                end = look_once(again, waiting)
        return end

    def _look_or_defer(self, context: Context, client: Client, waiting: Waiting) -> Any:
        end = self._look(client, waiting)
        return self._defer(waiting) if end is None else self._over(context, client, end)

    def _defer(self, waiting: Waiting) -> NoReturn:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        assert self._memory.handle is not None, "a sensor that defers has begun"
        pace = float(self.poke_interval)
        left = max((waiting.deadline or time.time()) - time.time(), 0.0)
        self.defer(
            trigger=DataRobotWaitTrigger(
                datarobot_conn_id=self.datarobot_conn_id,
                wait=to_json(waiting.wait),
                handle=self._memory.handle.to_json(),
                deadline=waiting.deadline,
                pacing={"interval": pace, "cap": max(pace, Pacing().cap)},
            ),
            method_name="resume",
            timeout=timedelta(seconds=left + BACKSTOP),
        )

    def _over(self, context: Context, client: Client, end: End) -> Any:
        telling.over(self.log, self._memory.handle, WaitEvent.of(end), time.time())
        match end:
            case Done(result):
                return self.answer(context, client, result)
            case Failed(reason):
                raise AirflowFailException(reason)
            case TimedOut(note):
                raise AirflowSensorTimeout(f"not over after {self.timeout:.0f} s: {note}")
            case GaveUp(reason, refused):
                raise (AirflowFailException if refused else AirflowException)(reason)

    @contextmanager
    def _settling(self, context: Context) -> Iterator[None]:
        """What is over is settled, well or not; after an error that a retry may mend, the wait goes on with it."""
        self._memory = Memory(context.get("task_state_store"))  # Airflow 3.3 and later
        try:
            yield
        except (AirflowFailException, AirflowSensorTimeout, AirflowSkipException):
            self._memory.settle()
            raise
        self._memory.settle()

    @contextmanager
    def _softened(self) -> Iterator[None]:
        """soft_fail and never_fail, which the base class knows for pokes only, for the look before a deferral too."""
        try:
            yield
        except AirflowSkipException:
            raise
        except Exception as error:
            if self.soft_fail and isinstance(error, (AirflowSensorTimeout, AirflowFailException)):
                raise AirflowSkipException(f"skipped because soft_fail is on: {error}") from error
            if self.never_fail:
                raise AirflowSkipException(f"skipped because never_fail is on: {error}") from error
            raise


def _end_of(told: WaitEvent) -> End:
    match told.outcome:
        case "done":
            return Done(told.result)
        case "failed":
            return Failed(told.reason or "the service gave no reason", told.result)
        case "timed_out":
            return TimedOut(told.reason or "no note")
        case _:
            return GaveUp(told.reason or "no reason", refused=told.outcome == "refused")
