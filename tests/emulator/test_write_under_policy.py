"""A direct write to a governed deployment: the question that no public source answers, in all its five values."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, GOVERNED, UNGOVERNED, deployment, policy, replace, request, review, taken

WRITES: dict[str, tuple[str, str, Any, str, int]] = {
    "replaceModelPackage": (
        "PATCH",
        "model/",
        {"modelPackageId": CANDIDATE, "reason": "DATA_DRIFT"},
        "modelReplaced",
        202,
    ),
    "replaceModel": (
        "PATCH",
        "model/",
        {"modelId": "64a100000000000000000003", "reason": "OTHER"},
        "modelReplaced",
        202,
    ),
    "changeStatus": ("PATCH", "status/", {"status": "inactive"}, "statusChanged", 202),
    "changeImportance": ("PATCH", "", {"importance": "LOW"}, "importanceChanged", 204),
    "delete": ("DELETE", "", None, "deploymentDeleted", 204),
}
CHANGES = {
    "replaceModelPackage": {"modelPackageId": CANDIDATE, "replacementReason": "data_drift"},
    "replaceModel": {"modelId": "64a100000000000000000003", "replacementReason": "other"},
    "changeStatus": {"status": "inactive"},
    "changeImportance": {"importance": "LOW"},
    "delete": None,
}


@pytest.fixture
def governed(admin: httpx.Client) -> None:
    """Policies for all four kinds of write, besides the world's own for replacement."""
    for entity_type, action in (("deploymentStatus", "update"), ("deployment", "update"), ("deployment", "delete")):
        assert admin.post("approvalPolicies/", json=policy(entity_type, action)).status_code == 201


def write(client: httpx.Client, action: str) -> httpx.Response:
    method, path, body, _, _ = WRITES[action]
    return client.request(method, f"deployments/{GOVERNED}/{path}", json=body)


@pytest.mark.usefixtures("governed")
@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize(("value", "status"), [("refuse_403", 403), ("refuse_409", 409), ("refuse_422", 422)])
def test_refused(emulator: EmulatorDoor, requester: httpx.Client, action: str, value: str, status: int) -> None:
    """wire.md E: 'no payload shows an HTTP status for blocked by policy'; refused: nothing is done."""
    emulator.switches(write_under_policy=value)
    answer = write(requester, action)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]  # a validation object would have checks
    emulator.advance(21)
    assert emulator.count(WRITES[action][3]) == 0


@pytest.mark.usefixtures("governed")
@pytest.mark.parametrize("action", WRITES)
def test_allowed(emulator: EmulatorDoor, requester: httpx.Client, action: str) -> None:
    emulator.switches(write_under_policy="allows")
    assert write(requester, action).status_code == WRITES[action][4]
    emulator.advance(21)
    assert emulator.count(WRITES[action][3], GOVERNED) == 1
    assert emulator.count("changeRequestCreated") == 0


@pytest.mark.usefixtures("governed")
@pytest.mark.parametrize("action", WRITES)
def test_a_request_is_opened_instead(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, action: str
) -> None:
    """Rule 4: it may even open a request by itself and answer 202; the recorded service-opened one applies itself."""
    emulator.switches(write_under_policy="opens_request")
    before = deployment(requester, GOVERNED)
    answer = write(requester, action)
    assert answer.status_code == (204 if action == "changeImportance" else 202)
    if "Location" in answer.headers:
        assert requester.get(answer.headers["Location"]).status_code == 303
    after = deployment(requester, GOVERNED)
    (opened,) = after["openedChangeRequests"]
    assert {**after, "openedChangeRequests": [], "governance": before["governance"]} == before
    asked = request(requester, opened)
    assert (asked["action"], asked["change"], asked["comment"]) == (action, CHANGES[action], "")
    assert (asked["autoApply"], asked["numApprovalsRequired"]) == (True, 1)
    review(reviewer, asked)
    emulator.advance(21)
    assert request(requester, opened)["status"] == "resolved"
    assert emulator.count(WRITES[action][3], GOVERNED) == 1


@pytest.mark.parametrize(("value", "auto_apply"), [("yes", True), ("no", False)])
def test_switch_opened_request_auto_apply(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, auto_apply: bool
) -> None:
    emulator.switches(write_under_policy="opens_request", opened_request_auto_apply=value)
    replace(requester, GOVERNED)
    (opened,) = deployment(requester, GOVERNED)["openedChangeRequests"]
    assert request(requester, opened)["autoApply"] is auto_apply


def test_each_write_opens_a_request_of_its_own(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 3: no kindness."""
    emulator.switches(write_under_policy="opens_request")
    replace(requester, GOVERNED)
    replace(requester, GOVERNED)
    assert emulator.count("changeRequestCreated") == 2


def test_what_falls_under_no_policy_is_written_directly(requester: httpx.Client) -> None:
    """wire.md F: default, no policy, nothing blocked; the world's policy is for replacement and importance."""
    assert replace(requester, UNGOVERNED).status_code == 202
    answer = requester.patch(f"deployments/{GOVERNED}/status/", json={"status": "inactive"})
    assert answer.status_code == 202


def test_label_and_description_need_no_approval(
    emulator: EmulatorDoor, requester: httpx.Client, governed: None
) -> None:
    emulator.switches(write_under_policy="opens_request")
    answer = requester.patch(f"deployments/{GOVERNED}/", json={"label": "Renamed", "importance": "LOW"})
    assert answer.status_code == 204
    seen = deployment(requester, GOVERNED)
    assert (seen["label"], seen["importance"], len(seen["openedChangeRequests"])) == ("Renamed", "CRITICAL", 1)


def test_a_failing_validation_comes_before_the_policy(requester: httpx.Client) -> None:
    answer = replace(requester, GOVERNED, "64d000000000000000000006")
    assert answer.status_code == 409
    assert answer.json()["status"] == "failing"


def test_members_of_the_filter_groups_only_are_asked(
    emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client
) -> None:
    """Seed 000:1022."""
    groups = [{"id": "64b000000000000000000001", "name": "Model reviewers"}]
    trigger = {"entityType": "deploymentStatus", "filterGroups": groups, "intendedAction": {"action": "update"}}
    taken(admin.post("approvalPolicies/", json=policy("x", "x") | {"trigger": trigger}))
    answer = requester.patch(f"deployments/{GOVERNED}/status/", json={"status": "inactive"})
    assert answer.status_code == 202
