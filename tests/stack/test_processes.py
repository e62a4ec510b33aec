"""The gated replacement, and what happens to its processes: killed by people, by the machine, at the worst moment."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from demo.processes import until
from tests.connections import connected_to
from tests.people import Desk

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from demo.stack import Stack

pytestmark = pytest.mark.stack

GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
V1, V2, V3 = (f"64d00000000000000000000{number}" for number in (1, 2, 3))
DIRECT = {"deployment": UNGOVERNED}
DAG, TASK = "replacement", "replace"
MINUTES = 180.0


def say(text: str) -> None:
    """A number for whoever runs this with ``-s``."""
    sys.stdout.write(f"\n{text}\n")


@contextmanager
def reviewer(service: EmulatorDoor) -> Iterator[Desk]:
    desk = Desk(service.endpoint, service.tokens["reviewer"])
    try:
        yield desk
    finally:
        desk.close()


def deferred(airflow: Stack, conf: dict[str, Any] | None = None) -> str:
    """A run whose task waits in the triggerer."""
    run_id = airflow.airflow.trigger(DAG, conf)
    airflow.airflow.wait_for_state(DAG, run_id, TASK, ["deferred"])
    return run_id


def requests(service: EmulatorDoor) -> dict[str, str]:
    """The change requests: id to status."""
    return {key: one["status"] for key, one in service.world("changeRequests").items()}


def result(airflow: Stack, run_id: str) -> Any:
    return airflow.airflow.xcom(DAG, run_id, TASK)


def test_a_governed_model_is_replaced_after_an_approval(airflow: Stack, service: EmulatorDoor) -> None:
    run_id = deferred(airflow)
    link = airflow.airflow.xcom(DAG, run_id, TASK, key="_link_DataRobotLink")
    assert link == f"{service.url}/deployments/{GOVERNED}/overview"  # to be clicked while people decide
    with reviewer(service) as desk:
        [request] = desk.requests()
        desk.review(request, "approved", "good")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    told = result(airflow, run_id)
    assert told["champion"]["model_package_id"] == V3
    assert told["previous"]["model_package_id"] == V1
    assert told["change_request"]["status"] == "resolved"
    assert service.count("modelReplaced") == service.count("changeRequestCreated") == 1
    assert airflow.airflow.xcom(DAG, run_id, TASK, key="_link_DataRobotLink") == link


def test_marking_a_deferred_task_failed_cancels_its_request_and_clearing_it_asks_anew(
    airflow: Stack, service: EmulatorDoor
) -> None:
    run_id = deferred(airflow)
    [first] = requests(service)
    until(lambda: len(service.log(operationId="getChangeRequest")) > 1, "a look of the triggerer", 60)
    airflow.airflow.set_state(DAG, run_id, TASK, "failed")
    begun = time.monotonic()
    until(lambda: requests(service) == {first: "cancelled"}, "the request is cancelled", 30, pause=0.1)
    say(f"cancelled {time.monotonic() - begun:.1f} s after the task was marked failed")
    airflow.airflow.clear(DAG, run_id, [TASK])
    until(lambda: Counter(requests(service).values()) == {"cancelled": 1, "pending": 1}, "a new request", 60)
    airflow.airflow.wait_for_state(DAG, run_id, TASK, ["deferred"])
    with reviewer(service) as desk:
        [request] = desk.requests()
        desk.review(request, "approved")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    assert service.count("modelReplaced") == 1


def test_clearing_a_deferred_task_leaves_its_request_to_the_next_attempt(airflow: Stack, service: EmulatorDoor) -> None:
    run_id = deferred(airflow)
    [request] = requests(service)
    until(lambda: len(service.log(operationId="getChangeRequest")) > 1, "a look of the triggerer", 60)
    asked = len(service.log(operationId="listChangeRequests")) + len(service.log(operationId="getChangeRequest"))
    airflow.airflow.clear(DAG, run_id, [TASK])
    airflow.airflow.wait_for_state(DAG, run_id, TASK, ["scheduled", "queued", "running"], 30)
    airflow.airflow.wait_for_state(DAG, run_id, TASK, ["deferred"])
    assert requests(service) == {request: "pending"}
    assert len(service.log(operationId="listChangeRequests")) + len(service.log(operationId="getChangeRequest")) > asked
    with reviewer(service) as desk:
        desk.review(desk.requests()[0], "approved")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    assert service.count("changeRequestCreated") == service.count("modelReplaced") == 1


def test_a_triggerer_that_dies_and_comes_back_goes_on_without_a_write(airflow: Stack, service: EmulatorDoor) -> None:
    service.jobs("modelReplacement", byHand=True)
    run_id = deferred(airflow, DIRECT)
    until(lambda: len(service.log(operationId="getStatus")) > 1, "a look of the triggerer", 60)
    airflow.kill("triggerer", signal.SIGKILL)
    [job] = service.jobs()
    service.end_job(job["id"])
    airflow.start("triggerer")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    assert result(airflow, run_id)["previous"]["model_package_id"] == V2
    assert service.accepted()["replaceDeploymentModel"] == service.count("modelReplaced") == 1
    [task] = airflow.airflow.tasks(DAG, run_id)
    assert task["try_number"] == 1


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_worker_that_is_killed_while_it_writes_leaves_one_effect(
    airflow: Stack, service: EmulatorDoor, where: str
) -> None:
    """Between the submit and the note of it: the process goes with SIGKILL while the service holds its answer."""
    hold = service.fault("hold", where=where, operationId="replaceDeploymentModel")
    run_id = airflow.airflow.trigger(DAG, DIRECT)
    service.await_held(hold)
    [worker] = connected_to(urlsplit(service.url).port, below=airflow.children["scheduler"].process.pid)
    os.kill(worker, signal.SIGKILL)
    service.release(hold)
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    [task] = airflow.airflow.tasks(DAG, run_id)
    assert task["try_number"] == 2
    assert service.count("modelReplaced") == 1
    assert result(airflow, run_id)["champion"]["model_package_id"] == V3


def test_fifty_short_deferrals_fail_never_without_any_setting(airflow: Stack, service: EmulatorDoor) -> None:
    """Airflow fails a task whose trigger fires before the executor has noticed that the task was deferred."""
    run_id = airflow.airflow.trigger("naps")
    begun = time.monotonic()
    airflow.airflow.wait("naps", run_id, 600)
    states = Counter(task["state"] for task in airflow.airflow.tasks("naps", run_id))
    say(f"50 short deferrals: {dict(states)} after {time.monotonic() - begun:.0f} s")
    assert states == {"success": 50}
