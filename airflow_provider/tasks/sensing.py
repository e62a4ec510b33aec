"""DataRobotBaseSensor: sensors drive the same waits as operators, through the same trigger.

A sensor gives ``wait`` (what it looks at) and ``answer`` (what an end means). In poke and reschedule mode each poke is
one look; deferrable, the trigger looks. The deadline is ours in both: ``timeout`` from the first look of the first
attempt where Airflow keeps a task's state (3.3), else from the start of each attempt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider.api.waiting import End, GaveUp, Pacing, TimedOut, Waiting
from airflow_provider.api.waits import Done, Failed, Wait, to_json, wait_from_json
from airflow_provider.contract.secrets import mask
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.tasks.links import LINK_KEY, DataRobotLink
from airflow_provider.tasks.memory import Handle, Memory, fingerprint
from airflow_provider.tasks.outcomes import translated
from airflow_provider.tasks.run import look_once
from airflow_provider.triggers.event import WaitEvent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

BACKSTOP = 600.0


class DataRobotBaseSensor(BaseSensorOperator):
    """Base of all sensors.

    :param datarobot_conn_id: the Airflow connection.
    :param deferrable: wait in the triggerer (default: ``[operators] default_deferrable``) or as ``mode`` says.
    :param timeout: seconds or a timedelta after which the sensor fails (``soft_fail``: is skipped).
    :param poke_interval: seconds between looks; in the triggerer they grow apart up to a minute.
    """

    template_fields: Sequence[str] = ("datarobot_conn_id",)
    operator_extra_links = (DataRobotLink(),)
    ui_color = "#e3f2ea"

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

    def link(self, web_url: str) -> str | None:
        """The page of the service's web UI that the sensor is about."""
        return None

    # --- what Airflow calls -----------------------------------------------------------------------------------

    def poke(self, context: Context) -> PokeReturnValue:
        """One look."""
        with self._soft(), translated(), self._client(context) as client:
            if self._waiting is None:
                self._waiting = Waiting(self.wait(client), Pacing(), time.time())
                if self.reschedule:
                    self._waiting.absent_looks = 1  # the next look is another process, which cannot count on
            self._waiting.look_now()
            end = look_once(client, self._waiting)
            if end is None:
                self.log.info("%s", self._waiting.note)
                self._waiting.refreshed()
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._over(context, client, end))

    def execute(self, context: Context) -> Any:
        """Pokes as ``mode`` says, or looks once and defers."""
        if not self.deferrable:
            return super().execute(context)
        with self._soft(), translated(), self._client(context) as client:
            memory = Memory(context.get("task_state_store"))  # Airflow 3.3 and later
            wait, deadline = self._begin(memory, client)
            end = look_once(client, Waiting(wait, Pacing(), time.time(), deadline))
            if end is not None:
                memory.settle()
                return self._over(context, client, end)
        return self._defer(wait, memory, deadline)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Goes on after the trigger fired."""
        told = WaitEvent.from_dict(event)
        handle = Handle.from_json(told.handle)
        memory = Memory(context.get("task_state_store"))  # Airflow 3.3 and later
        memory.handle = handle
        with self._soft(), translated(), self._client(context) as client:
            if told.outcome == "unknown" and handle is not None and handle.wait is not None:
                self.log.warning("The event says nothing (%s); asking the service.", told.reason)
                return self._defer(wait_from_json(handle.wait), memory, handle.deadline)
            memory.settle()
            return self._over(context, client, _end_of(told))

    # --- the same for all -------------------------------------------------------------------------------------

    @contextmanager
    def _client(self, context: Context) -> Iterator[Client]:
        self.prepare()
        with DataRobotHook(self.datarobot_conn_id).get_conn() as client:
            url = self.link(client.settings.web_url)
            if url:
                context["ti"].xcom_push(key=LINK_KEY, value=url)
            yield client

    def _begin(self, memory: Memory, client: Client) -> tuple[Wait, float]:
        """The wait and its deadline: those of an earlier attempt that broke off, else new ones."""
        digest = fingerprint(self.task_type, mask(self.identity()))
        known = memory.recall()
        if known is not None and known.state != "settled" and known.fingerprint == digest and known.wait:
            return wait_from_json(known.wait), known.deadline or time.time() + self.timeout
        wait, deadline = self.wait(client), time.time() + self.timeout
        memory.note(
            Handle(
                operation=self.task_type,
                fingerprint=digest,
                stage="wait",
                state="submitted",
                at=time.time(),
                owner="adopted",
                wait=to_json(wait),
                deadline=deadline,
            )
        )
        return wait, deadline

    def _defer(self, wait: Wait, memory: Memory, deadline: float | None) -> Any:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        assert memory.handle is not None, "a sensor that defers has begun"
        pace = float(self.poke_interval)
        left = max((deadline or time.time()) - time.time(), 0.0)
        self.defer(
            trigger=DataRobotWaitTrigger(
                datarobot_conn_id=self.datarobot_conn_id,
                wait=to_json(wait),
                handle=memory.handle.to_json(),
                deadline=deadline,
                pacing={"interval": pace, "cap": max(pace, Pacing().cap)},
            ),
            method_name="resume",
            timeout=timedelta(seconds=left + BACKSTOP),
        )

    def _over(self, context: Context, client: Client, end: End) -> Any:
        match end:
            case Done(result):
                return self.answer(context, client, result)
            case Failed(reason):
                raise AirflowFailException(reason)
            case TimedOut(note):
                raise AirflowSensorTimeout(f"not over after {self.timeout:.0f} s: {note}")
            case GaveUp(reason):
                raise AirflowException(reason)

    @contextmanager
    def _soft(self) -> Iterator[None]:
        """soft_fail, as the base class has it for pokes, for the deferred path too."""
        try:
            yield
        except (AirflowSensorTimeout, AirflowFailException) as error:
            if self.soft_fail:
                raise AirflowSkipException(f"skipped because soft_fail is on: {error}") from error
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
            return GaveUp(told.reason or "no reason")
