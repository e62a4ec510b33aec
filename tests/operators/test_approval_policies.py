"""Creating, updating, deleting and matching approval policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import Perform, ask, only_writes, refused, send

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

POLICY, REVIEWERS = "64f000000000000000000001", "64b000000000000000000001"  # of the demo world
TRIGGER: dict[str, Any] = {"entityType": "deployment", "intendedAction": {"action": "delete"}}
REVIEW = {"groups": [{"id": REVIEWERS, "name": "Model reviewers"}], "reminderPeriod": "P1D"}
DISABLED = "Approval Policy management feature is disabled for the user."


def operator(kind: str, task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators import approval_policies

    good: dict[str, Any] = {"name": "Deletions", "trigger": TRIGGER} if kind in ("Create", "Update") else {}
    named = getattr(approval_policies, f"DataRobot{kind}ApprovalPolicyOperator")
    return named(task_id=task_id, **{"datarobot_conn_id": "as_admin", **good, **arguments})


def create(task_id: str = "create", **arguments: Any) -> Any:
    return operator("Create", task_id, **arguments)


def update(task_id: str = "update", **arguments: Any) -> Any:
    return operator("Update", task_id, **{"policy_id": POLICY, **arguments})


def delete(task_id: str = "delete", **arguments: Any) -> Any:
    return operator("Delete", task_id, **{"policy_id": POLICY, **arguments})


def match(task_id: str = "match", **arguments: Any) -> Any:
    return operator("Match", task_id, **{"entity_type": "deploymentModel", "action": "update", **arguments})


def test_a_policy_is_made_set_and_deleted_with_one_write_each(service: EmulatorDoor, perform: Perform) -> None:
    made = "{{ ti.xcom_pull('create')['policy_id'] }}"
    wanted: dict[str, Any] = {"policy_id": made, "name": "All deletions", "review": REVIEW, "active": "False"}
    automatic: dict[str, Any] = {"automatic_action": {"action": "CANCEL", "period": "P3D"}}
    with only_writes(service, createApprovalPolicy=1, updateApprovalPolicy=1, deleteApprovalPolicy=1):
        done = perform(
            lambda: [
                create(),
                create("again"),
                create("another", trigger={**TRIGGER, "intendedAction": {"action": "create"}}),
                update(**wanted, **automatic),
                update("set_again", **wanted, automatic_action='{"action": "cancel", "period": "P3D"}'),
                delete(policy_id=made),
                delete("deleted_again", policy_id=made),
            ]
        )
    policy_id = done["create"].result["policy_id"]
    assert done["create"].result == {"policy_id": policy_id, "name": "Deletions", "created": True}
    assert done["again"].result == {"policy_id": policy_id, "name": "Deletions", "created": False}
    assert done["another"].error == (
        f"SameName: approval policy {policy_id} has the name 'Deletions' and another ['trigger']"
    )
    changed = ["name", "active", "review", "automaticAction"]
    assert done["update"].result == {"policy_id": policy_id, "name": "All deletions", "changed": changed}
    assert done["set_again"].result["changed"] == []
    assert done["delete"].result == {"policy_id": policy_id, "deleted": True, "open_requests": 0}
    assert done["deleted_again"].result == {"policy_id": policy_id, "deleted": False, "open_requests": 0}
    assert list(service.world("policies")) == [POLICY]


@pytest.mark.parametrize("fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}])
def test_lost_answers_leave_one_effect_each(service: EmulatorDoor, perform: Perform, fault: dict[str, Any]) -> None:
    for operation in ("createApprovalPolicy", "updateApprovalPolicy", "deleteApprovalPolicy"):
        service.fault(operationId=operation, **fault)
    with only_writes(service, createApprovalPolicy=1, updateApprovalPolicy=1, deleteApprovalPolicy=1):
        done = perform(lambda: [create(), update(name="Replacements"), delete()])
    assert done["create"].result["policy_id"] in service.world("policies")
    assert done["update"].result["changed"] == ["name", "trigger", "review"]
    assert done["delete"].result["deleted"] is True
    assert [service.count(f"policy{deed}") for deed in ("Created", "Updated", "Deleted")] == [1, 1, 1]


def test_a_name_that_several_policies_have(service: EmulatorDoor, perform: Perform) -> None:
    for _ in range(2):
        send(service, "admin", "POST", "approvalPolicies/", {"name": "Deletions", "active": True, "trigger": TRIGGER})
    with only_writes(service):
        done = perform(lambda: [create()])
    assert done["create"].error.startswith("SameName: 2 approval policies have the name 'Deletions': [")


def test_deleting_tells_what_was_open_under_the_policy(service: EmulatorDoor, perform: Perform) -> None:
    ask(service)
    done = perform(lambda: [delete("plan", plan_only=True), delete()])
    assert done["plan"].result["plan"]["path"] == f"approvalPolicies/{POLICY}/"
    assert done["delete"].result == {"policy_id": POLICY, "deleted": True, "open_requests": 1}


def test_which_policy_gates_what(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(
        lambda: [
            match(field_name="importance", field_value="{{ 'CRITICAL' }}"),
            match("not_critical", field_name="importance", field_value="LOW"),
            match("anything_else", entity_type="DEPLOYMENT", action="create", field_name="None", field_value=""),
        ]
    )
    query = {"entityType": "deploymentModel", "action": "update", "fieldName": "importance", "fieldValue": "CRITICAL"}
    assert done["match"].result == {"policy_id": POLICY, "query": query}
    assert done["not_critical"].result["policy_id"] is None
    assert done["anything_else"].result == {
        "policy_id": None,
        "query": {"entityType": "deployment", "action": "create"},
    }


def test_missing_rights_are_told_in_the_words_of_the_service(service: EmulatorDoor, perform: Perform) -> None:
    service.switches(policy_rights="403")
    requester = {"datarobot_conn_id": "datarobot_default"}
    done = perform(lambda: [create(**requester), update(**requester), delete(**requester), match(**requester)])
    for task_id in ("create", "update", "delete", "match"):
        assert done[task_id].error.startswith("Forbidden: "), task_id
        assert DISABLED in done[task_id].error, task_id
    service.switches(policy_rights="can")
    with only_writes(service):
        done = perform(lambda: [create(**requester), update(**requester), delete(**requester)])
    assert {DISABLED in done[task_id].error for task_id in ("create", "update", "delete")} == {True}


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"name": " "}, "name must be a text of 1 to 50 characters, not ' '"),
        ({"name": "x" * 51}, "name must have at most 50 characters, not 51"),
        ({"trigger": None}, "trigger is needed"),
        ({"trigger": "deletions"}, "trigger must be a mapping, or the text of a JSON object, not other text"),
        ({"trigger": {**TRIGGER, "entityType": "model"}}, "must be one of deployment, deploymentModel"),
        ({"trigger": {"entityType": "deployment"}}, "required @ $.trigger.intendedAction"),
        ({"review": ["someone"]}, "review must be a mapping with string keys, not list"),
        ({"automatic_action": {"action": "ask", "period": "P1D"}}, "@ $.automaticAction"),
        ({"active": "sometimes"}, "active must be true or false, not 'sometimes'"),
    ]
    refused(service, create, {}, bad)
    refused(service, update, {}, [({"policy_id": ""}, "policy_id must be an id"), *bad])
    refused(service, delete, {}, [({"policy_id": "a b"}, "policy_id must be an id")])
    unmatched: list[tuple[dict[str, Any], str]] = [
        ({"entity_type": "model"}, "entity_type must be one of deployment, deploymentModel, deploymentConfig"),
        ({"action": "replace"}, "action must be one of create, update, delete, not 'replace'"),
        ({"field_name": "importance"}, "give both field_name and field_value, or neither"),
    ]
    refused(service, match, {}, unmatched)
