"""Real processes, killed with SIGKILL at every point where something could be lost or sent twice."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.mlops.ledger import Ledger
from tests.actuals import upload_process
from tests.actuals.uploading import COUNTS, LABELLED, POST, Pair, accepted, pairs, stored, write

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

SIZE = 10
ROWS: list[Pair] = [*pairs(95), ("row-1", "no"), ("row-50", "no"), ("row-94", "no")]
CHUNKS = 11  # the last one is a window of its own: two ids that stand twice; the third is in the same chunk
SENT = 97
JOB = "getStatus"


@dataclass
class Worker:
    """Starts attempts of one task, and kills them."""

    service: EmulatorDoor
    context: ForkServerContext
    folder: Path
    in_flight: int = 1
    route: str = "json"
    attempts: int = 0
    kills: int = 0

    def start(self) -> BaseProcess:
        self.attempts += 1
        connection = {
            "conn_type": "datarobot",
            "host": self.service.endpoint,
            "password": self.service.tokens["requester"],
        }
        arguments = {
            "deployment_id": LABELLED,
            "source": str(self.folder / "outcomes.csv"),
            "association_id_column": "id",
            "actual_value_column": "outcome",
            "in_flight": self.in_flight,
            "route": self.route,
        }
        given = (connection, arguments, self.attempts, SIZE, str(self.folder / "result.json"))
        process: BaseProcess = self.context.Process(target=upload_process.run, args=given)
        process.start()
        return process

    def killed_at(self, nth: int, where: str, operation: str = POST) -> None:
        """One attempt that is killed while its nth request is held; then the request goes on without it."""
        hold = self.service.fault("hold", operationId=operation, nth=nth, where=where)
        process = self.start()
        self.service.await_held(hold)
        process.kill()
        process.join()
        self.service.release(hold)
        self.service.remove_fault()
        self.kills += 1

    def ends(self) -> dict[str, Any]:
        """An attempt that nobody disturbs; its account."""
        process = self.start()
        process.join(60)
        assert process.exitcode == 0
        found: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
        return found


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that begin with everything imported already."""
    root = str(Path(__file__).parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([upload_process.__name__])
    return context


@pytest.fixture
def worker(datarobot_emulator: EmulatorDoor, processes: ForkServerContext, tmp_path: Path) -> Worker:
    datarobot_emulator.clock(speed=60)
    write(tmp_path / "outcomes.csv", ROWS)
    return Worker(datarobot_emulator, processes, tmp_path)


def judge(worker: Worker, result: dict[str, Any]) -> None:
    """By the store and the log of the service, and by what the ledger has charged."""
    service = worker.service
    read, sent, rejected, skipped, pending, repeated = (result[name] for name in COUNTS)
    assert (read, sent, rejected, skipped, pending) == (len(ROWS), SENT, 0, 1, 0)
    assert stored(service) == dict(ROWS)
    times = accepted(service)
    again = sum(times.values()) - SENT
    assert 0 <= again <= repeated <= worker.kills * worker.in_flight * SIZE
    charges = Ledger.read(Files(worker.folder / "outcomes.csv.ledger"), "judge#1").spent()
    assert sum(rows for _, rows in charges) == sent + repeated >= service.actuals(LABELLED)["charged"]


@dataclass
class Files:
    folder: Path

    def names(self) -> list[str]:
        return [one.name for one in self.folder.iterdir()]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        raise AssertionError("a judge only reads")


@pytest.mark.parametrize("where", ["before", "after"])
def test_killed_at_every_chunk(worker: Worker, where: str) -> None:
    """Each attempt brings one chunk through (the one in flight at the last kill) and is killed at the next one.

    ``before``: noted and not yet committed, and committed after the kill. ``after``: committed and not yet noted.
    """
    worker.killed_at(1, where)
    for _ in range(CHUNKS - 1):
        worker.killed_at(2, where)
    result = worker.ends()
    judge(worker, result)
    assert result["repeated"] == SENT, "every chunk once"


@pytest.mark.parametrize("where", ["before", "after"])
def test_killed_with_several_in_flight(worker: Worker, where: str) -> None:
    worker.in_flight = 4
    for nth in (3, 5, 6):
        worker.killed_at(nth, where)
    judge(worker, worker.ends())


def test_killed_while_its_jobs_run(worker: Worker) -> None:
    """Everything is noted by then: nothing at all is sent again."""
    for nth in (1, 1, 2):
        worker.killed_at(nth, "before", JOB)
    result = worker.ends()
    judge(worker, result)
    assert result["repeated"] == 0


def test_killed_before_anything_was_sent(worker: Worker) -> None:
    worker.killed_at(1, "after", "getDeploymentChampionModelPackage")
    result = worker.ends()
    judge(worker, result)
    assert result["repeated"] == 0


@pytest.mark.parametrize(
    ("operation", "where", "repeated"),
    [
        ("createDatasetFromFile", "before", 0),
        ("createDatasetFromFile", "after", 0),
        ("getDatasetVersion", "before", 0),
        ("submitDeploymentActualsFromDataset", "before", 95),
        ("submitDeploymentActualsFromDataset", "after", 95),
    ],
)
def test_killed_on_the_way_of_a_dataset(worker: Worker, operation: str, where: str, repeated: int) -> None:
    """A dataset is found again by its name; rows are sent again only when their post was in flight."""
    worker.route, worker.in_flight = "dataset", 100
    worker.killed_at(1, where, operation)
    result = worker.ends()
    judge(worker, result)
    assert result["repeated"] == repeated
    assert worker.service.accepted()["createDatasetFromFile"] <= (3 if where == "before" else 2)
