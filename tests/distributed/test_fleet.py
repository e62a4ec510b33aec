"""Many promotions and uploads at a time, while a worker and a triggerer die and another triggerer is restarted."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.distributed import fleet
from tests.distributed.cluster import DAG, Cluster, cluster
from tests.distributed.database import Task
from tests.distributed.watching import TakeOver, Watch

pytestmark = pytest.mark.distributed

PROMOTIONS, UPLOADS = int(os.environ.get("PROMOTIONS", "200")), int(os.environ.get("UPLOADS", "50"))
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
    watch, began = Watch(made), time.time()
    run_id = made.stack.airflow.trigger(DAG, {"deployments": ids, "files": paths})

    watch.until(lambda: begun(made) > 0.25 and both_on(made, "worker-2"), "both kinds are on the second worker")
    lost, died = lose_worker(made, "worker-2")
    watch.until(lambda: begun(made) > 0.5 and bool(made.waits_of("triggerer-2")), "half of all have begun")
    killed = TakeOver(made, "triggerer-2", made.lose)
    watch.until(killed.done, "the waits of the dead triggerer are taken over")
    watch.until(lambda: lost <= made.database.begun_after(died).keys(), "lost tasks are at work again")
    made.start_worker("worker-2")
    made.start_triggerer("triggerer-2")
    watch.until(lambda: bool(made.waits_of("triggerer")), "the first triggerer has waits")
    ended = TakeOver(made, "triggerer", made.ask_to_end)
    watch.until(ended.done, "the waits of the triggerer that ended are taken over")
    made.start_triggerer("triggerer")
    watch.until(lambda: made.stack.airflow.run(DAG, run_id)["state"] != "running", "the run ends", 1800)
    seconds = time.time() - began
    print(killed.seconds, ended.seconds, seconds)


def begun(made: Cluster) -> float:
    """The share of the mapped tasks that have begun."""
    states = made.database.states().values()
    return sum(state in BEGUN for state in states) / (PROMOTIONS + UPLOADS)


def both_on(made: Cluster, worker: str) -> bool:
    """Whether a promotion and an upload run on a worker."""
    here = made.processes(worker)
    return {task for (task, _), process in made.database.running().items() if process in here} == {"promote", "upload"}


def lose_worker(made: Cluster, name: str) -> tuple[set[Task], float]:
    """Kills a worker; the tasks that it had, begun or not, and when."""
    here = made.freeze(name)
    lost = {task for task, process in made.database.running().items() if process in here}
    lost |= made.database.queued(made.messages(name))
    return lost, made.lose(name)
