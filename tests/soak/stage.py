"""What a run plays on: PostgreSQL, Airflow's triggerer, and two tenants of the service, each process on its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.emulator import Emulator
from demo.processes import Child, free_port, stop, until
from demo.stack import clean_environment, settings
from tests.airflow_home import forget_airflow
from tests.faults.proxy import Proxy, proxied
from tests.servers.postgres import postgres
from tests.soak.figures import lines
from tests.soak.rows import PROBE, Rows
from tests.soak.work import SPEED, Tenant

ROOT = Path(__file__).parents[2]
NAMES = ("tenant_1", "tenant_2")
PROBE_SECONDS = 180  # until the triggerer runs


@dataclass(frozen=True)
class Stage:
    """The parts: the first tenant's service can be stopped, and the proxy before the second one's can go down."""

    triggerer: Child
    rows: Rows
    tenants: list[Tenant]
    services: list[Emulator]
    proxy: Proxy
    runner: int

    def set_connection(self, tenant: Tenant) -> None:
        """Gives Airflow's connection the tenant's present token."""
        self.rows.set_connection(tenant.name, tenant.endpoint, tenant.token)

    @property
    def processes(self) -> dict[str, tuple[int, frozenset[int]]]:
        """Those of interest: pid, and the ports of the services for the process that talks to them."""
        ports = frozenset(int(one.endpoint.split(":")[2].split("/")[0]) for one in self.tenants)
        return {
            "runner": (self.runner, ports),
            "supervisor": (self.triggerer.process.pid, frozenset()),
            "service": (self.services[0].child.process.pid, frozenset()),
        }


@contextmanager
def staged(folder: Path, waits: int, run_seconds: float, rng: random.Random) -> Iterator[Stage]:
    """Starts everything, and ends it with the block. This process gets the settings of that Airflow.

    :param run_seconds: service seconds that a retraining run takes.
    """
    with ExitStack() as stack:
        environment = airflow_environment(folder, stack.enter_context(postgres(folder)), waits)
        services = [stack.enter_context(Emulator(folder / name, environment, speed=SPEED)) for name in NAMES]
        child = stack.enter_context(triggerer(folder, environment))
        forget_airflow(os.environ)
        os.environ.update(environment)
        rows = Rows()
        proxy = stack.enter_context(proxied(services[1].origin))
        endpoints = (services[0].endpoint, f"{proxy.origin}/api/v2")
        tenants = [
            Tenant(name, endpoint, service.control, rng)
            for name, endpoint, service in zip(NAMES, endpoints, services, strict=True)
        ]
        stage = Stage(child, rows, tenants, services, proxy, probed(folder / "probe.jsonl", rows, child))
        for tenant in tenants:
            tenant.prepare(run_seconds, max(1, waits // 200))
            stage.set_connection(tenant)
        yield stage


def airflow_environment(folder: Path, database: str, waits: int) -> dict[str, str]:
    """A stack's settings, of which the triggerer's are Airflow's defaults but for the capacity."""
    (folder / "airflow").mkdir()
    told = settings(folder / "airflow", folder / "airflow" / "dags", free_port(), True, False)
    kept = {name: value for name, value in told.items() if not name.startswith("AIRFLOW__TRIGGERER__")}
    own = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__TRIGGERER__CAPACITY": str(waits + 100),
        "PYTHONPATH": str(ROOT),
    }
    return clean_environment({**kept, **own})


@contextmanager
def triggerer(folder: Path, environment: dict[str, str]) -> Iterator[Child]:
    """Airflow's own, with its rows in the database that the environment names."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    words = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
    child = Child("triggerer", words, environment, folder / "triggerer.log")
    try:
        yield child
    finally:
        stop([child])


def probed(file: Path, rows: Rows, child: Child) -> int:
    """Puts the probe beside the waits that will come; the process that runs it."""
    from tests.soak.probe import LoopProbe

    rows.defer([(-1, LoopProbe(str(file)))], PROBE)
    until(lambda: bool(file.exists() and lines(file)), "the triggerer runs the probe", PROBE_SECONDS, [child])
    return int(lines(file)[0]["pid"])
