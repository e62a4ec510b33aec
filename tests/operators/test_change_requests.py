"""Opening and editing change requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import GOVERNED, REPLACEMENT, V4, Perform, ask, close, edit, only_writes, refused, review

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

CHANGES: dict[str, Any] = {
    "approve": {"approvalStatus": "APPROVED"},
    "changeStatus": {"status": "inactive"},
    "changeImportance": {"importance": "LOW"},
    "cleanupStats": {
        "dataType": "monitoring",
        "modelId": None,
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-02-01T00:00:00Z",
    },
    "delete": None,
    "replaceModel": {"modelId": "64a100000000000000000003", "replacementReason": "accuracy"},
    "replaceModelPackage": REPLACEMENT,
    "updateSecondaryDatasetConfigs": {"secondaryDatasetsConfigId": "64a500000000000000000001"},
}


def create(task_id: str = "create", **arguments: Any) -> Any:
    from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator

    good = {"deployment_id": GOVERNED, "action": "replaceModelPackage", "change": REPLACEMENT}
    return DataRobotCreateChangeRequestOperator(task_id=task_id, **{**good, **arguments})


def update(task_id: str = "update", **arguments: Any) -> Any:
    from airflow_provider.operators.change_requests import DataRobotUpdateChangeRequestOperator

    return DataRobotUpdateChangeRequestOperator(task_id=task_id, **arguments)


def test_each_action_is_asked_for_once(service: EmulatorDoor, perform: Perform) -> None:
    """A second run with the same wishes takes up what is open."""
    service.switches(request_without_policy="pending")

    def asked(*actions: str) -> list[Any]:
        return [create(action, action=action.upper(), change=CHANGES[action]) for action in actions]

    with only_writes(service, createChangeRequest=len(CHANGES)):
        first, second = perform(lambda: asked(*CHANGES)), perform(lambda: asked("cleanupStats", "delete"))
    requests = service.world("changeRequests")
    assert {one["action"]: one["change"] for one in requests.values()} == CHANGES
    for action in CHANGES:
        made = first[action].result
        assert made == {
            "change_request_id": made["change_request_id"],
            "version": "0",
            "status": "pending",
            "approvals_required": 1,
            "adopted": False,
            "sent_twice": [],
        }
        assert requests[made["change_request_id"]]["action"] == action
    for action in ("cleanupStats", "delete"):
        assert second[action].result == {**first[action].result, "adopted": True}
    link = first.xcom("delete", "_link_DataRobotLink")
    assert link == f"{service.url}/deployments/{GOVERNED}/overview"


def test_templates_comment_and_application(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(
        lambda: [
            create(
                action="changeStatus",
                change="{{ {'status': 'inactive'} | tojson }}",
                comment="Maintenance {{ 'tonight' }}",
                auto_apply="False",
                extra_body={"theirs": {"unknown": True}},
            )
        ]
    )
    [request] = service.world("changeRequests").values()
    assert request["change"] == {"status": "inactive"}
    assert request["autoApply"] is False
    assert request["comment"] == (f"Maintenance tonight\n\nAirflow {done.run.dag_id}.create, run {done.run.run_id}")
    [sent] = service.log(operationId="createChangeRequest")
    assert sent["body"]["theirs"] == {"unknown": True}


@pytest.mark.parametrize("fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}, {"kind": "reset"}])
def test_a_lost_answer_opens_one_request(service: EmulatorDoor, perform: Perform, fault: dict[str, Any]) -> None:
    service.fault(operationId="createChangeRequest", **fault)
    with only_writes(service, createChangeRequest=1):
        done = perform(lambda: [create(action="cleanupStats", change=CHANGES["cleanupStats"])])
    assert list(service.world("changeRequests")) == [done["create"].result["change_request_id"]]


def test_a_request_for_another_change_is_in_the_way(service: EmulatorDoor, perform: Perform) -> None:
    other = ask(service, change={**REPLACEMENT, "modelPackageId": V4})
    theirs = ask(service, "changeImportance", {"importance": "LOW"}, user="admin")
    importance = {"action": "changeImportance", "change": {"importance": "LOW"}}
    done = perform(
        lambda: [
            create("in_the_way"),
            create("instead", on_conflict="cancel_own"),
            create("of_others", **importance),
            create("adopted", adopt="any", **importance),
        ]
    )
    told = done["in_the_way"].error
    assert told.startswith(f"ConflictingRequest: change request {other} of requester@example.com asks for another")
    assert "on_conflict" in told
    assert done["instead"].result["adopted"] is False
    assert service.world("changeRequests")[other]["status"] == "cancelled"
    assert f"change request {theirs} of admin@example.com" in done["of_others"].error
    assert done["adopted"].result["change_request_id"] == theirs


def test_what_the_service_refuses_or_alters_is_told(service: EmulatorDoor, perform: Perform) -> None:
    service.lie("change_altered")
    done = perform(
        lambda: [
            create("refused", action="changeImportance", change={"importance": "URGENT"}),
            create("altered"),
            create("not_theirs", action="delete", change=None, datarobot_conn_id="as_reviewer"),
            create("absent", deployment_id="f" * 24),
        ]
    )
    assert "must be one of CRITICAL, HIGH, MODERATE, LOW, not 'URGENT'" in done["refused"].error
    assert done["altered"].error.startswith("NotAsAsked: change request ")
    assert "has another modelPackageId" in done["altered"].error
    assert "You do not have permission to change this deployment." in done["not_theirs"].error
    assert done["absent"].state == "failed"


def test_plans_write_nothing(service: EmulatorDoor, perform: Perform) -> None:
    request = ask(service)
    with only_writes(service):
        done = perform(
            lambda: [
                create("create", action="delete", change=None, plan_only=True),
                update(change_request_id=request, comment="x", plan_only="yes"),
            ]
        )
    plan = done["create"].result["plan"]
    assert plan["path"] == "changeRequests/"
    assert plan["body"]["action"] == "delete"
    assert done["update"].result["plan"]["body"] == {"comment": "x"}


def test_an_edit_writes_what_differs_and_makes_a_version(service: EmulatorDoor, perform: Perform) -> None:
    request = ask(service)
    review(service, request)
    wanted = {"change_request_id": request, "change": {"modelPackageId": V4, "replacementReason": "errors"}}
    with only_writes(service, updateChangeRequest=2):
        done = perform(
            lambda: [
                update("change", auto_apply="{{ false }}", **wanted),
                update("again", comment="None", **wanted),
                update("comment", change_request_id=request, comment="for tonight"),
            ]
        )
    assert done["change"].result == {
        "change_request_id": request,
        "version": "1",
        "status": "pending",
        "changed": ["change"],
    }
    assert done["again"].result["changed"] == []
    assert done["comment"].result["changed"] == ["comment"]
    assert done["comment"].result["version"] == "1"


@pytest.mark.parametrize("fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}])
def test_a_lost_answer_to_an_edit_makes_one_version(
    service: EmulatorDoor, perform: Perform, fault: dict[str, Any]
) -> None:
    request = ask(service)
    service.fault(operationId="updateChangeRequest", **fault)
    with only_writes(service, updateChangeRequest=1):
        done = perform(lambda: [update(change_request_id=request, change={**REPLACEMENT, "modelPackageId": V4})])
    assert done["update"].result["version"] == "1"


def test_edits_that_are_not_allowed_or_have_no_effect(service: EmulatorDoor, perform: Perform) -> None:
    closed, mine = ask(service, "delete"), ask(service)
    close(service, closed)
    service.fault("status", operationId="updateChangeRequest", code=200, body={})
    done = perform(
        lambda: [
            update("ignored", change_request_id=mine, comment="new"),
            update("closed", change_request_id=closed, comment="new"),
            update("not_theirs", change_request_id=mine, comment="new", datarobot_conn_id="as_reviewer"),
            update("absent", change_request_id="f" * 24, comment="new"),
        ]
    )
    assert done["ignored"].error.startswith(f"NotAsAsked: change request {mine} still has another comment (request id ")
    assert f"NotAllowed: change request {closed} is cancelled" in done["closed"].error
    assert f"NotAllowed: change request {mine} is pending and was opened by requester@" in done["not_theirs"].error
    assert done["absent"].error.startswith("NotFound: getChangeRequest answered 404: Change request ffff")
    assert service.count("changeRequestEdited") == 0
    edit(service, mine)


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"deployment_id": ""}, "deployment_id must be an id"),
        ({"action": "promote"}, "action must be one of approve, changeStatus, changeImportance, cleanupStats, delete"),
        ({"change": None}, "change is needed for action 'replaceModelPackage'"),
        ({"change": "V3"}, "change must be a mapping, or the text of a JSON object, not other text"),
        ({"change": {"modelPackageId": V4}}, "required @ $.change.replacementReason"),
        ({"change": {**REPLACEMENT, "replacementReason": "ACCURACY"}}, "@ $.change.replacementReason"),
        ({"action": "changeStatus", "change": {"status": "off"}}, "must be one of active, inactive, not 'off'"),
        ({"comment": "x" * 10_001}, "comment must have at most 10000 characters, not "),
        ({"auto_apply": "perhaps"}, "auto_apply must be true or false, not 'perhaps'"),
        ({"adopt": "all"}, "adopt must be one of mine, any, not 'all'"),
        ({"on_conflict": "wait"}, "on_conflict must be one of fail, cancel_own, not 'wait'"),
    ]
    refused(service, create, {}, bad)
    worse: list[tuple[dict[str, Any], str]] = [
        ({"change_request_id": "None"}, "change_request_id must be an id"),
        ({}, "give at least one of change, comment and auto_apply"),
        ({"change": [1]}, "change must be a mapping with string keys, not list"),
        ({"comment": "x" * 10_001}, "comment must have at most 10000 characters, not 10001"),
        ({"auto_apply": "perhaps"}, "auto_apply must be true or false, not 'perhaps'"),
    ]
    refused(service, update, {"change_request_id": "64b0"}, worse)
