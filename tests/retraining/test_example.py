"""The example DAGs in real Airflow: two deployments side by side, one new model better, the other not."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import httpx

from tests.tasks import service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]
GOVERNED, CHURN = "64e000000000000000000001", "64e000000000000000000002"
WELL = {"service": "passing", "model": "passing", "accuracy": "passing"}
NAME = "Retraining by Airflow"
TAG = [{"id": "64a400000000000000000099", "name": "retrain", "value": "monthly"}]


def prepared(service: EmulatorDoor, health: str = "passing") -> None:
    """Both deployments are tagged, and have labelled predictions and a policy; that of the second makes good models."""
    service.reset(retraining_unset="runs")
    service.jobs("retrainingRun", seconds=2)
    for kind in ("challengerReplay", "modelReplacement"):
        service.jobs(kind, seconds=0)
    rows = [{"associationId": f"c-{number}", "actualValue": "yes" if number % 3 else "no"} for number in range(150)]
    client = httpx.Client(base_url=f"{service.endpoint}/", trust_env=False)
    client.headers["Authorization"] = f"Bearer {service.tokens['requester']}"
    with client:
        for deployment, skill in ((CHURN, 0.3), (GOVERNED, 0.0)):
            service.predictions(deployment, rows=150, prefix="c-")
            health_now = {**WELL, "model": health if deployment == CHURN else "passing"}
            service.change("deployments", deployment, tags=TAG, health=health_now)
            path = f"deployments/{deployment}/"
            answer = client.post(f"{path}actuals/fromJSON/", json={"data": rows}).raise_for_status()
            service.end_job(answer.headers["Location"].rstrip("/").rsplit("/", 1)[1])
            body = {"name": NAME, "action": "create_challenger", "modelSelectionStrategy": "autopilot_recommended"}
            policy = client.post(f"{path}retrainingPolicies/", json=body).raise_for_status().json()
            service.change("retrainingPolicies", policy["id"], skill=skill)


def played(dag: Any, run_dag: RunDag, deferrable: bool) -> tuple[Any, dict[tuple[str, int], str]]:
    for task in dag.tasks:
        task.retries, task.poll_interval = 0, 0.05
        if hasattr(task, "deferrable"):
            task.deferrable = deferrable
    run = run_dag(dag, run_conf={})
    return run, {(one.task_id, one.map_index): str(one.state) for one in run.get_task_instances()}


def test_each_deployment_is_retrained_and_the_better_model_promoted(
    service: EmulatorDoor, soon: None, run_dag: RunDag, xcoms: ReadXcom
) -> None:
    prepared(service)
    dag = importlib.reload(importlib.import_module("example_dags.scheduled_retraining")).monthly
    before = {key: one["modelPackageId"] for key, one in service.world("deployments").items()}
    run, states = played(dag, run_dag, deferrable=True)
    governed, churn = 0, 1  # by id
    for index in (governed, churn):
        steps = ("policy", "run", "replay", "compare") if index == churn else ("policy", "run", "replay")
        assert {states[f"retrain.{step}", index] for step in steps} == {"success"}, states
        result = xcoms(run, "retrain.run", map_index=index)
        assert result["outcome"] == "challenger_created"
    assert (states["retrain.compare", governed], states["retrain.promote", governed]) == ("skipped", "skipped")
    assert states["retrain.promote", churn] == "success"
    champions = {key: one["modelPackageId"] for key, one in service.world("deployments").items()}
    assert champions[CHURN] == xcoms(run, "retrain.run", map_index=churn)["model_package_id"]
    assert champions[GOVERNED] == before[GOVERNED]
    assert service.count("retrainingRunStarted") == service.count("retrainingRunFinished") == 2
    assert service.count("retrainingPolicyCreated") == 2


def test_only_a_deployment_that_is_not_well_is_retrained_on_its_health(
    service: EmulatorDoor, soon: None, run_dag: RunDag, xcoms: ReadXcom
) -> None:
    prepared(service, health="failing")
    dag = importlib.reload(importlib.import_module("example_dags.scheduled_retraining")).on_health
    _, states = played(dag, run_dag, deferrable=False)
    assert states["retrain.promote", 0] == "success"
    assert service.count("retrainingRunStarted") == 1
