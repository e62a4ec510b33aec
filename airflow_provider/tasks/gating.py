"""Gates as tasks: one base for operators, one for sensors; both judge by the same function (``mlops/gates.py``).

    operator   window ──► measure ──► verdict ──► XCom "verdict" ──► pass: go on │ fail, no_data: as the author chose
    sensor     window ──► look, until it passes (or until there is data) ──► the same

A gate of one's own is a class with ``gate``: which operation is asked over the window, and what is wanted of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, BranchMixIn

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import GateWait
from airflow_provider.mlops.gates import Gate, measure
from airflow_provider.mlops.windows import Window, WindowPlan, service_time
from airflow_provider.tasks import arguments, branching
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client
    from airflow_provider.api.waiting import Waiting

OUTCOMES = ("pass", "fail", "no_data")
VERDICT = "verdict"  # XCom key; there also when the task fails or is skipped
WEEK = timedelta(days=7)  # the service's own default window


class GateTask(BaseOperator):
    """What every gate has: a deployment, a window, and what becomes of a verdict.

    :param deployment_id: the deployment.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time,
        each rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d``, ``P7D``.
    :param filters: further documented arguments of the operation, ``{"modelId": ...}`` for example.
    :param on_fail: ``fail``, ``skip`` or ``branch`` when the rule is not met.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and those that say
        ``branch`` (``fail``, ``no_data``). An empty list follows nothing.
    """

    gate_fields: ClassVar[Sequence[str]] = (
        "deployment_id",
        "window_start",
        "window_end",
        "window_last",
        "filters",
        "on_fail",
        "branches",
    )
    inherits_from_skipmixin = True  # a branch that was not followed stays skipped when it is cleared alone

    def __init__(
        self,
        *,
        deployment_id: str,
        window_start: datetime | str | None = None,
        window_end: datetime | str | None = None,
        window_last: timedelta | str = WEEK,
        filters: Mapping[str, Any] | None = None,
        on_fail: str = "fail",
        branches: Mapping[str, str | Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.window_start = window_start
        self.window_end = window_end
        self.window_last = window_last
        self.filters = filters
        self.on_fail = on_fail
        self.branches = branches
        self._interval_end: datetime | None = None

    def gate(self, client: Client, window: Window) -> Gate:
        """What is measured over the window, and what is wanted of it; reads what that needs."""
        raise NotImplementedError(f"{type(self).__name__} must say what it measures")

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._plan = WindowPlan.of(self.window_start, self.window_end, self.window_last)
        self._filters = arguments.mapping("filters", self.filters) or {}
        self._choices = self.choices()
        needed = [outcome for outcome, choice in self._choices.items() if choice == "branch"]
        self._branches = branching.checked(self, self.branches, ["pass", *needed] if needed else [], OUTCOMES)
        if self._branches and not needed:
            raise InvalidCall("branches are given, and no outcome is to branch: say on_fail='branch'")

    def choices(self) -> dict[str, str]:
        """What becomes of each outcome that is no pass."""
        return {"fail": arguments.one_of("on_fail", self.on_fail, ("fail", "skip", "branch"))}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def asked(self, client: Client) -> Gate:
        """The gate over the window of this run."""
        return self.gate(client, self._plan.window(self._interval_end, client))

    def note_interval(self, context: Context) -> None:
        """Keeps the end of the run's data interval; a run without one measures up to the present hour."""
        self._interval_end = context.get("data_interval_end")

    def settle(self, context: Context, verdict: dict[str, Any]) -> dict[str, Any]:
        """Tells the verdict, then ends the task where the author chose so for its outcome."""
        outcome = str(verdict["outcome"])
        choice = self._choices.get(outcome, "pass")
        verdict = {**verdict, "passed": outcome == "pass" or choice == "pass"}
        context["ti"].xcom_push(key=VERDICT, value=verdict)
        told = f"{outcome}: {verdict['reason']} ({self._plain(verdict)})"
        if outcome == "pass" or choice in ("branch", "pass"):
            self.log.info("%s", told)
            return verdict
        return end_as(choice, told)

    def take_branch(self, context: Context, verdict: Mapping[str, Any]) -> None:
        """Skips the tasks behind the gate that the outcome does not name."""
        outcome = str(verdict["outcome"])
        name = outcome if self._choices.get(outcome) == "branch" else "pass"
        branching.follow(self, context, self._branches, name, verdict)

    @staticmethod
    def _plain(verdict: Mapping[str, Any]) -> str:
        shown = {name: verdict.get(name) for name in ("value", "baseline", "sample", "age", "window", "details")}
        return ", ".join(f"{name} {value}" for name, value in shown.items() if value not in (None, {}))


class DataRobotBaseGateOperator(GateTask, DataRobotBaseReadOperator, BranchMixIn):
    """A gate that looks once.

    :param on_no_data: ``fail``, ``skip``, ``branch`` or ``pass`` when there is nothing to judge.

    Returns the verdict: ``outcome`` (pass, fail, no_data), ``passed``, ``reason``, ``value``, ``measured``,
    ``comparison``, ``threshold``, ``view``, ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``baseline``, ``details``, ``deployment_id`` and ``window`` (start, end, hours). The same stands in XCom under
    ``verdict``, also when the task fails or is skipped.
    """

    form_fields: ClassVar[Sequence[str]] = ("on_no_data",)

    def __init__(self, *, on_no_data: str = "fail", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_no_data = on_no_data

    def choices(self) -> dict[str, str]:
        """What becomes of each outcome that is no pass."""
        policy = arguments.one_of("on_no_data", self.on_no_data, ("fail", "skip", "branch", "pass"))
        return {**super().choices(), "no_data": policy}

    def read(self, client: Client) -> dict[str, Any]:
        """The verdict."""
        return measure(client, self.asked(client))

    def execute(self, context: Context) -> Any:
        """Measures, judges, and does what the author chose for the outcome."""
        self.note_interval(context)
        verdict = self.settle(context, super().execute(context))
        self.take_branch(context, verdict)
        return verdict


class DataRobotBaseGateSensor(GateTask, DataRobotBaseSensor, BranchMixIn):
    """A gate that waits. The window stays what it was at the first look, unless the gate is one that ``moves``.

    :param wait_for: ``pass``: until the rule is met. ``data``: until there is anything to judge, then ``on_fail`` says
        what becomes of a rule that is not met.

    While there is nothing to judge, it waits in both cases, until ``timeout``. Returns the verdict, as operators do.
    """

    form_fields: ClassVar[Sequence[str]] = ("wait_for",)
    moves: ClassVar[bool] = False  # whether new rows are waited for: a window without a given start and end moves on

    def __init__(self, *, wait_for: str = "pass", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wait_for = wait_for

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._until = arguments.one_of("wait_for", self.wait_for, ("pass", "data"))
        if self._until == "pass" and self._choices["fail"] != "fail":
            raise InvalidCall(f"on_fail={self.on_fail!r} needs wait_for='data': else the sensor waits until it passes")

    def wait(self, client: Client) -> GateWait:
        """The gate over the window of this run."""
        wait = self.asked(client).wait(self._until)
        given = self._plan.start is not None or self._plan.end is not None
        if self.moves and not given:
            wait.of = {**wait.of, "rolls": (wait.about.get("window") or {}).get("hours", 0)}
        return wait

    def _begun(self, client: Client) -> Waiting:
        """As the base; a window that moves is put on first, as every poke may be another process."""
        known = self._memory.recall()
        waiting = super()._begun(client)
        if known is not None and isinstance(waiting.wait, GateWait) and waiting.wait.of.get("rolls"):
            waiting.wait.roll(service_time(client))
        return waiting

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """The verdict, after what the author chose for its outcome."""
        return self.settle(context, result[VERDICT])

    def follow(self, context: Context, answer: Any) -> None:
        """Skips the tasks behind the sensor that the outcome does not name."""
        self.take_branch(context, answer)

    def execute(self, context: Context) -> Any:
        """Waits as the base does, over the window of this run."""
        self.note_interval(context)
        return super().execute(context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Goes on as the base does, over the window of this run."""
        self.note_interval(context)
        return super().resume(context, event)
