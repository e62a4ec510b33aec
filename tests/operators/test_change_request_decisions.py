"""Reviewing, cancelling and resolving change requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import GOVERNED, V3, Perform, ask, close, edit, only_writes, refused, review

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def reviewed(task_id: str = "review", **arguments: Any) -> Any:
    from airflow_provider.operators.change_request_decisions import DataRobotReviewChangeRequestOperator

    good = {"version": "0", "verdict": "approved", "datarobot_conn_id": "as_reviewer"}
    return DataRobotReviewChangeRequestOperator(task_id=task_id, **{**good, **arguments})


def cancelled(task_id: str = "cancel", **arguments: Any) -> Any:
    from airflow_provider.operators.change_request_decisions import DataRobotCancelChangeRequestOperator

    return DataRobotCancelChangeRequestOperator(task_id=task_id, **arguments)


def resolved(task_id: str = "resolve", **arguments: Any) -> Any:
    from airflow_provider.operators.change_request_decisions import DataRobotResolveChangeRequestOperator

    return DataRobotResolveChangeRequestOperator(task_id=task_id, **arguments)


# --- reviews ------------------------------------------------------------------------------------------------------


def test_each_verdict(service: EmulatorDoor, perform: Perform) -> None:
    good, bad, talk = ask(service), ask(service, "delete"), ask(service, "changeStatus", {"status": "inactive"})
    with only_writes(service, createChangeRequestReview=3):
        done = perform(
            lambda: [
                reviewed("good", change_request_id=good, comment="fine"),
                reviewed("bad", change_request_id=bad, verdict="CHANGESREQUESTED", datarobot_conn_id="as_admin"),
                reviewed("talk", change_request_id=talk, verdict="commented", datarobot_conn_id="datarobot_default"),
            ]
        )
    result = done["good"].result
    assert result == {
        "review_id": result["review_id"],
        "change_request_id": good,
        "version": "0",
        "verdict": "approved",
        "status": "approved",
    }
    made = service.world("reviews")[result["review_id"]]
    assert made["comment"] == f"fine\n\nAirflow {done.run.dag_id}.good, run {done.run.run_id}"
    assert done.xcom("good", "_link_DataRobotLink") == f"{service.url}/deployments/{GOVERNED}/overview"
    assert done["bad"].result["verdict"] == "changesRequested"
    assert done["talk"].result["verdict"] == "commented"


@pytest.mark.parametrize("fault", [{"kind": "lost_answer", "answer": 504}, {"kind": "late_commit", "seconds": 3}])
def test_a_lost_answer_is_one_review(service: EmulatorDoor, perform: Perform, fault: dict[str, Any]) -> None:
    request = ask(service)
    service.fault(operationId="createChangeRequestReview", **fault)
    with only_writes(service, createChangeRequestReview=1):
        done = perform(lambda: [reviewed(change_request_id=request)])
    assert list(service.world("reviews")) == [done["review"].result["review_id"]]


def test_reviews_that_are_refused_before_they_are_sent(service: EmulatorDoor, perform: Perform) -> None:
    mine, edited, closed = ask(service), ask(service), ask(service, "delete")
    edit(service, edited)
    close(service, closed)
    with only_writes(service):
        done = perform(
            lambda: [
                reviewed("own", change_request_id=mine, datarobot_conn_id="datarobot_default"),
                reviewed("outdated", change_request_id=edited),
                reviewed("closed", change_request_id=closed, datarobot_conn_id="as_admin"),
                reviewed("absent", change_request_id="f" * 24),
                reviewed("plan", change_request_id=mine, plan_only=True),
            ]
        )
    assert done["own"].error == (
        f"NotAllowed: change request {mine} is pending and was opened by requester@example.com: "
        "the service does not allow this user to review it"
    )
    assert done["outdated"].error == (
        f"NotCurrent: change request {edited} is at version 1, not 0: look at the change again"
    )
    assert f"NotAllowed: change request {closed} is cancelled" in done["closed"].error
    assert done["absent"].state == "failed"
    assert done["plan"].result["plan"]["body"]["changeVersionId"] == "0"
    assert service.log(operationId="createChangeRequestReview") == []


# --- cancelling ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["200", "202"])
def test_a_request_is_cancelled_once(service: EmulatorDoor, perform: Perform, answer: str) -> None:
    service.switches(set_status_answer=answer)
    service.jobs("changeRequestCancel", seconds=12)  # a fifth of a second
    request = ask(service)
    with only_writes(service, updateChangeRequestStatus=1):
        done = perform(lambda: [cancelled(change_request_id=request), cancelled("again", change_request_id=request)])
    assert done["cancel"].result == {"change_request_id": request, "status": "cancelled", "changed": True}
    assert done["again"].result == {"change_request_id": request, "status": "cancelled", "changed": False}


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}, {"kind": "missing_location"}]
)
def test_whatever_becomes_of_the_answer_it_is_cancelled_once(
    service: EmulatorDoor, perform: Perform, fault: dict[str, Any]
) -> None:
    request = ask(service)
    service.fault(operationId="updateChangeRequestStatus", **fault)
    with only_writes(service, updateChangeRequestStatus=1):
        done = perform(lambda: [cancelled(change_request_id=request)])
    assert done["cancel"].result["changed"] is True


def test_what_cannot_be_cancelled(service: EmulatorDoor, perform: Perform) -> None:
    applied, mine = ask(service, "changeImportance", {"importance": "LOW"}), ask(service)
    close(service, applied, "resolving")
    service.advance(60)
    done = perform(
        lambda: [
            cancelled("applied", change_request_id=applied),
            cancelled("not_theirs", change_request_id=mine, datarobot_conn_id="as_reviewer"),
            cancelled("plan", change_request_id=mine, plan_only=True),
        ]
    )
    assert done["applied"].error == (
        f"NotDecided: change request {applied} was applied already and cannot be cancelled"
    )
    assert done["not_theirs"].error.startswith(f"NotAllowed: change request {mine} is pending")
    assert done["plan"].result["plan"]["body"] == {"status": "cancelled"}
    assert service.world("changeRequests")[mine]["status"] == "pending"


def test_a_cancellation_that_takes_no_place_is_told(service: EmulatorDoor, perform: Perform) -> None:
    other, mine = ask(service, "delete"), ask(service)
    close(service, other)  # a job that is over, to which the lie points
    service.jobs("changeRequestCancel", seconds=3600)
    service.lie("location_of_other_job")
    done = perform(lambda: [cancelled(change_request_id=mine)])
    assert done["cancel"].error.startswith(
        f"NotDecided: the service accepted to cancel change request {mine}, and it is pending (request id "
    )


# --- resolving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "deferrable"), [("202", True), ("200", False)])
def test_an_approved_request_is_applied_once(
    service: EmulatorDoor, perform: Perform, answer: str, deferrable: bool
) -> None:
    service.switches(set_status_answer=answer)
    request = ask(service)
    review(service, request, comment="good")
    with only_writes(service, updateChangeRequestStatus=1):
        done = perform(
            lambda: [
                resolved(change_request_id=request, version="0", deferrable=deferrable),
                resolved("again", change_request_id=request),
            ]
        )
    decision = done["resolve"].result
    assert decision == {
        "id": request,
        "action": "replaceModelPackage",
        "status": "resolved",
        "version": "0",
        "requested_by": "requester@example.com",
        "decided_by": ["reviewer@example.com"],
        "decided_at": decision["decided_at"],
        "approvals_required": 1,
        "by_policy": False,
        "reviews": [
            {
                "by": "reviewer@example.com",
                "status": "approved",
                "comment": "good",
                "at": decision["reviews"][0]["at"],
            }
        ],
    }
    assert done["again"].result == decision
    assert service.count("modelReplaced", GOVERNED) == 1
    assert service.world("deployments")[GOVERNED]["modelPackageId"] == V3


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}, {"kind": "missing_location"}]
)
def test_whatever_becomes_of_the_answer_it_is_applied_once(
    service: EmulatorDoor, perform: Perform, fault: dict[str, Any]
) -> None:
    request = ask(service)
    review(service, request)
    service.switches(second_resolve="refuse_409")
    service.fault(operationId="updateChangeRequestStatus", **fault)
    done = perform(lambda: [resolved(change_request_id=request)])
    assert done["resolve"].result["status"] == "resolved"
    assert service.count("modelReplaced", GOVERNED) == 1


def test_each_action_that_the_service_applies(service: EmulatorDoor, perform: Perform) -> None:
    requests = {
        "approve": ask(service, "approve", {"approvalStatus": "APPROVED"}),
        "changeImportance": ask(service, "changeImportance", {"importance": "LOW"}),
        "changeStatus": ask(service, "changeStatus", {"status": "inactive"}),
        "updateSecondaryDatasetConfigs": ask(
            service, "updateSecondaryDatasetConfigs", {"secondaryDatasetsConfigId": "656000000000000000000001"}
        ),
        "cleanupStats": ask(
            service, "cleanupStats", {"dataType": "monitoring", "modelId": None, "start": None, "end": None}
        ),
        "delete": ask(service, "delete"),
    }
    done = perform(lambda: [resolved(action, change_request_id=request) for action, request in requests.items()])
    for action in requests:
        assert done[action].result["action"] == action
        assert done[action].result["status"] == "resolved"
    assert GOVERNED not in service.world("deployments")


def test_what_cannot_be_applied(service: EmulatorDoor, perform: Perform) -> None:
    pending, approved = ask(service), ask(service, "changeImportance", {"importance": "LOW"})
    done_already = ask(service, "approve", {"approvalStatus": "APPROVED"})
    close(service, done_already, "resolving")
    service.advance(60)
    with only_writes(service):
        done = perform(
            lambda: [
                resolved("pending", change_request_id=pending),
                resolved("outdated", change_request_id=approved, version="1"),
                resolved("outdated_and_applied", change_request_id=done_already, version="1"),
                resolved("not_theirs", change_request_id=approved, datarobot_conn_id="as_reviewer"),
                resolved("plan", change_request_id=approved, plan_only=True),
            ]
        )
    assert done["pending"].error == (
        f"NotDecided: change request {pending} is pending; only an approved one can be applied"
    )
    assert done["outdated"].error == f"NotCurrent: change request {approved} is approved at version 0, not 1"
    assert done["outdated_and_applied"].error.endswith("is resolved at version 0, not 1")
    assert done["not_theirs"].error.startswith(f"NotAllowed: change request {approved} is approved")
    assert done["plan"].result["plan"]["body"] == {"status": "resolving"}


def test_an_application_that_fails_or_does_not_take_place(service: EmulatorDoor, perform: Perform) -> None:
    failing, ignored = ask(service), ask(service, "changeImportance", {"importance": "LOW"})
    review(service, failing)
    service.fault("failed_job", operationId="updateChangeRequestStatus", message="It does not fit any more.")
    service.lie("resolving_ignored")
    done = perform(
        lambda: [resolved("failing", change_request_id=failing), resolved("ignored", change_request_id=ignored)]
    )
    assert done["failing"].error.startswith(
        "JobFailed: updateChangeRequestStatus: ERROR: It does not fit any more. (request id "
    )
    assert done["ignored"].error.startswith(
        f"NotDecided: the service says done, and change request {ignored} is approved (request id "
    )


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"change_request_id": ""}, "change_request_id must be an id"),
        ({"version": None}, "version must be an id, a string without blanks and slashes, not None"),
        ({"verdict": "rejected"}, "verdict must be one of approved, changesRequested, commented, not 'rejected'"),
        ({"comment": "x" * 10_001}, "comment must have at most 10000 characters, not "),
    ]
    refused(service, reviewed, {"change_request_id": "64b0"}, bad)
    refused(service, cancelled, {"change_request_id": "64b0"}, bad[:1])
    refused(service, resolved, {}, [*bad[:1], ({"change_request_id": "64b0", "version": "a b"}, "version must be an")])
