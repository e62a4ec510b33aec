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
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from demo.emulator import Emulator
from demo.processes import Child, free_port, stop, until
from demo.stack import clean_environment, settings
from tests.airflow_home import forget_airflow
from tests.faults.proxy import proxied
from tests.servers.postgres import postgres
from tests.soak import judging
from tests.soak.director import Director
from tests.soak.figures import lines
from tests.soak.rows import PROBE, Rows
from tests.soak.sampling import Sampler
from tests.soak.weather import SPEED, Weather, spells
from tests.soak.work import Tenant

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "soak"
FULL_MINUTES, FULL_WAITS = 60.0, 2000
PACE = 1.0  # seconds between two turns of the director
DRAIN_SECONDS, QUIET_SECONDS = 400.0, 100.0


@contextmanager
def triggerer(environment: dict[str, str]) -> Iterator[Child]:
    """Airflow's own, with its rows in the database that the environment names."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    words = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
    child = Child("triggerer", words, environment, FOLDER / "triggerer.log")
    try:
        yield child
    finally:
        stop([child])


def airflow_environment(database: str, waits: int) -> dict[str, str]:
    """A stack's settings, of which the triggerer's are Airflow's defaults but for the capacity."""
    (FOLDER / "airflow").mkdir()
    told = settings(FOLDER / "airflow", FOLDER / "airflow" / "dags", free_port(), True, False)
    kept = {name: value for name, value in told.items() if not name.startswith("AIRFLOW__TRIGGERER__")}
    own = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__TRIGGERER__CAPACITY": str(waits + 100),
        "PYTHONPATH": str(ROOT),
    }
    return clean_environment({**kept, **own})


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
    (FOLDER / "run.json").write_text(json.dumps(told), encoding="utf-8")


def soak(minutes: float, waits: int, seed: int) -> None:
    """Plays a run and leaves everything in the folder."""
    rng = random.Random(seed)  # noqa: S311 - no secrets
    mean = max(60.0, min(600.0, minutes * 15))
    with ExitStack() as stack:
        database = stack.enter_context(postgres(FOLDER))
        environment = airflow_environment(database, waits)
        (FOLDER / "first").mkdir()
        emulators = [
            stack.enter_context(Emulator(FOLDER / name, environment, speed=SPEED)) for name in ("first", "second")
        ]
        child = stack.enter_context(triggerer(environment))
        forget_airflow(os.environ)
        os.environ.update(environment)
        rows = Rows()
        proxy = stack.enter_context(proxied(emulators[1].origin))
        endpoints = [emulators[0].endpoint, f"{proxy.origin}/api/v2"]
        tenants = [
            Tenant(name, endpoint, emulator.control, rng)
            for name, endpoint, emulator in zip(("tenant_1", "tenant_2"), endpoints, emulators, strict=True)
        ]
        for tenant in tenants:
            tenant.prepare(mean * SPEED, max(1, waits // 200))
            rows.set_connection(tenant.name, tenant.endpoint, tenant.token)
        from tests.soak.probe import LoopProbe

        probe = FOLDER / "probe.jsonl"
        rows.defer([(-1, LoopProbe(str(probe)))], PROBE)
        until(lambda: bool(probe.exists() and lines(probe)), "the triggerer runs the probe", 120, [child])
        runner = int(lines(probe)[0]["pid"])
        ports = frozenset(int(one.split(":")[2].split("/")[0]) for one in endpoints)
        run = Run(minutes * 60)
        director = Director(rows, tenants, waits, mean, rng)
        larger = spells(
            tenants[0],
            tenants[1], run.seconds, emulators[0].child.signal, proxy,
            lambda tenant: rows.set_connection(tenant.name, tenant.endpoint, tenant.token),
        )  # fmt: skip
        weather = Weather(tenants, larger, rng)
        processes = {
            "runner": (runner, ports),
            "supervisor": (child.process.pid, frozenset[int]()),
            "service": (emulators[0].child.process.pid, frozenset[int]()),
        }
        sampler = Sampler(
            FOLDER / "samples.jsonl", processes,
            lambda: {"phase": run.phase, "alive": len(director.alive), "begun": len(director.works)},
        )  # fmt: skip
        sampler.start()
        try:
            play(run, director, weather, child, mean)
        finally:
            sampler.stop()
            keep(run, director, weather)
            works = {index: asdict(work) for index, work in director.works.items()}
            (FOLDER / "works.json").write_text(json.dumps(works), encoding="utf-8")
        stores = {one.name: {table: one.world(table) for table in judging.TABLES} for one in tenants}
        (FOLDER / "stores.json").write_text(json.dumps(stores), encoding="utf-8")
        rest = {
            "left": rows.left(),
            "strange": director.strange,
            "sampling": repr(sampler.error) if sampler.error else "",
        }
        (FOLDER / "rest.json").write_text(json.dumps(rest), encoding="utf-8")


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
