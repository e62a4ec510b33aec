"""Airflow as on several machines, and how its parts come and go."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.processes import Child, stop, until
from demo.stack import Stack, clean_environment, numbered
from tests.connections import below_of
from tests.distributed.database import Database
from tests.servers.postgres import postgres
from tests.servers.redis import redis

DAG = "fleet"
DAGS = Path(__file__).parent / "dags"
RECEIVED = re.compile(r"\[([0-9a-f-]{36})\] received")
PATIENCE = 300.0  # seconds for a part to start or to end
# Seconds until Airflow notices that a task's worker has died: while the task ran, and before it had begun.
RUNNING_LOST, QUEUED_LOST = 20, 60
SETTINGS = {
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
    "AIRFLOW__CORE__PARALLELISM": "4",  # for each scheduler: together as many as the workers take
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "1024",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(RUNNING_LOST),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(QUEUED_LOST),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "2",
}


class Cluster:
    """The Airflow (``stack``), the service (``emulator``, ``door``) and the ``database`` of one test.

    ``triggerers`` has the number that Airflow gave each of them.
    """

    def __init__(self, stack: Stack, emulator: Emulator, database: Database) -> None:
        self.stack = stack
        self.emulator = emulator
        self.door = EmulatorDoor(emulator.origin)
        self.database = database
        self.triggerers: dict[str, int] = {}
        self._leaving: dict[str, Child] = {}

    def start_triggerer(self, name: str) -> None:
        """Starts one, and waits until Airflow knows it; one of that name that was asked to end is gone by then."""
        if name in self._leaving:
            leaving = self._leaving.pop(name)
            until(lambda: not leaving.running, f"{name} has ended", PATIENCE)
            stop([leaving])
        before = self.database.jobs("TriggererJob")
        child = self.stack.start(name)
        until(lambda: bool(self.database.jobs("TriggererJob") - before), f"{name} is known", PATIENCE, [child])
        [self.triggerers[name]] = self.database.jobs("TriggererJob") - before

    def waits_of(self, name: str) -> set[int]:
        """The waits that a triggerer has."""
        return self.database.waits_of(self.triggerers[name])

    def waiting(self) -> int:
        """How many tasks wait, in one triggerer or another."""
        return sum(state == "deferred" for state in self.database.states().values())

    def start_worker(self, name: str) -> None:
        """Starts one that was lost, and waits until it takes tasks."""
        self.stack.start(name)
        self.wait_for_worker(name, times=2)

    def wait_for_worker(self, name: str, times: int = 1) -> None:
        """Until its log says so often that it takes tasks."""
        log = self.stack.home / f"{name}.log"
        watch = [self.stack.children[name]]
        until(lambda: log.read_text().count(" ready.") >= times, f"{name} takes tasks", PATIENCE, watch)

    def messages(self, name: str) -> set[str]:
        """The messages that a worker has received."""
        return set(RECEIVED.findall((self.stack.home / f"{name}.log").read_text()))

    def processes(self, name: str) -> set[int]:
        """A part and all that it has started."""
        return set(below_of(self.stack.children[name].process.pid))

    def freeze(self, name: str) -> set[int]:
        """Halts a part in the midst of everything; its processes."""
        frozen: set[int] = set()
        while new := self.processes(name) - frozen:
            _signal(new, signal.SIGSTOP)
            frozen |= new
        return frozen

    def thaw(self, name: str) -> None:
        """Lets a frozen part go on."""
        _signal(self.processes(name), signal.SIGCONT)

    def lose(self, name: str) -> float:
        """Ends a part and all that it has started at once, as the loss of its machine does; the moment."""
        frozen = self.freeze(name)
        child = self.stack.children.pop(name)
        moment = time.time()
        _signal(frozen, signal.SIGKILL)
        stop([child])
        return moment

    def ask_to_end(self, name: str) -> float:
        """Asks a part to end, as a rolling restart does; the moment."""
        self._leaving[name] = self.stack.children.pop(name)
        moment = time.time()
        self._leaving[name].signal(signal.SIGTERM, group=False)
        return moment

    def close(self) -> None:
        """Buries what was asked to end."""
        stop(self._leaving.values())


@contextmanager
def cluster(folder: Path, heartbeats: tuple[int, int], *, schedulers: int = 2, workers: int = 2) -> Iterator[Cluster]:
    """Schedulers, workers, two triggerers, one API server and one DAG processor, and the emulator.

    :param folder: for databases, logs and everything; existing.
    :param heartbeats: seconds between two of a triggerer, and without one until the others take over.
    """
    with (
        postgres(folder) as database_url,
        redis(folder) as broker,
        Emulator(folder, clean_environment({}), speed=1) as emulator,
    ):
        environment = {
            **SETTINGS,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database_url}",
            "AIRFLOW_CONN_DATAROBOT_DEFAULT": json.dumps(
                {"conn_type": "datarobot", "host": emulator.endpoint, "password": "requester-token"}
            ),
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": str(heartbeats[0]),
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": str(heartbeats[1]),
        }
        stack = Stack(
            folder / "airflow", DAGS, environment=environment, triggerers=0, schedulers=schedulers, workers=workers
        )
        database = Database(database_url, DAG)
        with stack:
            made = Cluster(stack, emulator, database)
            try:
                until(lambda: len(database.jobs("SchedulerJob")) == schedulers, "the schedulers are known", PATIENCE)
                for name in numbered("worker", workers):
                    made.wait_for_worker(name)
                for name in ("triggerer", "triggerer-2"):
                    made.start_triggerer(name)
                yield made
            finally:
                made.close()
                database.close()


def _signal(processes: set[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
