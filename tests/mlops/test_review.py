"""Change requests: which policy is asked for, which open request is ours, who decided what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from airflow_provider.api.errors import Forbidden, ServiceFailed
from airflow_provider.contract import contract
from airflow_provider.mlops import review
from tests.api.tools import says
from tests.mlops.conftest import Told

DEPLOYMENT, REQUEST, POLICY = "5e1b6d1c2f8a4b00deadbeef", "618010d3b5d3d6a1a6a5d1f1", "618010d3b5d3d6a1a6a5d1ff"
PACKAGE, OTHER = "5e1b6d1c2f8a4b0012345678", "5e1b6d1c2f8a4b0087654321"
ACTION, CHANGE = "replaceModelPackage", {"modelPackageId": PACKAGE, "replacementReason": "accuracy"}


def request(**fields: Any) -> dict[str, Any]:
    """A change request as it was recorded (wire.md F), with some fields as a test wants them."""
    return {
        "id": REQUEST,
        "action": ACTION,
        "autoApply": False,
        "change": CHANGE,
        "changeVersionId": "0",
        "comment": "",
        "createdAt": "2021-11-01 16:11:45.445000",
        "entityId": DEPLOYMENT,
        "entityType": "deployment",
        "numApprovalsRequired": 1,
        "processedAt": None,
        "status": "pending",
        "statusChangedAt": None,
        "statusChangedBy": None,
        "updatedAt": "2021-11-01 16:11:45.445000",
        "userId": "5cc1a1d5962d742c9a1d1d4b",
        "userName": "requester@example.com",
        "userOperations": {
            "canCancel": True,
            "canComment": True,
            "canResolve": False,
            "canReview": False,
            "canUpdate": True,
        },
        **fields,
    }


def verdict(user: str, status: str, at: str, version: str = "0", **fields: Any) -> dict[str, Any]:
    """A review as it was recorded (wire.md F)."""
    return {
        "id": "618010d3b5d3d6a1a6a5d1aa",
        "changeRequestId": REQUEST,
        "changeVersionId": version,
        "comment": "",
        "createdAt": at,
        "status": status,
        "userId": user,
        "userName": f"{user}@example.com",
        **fields,
    }


def page(*data: Any) -> httpx.Response:
    """wire.md C."""
    return says(200, {"count": len(data), "totalCount": len(data), "next": None, "previous": None, "data": list(data)})


def deployment(*opened: str, status: str = "active") -> httpx.Response:
    return says(200, {"id": DEPLOYMENT, "status": status, "openedChangeRequests": list(opened)})


# --- policies -----------------------------------------------------------------------------------------------------


def test_each_action_has_a_query_in_the_words_of_the_contract() -> None:
    """seed 000: entityType and action of getApprovalPolicyMatch."""
    assert set(review.POLICY_QUERIES) == set(review.ACTIONS)
    words = {one.name: one.schema["enum"] for one in contract().operation("getApprovalPolicyMatch").parameters[:2]}
    assert {entity for entity, _ in review.POLICY_QUERIES.values()} <= set(words["entityType"])
    assert {action for _, action in review.POLICY_QUERIES.values()} <= set(words["action"])


def test_policies_are_asked_without_and_with_the_importance(told: Told) -> None:
    client, script = told([says(200, {"policyId": None}), says(200, {"policyId": POLICY})])
    assert review.matching_policy(client, ACTION, ["CRITICAL"]) == POLICY
    query = "GET /api/v2/approvalPolicyMatch/?entityType=deploymentModel&action=update"
    assert script.lines == [query, f"{query}&fieldName=importance&fieldValue=CRITICAL"]


def test_the_first_policy_is_enough(told: Told) -> None:
    client, script = told([says(200, {"policyId": POLICY})])
    assert review.matching_policy(client, "delete", ["LOW"]) == POLICY
    assert len(script.requests) == 1


def test_no_policy_and_no_importance(told: Told) -> None:
    client, script = told([says(200, {"policyId": None})])
    assert review.matching_policy(client, "changeStatus", [None]) is None
    assert script.lines == ["GET /api/v2/approvalPolicyMatch/?entityType=deploymentStatus&action=update"]


def test_a_query_of_the_author_takes_the_place_of_ours(told: Told) -> None:
    client, script = told([says(200, {})])
    query = {"entityType": "deployment", "action": "create"}
    assert review.matching_policy(client, ACTION, ["LOW"], query) is None
    assert script.lines == ["GET /api/v2/approvalPolicyMatch/?entityType=deployment&action=create"]


@pytest.mark.parametrize("status", [403, 404, 501])
def test_policies_that_are_not_told(told: Told, status: int) -> None:
    client, _ = told([says(status, {"message": "not for you"})])
    with pytest.raises(review.PolicyUnknown, match=f"cannot be asked: .* answered {status}: not for you"):
        review.matching_policy(client, ACTION, [])


def test_another_failure_is_no_answer_about_policies(told: Told) -> None:
    client, _ = told([says(500)] * 5)
    with pytest.raises(ServiceFailed):
        review.matching_policy(client, ACTION, [])


# --- open requests ------------------------------------------------------------------------------------------------


def test_our_open_request_is_found_in_our_list(told: Told) -> None:
    other = request(id="b", change={**CHANGE, "modelPackageId": OTHER})
    client, script = told([page(request()), page(request(), other), deployment(REQUEST, "b")])
    found = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE)
    assert found.mine == request()
    assert [one["id"] for one in found.others] == ["b"]
    assert script.lines == [
        f"GET /api/v2/changeRequests/?entityType=deployment&entityId={DEPLOYMENT}&myRequests=true",
        f"GET /api/v2/changeRequests/?entityType=deployment&entityId={DEPLOYMENT}",
        f"GET /api/v2/deployments/{DEPLOYMENT}/",
    ]


@pytest.mark.parametrize("status", ["approved", "CHANGES_REQUESTED", "Pending"])
def test_what_is_open_in_any_spelling(told: Told, status: str) -> None:
    entity = request(status=status, action="REPLACE_MODEL_PACKAGE")
    client, _ = told([page(entity), page(entity), deployment()])
    assert review.open_requests(client, DEPLOYMENT, ACTION, CHANGE).mine is not None


@pytest.mark.parametrize("fields", [{"status": "resolved"}, {"status": "cancelled"}, {"action": "replaceModel"}])
def test_what_is_closed_or_of_another_action_is_nothing(told: Told, fields: dict[str, str]) -> None:
    client, _ = told([page(request(**fields)), page(request(**fields)), deployment()])
    found = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE)
    assert (found.mine, found.others) == (None, [])


def test_an_equal_request_of_another_user_is_in_the_way_or_taken_up(told: Told) -> None:
    answers = [page(), page(request()), deployment(REQUEST)]
    client, _ = told(answers * 2)
    mine = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE)
    assert (mine.mine, [one["id"] for one in mine.others]) == (None, [REQUEST])
    anybody = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE, adopt="any")
    assert anybody.mine == request()


def test_the_newest_of_ours_comes_first_and_a_newer_one_of_others_after_it(told: Told) -> None:
    old, new = request(id="old"), request(id="new", createdAt="2021-11-01T16:11:45.5Z")
    theirs = request(id="theirs", createdAt="2026-01-01T00:00:00Z")
    client, _ = told([page(old, new), page(theirs, old, new), deployment()])
    found = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE, adopt="any")
    assert found.mine == new
    assert [one["id"] for one in found.others] == ["theirs", "old"]


def test_a_request_that_the_lists_do_not_show_yet_is_asked_for_by_its_id(told: Told) -> None:
    """Only its author may edit it (wire.md F), so one that we may edit is ours."""
    client, script = told([page(), page(), deployment(REQUEST), says(200, request())])
    assert review.open_requests(client, DEPLOYMENT, ACTION, CHANGE).mine == request()
    assert script.lines[-1] == f"GET /api/v2/changeRequests/{REQUEST}/"


@pytest.mark.parametrize("fields", [{"userOperations": {"canUpdate": False}}, {"userOperations": None}])
def test_a_request_that_we_may_not_edit_is_not_ours(told: Told, fields: dict[str, Any]) -> None:
    client, _ = told([page(), page(), deployment(REQUEST), says(200, request(**fields))])
    found = review.open_requests(client, DEPLOYMENT, ACTION, CHANGE)
    assert (found.mine, [one["id"] for one in found.others]) == (None, [REQUEST])


def test_a_named_request_that_is_closed_by_now_is_nothing(told: Told) -> None:
    client, _ = told([page(), page(), deployment(REQUEST), says(200, request(status="resolved"))])
    assert review.open_requests(client, DEPLOYMENT, ACTION, CHANGE) == review.OpenRequests(None, [])


# --- the change ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ({"modelPackageId": PACKAGE, "replacementReason": "ACCURACY", "added": 1}, CHANGE, True),
        ({"modelPackageId": PACKAGE}, CHANGE, False),
        ({"modelPackageId": OTHER, "replacementReason": "accuracy"}, CHANGE, False),
        (None, CHANGE, False),
        (None, None, True),
        ({"start": "2026-01-01T00:00:00Z"}, {"start": datetime(2026, 1, 1)}, True),  # noqa: DTZ001 - as people write it
        ({"start": "2026-01-01T01:00:00+01:00"}, {"start": datetime(2026, 1, 1, tzinfo=UTC)}, True),
        ({"start": "2026-01-01T01:00:00Z"}, {"start": "2026-01-01T00:00:00Z"}, False),
        ({"start": "soon"}, {"start": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_the_same_change(theirs: Any, ours: Any, same: bool) -> None:
    assert review.same_change(request(change=theirs), ours) is same


@pytest.mark.parametrize(
    "theirs", [CHANGE, {}, None, {"modelPackageId": PACKAGE.upper()}, {**CHANGE, "replacementReason": "data_drift"}]
)
def test_a_request_that_does_not_say_otherwise_is_as_asked(theirs: Any) -> None:
    review.refuse_altered(request(change=theirs), CHANGE)


def test_a_request_that_says_otherwise_is_refused() -> None:
    with pytest.raises(review.NotAsAsked) as caught:
        review.refuse_altered(request(change={**CHANGE, "modelPackageId": OTHER}), CHANGE)
    assert caught.value.message == (
        f"change request {REQUEST} has another modelPackageId: {{'modelPackageId': '{OTHER}'}}"
    )


def test_what_is_sent_to_open_one() -> None:
    assert review.creation(DEPLOYMENT, ACTION, CHANGE, "please", auto_apply=True) == {
        "entityType": "deployment",
        "entityId": DEPLOYMENT,
        "action": ACTION,
        "autoApply": True,
        "comment": "please",
        "change": CHANGE,
    }
    assert "change" not in review.creation(DEPLOYMENT, "delete", None, "", auto_apply=False)


# --- what the service allows --------------------------------------------------------------------------------------


def test_what_the_service_does_not_allow_is_refused_before_sending() -> None:
    with pytest.raises(review.NotAllowed) as caught:
        review.refuse_unless_allowed(request(), "canReview")
    assert caught.value.message == (
        f"change request {REQUEST} is pending and was opened by requester@example.com: the service does not allow this "
        "user to review it"
    )
    with pytest.raises(review.NotAllowed, match="was opened by 5cc1a1d5962d742c9a1d1d4b"):
        review.refuse_unless_allowed(request(userName=None), "canResolve")


@pytest.mark.parametrize("operations", [None, {}, {"canResolve": True}])
def test_what_is_not_forbidden_is_tried(operations: Any) -> None:
    review.refuse_unless_allowed(request(userOperations=operations), "canResolve")


# --- being applied ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "begun"),
    [
        ({"status": "resolved"}, None, True),
        ({"status": "resolving"}, None, True),
        ({"status": "approved"}, "replacingModel", True),
        ({"status": "approved"}, "active", False),
        ({"status": "approved", "action": "changeStatus"}, "stopping", True),
        ({"status": "approved", "action": "changeImportance"}, None, False),
        ({"status": "pending"}, None, False),
    ],
)
def test_whether_a_request_is_being_applied(
    told: Told, fields: dict[str, str], status: str | None, begun: bool
) -> None:
    """The status of a request stays ``approved`` meanwhile (wire.md F); the deployment shows it."""
    answers = [says(200, request(**fields)), *([deployment(status=status)] if status else [])]
    client, script = told(answers)
    assert (review.application_begun(client, REQUEST) is not None) is begun
    assert len(script.requests) == len(answers)


# --- who decided --------------------------------------------------------------------------------------------------


def test_who_approved_and_when(told: Told) -> None:
    client, script = told(
        [
            page(
                verdict("ann", "approved", "2021-11-02T10:00:00Z"),
                verdict("bob", "changesRequested", "2021-11-01T10:00:00Z", comment=None),
                verdict("bob", "APPROVED", "2021-11-03T10:00:00.5Z"),
                verdict("ann", "commented", "2021-11-05T10:00:00Z"),
                verdict("cat", "approved", "2021-11-04T10:00:00Z", version="1"),
            )
        ]
    )
    entity = request(status="Approved", numApprovalsRequired=2, statusChangedBy="bob", statusChangedAt="later")
    assert review.decision(client, entity) == {
        "id": REQUEST,
        "action": ACTION,
        "status": "approved",
        "version": "0",
        "requested_by": "requester@example.com",
        "decided_by": ["bob@example.com", "ann@example.com"],
        "decided_at": "2021-11-03T10:00:00.5Z",
        "approvals_required": 2,
        "by_policy": False,
        "reviews": [
            {"by": "bob@example.com", "status": "approved", "comment": "", "at": "2021-11-03T10:00:00.5Z"},
            {"by": "ann@example.com", "status": "approved", "comment": "", "at": "2021-11-02T10:00:00Z"},
        ],
    }
    assert script.lines == [f"GET /api/v2/changeRequests/{REQUEST}/reviews/"]


def test_the_latest_review_counts_whatever_the_precision_of_its_time(told: Told) -> None:
    client, _ = told(
        [
            page(
                verdict("ann", "approved", "2021-11-01T10:00:00.4Z"),
                verdict("ann", "changesRequested", "2021-11-01T10:00:00Z"),
            )
        ]
    )
    assert [one["status"] for one in review.latest_reviews(client, request())] == ["approved"]


@pytest.mark.parametrize(
    ("fields", "reviews", "decided_by", "decided_at", "by_policy"),
    [
        # A policy's automatic approval leaves neither user nor moment (seed 000:1388).
        ({"status": "approved"}, [], [], None, True),
        ({"status": "approved", "numApprovalsRequired": 0}, [], [], None, False),
        ({"status": "approved", "numApprovalsRequired": None}, [], [], None, False),
        # The recorded cancelled request names nobody, the page says that it may.
        ({"status": "cancelled"}, [], [], None, False),
        ({"status": "cancelled", "statusChangedBy": "ann", "statusChangedAt": "then"}, [], ["ann"], "then", False),
        # Of an applied request the service names who applied it, which is not who decided.
        ({"status": "resolved", "statusChangedBy": "requester", "statusChangedAt": "then"}, [], [], None, True),
        (
            {"status": "changesRequested", "statusChangedBy": "ann"},
            [verdict("ann", "changesRequested", "2021-11-01T10:00:00Z", userName=None)],
            ["ann"],
            "2021-11-01T10:00:00Z",
            False,
        ),
    ],
)
def test_who_decided_where_nobody_approved(
    told: Told,
    fields: dict[str, Any],
    reviews: list[Any],
    decided_by: list[str],
    decided_at: str | None,
    by_policy: bool,
) -> None:
    client, _ = told([page(*reviews)])
    found = review.decision(client, request(**fields, userName=None))
    assert (found["decided_by"], found["decided_at"], found["by_policy"]) == (decided_by, decided_at, by_policy)
    assert found["requested_by"] == "5cc1a1d5962d742c9a1d1d4b"


def test_reviews_that_may_not_be_read_are_an_error(told: Told) -> None:
    client, _ = told([says(403, {"message": "no"})])
    with pytest.raises(Forbidden):
        review.decision(client, request())
