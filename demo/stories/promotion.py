"""A gated promotion: the request waits for a reviewer who comes late, and the champion changes once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from demo.processes import Unwell, until
from demo.stage import Account, Stage

TITLE = "Gated promotion: a model replaced behind an approval"
DAG = "gated_promotion"
DEPLOYMENT = "64e000000000000000000001"  # "Churn, governed" of the world "demo": replacing its model needs an approval
REQUESTER = "requester@example.com"
PACKAGE = "64d000000000000000000003"
THINKING = 12.0  # seconds that the reviewer takes, long enough for the task to be deferred
WATCH_MINUTES = 0.1


def run(stage: Stage) -> Account:
    """Start the promotion as the requester, approve it late as the reviewer, and account for all of it."""
    requests_before = len(_requests(stage))
    conf = {"deployment_id": DEPLOYMENT, "model_package_id": PACKAGE, "watch_minutes": WATCH_MINUTES}
    run_id = stage.start_dag(DAG, conf)
    with ThreadPoolExecutor(1) as people:
        review = people.submit(_review, stage)
        stage.finish_dag(DAG, run_id)
        review.result()
    return _account(stage, run_id, requests_before)


def _review(stage: Stage) -> None:
    """The reviewer finds the request some time after it was opened, thinks, and approves."""
    reviewer = stage.emulator.person("reviewer-token")

    def pending() -> list[dict[str, Any]]:
        listed = reviewer.ask("GET", "changeRequests/", entityType="deployment", entityId=DEPLOYMENT, status="pending")
        found: list[dict[str, Any]] = listed["data"]
        return found

    until(lambda: bool(pending()), "change request to review", 120.0)
    [request] = pending()
    stage.say("service", f"change request {request['id']} is open: {', '.join(request['diff']['changesTo'])}")
    stage.say("reviewer", f"is busy for {THINKING:.0f} s; meanwhile no worker is occupied")
    stage.pause(THINKING)
    verdict = {"changeVersionId": request["changeVersionId"], "status": "approved", "comment": "Numbers look good."}
    reviewer.ask("POST", f"changeRequests/{request['id']}/reviews/", verdict)
    stage.say("reviewer", f"approves {request['id']}")


def _requests(stage: Stage) -> list[dict[str, Any]]:
    """What the service has seen of this pipeline's writes and reads; people and other stories ask it too."""
    seen: list[dict[str, Any]] = stage.emulator.control("GET", "log")["requests"]
    ours = (f"deployments/{DEPLOYMENT}/", "changeRequests/", "approvalPolicyMatch/")
    return [one for one in seen if one["user"] == REQUESTER and any(part in one["path"] for part in ours)]


def _tally(sent: list[dict[str, Any]]) -> str:
    """How many reads, and each other operation by name."""
    others = Counter(one["operationId"] for one in sent if one["method"] != "GET")
    reads = sum(one["method"] == "GET" for one in sent)
    return ", ".join([f"{reads} reads", *(f"{count} {name}" for name, count in others.items())])


def _account(stage: Stage, run_id: str, requests_before: int) -> Account:
    promoted = stage.airflow.xcom(DAG, run_id, "promotion.apply")
    checked = stage.airflow.xcom(DAG, run_id, "promotion.watch")
    recorded = stage.airflow.xcom(DAG, run_id, "promotion.record")
    decision, [review] = promoted["change_request"], promoted["change_request"]["reviews"]
    sent = _requests(stage)[requests_before:]
    replaced = stage.emulator.control("GET", "effects")["counts"].get("modelReplaced", {}).get(DEPLOYMENT, 0)
    if replaced != 1 or checked["champion"]["model_package_id"] != PACKAGE:
        raise Unwell(f"exactly one replacement was expected: {replaced}, champion {checked['champion']}")
    return [
        ("requested by", decision["requested_by"]),
        ("approved by", f"{review['by']} at {review['at']}: {review['comment']}"),
        ("change request", f"{decision['id']}, {decision['status']}, version {decision['version']}"),
        ("old champion", f"{promoted['previous']['name']} ({promoted['previous']['model_package_id']})"),
        ("new champion", f"{promoted['champion']['name']} ({promoted['champion']['model_package_id']})"),
        ("recorded", f"{recorded['outcome']}, validation {recorded['steps']['validate']['result']['status']}"),
        ("replacements", f"{replaced}, counted in the store of the service"),
        ("requests made", f"{len(sent)} by the pipeline: {_tally(sent)}"),
        *stage.times(DAG, run_id),
    ]
