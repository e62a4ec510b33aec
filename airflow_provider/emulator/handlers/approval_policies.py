"""Approval policies: create, read, update, delete, match, triggers, and the requests under one of them."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour.policies import canonical, check_periods, matching, open_requests_under
from airflow_provider.emulator.behaviour.requests import act_automatically, is_open
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

DISABLED = "Approval Policy management feature is disabled for the user."  # seed 000, every 403 of these pages
TRIGGERS = (
    ("deployment", "create", "Deployment", "Deployment creation"),
    ("deployment", "update", "Deployment", "Importance change"),
    ("deployment", "delete", "Deployment", "Deployment deletion"),
    ("deploymentModel", "update", "Model", "Model replacement"),
    ("deploymentStatus", "update", "Deployment", "Status change"),
    ("deploymentConfig", "update", "Model", "Secondary dataset configuration change"),
    ("deploymentMonitoringData", "delete", "Monitoring", "Monitoring data deletion"),
)


@serves("listApprovalPolicies")
def list_policies(call: Call) -> Answer:
    """All policies, by entity type and part of the name."""
    _may_read(call)
    wanted, part = call.arguments.get("entityType"), call.arguments.get("namePart", "")
    rows = [
        one
        for one in call.service.store.rows("policies")
        if part.lower() in one["name"].lower() and (wanted is None or one["trigger"]["entityType"] == canonical(wanted))
    ]
    return call.page([_view(call, one) for one in call.service.listed(rows)])


@serves("createApprovalPolicy")
def create_policy(call: Call) -> Answer:
    """201 with the policy."""
    _may_manage(call)
    policy = call.service.store.add("policies", _stored(call.body), "policyCreated")
    return Answer(201, _view(call, policy))


@serves("getApprovalPolicy")
def get_policy(call: Call) -> Answer:
    """One policy."""
    _may_read(call)
    return Answer(200, _view(call, _policy(call)))


@serves("updateApprovalPolicy")
def update_policy(call: Call) -> Answer:
    """The whole policy anew."""
    _may_manage(call)
    policy = _policy(call)
    return Answer(
        200, _view(call, call.service.store.change("policies", policy["id"], _stored(call.body), "policyUpdated"))
    )


@serves("deleteApprovalPolicy")
def delete_policy(call: Call) -> Answer:
    """204; the policy's automatic action is applied to its open requests (wire.md F)."""
    _may_manage(call)
    policy = _policy(call)
    for request in open_requests_under(call.service, policy):
        act_automatically(call.service, request, policy)
    call.service.store.remove("policies", policy["id"], "policyDeleted")
    return empty(204)


@serves("getApprovalPolicyMatch", how="computed")
def match_policy(call: Call) -> Answer:
    """The policy that this action of the caller falls under, or null."""
    _may_read(call)
    entity_type, action = canonical(call.arguments["entityType"]), canonical(call.arguments["action"])
    field, value = call.arguments.get("fieldName"), call.arguments.get("fieldValue")
    policy = matching(call.service, call.user, entity_type, action, field, value)
    body = {"entityType": entity_type, "action": action, "fieldName": field, "fieldValue": value}
    return Answer(200, {**body, "policyId": policy["id"] if policy is not None else None})


@serves("listApprovalPolicyTriggers", how="shaped")
def list_triggers(call: Call) -> Answer:
    """What a policy can be triggered by, with labels."""
    _may_read(call)
    data = [
        {
            "entityType": entity_type,
            "filterGroups": None,
            "intendedAction": {
                "action": action,
                "condition": {"condition": "equals", "fieldName": "importance", "values": None},
            },
            "labels": {"groupLabel": group, "label": label},
        }
        for entity_type, action, group, label in TRIGGERS
    ]
    return Answer(200, {"data": data})


@serves("listApprovalPolicyShareableChangeRequests")
def list_shareable_requests(call: Call) -> Answer:
    """The change requests that were opened under a policy; of the states only OPENED is documented (wire.md F)."""
    _may_read(call)
    policy = _policy(call)
    rows = [one for one in call.service.store.rows("changeRequests") if one["policyId"] == policy["id"]]
    return call.page([_shareable(call, one) for one in call.service.listed(rows)])


def _shareable(call: Call, request: Record) -> Record:
    store = call.service.store
    entity = store.get("deployments", request["entityId"]) or {}
    changed_by = store.get("users", request["statusChangedBy"] or "")
    return {
        "changeRequestId": request["id"],
        "createDate": iso(request["createdAt"]),
        "entityId": request["entityId"],
        "entityName": entity.get("label"),
        "requester": store.tables["users"][request["userId"]]["username"],
        "state": "OPENED" if is_open(request) else request["status"].upper(),
        "updateDate": iso(request["updatedAt"]),
        "updatedBy": changed_by["username"] if changed_by is not None else None,
    }


def _may_read(call: Call) -> None:
    if call.service.switches["policy_rights"] == "403" and not call.user["canManagePolicies"]:
        raise refuse(403, DISABLED)


def _may_manage(call: Call) -> None:
    if not call.user["canManagePolicies"]:
        raise refuse(403, DISABLED)


def _policy(call: Call) -> Record:
    policy = call.service.store.get("policies", call.arguments["approvalPolicyId"])
    if policy is None:
        raise refuse(404, "Approval Policy does not exist or the user doesn't have access to it.")
    return policy


def _stored(body: Record) -> Record:
    """The policy with all keys, its words in camelCase."""
    check_periods(body)
    trigger, automatic = body["trigger"], body.get("automaticAction")
    intended = trigger["intendedAction"]
    condition: Any = intended.get("condition")
    if condition is not None:
        condition = {**condition, "condition": canonical(condition["condition"])}
    stored_trigger = {
        "entityType": canonical(trigger["entityType"]),
        "filterGroups": trigger.get("filterGroups"),
        "intendedAction": {"action": canonical(intended["action"])} | ({"condition": condition} if condition else {}),
    }
    if "labels" in trigger:
        stored_trigger["labels"] = trigger["labels"]
    return {
        "name": body["name"],
        "active": body["active"],
        "automaticAction": {**automatic, "action": canonical(automatic["action"])} if automatic else None,
        "review": body.get("review"),
        "trigger": stored_trigger,
    }


def _view(call: Call, policy: Record) -> Record:
    return {**policy, "openRequests": len(open_requests_under(call.service, policy))}
