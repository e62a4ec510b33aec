"""The example DAG in real Airflow, on the demo world's real data."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.tasks import service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]
VISITS = "64e000000000000000000003"  # "Doctor visits, nightly"
BETTER, WORSE = "64d000000000000000000011", "64d000000000000000000012"
CHAMPION = "64d000000000000000000007"


def label(service: EmulatorDoor) -> None:
    """How all predictions of the world came out."""
    data = [
        {"associationId": one["associationId"], "actualValue": one["actualValue"]} for one in service.outcomes(VISITS)
    ]
    answer = httpx.post(
        f"{service.endpoint}/deployments/{VISITS}/actuals/fromJSON/",
        json={"data": data},
        headers={"Authorization": f"Bearer {service.tokens['requester']}"},
    )
    service.end_job(answer.raise_for_status().headers["Location"].rstrip("/").rsplit("/", 1)[1])


@pytest.mark.parametrize(("package", "followed"), [(BETTER, "promote"), (WORSE, "remove")])
def test_the_ways_through_the_example(
    service: EmulatorDoor, soon: None, run_dag: RunDag, xcoms: ReadXcom, package: str, followed: str
) -> None:
    dag: Any = importlib.import_module("example_dags.challengers").dag
    for task in dag.tasks:
        task.retries = 0
        task.poll_interval = 0.05
    label(service)
    run = run_dag(dag, run_conf={"deployment_id": VISITS, "model_package_id": package})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == {
        **dict.fromkeys(("allow", "challenge", "replay", "compare"), "success"),
        **{name: "success" if name == followed else "skipped" for name in ("promote", "remove", "look_at_it")},
    }
    verdict = xcoms(run, "compare", key="verdict")
    assert verdict["outcome"] == {"promote": "pass", "remove": "fail"}[followed]
    champion = service.world("deployments")[VISITS]["modelPackageId"]
    assert champion == (BETTER if followed == "promote" else CHAMPION)
    assert len(service.world("challengers")) == (followed != "remove")
    assert verdict["champion"]["sample"] == verdict["best"]["sample"] >= 3000
