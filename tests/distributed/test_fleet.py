"""Many promotions and uploads at a time, while a worker and a triggerer die and another triggerer is restarted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.distributed import fleet
from tests.distributed.cluster import DAG, QUEUED_LOST, RUNNING_LOST, Cluster, cluster
from tests.distributed.database import Task
from tests.distributed.watching import SHORT_PAUSE, TakeOver, Watch

pytestmark = pytest.mark.distributed

FULL = (200, 50)  # promotions and uploads whose figures are kept; of others with KEEP=1
PROMOTIONS = int(os.environ.get("PROMOTIONS", FULL[0]))
UPLOADS = int(os.environ.get("UPLOADS", FULL[1]))
WORK = {"modelReplacement": 60.0, "actualsSubmission": 20.0}  # seconds that the service takes
BEGUN = ("running", "deferred", "success")


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("fleet"), (1, 5)) as made:
        yield made


def test_each_change_happens_once_although_parts_die(
    made: Cluster, tmp_path_factory: pytest.TempPathFactory, figures: dict[str, Any]
) -> None:
    ids = fleet.deployments(made, PROMOTIONS)
    paths = fleet.files(tmp_path_factory.mktemp("files"), UPLOADS)
    for kind, seconds in WORK.items():
        made.door.jobs(kind, seconds=seconds)
    made.emulator.control("DELETE", "log")
    watch, began = Watch(made), time.time()
    run_id = made.stack.airflow.trigger(DAG, {"deployments": ids, "files": paths})
    told = play(made, watch)
    watch.until(lambda: made.stack.airflow.run(DAG, run_id)["state"] == "success", "the run ends")
    told["seconds"] = round(time.time() - began)

    gated = len(ids[:: fleet.GATED])
    assert fleet.replaced(made, ids) == {1: PROMOTIONS}
    assert made.door.accepted()["createChangeRequest"] == len(watch.reviewer.approved) == gated
    assert {one["status"] for one in made.door.world("changeRequests").values()} == {"resolved"}
    results = [made.stack.airflow.xcom(DAG, run_id, "promote", map_index=index) for index in range(PROMOTIONS)]
    assert [one["sent_twice"] for one in results] == [[]] * PROMOTIONS
    accounts = [made.stack.airflow.xcom(DAG, run_id, "upload", map_index=index) for index in range(UPLOADS)]
    assert {(one["read"], one["sent"], one["pending"]) for one in accounts} == {(fleet.ROWS, fleet.ROWS, 0)}
    repeated = {str(index): one["repeated"] for index, one in enumerate(accounts)}
    again = fleet.arrived(made, UPLOADS)
    assert all(rows <= repeated[index] for index, rows in again.items()), "rows came twice and nothing says so"
    assert set(made.database.states().values()) == {"success"}
    assert made.database.owners() == {}
    told |= {
        "promotions": PROMOTIONS,
        "gated": gated,
        "uploads": UPLOADS,
        "rows": UPLOADS * fleet.ROWS,
        "executions": made.database.executions(),
        "repeated": sum(repeated.values()),
        "again": sum(again.values()),
        "connections": watch.meter.connections,
        **watch.meter.requests(),
    }
    if (PROMOTIONS, UPLOADS) == FULL or os.environ.get("KEEP") == "1":
        figures["fleet"] = told


def play(made: Cluster, watch: Watch) -> dict[str, Any]:
    """Loses a worker and a triggerer in the midst of it and restarts the other triggerer; what took how long."""
    watch.until(lambda: begun(made) > 0.25 and caught(made, "worker-2"), "both kinds are on a worker", SHORT_PAUSE)
    running, queued, died = lose_worker(made, "worker-2")
    watch.until(lambda: begun(made) > 0.5 and bool(made.waits_of("triggerer-2")), "half of all have begun")
    killed = TakeOver(made, "triggerer-2", made.lose)
    watch.until(killed.done, "the waits of the dead triggerer are taken over", SHORT_PAUSE)
    made.start_triggerer("triggerer-2")
    watch.until(lambda: bool(made.waits_of("triggerer")), "the first triggerer has waits")
    ended = TakeOver(made, "triggerer", made.ask_to_end)
    watch.until(ended.done, "the waits of the triggerer that ended are taken over", SHORT_PAUSE)
    made.start_triggerer("triggerer")
    watch.until(lambda: mended(made, running | queued, died), "lost tasks are at work again")
    made.start_worker("worker-2")
    back = made.database.begun_after(died)
    return {
        "lost_running": sorted(round(back[task] - died, 1) for task in running & back.keys()),
        "lost_queued": sorted(round(back[task] - died, 1) for task in queued & back.keys()),
        "killed": sorted(round(seconds, 1) for seconds in killed.seconds.values()),
        "ended": sorted(round(seconds, 1) for seconds in ended.seconds.values()),
        "timeout": RUNNING_LOST,
        "queued_timeout": QUEUED_LOST,
    }


def begun(made: Cluster) -> float:
    """The share of the mapped tasks that have begun."""
    states = made.database.states().values()
    return sum(state in BEGUN for state in states) / (PROMOTIONS + UPLOADS)


def both_on(made: Cluster, worker: str) -> bool:
    """Whether a promotion and an upload run on a worker."""
    here = made.processes(worker)
    return {task for (task, _), process in made.database.running().items() if process in here} == {"promote", "upload"}


def mended(made: Cluster, lost: set[Task], died: float) -> bool:
    """Whether each lost task was taken up again; what it had told last may have come to be known after its death."""
    again, states = made.database.begun_after(died), made.database.states()
    return all(task in again or states[task] == "success" for task in lost)


def caught(made: Cluster, worker: str) -> bool:
    """Whether a worker could be frozen while both kinds run on it."""
    if not both_on(made, worker):
        return False
    made.freeze(worker)
    if not both_on(made, worker):
        made.thaw(worker)
        return False
    return True


def lose_worker(made: Cluster, name: str) -> tuple[set[Task], set[Task], float]:
    """Kills a frozen worker; the tasks that it ran, those that it had received and not begun, and when."""
    here = made.processes(name)
    running = {task for task, process in made.database.running().items() if process in here}
    queued = made.database.queued(made.messages(name))
    return running, queued, made.lose(name)
