"""One story: a deployment of its own, one run of one DAG with one task, and people who end the wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.processes import Unwell, until

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from demo.emulator import Person
    from demo.stack import Stack
    from tests.kills.works import Work

TASK = "work"
PACKAGE, MODEL, WANTED = "64d000000000000000000001", "64a100000000000000000001", "64d000000000000000000003"
SOON, LATE = 240.0, 420.0  # seconds; the machine may be busy
GOES_ON, WAS_STOPPED = ("goes on",), ("was sent to cancel its remote work", "was cancelled")


@dataclass
class Scene:
    """Where a story is played, and what everybody does there.

    :param variant: the first part of the DAG's id, where it is not that of the work.
    """

    stack: Stack
    service: EmulatorDoor
    person: Person
    work: Work
    mode: str
    folder: Path
    variant: str = ""
    deployment: str = ""
    policy: str = ""
    run_id: str = ""
    deed_at: float | None = None
    seconds: float | None = None  # from the deed to the cancel
    attempt: int = 0  # that waits, or has waited
    cancelled: int = 0  # works, when the story had ended
    side_by_side: bool = False  # whether an attempt began to wait while work of another one went on

    def __post_init__(self) -> None:
        body = {"label": self.folder.name, "modelPackageId": PACKAGE, "importance": self.work.importance}
        self.deployment = self.person.ask("POST", "deployments/fromModelPackage/", body)["id"]
        wanted = {"name": "Story", "action": "create_challenger"}
        self.policy = self.person.ask("POST", f"{self._place}retrainingPolicies/", wanted)["id"]
        self.folder.mkdir(parents=True)
        (self.folder / "rows.csv").write_text("id,age\n1,33\n2,51\n")

    @property
    def _place(self) -> str:
        return f"deployments/{self.deployment}/"

    @property
    def dag(self) -> str:
        return f"{self.variant or self.work.dag}_{self.mode}"

    @property
    def waiting(self) -> str:
        """The state of a task that waits."""
        return "deferred" if self.mode == "deferred" else "running"

    # --- before -----------------------------------------------------------------------------------------------

    def begin(self, **conf: Any) -> None:
        """Starts the run, and returns when its task waits."""
        self.submit(**conf)
        self.waits()

    def submit(self, **conf: Any) -> None:
        """Starts the run, and returns when its work was begun."""
        day = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
        window = {"start": f"{day:%Y-%m-%dT%H:%M:%SZ}", "end": f"{day + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"}
        if self.work.name == "export":
            self.service.predictions(self.deployment, rows=24, **window)
        given = {"deployment": self.deployment, "policy": self.policy, "package": WANTED, "folder": str(self.folder)}
        given |= {**window, "model": MODEL, **conf}
        self.run_id = self.stack.airflow.trigger(self.dag, given)
        until(lambda: bool(self.works()), f"{self.folder.name}: work", LATE, pause=0.5)

    def begin_elsewhere(self) -> None:
        """Somebody else starts a retraining run."""
        self.person.ask("POST", f"{self._place}retrainingPolicies/{self.policy}/runs/")

    def waits(self, attempt: int = 1) -> None:
        """Returns when an attempt waits, and has looked since."""

        def ready() -> bool:
            task = self.task()
            return (task["state"], task["try_number"]) == (self.waiting, attempt) and bool(self.works())

        until(ready, f"{self.folder.name}: attempt {attempt} waits", LATE, pause=0.5)
        self.attempt, before = attempt, self.looks()
        self.side_by_side = sum(self.work.is_going(one) for one in self.works()) > 1
        until(lambda: self.looks() > before, f"{self.folder.name}: a look", SOON, pause=0.5)

    # --- what people do ---------------------------------------------------------------------------------------

    def deed(self, what: Callable[[], object]) -> None:
        """Does it; time is counted from here."""
        self.deed_at = time.monotonic()
        what()

    def mark(self, state: str) -> None:
        """Marks the task."""
        self.stack.airflow.set_state(self.dag, self.run_id, TASK, state)

    def clear(self) -> None:
        """Clears the task."""
        self.stack.airflow.clear(self.dag, self.run_id, [TASK])

    def fail_run(self) -> None:
        """Marks the whole run as failed."""
        self.stack.airflow.ask("PATCH", self._run_path, {"state": "failed"}, update_mask="state")

    def delete_run(self) -> None:
        """Deletes the run."""
        self.stack.airflow.ask("DELETE", self._run_path)

    @property
    def _run_path(self) -> str:
        return f"/dags/{self.dag}/dagRuns/{self.run_id}"

    # --- what is seen -----------------------------------------------------------------------------------------

    def task(self) -> dict[str, Any]:
        """The task instance, as Airflow's API shows it."""
        [task] = self.stack.airflow.tasks(self.dag, self.run_id)
        return task

    def works(self) -> list[dict[str, Any]]:
        """What was begun at the service."""
        return self.work.begun(self.service, self.deployment)

    def looks(self) -> int:
        """How often somebody looked at the work."""
        return sum(self._about(self.service.log(operationId=look)) for look in self.work.looks)

    def cancels(self) -> int:
        """How many cancels the service accepted for this work."""
        if self.work.cancel is None:
            return 0
        sent = self.service.log(operationId=self.work.cancel, writes=True)
        return self._about(
            [one for one in sent if one["accepted"] and (one["body"] or {}).get("status") != "resolving"]
        )

    def _about(self, requests: list[dict[str, Any]]) -> int:
        ids = {str(one[key]) for one in self.works() for key in ("id", "jobId") if one.get(key)} | {self.deployment}
        return sum(bool(ids & set(one["path"].split("/"))) for one in requests)

    def stopped(self) -> None:
        """Returns when the first work was stopped."""
        until(lambda: self.work.is_stopped(self.works()[0]), f"{self.folder.name}: stopped", SOON, pause=0.1)
        if self.deed_at is not None:
            self.seconds = round(time.monotonic() - self.deed_at, 1)

    def ends(self, state: str) -> None:
        """Returns when the task has ended so."""
        ended = ("success", "failed", "skipped")
        self.stack.airflow.wait_for_state(self.dag, self.run_id, TASK, ended, LATE)
        found = self.task()["state"]
        assert found == state, f"{found}:\n{self.log()}"

    def told(self, *words: str) -> None:
        """Returns when the log of the task says one of these.

        A busy triggerer may notice the end of a trigger before its last words, which then stand in its own log.
        """

        def says() -> bool:
            files = [self.log(), *(file.read_text(errors="replace") for file in self.stack.home.glob("triggerer*.log"))]
            return any(word in text for word in words for text in files)

        try:
            until(says, "", SOON)
        except Unwell:
            raise Unwell(f"{self.folder.name}: nobody says {' or '.join(words)}\n{self.log()}") from None

    def log(self) -> str:
        """What the task's log files say, of all attempts; a deleted run has them, too."""
        folder = self.stack.home / "logs" / f"dag_id={self.dag}" / f"run_id={self.run_id}"
        return "\n".join(file.read_text(errors="replace") for file in sorted(folder.rglob("*.log*")))

    def leave(self) -> None:
        """Nobody waits here any more, and no worker is held."""
        with suppress(Unwell, ValueError):  # it may be over, or deleted
            if self.task()["state"] not in ("success", "failed", "skipped"):
                self.mark("failed")
