"""A triggerer dies, or is restarted: how soon the other one has its waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import until
from tests.distributed import fleet
from tests.distributed.cluster import DAG, Cluster, cluster
from tests.distributed.watching import SHORT_PAUSE, TakeOver, Watch

pytestmark = pytest.mark.distributed

WAITS, KILLS = 10, 3
# Seconds between two heartbeats, and without one until the others take over: Airflow's own, and quicker.
HEARTBEATS = {"defaults": (5, 30), "tuned": (1, 5)}


@pytest.fixture(params=HEARTBEATS)
def word(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(word: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp(word), HEARTBEATS[word], schedulers=1, workers=1) as made:
        yield made


def test_the_other_triggerer_takes_over_and_writes_nothing(made: Cluster, word: str, figures: dict[str, Any]) -> None:
    ids = fleet.deployments(made, WAITS * fleet.GATED)[:: fleet.GATED]
    run_id = made.stack.airflow.trigger(DAG, {"deployments": ids, "files": []})
    until(lambda: made.waiting() == WAITS, "all wait for people", 600, pause=1)
    written = made.door.accepted()
    killed = [taken_over(made, made.lose) for _ in range(KILLS)]
    ended = [taken_over(made, made.ask_to_end)]
    assert made.door.accepted() == written
    Watch(made).until(lambda: made.stack.airflow.run(DAG, run_id)["state"] == "success", "the run ends")
    assert fleet.replaced(made, ids) == {1: WAITS}
    assert made.door.accepted()["createChangeRequest"] == WAITS
    heartbeat, threshold = HEARTBEATS[word]
    figures[word] = {"heartbeat": heartbeat, "threshold": threshold, "killed": killed, "ended": ended}


def taken_over(made: Cluster, how: Any) -> float:
    """Ends the triggerer that has most waits and starts it again; seconds until the other had the last of them."""
    name = max(made.triggerers, key=lambda one: len(made.waits_of(one)))
    over = TakeOver(made, name, how)
    until(over.done, "the other one has its waits", 300, pause=SHORT_PAUSE)
    assert over.held == over.seconds.keys()
    made.start_triggerer(name)
    return round(max(over.seconds.values()), 1)
