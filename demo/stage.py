"""What a story plays on: Airflow, the emulator, and a voice.

A story is a module in ``demo/stories/`` with ``TITLE`` and ``run(stage) -> list of (what, value)``: the pairs are its
account, printed at the end. It raises when it did not go as told. Stories run side by side on one stage, so each keeps
to deployments of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from demo.emulator import Emulator
from demo.package import EXAMPLES, install_wheel
from demo.processes import Unwell
from demo.rest import Airflow
from demo.stack import Stack, clean_environment

Account = Sequence[tuple[str, object]]
WIDTH = 12
# Connection -> token of its user in the world "demo".
USERS = {
    "datarobot_default": "requester-token",
    "datarobot_reviewer": "reviewer-token",
    "datarobot_admin": "admin-token",
}


class Story(Protocol):
    """The protocol that modules in ``demo/stories/`` follow."""

    TITLE: str

    def run(self, stage: Stage) -> Account:
        """Play it; the account."""
        ...


class Voice:
    """Prints one line for each event, with the seconds since the start; usable from several threads."""

    def __init__(self, write: Callable[[str], None] = print) -> None:
        self._write = write
        self._begun = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, who: str, what: str) -> None:
        """Print it."""
        with self._lock:
            self._write(f"{time.monotonic() - self._begun:6.1f} s  {who:<{WIDTH}}  {what}")


class Stage:
    """What a story is handed.

    :param airflow: the REST API of the running Airflow.
    :param emulator: the service, and its people.
    :param voice: prints the progress.
    :param name: the story's name, put before its lines when several stories run; empty otherwise.
    """

    def __init__(self, airflow: Airflow, emulator: Emulator, voice: Voice, name: str = "") -> None:
        self.airflow = airflow
        self.emulator = emulator
        self._voice = voice
        self._name = name

    def say(self, who: str, what: str) -> None:
        """One line of progress: who did what."""
        self._voice(who, f"{self._name}: {what}" if self._name else what)

    def run_dag(self, dag_id: str, conf: dict[str, Any] | None = None, seconds: float = 240.0) -> str:
        """Start a run, tell each step, wait for its end; the run's id. Raises :class:`Unwell` unless it succeeds."""
        run_id = self.start_dag(dag_id, conf)
        self.finish_dag(dag_id, run_id, seconds)
        return run_id

    def start_dag(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run; its id."""
        run_id = self.airflow.trigger(dag_id, conf)
        self.say("airflow", f"run of {dag_id} started")
        return run_id

    def finish_dag(self, dag_id: str, run_id: str, seconds: float = 240.0) -> None:
        """Tell each step of a run until its end. Raises :class:`Unwell` with the failed tasks unless it succeeds."""
        state = self.airflow.wait(dag_id, run_id, seconds, on_change=self._tell)
        self.say("airflow", f"run of {dag_id} ended: {state}")
        if state != "success":
            raise Unwell("\n".join(self._failures(dag_id, run_id)))

    def pause(self, seconds: float) -> None:
        """What a person needs to think."""
        time.sleep(seconds)

    def times(self, dag_id: str, run_id: str) -> Account:
        """For each task that ran: its name, and its state and seconds from the first start to the end."""
        ran = [task for task in self.airflow.tasks(dag_id, run_id) if task["start_date"] and task["end_date"]]
        return [(task["task_id"], f"{task['state']}, {_seconds(task):.1f} s") for task in ran]

    def _tell(self, task: str, old: str | None, new: str | None) -> None:
        if new in ("running", "deferred", "success", "failed", "skipped", "up_for_retry", "upstream_failed"):
            self.say("airflow", f"{task:<24} {new}")

    def _failures(self, dag_id: str, run_id: str) -> Iterator[str]:
        yield f"the run of {dag_id} failed"
        for task in self.airflow.tasks(dag_id, run_id):
            if task["state"] == "failed":
                log = self.airflow.log(dag_id, run_id, task["task_id"], task["try_number"], task["map_index"])
                yield f"--- {task['task_id']}:\n" + "\n".join(log.splitlines()[-20:])


@contextmanager
def scene(folder: Path, voice: Voice, *, speed: float, visible: bool = False) -> Iterator[tuple[Stack, Emulator]]:
    """Wheel, emulator and Airflow with the example DAGs and the connections of :data:`USERS`; all stopped at the end.

    The connections come from the environment, which is quickest, or, when ``visible``, from Airflow's database, where
    people can look at them and change them.
    """
    site = install_wheel(folder)
    voice("setup", "wheel built and installed")
    path = {"PYTHONPATH": str(site)}
    with Emulator(folder, clean_environment(path), speed=speed) as emulator:
        voice("setup", f"emulator answers on {emulator.endpoint}")
        connections = {
            name: {"conn_type": "datarobot", "host": emulator.endpoint, "password": token}
            for name, token in USERS.items()
        }
        variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in connections.items()}
        environment = path if visible else {**path, **variables}

        def report(line: str) -> None:
            voice("setup", line)

        with Stack(folder / "airflow", site / EXAMPLES, environment=environment, report=report) as stack:
            for name, one in connections.items() if visible else ():
                stack.airflow.ask("POST", "/connections", {"connection_id": name, **one})
            yield stack, emulator


def _seconds(task: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(task[key]) for key in ("start_date", "end_date"))
    return (ended - begun).total_seconds()
