"""The promotion in real processes: a person who rolls back by hand, and clears a step afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from demo.stack import Stack

pytestmark = pytest.mark.stack

DAG = "promotion"
DEPLOYMENT, V2, V3 = "64e000000000000000000002", "64d000000000000000000002", "64d000000000000000000003"
MINUTES = 180.0


def champion(service: EmulatorDoor) -> str:
    return str(service.world("deployments")[DEPLOYMENT]["modelPackageId"])


def test_marking_the_watch_as_failed_rolls_back_and_clearing_the_replacement_promotes_anew(
    airflow: Stack, service: EmulatorDoor
) -> None:
    run_id = airflow.airflow.trigger(DAG)
    airflow.airflow.wait_for_state(DAG, run_id, "promote_model.watch", ["deferred"], MINUTES)
    assert champion(service) == V3
    airflow.airflow.set_state(DAG, run_id, "promote_model.watch", "failed")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "failed"
    assert champion(service) == V2
    record = airflow.airflow.xcom(DAG, run_id, "promote_model.record")
    assert (record["outcome"], record["champion"]["model_package_id"]) == ("rolled_back", V2)
    behind = ("apply", "watch", "roll_back", "promoted", "record")
    airflow.airflow.clear(DAG, run_id, [f"promote_model.{step}" for step in behind])
    airflow.airflow.wait_for_state(DAG, run_id, "promote_model.watch", ["deferred"], MINUTES)
    assert champion(service) == V3
    assert service.count("modelReplaced", DEPLOYMENT) == 3
    airflow.airflow.set_state(DAG, run_id, "promote_model.watch", "success")
    assert airflow.airflow.wait(DAG, run_id, MINUTES) == "success"
    tasks = {one["task_id"].rpartition(".")[2]: one["state"] for one in airflow.airflow.tasks(DAG, run_id)}
    assert (tasks["roll_back"], tasks["promoted"]) == ("skipped", "success")
    assert airflow.airflow.xcom(DAG, run_id, "promote_model.record")["outcome"] == "promoted"
