"""What our modules cost at import: those of a DAG file on top of Airflow's SDK, and the pytest plugin on top of pytest.

DAG files are read again and again, and a pytest plugin is imported in every test run of every user. Each measurement
is the best of several fresh processes, because other work on the machine only ever adds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from airflow_provider.get_provider_info import get_provider_info
from demo.stack import clean_environment

PROCESSES = 3
# Modules that a DAG file must not load: Airflow's models need the database, the others are big or belong to servers.
HEAVY = ("airflow.models.dag", "aiohttp", "fastapi", "numpy", "pandas", "pyarrow", "requests", "starlette", "uvicorn")

SCRIPT = """
import importlib, json, sys, time
first, modules = json.loads(sys.argv[1])
importlib.import_module(first)
before, begun = set(sys.modules), time.perf_counter()
for module in modules:
    importlib.import_module(module)
seconds = time.perf_counter() - begun
print(json.dumps([seconds * 1000, sorted(set(sys.modules) - before)]))
"""


@dataclass(frozen=True)
class Cost:
    """``milliseconds`` that an import took, the limit for it, and the names of the modules that it loaded."""

    what: str
    milliseconds: float
    limit: float
    loaded: tuple[str, ...]

    def heavy(self) -> list[str]:
        """The modules of :data:`HEAVY` that were loaded."""
        return [name for name in HEAVY if name in self.loaded]

    def faults(self) -> list[str]:
        """What is wrong: too slow, or a heavy module was loaded."""
        slow = self.milliseconds >= self.limit
        return [f"over {self.limit:.0f} ms"] * slow + [f"loads {name}" for name in self.heavy()]


def dag_file_cost(processes: int = PROCESSES) -> Cost:
    """All modules of operators, sensors and task groups, on top of ``airflow.sdk``."""
    info = get_provider_info()
    modules = [name for kind in ("operators", "sensors") for part in info[kind] for name in part["python-modules"]]
    modules.append("airflow_provider.task_groups.promotion")
    return _cost("operators and sensors on top of airflow.sdk", 100, "airflow.sdk", modules, processes)


def pytest_plugin_cost(processes: int = PROCESSES) -> Cost:
    """The pytest plugin, on top of pytest."""
    return _cost(
        "the pytest plugin on top of pytest", 5, "pytest", ["airflow_provider.emulator.pytest_plugin"], processes
    )


def main() -> int:
    """Print both; 0 when they are within their limits."""
    status = 0
    for cost in (dag_file_cost(), pytest_plugin_cost()):
        faults = cost.faults()
        print(f"{cost.what:<45} {cost.milliseconds:7.1f} ms, {len(cost.loaded)} modules  {', '.join(faults) or 'ok'}")
        status = 1 if faults else status
    return status


def _cost(what: str, limit: float, first: str, modules: list[str], processes: int) -> Cost:
    with tempfile.TemporaryDirectory() as home:
        environment = clean_environment({"AIRFLOW_HOME": home})
        command = [sys.executable, "-c", SCRIPT, json.dumps([first, modules])]
        measured = [
            json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
            for _ in range(processes)
        ]
    milliseconds, loaded = min(measured, key=lambda one: float(one[0]))
    return Cost(what, milliseconds, limit, tuple(loaded))


if __name__ == "__main__":
    sys.exit(main())
