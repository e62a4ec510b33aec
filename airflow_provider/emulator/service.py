"""All parts of one emulated service, put together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from airflow_provider.emulator.agenda import catch_up
from airflow_provider.emulator.clock import Clock
from airflow_provider.emulator.faults import Faults
from airflow_provider.emulator.fetching import Fetch
from airflow_provider.emulator.files import Files
from airflow_provider.emulator.following import follow
from airflow_provider.emulator.requestlog import RequestLog
from airflow_provider.emulator.rows import FILLERS, Rows
from airflow_provider.emulator.store import Record, Store, new_id
from airflow_provider.emulator.switches import Switches


class Service:
    """One emulated service with its own clock, state, switches, faults and log.

    :param world: name of the world file that a start or a reset loads
    :param speed: service seconds per real second
    :param state: file that keeps everything between processes, or None
    :param check_answers: whether each of our own answers is held against the contract (a misfit answers 500)
    :param real: where real time comes from
    """

    def __init__(
        self,
        world: str = "demo",
        speed: float = 1.0,
        state: Path | None = None,
        *,
        check_answers: bool = False,
        real: Callable[[], float] = time.time,
    ) -> None:
        self.world = world
        self.start_speed = speed
        self.check_answers = check_answers
        self.clock = Clock(speed, real)
        self.switches = Switches()
        self.store = Store(self.clock, state)
        self.faults = Faults()
        self.log = RequestLog()
        self.paces: dict[str, dict[str, Any]] = {}
        self.request_plan: dict[str, Any] = {}
        self.rows = Rows(_beside(state, ".rows"), self._fill)
        self.files = Files(_beside(state, ".files"))
        self.arrivals: SimpleQueue[Callable[[], None]] = SimpleQueue()  # what threads bring back, done at the next look
        self.store.told = lambda commit: follow(self, commit)
        self.fetches: dict[str, Fetch] = {}  # files on their way, by the dataset version that they are for
        self.posts: deque[float] = deque()  # moments of the last posts of actuals, for the request rate
        self._real = real
        saved = self.store.load()
        if saved is None:
            self.store.seed(world)
            self._begin()
        else:
            self.world = saved["world"]
            self.switches.set(saved["switches"])
            self.paces = saved["paces"]
            self.clock.set_speed(speed)
            self.started, self.generation = saved["started"], saved["generation"]
            self.rows.begin(self.generation)
            self.rows.keep_batches(job["arguments"].get("batch", 0) for job in self.store.rows("jobs"))
        self.save()

    def _fill(self) -> None:
        for filler in FILLERS:
            filler(self)

    def _begin(self) -> None:
        """Rows and files as at the start; both are made when they are first asked for."""
        self.started, self.generation = self.clock.now(), new_id()
        self.rows.begin(self.generation)
        self.files.clear()
        self.posts.clear()
        self.fetches.clear()

    def reset(self, world: str | None = None, switches: Mapping[str, Any] | None = None) -> None:
        """Everything as at the start: world, clock, switches, paces, faults, log and effects."""
        wanted = self.switches.checked(switches or {})
        self.store.seed(world or self.world)
        self.world = world or self.world
        self.clock.set_speed(self.start_speed)
        self.clock.set_offset(0)
        self._begin()
        self.paces.clear()
        self.faults.clear(drop=True)
        self.log.clear()
        self.switches.reset()
        self.switches.set(wanted)
        self.save()

    def save(self) -> None:
        """Write what has changed to the state file, if there is one."""
        self.rows.commit()
        beginning = {"started": self.started, "generation": self.generation}
        self.store.save({"world": self.world, "switches": dict(self.switches), "paces": self.paces, **beginning})

    def close(self) -> None:
        """Let go of the rows, and of files that no state file outlives."""
        self.rows.close()
        self.files.close()

    def catch_up(self) -> None:
        """Do what is due by now, and what threads have brought back."""
        while not self.arrivals.empty():
            self.arrivals.get()()
        catch_up(self)

    def lies(self, name: str) -> bool:
        """Whether this named wrong behaviour is on."""
        return self.faults.lies(name)

    @property
    def departs(self) -> bool:
        """Whether a lie or a switch makes answers depart from the contract on purpose."""
        return self.switches.departing or any(fault.kind == "lie" for fault in self.faults.set.values())

    def pace_for(self, kind: str) -> dict[str, Any]:
        """How the next job of this kind goes; a pace with ``times`` is used up."""
        pace = self.paces.get(kind)
        if pace is None:
            return {}
        if "times" in pace:
            pace["times"] -= 1
            if pace["times"] == 0:
                del self.paces[kind]
        return {key: value for key, value in pace.items() if key != "times"}

    def listed(self, rows: list[Record]) -> list[Record]:
        """Rows as a list shows them: in the order of the switch, the newest perhaps missing for some looks."""
        order = self.switches["list_order"]
        if order == "by_id":
            rows = sorted(rows, key=lambda row: str(row["id"]))
        elif order == "newest_first":
            rows = rows[::-1]
        lag = int(self.switches["lag"])
        return [row for row in rows if self.store.seen(row, lag)]


def _beside(state: Path | None, ending: str) -> Path | None:
    return None if state is None else state.with_name(state.name + ending)
