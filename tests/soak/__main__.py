"""``MINUTES=60 WAITS=2000 SEED=1 python -m tests.soak``: runs, judges, draws; the exit code says whether all is well.

What was seen is in ``build/soak`` as it goes: ``samples.jsonl``, ``probe.jsonl``, ``works.json``, and the logs. A full
run is kept for the docs.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from demo.processes import Child
from tests.soak import judging
from tests.soak.director import Director
from tests.soak.figures import lines
from tests.soak.sampling import Sampler
from tests.soak.stage import ROOT, staged
from tests.soak.weather import Weather, spells
from tests.soak.work import SPEED

FOLDER = ROOT / "build" / "soak"
FULL_MINUTES, FULL_WAITS = 60.0, 2000
PACE = 0.5  # seconds between two turns of the director
MOST_BEGUN = 6.0  # pieces of work that the director can begin in a second on a busy machine
DRAIN_SECONDS, QUIET_SECONDS = 400.0, 100.0


class Run:
    """One run: its clock, its phase, and what is kept of it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun = time.time()
        self.phase = "fill"
        self.phases = {"fill": self.begun}
        self._turn = threading.Event()

    def enter(self, phase: str) -> None:
        """The next phase."""
        self.phase = phase
        self.phases[phase] = time.time()
        sys.stderr.write(f"{(time.time() - self.begun) / 60:6.1f} min  {phase}\n")

    def turn_until(self, ready: Callable[[], bool], act: Callable[[], None], seconds: float) -> bool:
        """Acts once a turn until something is so, or the time is over."""
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                return False
            act()
            self._turn.wait(PACE)
        return True


def play(run: Run, director: Director, weather: Weather, child: Child, mean: float) -> None:
    """Fill, stay, drain, and a while of quiet."""

    def act() -> None:
        child.check()
        director.tick(run.phase == "fill")
        if run.phase == "steady":
            weather.tick(time.time() - run.phases["steady"], run.phases["steady"])
        keep(run, director, weather)

    def looking() -> bool:
        """All waits are alive, in the triggerer too, and most have looked: before, Airflow has to build its API."""
        seen = lines(FOLDER / "probe.jsonl")
        asked = sum(sum(one["requests"].values()) for one in seen)
        return bool(min(len(director.alive), seen[-1]["tasks"], asked) >= director.wanted)

    run.turn_until(looking, act, 900)
    run.enter("steady")
    for tenant in weather.tenants:
        tenant.latest = time.time() + run.seconds
    run.turn_until(lambda: time.time() - run.phases["steady"] >= run.seconds, act, run.seconds + 600)
    run.enter("drain")
    weather.end(time.time())
    director.wanted = 0
    director.end_all(mean * SPEED)
    run.turn_until(lambda: not director.alive, act, DRAIN_SECONDS)
    run.enter("quiet")
    run.turn_until(lambda: False, act, min(QUIET_SECONDS, run.seconds))
    run.enter("end")


def keep(run: Run, director: Director, weather: Weather) -> None:
    """What is known so far, for a run that breaks off."""
    told = {"phases": run.phases, "weather": weather.told, "met": weather.met, "troubles": director.troubles}
    write("run", told)


def soak(minutes: float, waits: int, seed: int) -> None:
    """Plays a run and leaves everything in the folder."""
    rng = random.Random(seed)  # noqa: S311 - no secrets
    mean = max(60.0, min(600.0, minutes * 15), waits / MOST_BEGUN)
    with staged(FOLDER, waits, mean * SPEED, rng) as stage:
        run = Run(minutes * 60)
        director = Director(stage.rows, stage.tenants, waits, mean, rng)
        weather = Weather(stage.tenants, spells(stage, run.seconds), rng)

        def beside() -> dict[str, object]:
            return {"phase": run.phase, "alive": len(director.alive), "begun": len(director.works)}

        sampler = Sampler(FOLDER / "samples.jsonl", stage.processes, beside)
        sampler.start()
        try:
            play(run, director, weather, stage.triggerer, mean)
        finally:
            sampler.stop()
            keep(run, director, weather)
            write("works", {index: asdict(work) for index, work in director.works.items()})
        write("stores", {one.name: {table: one.world(table) for table in judging.TABLES} for one in stage.tenants})
        broken = repr(sampler.error) if sampler.error else ""
        write("rest", {"left": stage.rows.left(), "strange": director.strange, "sampling": broken})


def write(name: str, what: object) -> None:
    """Keeps it in the folder."""
    (FOLDER / f"{name}.json").write_text(json.dumps(what), encoding="utf-8")


def main() -> int:
    """Runs and judges."""
    minutes, waits = float(os.environ.get("MINUTES", FULL_MINUTES)), int(os.environ.get("WAITS", FULL_WAITS))
    seed = int(os.environ.get("SEED", "20260302"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes are stopped
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a triggerer's supervisor keeps each wait's log open
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    soak(minutes, waits, seed)
    told = {"minutes": minutes, "waits": waits, "seed": seed, "day": datetime.now(UTC).date().isoformat()}
    return judging.judge(FOLDER, told, minutes >= FULL_MINUTES or bool(os.environ.get("KEEP")))


if __name__ == "__main__":
    sys.exit(main())
