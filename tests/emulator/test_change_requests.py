"""Change requests: made, listed, edited, cancelled, resolved, applied (seed 000 and the recorded ones of wire.md F)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import (
    CANDIDATE,
    CHAMPION,
    GOVERNED,
    MISFIT,
    MODEL_OF_CANDIDATE,
    POLICY,
    REQUESTER,
    SECOND_CANDIDATE,
    UNGOVERNED,
    ask_for,
    champion,
    deployment,
    policy,
    replace,
    request,
    review,
    set_status,
    taken,
)

NOTHING = {"canCancel": False, "canComment": False, "canResolve": False, "canReview": False, "canUpdate": False}


@pytest.fixture
def asked(requester: httpx.Client) -> dict[str, Any]:
    """A pending request to replace the governed champion."""
    return taken(ask_for(requester))


@pytest.fixture
def approved(requester: httpx.Client, reviewer: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    review(reviewer, asked)
    return request(requester, asked["id"])


def test_a_new_request_as_recorded(asked: dict[str, Any], requester: httpx.Client) -> None:
    """wire.md F: comment "" when none, one approval, userName an e-mail, the nulls, what its author can do."""
    assert asked == {
        "id": asked["id"],
        "action": "replaceModelPackage",
        "autoApply": False,
        "change": {"modelPackageId": CANDIDATE, "replacementReason": "accuracy"},
        "changeVersionId": "0",
        "comment": "",
        "createdAt": asked["createdAt"],
        "diff": {
            "base": {"modelPackageId": CHAMPION},
            "head": {"modelPackageId": CANDIDATE},
            "changesFrom": ["Model package Churn classifier v1"],
            "changesTo": ["Model package Churn classifier v3"],
        },
        "entityId": GOVERNED,
        "entityType": "deployment",
        "numApprovalsRequired": 1,
        "processedAt": None,
        "status": "pending",
        "statusChangedAt": None,
        "statusChangedBy": None,
        "updatedAt": asked["createdAt"],
        "userId": REQUESTER,
        "userName": "requester@example.com",
        "userOperations": {
            "canCancel": True,
            "canComment": True,
            "canResolve": False,
            "canReview": False,
            "canUpdate": True,
        },
    }
    assert request(requester, asked["id"]) == asked


def test_creating_answers_201(requester: httpx.Client) -> None:
    """Seed 000: 201 Change Request Created."""
    assert ask_for(requester, comment="x" * 10_000).status_code == 201


@pytest.mark.parametrize(
    ("action", "change", "diff"),
    [
        (
            "approve",
            {"approvalStatus": "APPROVED"},
            {
                "base": {"approvalStatus": "PENDING"},
                "head": {"approvalStatus": "APPROVED"},
                "changesFrom": [],
                "changesTo": ["New deployment was created"],
            },
        ),
        ("delete", None, {"changesFrom": [], "changesTo": ["Deployment will be deleted"]}),
        (
            "changeImportance",
            {"importance": "LOW"},
            {
                "base": {"importance": "CRITICAL"},
                "head": {"importance": "LOW"},
                "changesFrom": ["Critical importance"],
                "changesTo": ["Low importance"],
            },
        ),
        (
            "changeStatus",
            {"status": "inactive"},
            {
                "base": {"status": "active"},
                "head": {"status": "inactive"},
                "changesFrom": ["Status is active"],
                "changesTo": ["Status will be inactive"],
            },
        ),
        (
            "replaceModel",
            {"modelId": MODEL_OF_CANDIDATE, "replacementReason": "deprecation"},
            {
                "base": {"modelId": "64a100000000000000000001"},
                "head": {"modelId": MODEL_OF_CANDIDATE},
                "changesFrom": ["Model 64a100000000000000000001"],
                "changesTo": [f"Model {MODEL_OF_CANDIDATE}"],
            },
        ),
        (
            "cleanupStats",
            {"dataType": "monitoring", "start": None, "end": None, "modelId": None},
            {"changesFrom": [], "changesTo": ["Monitoring data will be deleted"]},
        ),
        (
            "updateSecondaryDatasetConfigs",
            {"secondaryDatasetsConfigId": "64a000000000000000000077"},
            {"changesFrom": [], "changesTo": ["Secondary dataset configuration will be replaced"]},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_action_shows_its_diff(
    emulator: EmulatorDoor, requester: httpx.Client, action: str, change: Any, diff: dict[str, Any]
) -> None:
    """wire.md F: the recorded forms of approve, delete and changeImportance; delete has neither base nor head."""
    emulator.change("deployments", GOVERNED, approvalStatus="PENDING")
    made = taken(ask_for(requester, action, change))
    assert (made["action"], made["change"], made["diff"]) == (action, change, diff)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "explode"}, "action"),
        ({"autoApply": "yes"}, "autoApply"),
        ({"change": {"modelPackageId": CANDIDATE}}, "change"),
        ({"change": {"modelPackageId": CANDIDATE, "replacementReason": "ACCURACY"}}, "change"),
        ({"change": None}, "change"),
        ({"comment": "x" * 10_001}, "comment"),
        ({"entityType": "project"}, "entityType"),
        ({"action": "changeImportance", "change": {"importance": "HUGE"}}, "change"),
        ({"action": "changeStatus", "change": {"status": "asleep"}}, "change"),
    ],
)
def test_a_request_outside_the_tables_is_422(requester: httpx.Client, change: dict[str, Any], field: str) -> None:
    """Seed 000:1098-1222."""
    body = {
        "action": "replaceModelPackage",
        "autoApply": False,
        "change": {"modelPackageId": CANDIDATE, "replacementReason": "accuracy"},
        "entityId": GOVERNED,
        "entityType": "deployment",
    }
    answer = requester.post("changeRequests/", json=body | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_a_missing_body_is_422(requester: httpx.Client) -> None:
    assert requester.post("changeRequests/").status_code == 422


@pytest.mark.parametrize(("name", "status"), [("reviewer", 403), ("outsider", 404)])
def test_only_an_owner_can_ask(
    emulator: EmulatorDoor, clients: dict[str, httpx.Client], name: str, status: int
) -> None:
    assert ask_for(clients[name]).status_code == status


@pytest.mark.parametrize(("value", "status"), [("allow", 201), ("refuse_409", 409), ("refuse_422", 422)])
def test_switch_second_open_request(
    emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any], value: str, status: int
) -> None:
    """wire.md F: not found; rule 3: by default a second equal one is a second one."""
    emulator.switches(second_open_request=value)
    assert ask_for(requester).status_code == status
    assert ask_for(requester, "delete").status_code == 201
    set_status(requester, asked, "cancelled")
    assert emulator.count("changeRequestCreated") == (3 if status == 201 else 2)


@pytest.mark.parametrize(
    ("value", "code", "status", "required"),
    [
        ("approved", 201, "approved", 0),
        ("resolved", 201, "approved", 0),
        ("pending", 201, "pending", 1),
        ("refuse_422", 422, None, None),
    ],
)
def test_switch_request_without_policy(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int, status: str, required: int
) -> None:
    """Rule 4: without a policy a request may come back with numApprovalsRequired 0, approved or resolved already."""
    emulator.switches(request_without_policy=value)
    answer = ask_for(requester, entity=UNGOVERNED)
    assert answer.status_code == code
    made = answer.json()
    assert (made.get("status"), made.get("numApprovalsRequired")) == (status, required)
    emulator.advance(21)
    assert (champion(requester) == CANDIDATE) is (value == "resolved")
    if value == "resolved":
        assert request(requester, made["id"])["status"] == "resolved"


@pytest.mark.parametrize(("value", "status"), [("1", "pending"), ("2", "pending"), ("0", "approved")])
def test_switch_approvals_required(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: str) -> None:
    emulator.switches(approvals_required=value)
    made = taken(ask_for(requester))
    assert (made["numApprovalsRequired"], made["status"]) == (int(value), status)


@pytest.mark.parametrize(("value", "status"), [("200", 200), ("201", 201)])
def test_switch_list_change_requests_status(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    """wire.md F: 200 in a recorded call, the page says 201."""
    emulator.switches(list_change_requests_status=value)
    assert requester.get("changeRequests/?entityType=deployment").status_code == status


def listed(client: httpx.Client, query: str) -> int:
    return int(taken(client.get(f"changeRequests/?entityType=deployment&{query}"))["totalCount"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        (f"entityId={GOVERNED}", 2),
        (f"entityId={GOVERNED}&entityId={UNGOVERNED}", 3),
        (f"entityId={GOVERNED},{UNGOVERNED}", 3),
        ("status=pending", 1),
        ("status=PENDING&status=Cancelled", 2),
        ("status=pending,approved", 2),
        ("myRequests=true", 3),
        ("myRequests=False", 0),
        ("showApproved=True", 1),
        ("showApproved=false", 2),
        ("showCancelled=true", 1),
        ("showCancelled=false&showApproved=false", 1),
    ],
)
def test_filters_of_the_list(requester: httpx.Client, asked: dict[str, Any], query: str, count: int) -> None:
    """Seed 000: entityId, myRequests, showApproved, showCancelled, status."""
    ask_for(requester, entity=UNGOVERNED)
    set_status(requester, taken(ask_for(requester)), "cancelled")
    assert listed(requester, query) == count


def test_reviewers_and_administrators_see_the_request(
    asked: dict[str, Any], reviewer: httpx.Client, admin: httpx.Client, outsider: httpx.Client
) -> None:
    assert (listed(reviewer, "myRequests=false"), listed(admin, ""), listed(outsider, "")) == (1, 1, 0)
    assert outsider.get(f"changeRequests/{asked['id']}/").status_code == 404


def test_a_reviewer_gains_access_to_the_deployment(
    emulator: EmulatorDoor, asked: dict[str, Any], reviewer: httpx.Client
) -> None:
    """wire.md F: a reviewer gains access to the deployment."""
    emulator.change("deployments", GOVERNED, roles={"64a000000000000000000002": None})
    assert reviewer.get(f"deployments/{GOVERNED}/").status_code == 200


@pytest.mark.parametrize("order", ["createdAt", "updatedAt", "processedAt"])
def test_orders_of_the_list(emulator: EmulatorDoor, requester: httpx.Client, order: str) -> None:
    made = []
    for _ in range(4):
        made.append(taken(ask_for(requester))["id"])
        emulator.advance(1)
    for key in made:
        set_status(requester, {"id": key}, "cancelled")
        emulator.advance(1)
    for query, wanted in ((order, made), (f"-{order}", made[::-1])):
        rows = taken(requester.get(f"changeRequests/?entityType=deployment&orderBy={query}"))["data"]
        assert [row["id"] for row in rows] == wanted


def test_the_entity_type_is_required(requester: httpx.Client) -> None:
    assert requester.get("changeRequests/").status_code == 422


def test_an_edited_change_is_a_new_version(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any]
) -> None:
    """wire.md F: changing change creates a new changeVersionId, reviews tie to a version."""
    change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
    answer = requester.patch(f"changeRequests/{approved['id']}/", json={"change": change})
    assert answer.status_code == 200
    edited = answer.json()
    assert (edited["changeVersionId"], edited["status"], edited["change"]) == ("1", "pending", change)
    assert edited["diff"]["head"] == {"modelPackageId": SECOND_CANDIDATE}
    assert emulator.count("changeRequestEdited", approved["id"]) == 1


def test_another_comment_or_the_same_change_is_no_new_version(
    requester: httpx.Client, approved: dict[str, Any]
) -> None:
    body = {"comment": "please", "autoApply": False, "change": approved["change"]}
    edited = taken(requester.patch(f"changeRequests/{approved['id']}/", json=body))
    assert (edited["changeVersionId"], edited["status"], edited["comment"]) == ("0", "approved", "please")
    assert taken(requester.patch(f"changeRequests/{approved['id']}/", json={}))["comment"] == "please"


@pytest.mark.parametrize(("value", "status"), [("pending", "pending"), ("keeps_status", "approved")])
def test_switch_after_edit(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any], value: str, status: str
) -> None:
    emulator.switches(after_edit=value)
    change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
    edited = taken(requester.patch(f"changeRequests/{approved['id']}/", json={"change": change}))
    assert (edited["changeVersionId"], edited["status"]) == ("1", status)


@pytest.mark.parametrize("change", [{"status": "inactive"}, {"modelPackageId": 5, "replacementReason": "other"}, None])
def test_an_edit_must_fit_the_action(requester: httpx.Client, asked: dict[str, Any], change: Any) -> None:
    assert requester.patch(f"changeRequests/{asked['id']}/", json={"change": change}).status_code == 422


def test_only_its_author_edits_or_cancels(asked: dict[str, Any], reviewer: httpx.Client, admin: httpx.Client) -> None:
    """wire.md F: canUpdate and canCancel are the creator's."""
    for client in (reviewer, admin):
        assert client.patch(f"changeRequests/{asked['id']}/", json={"comment": "mine"}).status_code == 403
        assert set_status(client, asked, "cancelled").status_code == 403


@pytest.mark.parametrize("value", ["202", "200"])
def test_switch_set_status_answer(
    origin: str, emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any], value: str
) -> None:
    """wire.md A.4: 202 {"status": ...} + Location in a recorded call, 200 + Location on the page."""
    emulator.switches(set_status_answer=value)
    answer = set_status(requester, asked, "cancelled")
    assert (answer.status_code, answer.json()) == (int(value), {"status": "cancelled"})
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.headers["Location"]) == (303, f"{origin}/api/v2/deployments/{GOVERNED}/")


@pytest.mark.parametrize(("value", "by"), [("null", None), ("user", REQUESTER)])
def test_switch_cancelled_by(
    emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any], value: str, by: str | None
) -> None:
    """wire.md F: all operations false once cancelled, processedAt set, statusChangedBy null in the recorded one."""
    emulator.switches(cancelled_by=value)
    set_status(requester, asked, "cancelled")
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["statusChangedBy"], seen["userOperations"]) == ("cancelled", by, NOTHING)
    assert seen["processedAt"] is not None
    assert (seen["statusChangedAt"] is None) is (by is None)
    assert emulator.count("changeRequestCancelled", asked["id"]) == 1


def test_cancelling_can_take_time(emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any]) -> None:
    emulator.jobs("changeRequestCancel", seconds=10)
    location = set_status(requester, asked, "cancelled").headers["Location"]
    assert request(requester, asked["id"])["status"] == "pending"
    emulator.advance(11)
    assert request(requester, asked["id"])["status"] == "cancelled"
    assert requester.get(location).status_code == 303


def test_an_approved_request_can_be_cancelled_and_an_open_job_then_fails(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any]
) -> None:
    location = set_status(requester, approved, "resolving").headers["Location"]
    set_status(requester, approved, "cancelled")
    emulator.advance(21)
    assert requester.get(location).json()["message"] == "The change request is not approved any more: cancelled."
    assert champion(requester, GOVERNED) == CHAMPION


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422), ("refuse_403", 403)])
def test_switch_resolve_unapproved(
    emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any], value: str, status: int
) -> None:
    """wire.md F: only approved requests can be resolved; the refusal's status is not known."""
    emulator.switches(resolve_unapproved=value)
    answer = set_status(requester, asked, "resolving")
    assert answer.status_code == status
    assert "pending" in answer.json()["message"]


def test_resolving_replaces_the_champion_by_a_job(
    origin: str, emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any]
) -> None:
    """wire.md F: the word resolving is echoed and never becomes the entity's status."""
    answer = set_status(requester, approved, "resolving")
    assert (answer.status_code, answer.json()) == (202, {"status": "resolving"})
    emulator.advance(5)
    assert request(requester, approved["id"])["status"] == "approved"
    assert deployment(requester, GOVERNED)["status"] == "replacingModel"
    emulator.advance(16)
    seen = request(requester, approved["id"])
    assert (seen["status"], seen["statusChangedBy"], seen["userOperations"]) == ("resolved", REQUESTER, NOTHING)
    assert seen["diff"] == approved["diff"]
    assert champion(requester, GOVERNED) == CANDIDATE
    assert deployment(requester, GOVERNED)["openedChangeRequests"] == []
    ended = requester.get(answer.headers["Location"])
    assert ended.headers["Location"] == f"{origin}/api/v2/deployments/{GOVERNED}/"
    assert (emulator.count("modelReplaced", GOVERNED), emulator.count("changeRequestResolved")) == (1, 1)


@pytest.mark.parametrize("how", ["edited", "doubted"])
def test_what_happens_while_it_is_resolved_stops_it(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, approved: dict[str, Any], how: str
) -> None:
    """Reviews bind to a version: a job never applies one that nobody approved."""
    location = set_status(requester, approved, "resolving").headers["Location"]
    if how == "edited":
        emulator.switches(after_edit="keeps_status")
        change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
        requester.patch(f"changeRequests/{approved['id']}/", json={"change": change})
    else:
        review(reviewer, approved, "changesRequested")
    emulator.advance(21)
    assert requester.get(location).json()["status"] == "ERROR"
    assert champion(requester, GOVERNED) == CHAMPION


def test_a_comment_on_what_a_policy_approved_leaves_it_approved(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    emulator.change("policies", POLICY, automaticAction={"action": "approve", "period": "PT1H"})
    asked = taken(ask_for(requester))
    emulator.advance(3_601)
    assert taken(requester.patch(f"changeRequests/{asked['id']}/", json={"comment": "ok"}))["status"] == "approved"


def test_a_reviewer_cannot_resolve(reviewer: httpx.Client, admin: httpx.Client, approved: dict[str, Any]) -> None:
    assert request(reviewer, approved["id"])["userOperations"]["canResolve"] is False
    assert set_status(reviewer, approved, "resolving").status_code == 403
    assert set_status(admin, approved, "resolving").status_code == 202


@pytest.mark.parametrize(
    ("action", "change", "effect"),
    [
        ("approve", {"approvalStatus": "APPROVED"}, "approvalStatusChanged"),
        ("changeStatus", {"status": "inactive"}, "statusChanged"),
        ("changeImportance", {"importance": "LOW"}, "importanceChanged"),
        ("replaceModel", {"modelId": MODEL_OF_CANDIDATE, "replacementReason": "other"}, "modelReplaced"),
        ("delete", None, "deploymentDeleted"),
        ("delete", {"ignoreManagementAgent": "true"}, "deploymentDeleted"),
    ],
)
@pytest.mark.parametrize("auto_apply", [False, True])
def test_every_action_that_is_applied(
    emulator: EmulatorDoor, requester: httpx.Client, action: str, change: Any, effect: str, auto_apply: bool
) -> None:
    emulator.switches(approvals_required=0)
    emulator.change("policies", POLICY, active=False)
    made = taken(ask_for(requester, action, change, auto_apply=auto_apply))
    assert made["status"] == "approved"
    if not auto_apply:
        set_status(requester, made, "resolving")
    emulator.advance(21)
    seen = request(requester, made["id"])
    assert seen["status"] == "resolved"
    assert (seen["statusChangedBy"] is None) is auto_apply  # null: set by the system, seed 000
    assert seen["diff"]["changesTo"] == made["diff"]["changesTo"]
    assert emulator.count(effect, GOVERNED) == 1


def test_the_end_of_a_deletion_points_to_the_collection(
    origin: str, emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """wire.md A.4: the recorded Location of a change request is the deployments collection."""
    made = taken(ask_for(requester, "delete"))
    location = set_status(requester, made, "resolving").headers["Location"]
    emulator.advance(3)
    assert requester.get(location).headers["Location"] == f"{origin}/api/v2/deployments/"


def test_cleaning_up_stats_deletes_rows_when_applied(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 000:1530: all null means everything that monitoring knows."""
    emulator.predictions(GOVERNED, rows=10)
    change = {"dataType": "monitoring", "start": None, "end": None, "modelId": None}
    made = taken(ask_for(requester, "cleanupStats", change, auto_apply=True))
    emulator.advance(3)
    assert taken(requester.get(f"changeRequests/{made['id']}/"))["status"] == "resolved"
    assert emulator.count("monitoringDataDeleted", GOVERNED) == 1
    assert emulator.predictions(GOVERNED)["rows"] == 0


@pytest.mark.parametrize(("known", "status"), [(True, "resolved"), (False, "approved")])
def test_secondary_datasets_change_when_applied(
    emulator: EmulatorDoor, requester: httpx.Client, known: bool, status: str
) -> None:
    """Seed 000:1592."""
    config = "656000000000000000000002" if known else "64a000000000000000000077"
    made = taken(
        ask_for(requester, "updateSecondaryDatasetConfigs", {"secondaryDatasetsConfigId": config}, auto_apply=True)
    )
    emulator.advance(3)
    assert taken(requester.get(f"changeRequests/{made['id']}/"))["status"] == status
    assert emulator.count("secondaryDatasetsChanged", GOVERNED) == known


@pytest.mark.parametrize(
    ("value", "status", "times"), [("accept", 202, 2), ("refuse_409", 409, 1), ("refuse_422", 422, 1)]
)
def test_switch_second_resolve(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any], value: str, status: int, times: int
) -> None:
    """Rule 3: a second resolve is by default a second application, and counted."""
    emulator.switches(second_resolve=value)
    set_status(requester, approved, "resolving")
    assert set_status(requester, approved, "resolving").status_code == status
    emulator.advance(21)
    assert (
        emulator.count("modelReplaced", GOVERNED) + len([job for job in emulator.jobs() if job["status"] == "ERROR"])
        == times
    )


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422)])
@pytest.mark.parametrize("end", ["cancelled", "resolving"])
def test_switch_closed_request(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    reviewer: httpx.Client,
    approved: dict[str, Any],
    value: str,
    status: int,
    end: str,
) -> None:
    emulator.switches(closed_request=value)
    set_status(requester, approved, end)
    emulator.advance(21)
    for again in ("cancelled", "resolving"):
        assert set_status(requester, approved, again).status_code == status
    assert requester.patch(f"changeRequests/{approved['id']}/", json={"comment": "late"}).status_code == status
    assert review(reviewer, approved).status_code == status


@pytest.mark.parametrize(("value", "status"), [("job_error", 202), ("refuse_409", 409)])
def test_switch_apply_validation(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any], value: str, status: int
) -> None:
    """Rule 9: the validation may be stale after days."""
    emulator.switches(apply_validation=value)
    emulator.change("packages", CANDIDATE, isArchived=True)
    answer = set_status(requester, approved, "resolving")
    assert answer.status_code == status
    emulator.advance(21)
    if status == 202:
        assert requester.get(answer.headers["Location"]).json()["status"] == "ERROR"
    assert request(requester, approved["id"])["status"] == "approved"
    assert deployment(requester, GOVERNED)["status"] == "active"
    assert champion(requester, GOVERNED) == CHAMPION


@pytest.mark.parametrize(("value", "status"), [("stays_approved", "approved"), ("back_to_pending", "pending")])
def test_switch_failed_apply(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any], value: str, status: str
) -> None:
    emulator.switches(failed_apply=value)
    emulator.jobs("modelReplacement", failsWith="No capacity.")
    set_status(requester, approved, "resolving")
    emulator.advance(21)
    assert request(requester, approved["id"])["status"] == status


def test_a_request_for_a_package_that_cannot_replace_fails_when_applied(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    for package in (MISFIT, "0" * 24):
        made = taken(ask_for(requester, change={"modelPackageId": package, "replacementReason": "other"}))
        review(reviewer, made)
        location = set_status(requester, made, "resolving").headers["Location"]
        emulator.advance(21)
        assert requester.get(location).json()["status"] == "ERROR"
    assert champion(requester, GOVERNED) == CHAMPION


def test_auto_apply_that_cannot_begin_leaves_the_request_approved(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    emulator.switches(replace_while_replacing="refuse_409", approvals_required=0, write_under_policy="allows")
    replace(requester, GOVERNED)
    made = taken(ask_for(requester, auto_apply=True))
    emulator.advance(21)
    assert request(requester, made["id"])["status"] == "approved"


@pytest.mark.parametrize(("value", "versions"), [("counter", ["0", "1"]), ("objectid", None)])
def test_switch_change_version_ids(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, versions: list[str] | None
) -> None:
    """wire.md F: "0" in 2021, a string."""
    emulator.switches(change_version_ids=value)
    made = taken(ask_for(requester))
    change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
    edited = taken(requester.patch(f"changeRequests/{made['id']}/", json={"change": change}))
    seen = [made["changeVersionId"], edited["changeVersionId"]]
    assert seen == versions if versions else all(len(version) == 24 for version in seen)


@pytest.mark.parametrize(("value", "form"), [("rfc3339", "T"), ("with_space", " ")])
def test_switch_timestamp_format(emulator: EmulatorDoor, requester: httpx.Client, value: str, form: str) -> None:
    """wire.md F: "2021-11-01 16:11:45.445000" in the recorded ones, date-time on the page."""
    emulator.switches(timestamp_format=value)
    made = taken(ask_for(requester))
    assert made["createdAt"][10] == form
    assert made["createdAt"].endswith("Z") is (value == "rfc3339")


@pytest.mark.parametrize(("value", "change"), [("null", None), ("echoed", {"defaultDeploymentId": UNGOVERNED})])
def test_switch_delete_change_shown(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, change: dict[str, str] | None
) -> None:
    """wire.md F: change null in the recorded delete; its object is not among the page's alternatives."""
    emulator.switches(delete_change_shown=value)
    assert taken(ask_for(requester, "delete", {"defaultDeploymentId": UNGOVERNED}))["change"] == change


def test_a_policy_of_importance_looks_at_the_request(admin: httpx.Client, emulator: EmulatorDoor) -> None:
    """Rule 4: changeImportance falls under deployment/update with the new level, then the old one."""
    condition = {"condition": "equals", "fieldName": "importance", "values": ["HIGH"]}
    trigger = {"entityType": "deployment", "intendedAction": {"action": "update", "condition": condition}}
    admin.post("approvalPolicies/", json=policy("x", "x") | {"trigger": trigger})
    found = {}
    for value in ("either", "new", "old"):
        emulator.switches(importance_policy_looks_at=value)
        up = taken(ask_for(admin, "changeImportance", {"importance": "HIGH"}, entity=UNGOVERNED))
        emulator.change("deployments", UNGOVERNED, importance="HIGH")
        down = taken(ask_for(admin, "changeImportance", {"importance": "LOW"}, entity=UNGOVERNED))
        emulator.change("deployments", UNGOVERNED, importance="LOW")
        found[value] = (up["numApprovalsRequired"], down["numApprovalsRequired"])
    assert found == {"either": (1, 1), "new": (1, 0), "old": (0, 1)}
