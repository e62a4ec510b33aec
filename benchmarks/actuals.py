"""Actuals: speed and memory of an upload, and how long a backfill takes against the hourly quota.

Speed and memory are those of the client: from a file on disk to accepted requests, in a process of its own, against the
emulator's null sink in another one. The backfill has no requests at all: its clock is moved.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import TooManyRequests
from airflow_provider.api.settings import Settings
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.budget import HOUR, ROWS_AN_HOUR, Budget
from airflow_provider.mlops.ledger import Ledger
from airflow_provider.mlops.sending import JsonSending, ServiceClock
from airflow_provider.mlops.upload import Jobs, Later, Upload
from demo.emulator import Emulator
from demo.stack import clean_environment

ROOT = Path(__file__).parents[1]
DEPLOYMENT = "64e000000000000000000002"  # of the demo world: classes yes and no
SWITCHES = {"sink": "on", "quota_rows": "off", "post_rate": "off"}
LEAST = {"ignore": 100_000, "last": 60_000}  # rows a second on one core
MORE_MEMORY = 50.0  # MB that the long input may take above the short one
SHORT = 100_000  # rows of the short input


@dataclass(frozen=True)
class Cost:
    """``seconds`` by the clock and of processor time, ``peak`` memory in MB, of an upload of so many rows."""

    rows: int
    seconds: float
    cpu: float
    peak: float

    @property
    def speed(self) -> float:
        """Rows a second on one core: by processor time, because other work on the machine only ever adds."""
        return self.rows / self.cpu


def main() -> int:
    """Print the table; 0 when every figure is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows for speed")
    parser.add_argument("--memory-rows", type=int, default=10_000_000, help="rows for memory; 0 leaves it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-actuals-") as home:
        folder = Path(home)
        paths = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        environment = clean_environment({"AIRFLOW_HOME": home, "PYTHONPATH": paths})
        with Emulator(folder, environment, speed=1) as emulator:
            faults = _speeds(folder, environment, emulator.endpoint, options.rows)
            if options.memory_rows:
                faults += _memories(folder, environment, emulator.endpoint, options.memory_rows)
    return 1 if faults + _backfill() else 0


def _speeds(folder: Path, environment: dict[str, str], endpoint: str, rows: int) -> int:
    print(f"{'speed, ' + format(rows, ',') + ' rows':<34}{'rows/s of a core':>18}{'rows/s by the clock':>22}")
    faults = 0
    for name, write in _kinds().items():
        source = write(folder, rows)
        for duplicates in ("ignore", "last"):
            cost = _measured(environment, endpoint, source, duplicates, rows)
            slow = cost.speed < LEAST[duplicates] and "time" not in name
            faults += slow
            told = f"  under {LEAST[duplicates]:,}" if slow else ""
            print(f"  {name + ', ' + duplicates:<32}{cost.speed:>18,.0f}{rows / cost.seconds:>22,.0f}{told}")
        source.unlink()
    return faults


def _memories(folder: Path, environment: dict[str, str], endpoint: str, rows: int) -> int:
    print(f"{'peak memory':<34}{format(SHORT, ',') + ' rows':>18}{format(rows, ',') + ' rows':>22}")
    faults = 0
    for name, write in _kinds().items():
        short, long = write(folder / "short", SHORT), write(folder, rows)
        for duplicates in ("ignore", "last"):
            small = _measured(environment, endpoint, short, duplicates, SHORT).peak
            large = _measured(environment, endpoint, long, duplicates, rows).peak
            much = large - small > MORE_MEMORY
            faults += much
            told = f"  more than {MORE_MEMORY:.0f} MB apart" if much else ""
            print(f"  {name + ', ' + duplicates:<32}{small:>15.0f} MB{large:>19.0f} MB{told}")
        long.unlink()
    return faults


# --- inputs ---------------------------------------------------------------------------------------------------------


def _kinds() -> dict[str, Callable[[Path, int], Path]]:
    kinds: dict[str, Callable[[Path, int], Path]] = {
        "CSV": _csv,
        "CSV with times": _csv_with_times,
        "JSON lines": _json_lines,
    }
    return kinds | ({"Parquet": _parquet} if importlib.util.find_spec("pyarrow") else {})


def _csv(folder: Path, rows: int) -> Path:
    return _lines(
        folder / "actuals.csv", "id,outcome\n", lambda n: f"customer-{n:09d},{'yes' if n % 3 else 'no'}\n", rows
    )


def _csv_with_times(folder: Path, rows: int) -> Path:
    def line(number: int) -> str:
        label, minute, second = "yes" if number % 3 else "no", number // 60 % 60, number % 60
        return f"customer-{number:09d},{label},2026-03-01T10:{minute:02d}:{second:02d}Z\n"

    return _lines(folder / "times.csv", "id,outcome,at\n", line, rows)


def _json_lines(folder: Path, rows: int) -> Path:
    def line(number: int) -> str:
        return f'{{"id": "customer-{number:09d}", "outcome": "{"yes" if number % 3 else "no"}"}}\n'

    return _lines(folder / "actuals.jsonl", "", line, rows)


def _lines(file: Path, head: str, line: Callable[[int], str], rows: int) -> Path:
    file.parent.mkdir(exist_ok=True)
    with file.open("w") as stream:
        stream.write(head)
        stream.writelines(line(number) for number in range(rows))
    return file


def _parquet(folder: Path, rows: int) -> Path:
    import pyarrow
    import pyarrow.parquet

    file = folder / "actuals.parquet"
    folder.mkdir(exist_ok=True)
    schema = pyarrow.schema([("id", pyarrow.string()), ("outcome", pyarrow.string())])
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for first in range(0, rows, 100_000):
            numbers = range(first, min(first + 100_000, rows))
            columns = {
                "id": [f"customer-{n:09d}" for n in numbers],
                "outcome": ["yes" if n % 3 else "no" for n in numbers],
            }
            writer.write_table(pyarrow.table(columns, schema))
    return file


# --- one upload in a process of its own -----------------------------------------------------------------------------


def _measured(environment: dict[str, str], endpoint: str, source: Path, duplicates: str, rows: int) -> Cost:
    given = json.dumps([endpoint, str(source), duplicates, rows])
    command = [sys.executable, "-c", f"from benchmarks.actuals import upload; upload({given!r})"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    seconds, cpu, peak = json.loads(done.stdout.splitlines()[-1])
    return Cost(rows, seconds, cpu, peak)


def upload(given: str) -> None:
    """Upload a file as the operator does, and print what it cost."""
    endpoint, source, duplicates, rows = json.loads(given)
    from airflow.sdk import ObjectStoragePath

    from airflow_provider.api.client import Client
    from airflow_provider.emulator.door import EmulatorDoor
    from airflow_provider.mlops.columns import Columns
    from airflow_provider.tasks.actuals_order import Order
    from airflow_provider.tasks.actuals_pass import Pass
    from airflow_provider.tasks.sources import PathSource

    door = EmulatorDoor(endpoint.removesuffix("/api/v2"))
    door.reset(**SWITCHES)
    with tempfile.TemporaryDirectory(prefix="bench-state-") as state:
        order = Order(
            deployment_id=DEPLOYMENT,
            source=PathSource(ObjectStoragePath(source)),
            columns=Columns("id", "outcome", "at" if "times" in source else None),
            duplicates=duplicates,
            most_rejected=0,
            keep=None,
            state=ObjectStoragePath(f"{state}/ledger"),
            rejects=ObjectStoragePath(f"{state}/rejects.jsonl"),
            resend_changed=False,
            rows_an_hour=100_000_000_000,
            weight=1,
            in_flight=8,
            settle=60.0,
        )
        with Client(Settings(endpoint, door.tokens["requester"])) as client:
            begun, cpu = time.perf_counter(), time.process_time()
            Pass(order, client, "bench#1", logging.getLogger()).run()
            seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    accepted = door.actuals(DEPLOYMENT)["accepted"]
    if accepted != rows:
        raise AssertionError(f"{accepted} of {rows} rows were accepted")
    print(json.dumps([seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


# --- a backfill against the quota -----------------------------------------------------------------------------------


@dataclass
class Moved:
    """A service that takes a second for a request and five for a job, and keeps to its quota; nothing is sent."""

    now: float = 1_772_000_000.0
    settings: Settings = field(default_factory=lambda: Settings("https://mlops.test/api/v2", "token"))
    rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0
    _first: int = 0

    def clock(self) -> float:
        """Seconds since 1970."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    def send(self, call: Any, *, tries: int | None = None) -> Answer:
        """A chunk arrives."""
        self.now += 1 / 8  # eight at a time
        while self._first < len(self.arrivals) and self.arrivals[self._first][0] <= self.now - HOUR:
            self._first += 1
        hour = self.now // HOUR * HOUR
        recent = sum(rows for _, rows in self.arrivals[self._first :])
        in_clock_hour = sum(rows for at, rows in self.arrivals[self._first :] if at >= hour)
        if max(recent, in_clock_hour) + 10_000 > ROWS_AN_HOUR:
            self.refused += 1
            raise TooManyRequests("the quota is spent", status=429)
        self.arrivals.append((self.now, 10_000))
        return Answer(202, {"location": f"/api/v2/status/{len(self.arrivals)}/"}, b"", "")

    def get(self, path: str) -> Answer:
        """A job is over five seconds after its chunk came."""
        at, _ = self.arrivals[int(path.split("/")[1]) - 1]
        if self.now < at + 5:
            return Answer(200, {}, b'{"status": "RUNNING"}', path)
        return Answer(303, {"location": "/api/v2/deployments/d/accuracy/"}, b"", path)


class Memory(dict[str, bytes]):
    """A ledger's folder."""

    def names(self) -> list[str]:
        """Its files."""
        return list(self)

    def read(self, name: str) -> bytes:
        """A file."""
        return self[name]

    def write(self, name: str, content: bytes) -> None:
        """A new file."""
        self[name] = content


def _backfill(rows: int = 50_000_000) -> int:
    """So many rows, chunk by chunk, until all are over."""
    folder, passes = Memory(), 0
    service: Any = Moved()
    begun, body = service.now, b'{"data":[{"associationId":"a","actualValue":"yes"}]}'

    def chunks() -> Iterator[Chunk]:
        yield from (Chunk(number, 0, 10_000, str(number), body) for number in range(rows // 10_000))

    while True:
        passes += 1
        ledger = Ledger.read(folder, "bench#1")
        clock = ServiceClock(service.clock)
        pause = Upload(service, ledger, Budget(), clock, JsonSending(service, DEPLOYMENT, ledger, 1, clock, 8)).run(
            chunks()
        )
        if isinstance(pause, Later):
            service.sleep(pause.seconds)
        elif isinstance(pause, Jobs):
            service.sleep(10.0)
            ledger.settle(dict.fromkeys(pause.paths, ("done", None)))
        else:
            break
    bound = (-(-rows // ROWS_AN_HOUR) - 1) * HOUR
    took, window = service.now - begun, 1_000 / 8  # seconds in which an hour's rows are sent
    faults = int(service.refused > 0) + int(took > bound * 1.02 + window)
    print(f"backfill of {rows:,} rows against {ROWS_AN_HOUR:,} an hour, on a moved clock")
    told = f"bound {bound / HOUR:.3f} h and the last window, {passes} passes, {service.refused} times 429"
    print(f"  {took / HOUR:.3f} h, {told}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
