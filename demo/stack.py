"""A private Airflow without Docker: its own home, database, ports and processes; stops only what it started.

    with Stack(home, dags=Path("example_dags")) as stack:
        run_id = stack.airflow.trigger("gated_promotion", {"package": "..."})

`airflow standalone` is not used: it leaves children behind on SIGTERM, and ignores SIGINT in the background.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from demo.processes import Child, Unwell, free_port, stop, until
from demo.rest import Airflow

START_SECONDS = 300.0  # on a machine with nothing else to do it takes 15
# Component -> its name in Airflow's health answer.
HEALTH = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
# Words of the command line where a component has more than its name. Log servers would listen on all interfaces; on one
# machine the logs are read from the disk.
COMMANDS = {
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "worker": ["celery", "worker", "--skip-serve-logs"],
}
FOREIGN = ("AIRFLOW_", "DATAROBOT_", "PYTEST_", "COV_")


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment without Airflow settings, connections and habits of the person who started us, plus ``extra``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # Without compiled files each Airflow process starts 2.5 s later.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


def settings(home: Path, dags: Path, port: int, quick_reaping: bool, load_examples: bool) -> dict[str, str]:
    """What the stack's Airflow is told.

    ``quick_reaping`` sets ``[workers] min_heartbeat_interval`` to 1. With the default of 5 LocalExecutor of Airflow 3.3
    reports the end of a deferred task up to 5 s late and then fails tasks whose trigger fired meanwhile.
    """
    address = f"http://127.0.0.1:{port}"
    told = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": str(load_examples),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        # Only what is asked for runs: else each scheduled example would start a run of its own.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        # One secret for all components; Airflow's own default is made anew in each.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # Another triggerer takes over after 5 s instead of 30 s.
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "5",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    if quick_reaping:
        told["AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL"] = "1"
    return told


class Stack:
    """API server, schedulers with LocalExecutor, DAG processor and triggerers on SQLite; a context manager.

    Another database comes with the ``environment``, and so does a broker, which ``workers`` of Celery need.

    :param home: folder for configuration, database and logs; made when it is not there.
    :param dags: folder with the DAG files.
    :param environment: more variables, connections (``AIRFLOW_CONN_...``) and overrides of :func:`settings` among them.
    :param triggerers: how many.
    :param schedulers: how many.
    :param workers: how many of Celery; 0: the schedulers run the tasks.
    :param quick_reaping: see :func:`settings`.
    :param load_examples: whether Airflow shows the example DAGs of its providers.
    :param python: the interpreter of the environment in which Airflow is installed.
    :param report: gets one line for each step, for people.
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        *,
        environment: Mapping[str, str] | None = None,
        triggerers: int = 1,
        schedulers: int = 1,
        workers: int = 0,
        quick_reaping: bool = True,
        load_examples: bool = False,
        python: str = sys.executable,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.home = home
        self.python = python
        self.report = report
        self.port = free_port()
        told = settings(home, dags, self.port, quick_reaping, load_examples)
        if workers:
            told["AIRFLOW__CORE__EXECUTOR"] = "CeleryExecutor"
        self.environment = clean_environment({**told, **(environment or {})})
        self.environment["PATH"] = f"{Path(python).parent}{os.pathsep}{self.environment.get('PATH', '')}"
        numbers = {"scheduler": schedulers, "triggerer": triggerers, "worker": workers}
        several = [name for component, number in numbers.items() for name in numbered(component, number)]
        self.names = ["api-server", "dag-processor", *several]
        self.children: dict[str, Child] = {}
        self.airflow = Airflow(self.address)

    @property
    def address(self) -> str:
        """The web UI, and below it the REST API."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Stack:
        try:
            self._create_database()
            for name in self.names:
                self.start(name)
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str) -> Child:
        """Start one component: ``scheduler``, ``triggerer-2``, ``worker``, ...; its log is ``<home>/<name>.log``."""
        component = re.sub(r"-\d+$", "", name)
        command = [self.python, "-m", "airflow", *COMMANDS.get(component, [component])]
        if component == "worker":
            command += ["--celery-hostname", f"{name}@%h"]
        self.children[name] = Child(name, command, self.environment, self.home / f"{name}.log")
        return self.children[name]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one component hard, as a crash does: the signal goes to its main process, then its group is cleared."""
        child = self.children.pop(name)
        child.signal(number, group=False)
        stop([child])

    def stop(self) -> None:
        """Stop what runs; safe to call twice."""
        children, self.children = self.children, {}
        self.airflow.close()
        killed = stop(children.values())
        if killed:
            self.report(f"had to be killed: {', '.join(killed)}")

    def command(self, *arguments: str) -> str:
        """Run ``airflow ARGUMENTS`` in the stack's environment and give its output; raises :class:`Unwell`."""
        done = subprocess.run(
            [self.python, "-m", "airflow", *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unwell(f"airflow {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _create_database(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        self.command("db", "migrate")
        self.report(f"database ready ({time.monotonic() - begun:.0f} s)")

    def _wait_until_healthy(self) -> None:
        begun = time.monotonic()
        waiting = {name: HEALTH[name] for name in self.names if name in HEALTH}

        def ready() -> bool:
            health = self.airflow.health()
            for component, key in list(waiting.items()):
                if health.get(key) == "healthy":
                    del waiting[component]
                    self.report(f"{component} ready ({time.monotonic() - begun:.0f} s)")
            return not waiting

        until(ready, "Airflow healthy", START_SECONDS, watch=self.children.values())


def numbered(component: str, number: int) -> list[str]:
    """``triggerer``, ``triggerer-2``, ``triggerer-3``, ..."""
    return [component if index == 1 else f"{component}-{index}" for index in range(1, number + 1)]
