"""Approval policies: who may manage them, what they match, what their deletion does (seed 000, wire.md F)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, POLICY, REVIEWERS, UNGOVERNED, ask_for, policy, request, review, taken

MATCH = "approvalPolicyMatch/?entityType=deploymentModel&action=update"
DISABLED = {"message": "Approval Policy management feature is disabled for the user."}


def match(client: httpx.Client, query: str = "") -> str | None:
    found: str | None = taken(client.get(MATCH + query))["policyId"]
    return found


def test_the_policy_of_the_world(requester: httpx.Client) -> None:
    """Seed 000: the list's form, with openRequests."""
    listed = taken(requester.get("approvalPolicies/"))["data"]
    assert [one["id"] for one in listed] == [POLICY]
    assert taken(requester.get(f"approvalPolicies/{POLICY}/")) == listed[0]
    assert listed[0]["openRequests"] == 0
    assert listed[0]["trigger"]["intendedAction"]["condition"]["values"] == ["CRITICAL", "HIGH"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("namePart=IMPORTANT", 1),
        ("namePart=nothing", 0),
        ("entityType=DEPLOYMENT_MODEL", 1),
        ("entityType=DeploymentModel", 1),
        ("entityType=deploymentStatus", 0),
    ],
)
def test_filters_of_the_list(requester: httpx.Client, query: str, count: int) -> None:
    assert taken(requester.get(f"approvalPolicies/?{query}"))["totalCount"] == count


def test_an_administrator_creates_updates_and_deletes(emulator: EmulatorDoor, admin: httpx.Client) -> None:
    """Seed 000: 201, 200, 204; words in any of the three spellings come back in camelCase (wire.md F)."""
    body = policy("DEPLOYMENT_STATUS", "UPDATE", automaticAction={"action": "Cancel", "period": "P7D"})
    answer = admin.post("approvalPolicies/", json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert made["trigger"]["entityType"] == "deploymentStatus"
    assert made["automaticAction"] == {"action": "cancel", "period": "P7D"}
    answer = admin.put(f"approvalPolicies/{made['id']}/", json=body | {"name": "renamed", "active": False})
    assert (answer.status_code, answer.json()["name"], answer.json()["active"]) == (200, "renamed", False)
    answer = admin.delete(f"approvalPolicies/{made['id']}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.get(f"approvalPolicies/{made['id']}/").status_code == 404
    assert [effect["effect"] for effect in emulator.effects()] == ["policyCreated", "policyUpdated", "policyDeleted"]


def test_two_equal_policies_are_two(emulator: EmulatorDoor, admin: httpx.Client) -> None:
    """Rule 3: no kindness that no page tells of."""
    body = policy("deployment", "delete")
    assert (
        admin.post("approvalPolicies/", json=body).json()["id"]
        != admin.post("approvalPolicies/", json=body).json()["id"]
    )
    assert emulator.count("policyCreated") == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "approvalPolicies/", policy("deployment", "delete")),
        ("PUT", f"approvalPolicies/{POLICY}/", policy("deployment", "delete")),
        ("DELETE", f"approvalPolicies/{POLICY}/", None),
    ],
)
def test_without_the_right_policies_cannot_be_changed(
    requester: httpx.Client, method: str, path: str, body: Any
) -> None:
    """Seed 000: 403 'Approval Policy management feature is disabled for the user.'"""
    answer = requester.request(method, path, json=body)
    assert (answer.status_code, answer.json()) == (403, DISABLED)


@pytest.mark.parametrize(
    "path",
    [
        MATCH,
        "approvalPolicies/",
        f"approvalPolicies/{POLICY}/",
        "approvalPolicyTriggers/",
        f"approvalPolicies/{POLICY}/shareableChangeRequests/",
    ],
)
@pytest.mark.parametrize(("value", "status"), [("can", 200), ("403", 403)])
def test_switch_policy_rights(
    emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client, path: str, value: str, status: int
) -> None:
    """Seed 000 gives 403 for every one of these while the feature is off for the caller."""
    emulator.switches(policy_rights=value)
    assert requester.get(path).status_code == status
    assert admin.get(path).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x" * 51}, "name"),
        ({"active": "yes"}, "active"),
        ({"automaticAction": {"action": "explode", "period": "P1D"}}, "automaticAction"),
        ({"automaticAction": {"action": "cancel", "period": "tomorrow"}}, "automaticAction"),
        ({"automaticAction": {"action": "cancel", "period": "P"}}, "automaticAction"),
        ({"review": {"groups": [], "reminderPeriod": None}}, "review"),
        ({"trigger": {"entityType": "project", "intendedAction": {"action": "create"}}}, "trigger"),
    ],
)
def test_a_policy_outside_the_tables_is_422(admin: httpx.Client, change: dict[str, Any], field: str) -> None:
    """Seed 000:905-1050."""
    answer = admin.post("approvalPolicies/", json=policy("deployment", "create") | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_triggers_have_labels(requester: httpx.Client) -> None:
    data = taken(requester.get("approvalPolicyTriggers/"))["data"]
    labels = {one["labels"]["label"] for one in data}
    assert {"Model replacement", "Importance change", "Deployment deletion"} <= labels


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("&fieldName=importance&fieldValue=CRITICAL", POLICY),
        ("&fieldName=importance&fieldValue=HIGH", POLICY),
        ("&fieldName=importance&fieldValue=LOW", None),
        ("&fieldName=label&fieldValue=CRITICAL", None),
        ("", None),
    ],
)
def test_a_match_by_importance(requester: httpx.Client, query: str, found: str | None) -> None:
    """Seed 000: equals is the only condition; policyId is null when nothing matches."""
    assert match(requester, query) == found


def test_the_match_echoes_the_query_in_camel_case(requester: httpx.Client) -> None:
    query = "entityType=DEPLOYMENT_MODEL&action=Update&fieldName=importance&fieldValue=LOW"
    assert taken(requester.get(f"approvalPolicyMatch/?{query}")) == {
        "entityType": "deploymentModel",
        "action": "update",
        "fieldName": "importance",
        "fieldValue": "LOW",
        "policyId": None,
    }


def test_a_match_needs_both_words(requester: httpx.Client) -> None:
    assert requester.get("approvalPolicyMatch/?entityType=deployment").status_code == 422


@pytest.mark.parametrize(("value", "found"), [("unconditional", None), ("any", POLICY)])
def test_switch_match_without_field(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, found: str | None
) -> None:
    emulator.switches(match_without_field=value)
    assert match(requester) == found


def test_values_null_stands_for_any_value(admin: httpx.Client) -> None:
    """Seed 000:962: 'If null for equals condition, then any value for the field is accepted.'"""
    condition = {"condition": "equals", "fieldName": "importance", "values": None}
    trigger = {"entityType": "deployment", "intendedAction": {"action": "delete", "condition": condition}}
    made = taken(admin.post("approvalPolicies/", json=policy("x", "x") | {"trigger": trigger}))
    query = "approvalPolicyMatch/?entityType=deployment&action=delete&fieldName=importance&fieldValue=LOW"
    assert taken(admin.get(query))["policyId"] == made["id"]


def test_a_paused_policy_matches_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md F: policies can be paused (active false)."""
    emulator.change("policies", POLICY, active=False)
    assert match(requester, "&fieldName=importance&fieldValue=CRITICAL") is None


def test_filter_groups_mean_their_members_only(
    requester: httpx.Client, reviewer: httpx.Client, admin: httpx.Client
) -> None:
    """Seed 000:1022: triggered for members of the groups, not for others."""
    groups = [{"id": REVIEWERS, "name": "Model reviewers"}]
    trigger = {"entityType": "deploymentModel", "filterGroups": groups, "intendedAction": {"action": "update"}}
    admin.delete(f"approvalPolicies/{POLICY}/")
    made = taken(admin.post("approvalPolicies/", json=policy("x", "x") | {"trigger": trigger}))
    assert match(requester) is None
    assert match(reviewer) == made["id"]


def test_open_requests_are_counted_and_listed(requester: httpx.Client) -> None:
    """Seed 000: openRequests, shareableChangeRequests; wire.md F: only OPENED is known as a state."""
    asked = taken(ask_for(requester))
    ask_for(requester, entity=UNGOVERNED)
    assert taken(requester.get(f"approvalPolicies/{POLICY}/"))["openRequests"] == 1
    row = taken(requester.get(f"approvalPolicies/{POLICY}/shareableChangeRequests/"))["data"][0]
    assert row == {
        "changeRequestId": asked["id"],
        "createDate": asked["createdAt"],
        "entityId": GOVERNED,
        "entityName": "Churn, governed",
        "requester": "requester@example.com",
        "state": "OPENED",
        "updateDate": asked["updatedAt"],
        "updatedBy": None,
    }


@pytest.mark.parametrize(("action", "status"), [("cancel", "cancelled"), ("approve", "approved")])
def test_deleting_a_policy_applies_its_automatic_action(
    emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client, action: str, status: str
) -> None:
    """wire.md F: deleting a policy applies its automatic action to open requests."""
    emulator.change("policies", POLICY, automaticAction={"action": action, "period": "P30D"})
    asked = taken(ask_for(requester))
    assert admin.delete(f"approvalPolicies/{POLICY}/").status_code == 204
    assert request(requester, asked["id"])["status"] == status


def test_deleting_a_policy_without_automatic_action_leaves_its_requests(
    requester: httpx.Client, admin: httpx.Client
) -> None:
    asked = taken(ask_for(requester))
    admin.delete(f"approvalPolicies/{POLICY}/")
    assert request(requester, asked["id"])["status"] == "pending"
    # without the policy's groups the administrators review (wire.md F)
    assert review(admin, asked).status_code == 201


@pytest.mark.parametrize(
    ("period", "seconds"),
    [("PT30S", 30), ("PT12H", 43_200), ("P3D", 259_200), ("P1W", 604_800), ("P1DT1M", 86_460), ("P1M", 2_592_000)],
)
def test_periods_run_on_the_services_clock(
    emulator: EmulatorDoor, requester: httpx.Client, period: str, seconds: int
) -> None:
    """Seed 000: automaticAction.period is an ISO 8601 duration."""
    emulator.clock(speed=0)
    emulator.change("policies", POLICY, automaticAction={"action": "cancel", "period": period})
    asked = taken(ask_for(requester))
    emulator.advance(seconds - 1)
    assert request(requester, asked["id"])["status"] == "pending"
    emulator.advance(1)
    assert request(requester, asked["id"])["status"] == "cancelled"
