"""Airflow, the service, and what kills and brings back their processes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.processes import Child, Unwell, stop, until
from demo.rest import ENDED
from demo.stack import Stack
from tests.connections import below_of, connected_to, parent_of
from tests.deaths import matrix
from tests.deaths.matrix import Death
from tests.deaths.stories import IN_PLACE, REQUESTER

TASK_ID, DAG_IN_PLACE = "task", "_in_place"
SECONDS = 240.0  # for anything
OTHER = "triggerer-2"
COMPONENTS = {
    matrix.API_SERVER: "api-server",
    matrix.TRIGGERER: "triggerer",
    matrix.SCHEDULER: "scheduler",
    matrix.SCHEDULER_ALONE: "scheduler",
}


@dataclass(frozen=True)
class Ended:
    """How the task ended: ``seconds`` from the death until the service was asked again."""

    state: str
    tries: int
    seconds: float
    result: Any
    log: str
    sent: int
    conf: dict[str, Any]


class Scene:
    """Plays deaths, one after another."""

    def __init__(self, stack: Stack, emulator: Emulator, folder: Path) -> None:
        self.stack = stack
        self.airflow = stack.airflow
        self.emulator = emulator
        self.folder = folder
        self.service = EmulatorDoor(emulator.origin)
        self._orphaned: list[Child] = []

    def play(self, death: Death) -> Ended:
        """A run of the story in which a process dies at its moment; everything is up again afterwards."""
        self.folder.mkdir()
        self._end_leftovers()
        self.service.reset()
        conf = death.story.begin(self.service, self.folder)
        self._begin(death, conf)
        sent = self._sent(death)
        seconds = self._die(death)
        with death.story.going_on(self.service):
            state = self.airflow.wait(*self._run, SECONDS)
        self._bury()
        return Ended(
            state=state,
            tries=self._tries(),
            seconds=seconds,
            result=self.airflow.xcom(*self._run, TASK_ID),
            log=self._log(),
            # The log of the service does not outlive it.
            sent=self._sent(death) + (sent if death.who == matrix.SERVICE else 0),
            conf=conf,
        )

    def _begin(self, death: Death, conf: dict[str, Any]) -> None:
        """The run, up to its moment: a request of it hangs."""
        story, moment = death.story, death.moment
        if story.job is not None and moment.startswith(("waiting", "resumed")):
            self.service.jobs(story.job, byHand=True, times=1)
        if death.who == matrix.LAST_TRIGGERER:
            self.stack.start(OTHER)
        dag_id = f"{story.dag_id}{DAG_IN_PLACE if moment.endswith(IN_PLACE) else ''}"
        if not moment.startswith("resumed"):
            self._hold(death)
            self._run = dag_id, self.airflow.trigger(dag_id, conf)
            self._await_held()
            return
        self._run = dag_id, self.airflow.trigger(dag_id, conf)
        self.airflow.wait_for_state(*self._run, TASK_ID, ["deferred"], SECONDS)
        self._hold(death)
        with story.going_on(self.service):
            self._await_held()

    def _die(self, death: Death) -> float:
        """The seconds until the service was asked again, or until the run was over, as one is that must not ask."""
        heard, begun = self._requests(), time.monotonic()
        self._kill(death)
        if death.who == matrix.SERVICE:
            heard = 0
        else:
            self.service.release(self._held)
        until(lambda: self._requests() > heard or self._is_over(), "at work again", SECONDS, pause=0.1)
        seconds = time.monotonic() - begun
        until(lambda: bool(self.airflow.health()), "the API server", SECONDS)
        return seconds

    def _end_leftovers(self) -> None:
        """Runs of a test that broke off must not meddle with the next."""
        for run in self.airflow.ask("GET", "/dags/~/dagRuns", state="running")["dag_runs"]:
            path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}"
            self.airflow.ask("PATCH", path, {"state": "failed"})

    # --- moments ----------------------------------------------------------------------------------------------

    def _hold(self, death: Death) -> None:
        self._held = self.service.fault("hold", **death.story.point(death.moment))

    def _await_held(self) -> None:
        """Until a request hangs; the run must not end before."""

        def is_held() -> bool:
            if self._is_over():
                raise Unwell(f"the run was over before its moment came:\n{self._log()}")
            return any(one["id"] == self._held and one["holding"] for one in self.service.faults())

        until(is_held, "a request hangs", SECONDS, pause=0.1)

    def _is_over(self) -> bool:
        with suppress(httpx.TransportError):  # the API server is away, or has much to do
            return bool(self.airflow.health()) and self.airflow.run(*self._run)["state"] in ENDED
        return False

    def _tries(self) -> int:
        [task] = self.airflow.tasks(*self._run)
        return int(task["try_number"])

    def _log(self) -> str:
        """What the last attempt said."""
        return self.airflow.log(*self._run, TASK_ID, self._tries())

    def _sent(self, death: Death) -> int:
        """How often the service carried out the write."""
        return self.service.accepted().get(death.story.write, 0)

    def _requests(self) -> int:
        """How often our task, or the triggerer for it, has asked the service."""
        with suppress(URLError, ConnectionError):  # it is down
            return len(self.service.log(user=REQUESTER))
        return 0

    # --- deaths -----------------------------------------------------------------------------------------------

    def _kill(self, death: Death) -> None:
        match death.who:
            case matrix.SERVICE:
                self.emulator.kill()
                self.emulator.start()
            case matrix.TASK:
                _sigkill(self._connected("scheduler"))
            case matrix.WORKER:
                [task] = self._connected("scheduler")
                _sigkill([parent_of(task), task])
            case matrix.LAST_TRIGGERER:
                [name] = [name for name in ("triggerer", OTHER) if self._connected(name)]
                self._crash(name)
            case who:
                self._crash(COMPONENTS[who], alone=who == matrix.SCHEDULER_ALONE)
                self.stack.start(COMPONENTS[who])

    def _connected(self, name: str) -> list[int]:
        return connected_to(urlsplit(self.service.url).port, below=self.stack.children[name].process.pid)

    def _crash(self, name: str, alone: bool = False) -> None:
        """SIGKILL to a component and everything below it, as when its machine goes; or to its main process alone."""
        child = self.stack.children.pop(name)
        _sigkill([child.process.pid] if alone else below_of(child.process.pid))
        self._orphaned.append(child)

    def _bury(self) -> None:
        """What is left of crashed components goes; one triggerer is there again, under its own name."""
        stop(self._orphaned)
        self._orphaned.clear()
        if OTHER in self.stack.children:
            stop([self.stack.children.pop(OTHER)])
        if "triggerer" not in self.stack.children:
            self.stack.start("triggerer")


def _sigkill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
