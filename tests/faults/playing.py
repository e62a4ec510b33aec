"""One story: a good task, one fault at one of its requests, and what Airflow and people do about it.

retry         Airflow tries again, twice
clear         a person clears the task while it waits, or after it failed (not before looking, where the error asks)
mark failed   a person marks it failed while it waits, and clears it later
backfill      the task ends, with retries, and another run of the same day follows
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.faults.case import CONNECTIONS, Case, World, kind_of
from tests.faults.judging import Verdict, judge, told
from tests.faults.kinds import KINDS
from tests.harness import Ending, Store, Task

if TYPE_CHECKING:
    from tests.faults.wire import Wire
    from tests.harness import Stage
    from tests.receiver import Receiver

ANSWERS = ("retry", "clear", "mark failed", "backfill")
LATER = 7200.0  # seconds after which everything has happened that will
PAUSE = 900.0  # seconds until a person looks
CLEARS = 3  # times that a person clears a task that failed
TIMEOUT = 3600.0  # seconds of the task
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """One request of a good run; ``job``: it started one."""

    operation: str
    writes: bool
    job: bool


@dataclass(frozen=True)
class Schedule:
    """One case in one way, one fault at its nth request (from 1; 0 where the fault is on from the start)."""

    case: Case
    store: bool
    deferrable: bool
    answer: str
    fault: str
    nth: int
    operation: str

    def __str__(self) -> str:
        how = f"{'store' if self.store else 'no store'}, {'deferred' if self.deferrable else 'in place'}"
        return f"{self.case.name} ({how}), {self.fault} at {self.operation} #{self.nth}, {self.answer}"


class Interrupted(BaseException):
    """Somebody cleared the task, or marked it failed, while it waited."""


@dataclass
class Played(Task):
    """A task of a DAG run of its own, that people may interrupt while it waits."""

    run_id: str = "scheduled__2026-03-02"
    interrupts: str = ""  # clear or mark failed
    kills: int = 0

    def _context(self) -> dict[str, Any]:
        context = super()._context()
        context["ti"].run_id = self.run_id
        context["run_id"] = self.run_id
        return {**context, "dag_run": SimpleNamespace(start_date=BEGIN, run_id=self.run_id)}

    def _event(self, deferred: Any) -> Any:
        if not self.interrupts:
            return super()._event(deferred)
        how, self.interrupts = self.interrupts, ""
        self.stage.sleep(5.0)
        if how == "mark failed":
            self._kill(json.loads(json.dumps(deferred.trigger.serialize()))[1])
        raise Interrupted

    def _kill(self, kwargs: Mapping[str, Any]) -> None:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        async def failed() -> str:
            return "failed"

        async def killed() -> None:
            trigger = DataRobotWaitTrigger(**kwargs)
            trigger._task_state = failed  # type: ignore[method-assign]  # there is no database to ask
            await trigger.on_kill()

        self.kills += kwargs.get("cancel") is not None
        self.stage.runner.run(killed())


@dataclass
class Theatre:
    """Where the stories are played, one after the other.

    :param folder: where the files of a story may be.
    """

    stage: Stage
    wire: Wire
    folder: Path
    receiver: Receiver
    good: dict[tuple[str, bool, bool], list[Request]] = field(default_factory=dict)

    def requests(self, case: Case, store: bool, deferrable: bool) -> list[Request]:
        """What the case asks for when nothing goes wrong; its effects are those that the case names."""
        key = (case.name, store, deferrable)
        if key not in self.good:
            given, before = self._ready(case)
            ending = self._task(case, given, store, deferrable).run()
            entries = self.stage.service.log(user=case.username)[before:]
            self.stage.sleep(LATER)
            assert ending.state == "success", f"{case.name} does not go well: {ending}"
            assert len(entries) == len(self.wire.calls), f"{case.name}: {entries} is not {self.wire.calls}"
            found = {name: self._effects()[name] for name in case.effects}
            assert found == case.effects, f"{case.name} does {found}, of {dict(self._effects())}"
            self.good[key] = [
                Request(
                    str(one["operationId"]), one["method"] != "GET", one["method"] != "GET" and one["status"] == 202
                )
                for one in entries
            ]
        return self.good[key]

    def play(self, schedule: Schedule) -> Verdict:
        """The verdict on one schedule; an error that is neither ours nor Airflow's is wrong whatever happened."""
        try:
            return self._play(schedule)
        except AssertionError as stray:
            return Verdict("wrong", str(stray))

    def _play(self, schedule: Schedule) -> Verdict:
        case, kind = schedule.case, KINDS[schedule.fault]
        given, _ = self._ready(case)
        kind.set(self.stage, self.wire, case, schedule.nth)
        task = self._task(case, given, schedule.store, schedule.deferrable)
        if schedule.answer in ("clear", "mark failed"):
            tasks = [task]
            self._interrupted(task, schedule.answer, case)
        else:
            task.retries = task.max_tries = 2
            task.run()
            tasks = [task]
        if schedule.answer == "backfill":
            self.stage.sleep(PAUSE)
            again = self._task(case, given, schedule.store, schedule.deferrable, "backfill__2026-03-02")
            again.retries = again.max_tries = 2
            again.run()
            tasks.append(again)
        self.stage.sleep(LATER)
        ends = [one.endings[-1] for one in tasks]
        effects = self._effects()
        spare = max(sum(one.kills for one in tasks), effects[case.undone]) + kind.stops
        return judge(case, ends, effects, spare=spare)

    def _interrupted(self, task: Played, how: str, case: Case) -> None:
        """A person interrupts the task while it waits, if it does, or clears it after it has failed."""
        task.interrupts = how
        try:
            ending = task.run()
        except Interrupted:
            self.stage.sleep(PAUSE if how == "mark failed" else 5.0)
            task.endings.append(Ending("crashed"))
            ending = task.clear()
        task.interrupts = ""
        for _ in range(CLEARS):
            if ending.state in ("success", "skipped"):
                return
            self.stage.sleep(PAUSE)
            if told(ending) and any(self._effects()[name] for name in case.effects):
                return  # the person looked, as the error asks, and it is there
            ending = task.clear()

    def _ready(self, case: Case) -> tuple[dict[str, Any], int]:
        """Another story; the arguments of the case, and how many requests of its user its preparations took."""
        stage = self.stage
        stage.anew()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.wire.anew()
        given = {**case.given, **case.ready(World(stage, self.folder, self.receiver))}
        if case.people is not None:
            case.people(stage)
        before = len(stage.service.log(user=case.username))
        self._before = Counter(self._done())
        self.wire.anew()
        return given, before

    def _effects(self) -> Counter[str]:
        """What was done since the story began."""
        counted = self._done()
        counted.subtract(self._before)
        return +counted

    def _done(self) -> Counter[str]:
        """Commits of the store by effect, and writes of the log that were carried out by operation."""
        counted = Counter(str(one["effect"]) for one in self.stage.service.effects())
        counted.update({f"accepted {name}": count for name, count in self.stage.service.accepted().items()})
        return counted

    def _task(
        self, case: Case, given: Mapping[str, Any], store: bool, deferrable: bool, run_id: str = "scheduled__2026-03-02"
    ) -> Played:
        kind = kind_of(case.operator)
        arguments = {
            "task_id": "task",
            "deferrable": deferrable,
            "timeout": TIMEOUT,
            "datarobot_conn_id": CONNECTIONS[case.user],
            **given,
        }
        from tests.faults.wire import Worker

        self.stage.transport = Worker(self.wire)
        return Played(self.stage, lambda: kind(**arguments), Store() if store else None, 0, run_id=run_id)
