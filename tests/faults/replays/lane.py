"""A lane replays one schedule after another: an emulator of its own, a proxy before it, and the Airflow of all lanes.

    DAG file with the real operator ──► dag-processor ──► scheduler ──► LocalExecutor ──► proxy ──► emulator
    people (retry, clear, mark failed, backfill) ──► Airflow's REST API        triggerer ───┘          │
    verdict ◄── judging.judge ◄── the emulator's store, and how the attempts ended ────────────────────┘

What people do is what they do in ``playing.Theatre``; the same judge gives the verdict.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from demo.processes import until
from tests.faults.judging import Verdict, judge, told
from tests.faults.playing import CLEARS, LATER
from tests.faults.replays import dagfile, pace
from tests.faults.replays.dagfile import TASK
from tests.faults.replays.ground import Ground, world
from tests.faults.replays.spoiling import Spoiling

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from demo.rest import Airflow
    from tests.faults.replays.gate import Gate
    from tests.faults.replays.plans import Plan
    from tests.faults.replays.watch import Watch
    from tests.harness import Ending
    from tests.receiver import Receiver

OVER = ("success", "failed", "skipped")
PAUSE = 0.4  # seconds between two looks at the database
LONGEST = 900.0  # seconds until a run counts as stuck
KILL = 120.0  # seconds within which a triggerer notices that a task was killed


@dataclass(frozen=True)
class Replayed:
    """What came of a schedule; ``met``: the fault was; ``attempt``: 2 when it was not, the first time."""

    verdict: Verdict
    met: bool
    seconds: float
    attempt: int


@dataclass
class Lane:
    """One of several, side by side.

    :param folder: for the files of a story.
    :param dags: where Airflow looks for DAG files.
    """

    number: int
    folder: Path
    dags: Path
    service: EmulatorDoor
    gate: Gate
    receiver: Receiver
    airflow: Airflow = field(init=False)
    watch: Watch = field(init=False)

    @property
    def connections(self) -> dict[str, str]:
        """User to connection id; in this process without the proxy, in Airflow's through it."""
        return {user: f"lane{self.number}_{user}" for user in ("requester", "reviewer", "admin")}

    def play(self, plan: Plan, attempt: int) -> Replayed:
        """The verdict on one schedule."""
        begun, ground = time.monotonic(), self._anew()
        try:
            story = Story(self, plan, ground, f"schedule_{plan.number}_{attempt}")
            verdict = story.play()
        finally:
            ground.leave()
        return Replayed(verdict, story.spoiling.met, time.monotonic() - begun, attempt)

    def _anew(self) -> Ground:
        self.gate.anew()
        self.service.reset()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return Ground(self.service)


class Story:
    """One schedule in a lane."""

    def __init__(self, lane: Lane, plan: Plan, ground: Ground, dag: str) -> None:
        self._lane, self._plan, self._case = lane, plan, plan.of
        self._dag = dag
        self._kills, self._begun = 0, 0.0
        given = {**self._case.given}
        given |= self._case.ready(world(ground, lane.folder, lane.receiver, lane.connections))
        if self._case.people is not None:
            self._case.people(ground)  # type: ignore[arg-type]  # a ground has what people ask of a stage
        arguments = {
            "datarobot_conn_id": lane.connections[self._case.user],
            "deferrable": plan.deferrable,
            **pace.arguments(given),
        }
        self._by_people = plan.answer in ("clear", "mark failed")
        retries = 0 if self._by_people else 2
        dagfile.write(lane.dags, self._dag, self._case.operator, retries, pace.RETRY_DELAY, arguments)
        self._before = self._done()
        self.spoiling = Spoiling(plan, lane.service, lane.gate, lambda: lane.watch.unreached(self._dag))

    def play(self) -> Verdict:
        """All runs to their ends, and the verdict."""
        until(lambda: self._lane.watch.knows(self._dag), f"DAG {self._dag}", 120, pause=PAUSE)
        with self.spoiling:
            run, self._begun = self._lane.airflow.trigger(self._dag), time.monotonic()
            endings = [self._interrupted(run) if self._by_people else self._end(run)]
            if self._plan.answer == "backfill":
                self._look()
                endings.append(self._end(self._backfill()))
        self._lane.service.advance(LATER)
        spare = self._kills + self._plan.kind.stops
        return judge(self._case, endings, self._effects(), spare=spare)

    def _interrupted(self, run: str) -> Ending:
        """A person interrupts the task while it waits, if it does, or clears it after it has failed."""
        if self._waits(run):
            if self._plan.answer == "mark failed":
                self._mark_failed(run)
            self._clear(run)
        ending = self._end(run)
        for _ in range(CLEARS):
            if ending.state in ("success", "skipped"):
                break
            self._look()
            if told(ending) and any(self._effects()[name] for name in self._case.effects):
                break  # the person looked, as the error asks, and it is there
            self._clear(run)
            ending = self._end(run)
        return ending

    def _waits(self, run: str) -> bool:
        """Whether the task is deferred, in the care of the triggerer, before it has ended."""
        watch = self._lane.watch

        def decided() -> bool:
            now = watch.instance(self._dag, run)
            return now.state in OVER or (now.state == "deferred" and now.triggerer is not None)

        until(decided, f"{self._plan} waits or ends", LONGEST, pause=PAUSE)
        if watch.instance(self._dag, run).state in OVER:
            return False
        time.sleep(pace.GLANCE)
        return watch.instance(self._dag, run).state == "deferred"

    def _mark_failed(self, run: str) -> None:
        self._lane.airflow.set_state(self._dag, run, TASK, "failed")
        until(lambda: self._lane.watch.killed(self._dag), f"{self._plan}: the trigger is told", KILL, pause=PAUSE)
        self._kills += self._lane.watch.stopped(self._dag)
        self._end(run)
        self._look()

    def _clear(self, run: str) -> None:
        self._lane.airflow.clear(self._dag, run, [TASK])

    def _backfill(self) -> str:
        """Another run of the day; its id."""
        day = "2026-03-02T00:00:00Z"
        wanted = {"dag_id": self._dag, "from_date": day, "to_date": day, "max_active_runs": 1}
        self._lane.airflow.ask("POST", "/backfills", wanted)
        until(lambda: self._lane.watch.backfilled(self._dag) != "", f"{self._plan}: a backfill", 60, pause=PAUSE)
        return self._lane.watch.backfilled(self._dag)

    def _end(self, run: str) -> Ending:
        watch = self._lane.watch
        until(lambda: watch.instance(self._dag, run).state in OVER, f"{self._plan} ends", LONGEST, pause=PAUSE)
        # Who cleared the task before its run has ended would see the scheduler end the run all the same.
        until(lambda: watch.run(self._dag, run) in OVER, f"the run of {self._plan} ends", LONGEST, pause=PAUSE)
        return watch.ending(self._dag, run)

    def _look(self) -> None:
        time.sleep(max(pace.LOOK, self._begun + pace.come(self._plan.kind.emulator) - time.monotonic()))

    def _effects(self) -> Counter[str]:
        counted = self._done()
        counted.subtract(self._before)
        return +counted

    def _done(self) -> Counter[str]:
        """Commits of the store by effect, and writes of the log that were carried out by operation."""
        counted = Counter(str(one["effect"]) for one in self._lane.service.effects())
        counted.update({f"accepted {name}": count for name, count in self._lane.service.accepted().items()})
        return counted
