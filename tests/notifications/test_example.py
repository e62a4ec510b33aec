"""The example DAG: channel, test and policy by name, and a failing task that is heard of."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.notifications.test_in_airflow import CHURN, SECRET, hook

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import RunDag
    from tests.receiver import Receiver

__all__ = ["hook"]


def states(run: Any) -> dict[str, str]:
    return {one.task_id: str(one.state) for one in run.get_task_instances()}


@pytest.mark.usefixtures("soon")
def test_the_example_runs_well_and_then_fails_loudly(
    service: EmulatorDoor, run_dag: RunDag, receiver: Receiver
) -> None:
    dag: Any = importlib.import_module("example_dags.notifications").dag
    for one in dag.tasks:
        one.poll_interval = 0.05
    run = run_dag(dag, run_conf={"deployment_id": CHURN, "rows": 7})
    assert set(states(run).values()) == {"success"}
    assert receiver.next().json()["event_type"] == "misc.webhook_connection_test"
    run = run_dag(dag, run_conf={"deployment_id": CHURN, "rows": 0})
    assert states(run) == dict.fromkeys(("channel", "try_it", "policy"), "success") | {"score": "failed"}
    heard = [receiver.next(), receiver.next()]
    event = next(one for one in heard if one.json()["event_type"] == "management.deploymentInfo")
    assert event.signed_with(SECRET)
    assert event.json()["event"]["title"].startswith("score failed in manual__")
    made = service.accepted()
    assert (made["createNotificationChannel"], made["createNotificationPolicy"]) == (1, 1)
    assert "updateNotificationChannel" not in made
