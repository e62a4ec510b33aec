"""Scheduled retraining: the answer to the start is lost, somebody presses the button too, and one run decides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from demo.processes import Unwell, until
from demo.stage import Account, Stage

TITLE = "Scheduled retraining: one run behind a lost answer, promoted because it is better"
DAG = "scheduled_retraining"
DEPLOYMENT = "64e000000000000000000002"  # "Churn, ungoverned" of the world "demo": its model can be replaced directly
TAG = {"id": "64a400000000000000000099", "name": "retrain", "value": "today"}  # the scheduled run looks for "monthly"
POST = "createDeploymentRetrainingPolicyRun"
ROWS, POSITIVE = 400, 3  # every third customer stays
TRAINING = 900.0  # seconds of the service that a run takes here; a real one takes hours


def run(stage: Stage) -> Account:
    """Prepare the deployment as people do, run the month's DAG, and account for what the service did."""
    _prepare(stage)
    stage.emulator.control("POST", "faults", {"kind": "lost_answer", "operationId": POST, "answer": 504})
    stage.say("service", "a gateway will lose the answer to the start of the run")
    run_id = stage.start_dag(DAG, {"tag": '{"retrain": "today"}'})
    with ThreadPoolExecutor(1) as people:
        pressed = people.submit(_press_the_button, stage)
        stage.finish_dag(DAG, run_id)
        pressed.result()
    return _account(stage, run_id)


def _prepare(stage: Stage) -> None:
    """Predictions and their outcomes, a retraining dataset, and the tag."""
    person, path = stage.emulator.person("requester-token"), f"deployments/{DEPLOYMENT}/"
    stage.emulator.control("POST", "jobs", {"kind": "retrainingRun", "seconds": TRAINING})
    stage.emulator.control("POST", f"predictions/{DEPLOYMENT}", {"rows": ROWS, "prefix": "customer-"})
    rows = [
        {"associationId": f"customer-{number}", "actualValue": "no" if number % POSITIVE == 0 else "yes"}
        for number in range(ROWS)
    ]
    person.ask("POST", f"{path}actuals/fromJSON/", {"data": rows})
    dataset = person.ask("POST", "datasets/fromURL/", {"url": f"{stage.emulator.origin}/api/v2/version/"})["catalogId"]
    person.ask("PATCH", f"{path}retrainingSettings/", {"datasetId": dataset})
    tags = stage.emulator.control("GET", "world/deployments")[DEPLOYMENT]["tags"]
    stage.emulator.control("PATCH", f"world/deployments/{DEPLOYMENT}", {"tags": [*tags, TAG]})
    stage.say("people", f"deployment {DEPLOYMENT} is tagged retrain: today, {ROWS} outcomes are in")


def _press_the_button(stage: Stage) -> None:
    """Somebody starts the same policy by hand while its run goes on."""
    until(lambda: bool(_runs(stage)), "a run of the policy", 120.0)
    [started] = _runs(stage)
    path = f"deployments/{DEPLOYMENT}/retrainingPolicies/{started['policyId']}/runs/"
    try:
        stage.emulator.person("admin-token").ask("POST", path)
    except Unwell as refused:
        stage.say("people", f"press Run as well: {str(refused).rsplit(': ', 1)[-1]}")


def _runs(stage: Stage) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = stage.emulator.control("GET", "world/retrainingRuns")
    return [one for one in found.values() if one["deploymentId"] == DEPLOYMENT]


def _account(stage: Stage, run_id: str) -> Account:
    def told(task: str, key: str = "return_value") -> Any:
        return stage.airflow.xcom(DAG, run_id, f"retrain.{task}", key, map_index=0)

    policy, outcome, verdict, promoted = told("policy"), told("run"), told("compare", "verdict"), told("promote")
    runs = _runs(stage)
    champion = stage.emulator.control("GET", "world/deployments")[DEPLOYMENT]["modelPackageId"]
    if len(runs) != 1 or runs[0]["id"] != outcome["run_id"] or champion != outcome["model_package_id"]:
        raise Unwell(f"one run and its model as champion were expected: {runs}, {outcome}, champion {champion}")
    return [
        ("policy", f"{policy['name']} ({policy['policy_id']}), {policy['action']}"),
        ("run", f"{outcome['run_id']}: {outcome['outcome']}, {outcome['started_at']} to {outcome['finished_at']}"),
        ("lost answer", f"found again: answer_lost is {outcome['answer_lost']}"),
        ("runs started", f"{len(runs)}, counted in the store of the service"),
        (
            "LogLoss",
            f"champion {verdict['baseline']:.4f}, challenger {verdict['value']:.4f} on {verdict['sample']} rows",
        ),
        ("improvement", f"{verdict['improvement']:+.1f} %, {verdict['threshold']:g} % were asked for"),
        ("old champion", f"{promoted['previous']['name']} ({promoted['previous']['model_package_id']})"),
        ("new champion", f"{promoted['champion']['name']} ({promoted['champion']['model_package_id']})"),
        *stage.times(DAG, run_id),
    ]
