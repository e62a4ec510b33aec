"""Reviews: who, for which version, how many, and what follows (seed 000, wire.md F)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import (
    CANDIDATE,
    GOVERNED,
    POLICY,
    REQUESTER,
    REVIEWER,
    SECOND_CANDIDATE,
    SECOND_REVIEWER,
    ask_for,
    champion,
    request,
    review,
    taken,
)


@pytest.fixture
def asked(requester: httpx.Client) -> dict[str, Any]:
    return taken(ask_for(requester))


def edit(client: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
    return taken(client.patch(f"changeRequests/{asked['id']}/", json={"change": change}))


def test_a_review_as_recorded(asked: dict[str, Any], reviewer: httpx.Client) -> None:
    """wire.md F: {id, changeRequestId, changeVersionId, status, comment, userId, userName, createdAt}, POST 201."""
    answer = review(reviewer, asked, comment="Looks good")
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "id": body["id"],
        "changeRequestId": asked["id"],
        "changeVersionId": "0",
        "comment": "Looks good",
        "createdAt": body["createdAt"],
        "status": "approved",
        "userId": REVIEWER,
        "userName": "reviewer@example.com",
    }
    assert taken(reviewer.get(f"changeRequests/{asked['id']}/reviews/{body['id']}/")) == body


@pytest.mark.parametrize("word", ["approved", "Approved", "APPROVED"])
def test_three_spellings_are_taken_and_one_is_answered(
    asked: dict[str, Any], reviewer: httpx.Client, word: str
) -> None:
    """Seed 000: camel, Pascal and UPPER_SNAKE; wire.md F: all recorded answers use camel."""
    assert review(reviewer, asked, word).json()["status"] == "approved"


def test_the_last_needed_approval_approves(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, second_reviewer: httpx.Client
) -> None:
    emulator.switches(approvals_required=2)
    asked = taken(ask_for(requester))
    review(reviewer, asked)
    review(reviewer, asked)
    assert request(requester, asked["id"])["status"] == "pending"  # the latest of each reviewer counts, not the sum
    review(second_reviewer, asked)
    assert request(requester, asked["id"])["status"] == "approved"


@pytest.mark.parametrize(("value", "by"), [("reviewer", REVIEWER), ("null", None)])
def test_switch_approved_by(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, asked: dict[str, Any], value: str, by: Any
) -> None:
    """Seed 000:1388: the user who set the current status, null if the system did."""
    emulator.switches(approved_by=value)
    review(reviewer, asked)
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["statusChangedBy"]) == ("approved", by)
    assert (seen["statusChangedAt"] is None) is (by is None)
    assert seen["processedAt"] is None
    assert seen["userOperations"] == {
        "canCancel": True,
        "canComment": True,
        "canResolve": True,
        "canReview": False,
        "canUpdate": True,
    }


def test_asking_for_changes_and_approving_later(
    requester: httpx.Client, reviewer: httpx.Client, asked: dict[str, Any]
) -> None:
    """wire.md F: approved, changesRequested and commented reviews; changesRequested is no end (rule 8)."""
    review(reviewer, asked, "changesRequested")
    assert request(requester, asked["id"])["status"] == "changesRequested"
    review(reviewer, asked, "approved")
    assert request(requester, asked["id"])["status"] == "approved"
    review(reviewer, asked, "changesRequested")
    assert request(requester, asked["id"])["status"] == "changesRequested"


def test_an_edit_after_asked_changes_makes_it_pending(
    requester: httpx.Client, reviewer: httpx.Client, asked: dict[str, Any]
) -> None:
    review(reviewer, asked, "changesRequested")
    edited = edit(requester, asked)
    assert (edited["status"], edited["changeVersionId"]) == ("pending", "1")
    review(reviewer, edited)
    assert request(requester, asked["id"])["status"] == "approved"


def test_comments_change_nothing_and_anyone_with_access_can_comment(
    requester: httpx.Client, admin: httpx.Client, asked: dict[str, Any]
) -> None:
    for client in (requester, admin):
        assert review(client, asked, "commented", comment="hm").status_code == 201
    assert request(requester, asked["id"])["status"] == "pending"


@pytest.mark.parametrize(("value", "status"), [("changes_requested", "changesRequested"), ("approved", "approved")])
def test_switch_mixed_reviews(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    reviewer: httpx.Client,
    second_reviewer: httpx.Client,
    asked: dict[str, Any],
    value: str,
    status: str,
) -> None:
    emulator.switches(mixed_reviews=value)
    review(reviewer, asked, "changesRequested")
    review(second_reviewer, asked)
    assert request(requester, asked["id"])["status"] == status


def test_who_is_no_reviewer_is_refused(admin: httpx.Client, outsider: httpx.Client, asked: dict[str, Any]) -> None:
    """wire.md F: reviewers are the chosen groups, else the administrators."""
    assert request(admin, asked["id"])["userOperations"]["canReview"] is False
    assert review(admin, asked).status_code == 403
    assert review(outsider, asked).status_code == 404


@pytest.mark.parametrize(
    ("value", "code", "status"),
    [
        ("refuse_403", 403, "pending"),
        ("refuse_422", 422, "pending"),
        ("accept_not_counted", 201, "pending"),
        ("accept", 201, "approved"),
    ],
)
def test_switch_self_review(
    emulator: EmulatorDoor, requester: httpx.Client, asked: dict[str, Any], value: str, code: int, status: str
) -> None:
    """wire.md F: the requester can't approve his own request; canReview is false for the creator."""
    emulator.switches(self_review=value)
    assert asked["userOperations"]["canReview"] is False
    assert review(requester, asked).status_code == code
    assert request(requester, asked["id"])["status"] == status


@pytest.mark.parametrize(("value", "code"), [("refuse_422", 422), ("refuse_409", 409), ("accept", 201)])
def test_switch_outdated_review_version(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    reviewer: httpx.Client,
    asked: dict[str, Any],
    value: str,
    code: int,
) -> None:
    """wire.md F: reviews tie to a version; the answer to a review of an older one is not known."""
    emulator.switches(outdated_review_version=value)
    edit(requester, asked)
    assert review(reviewer, asked).status_code == code
    assert request(requester, asked["id"])["status"] == "pending"


def test_a_version_that_never_was_is_422(reviewer: httpx.Client, asked: dict[str, Any]) -> None:
    answer = review(reviewer, asked, changeVersionId="99")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["changeVersionId"]


@pytest.mark.parametrize("body", [{}, {"status": "approved"}, {"changeVersionId": "0", "status": "praised"}])
def test_a_review_outside_the_table_is_422(reviewer: httpx.Client, asked: dict[str, Any], body: Any) -> None:
    assert reviewer.post(f"changeRequests/{asked['id']}/reviews/", json=body).status_code == 422


def test_reviews_are_listed_by_status_and_version(
    requester: httpx.Client, reviewer: httpx.Client, second_reviewer: httpx.Client, asked: dict[str, Any]
) -> None:
    review(reviewer, asked, "changesRequested")
    edited = edit(requester, asked)
    review(second_reviewer, edited)
    path = f"changeRequests/{asked['id']}/reviews/"
    assert taken(requester.get(path))["totalCount"] == 2
    assert taken(requester.get(f"{path}?status=CHANGES_REQUESTED"))["data"][0]["userId"] == REVIEWER
    assert taken(requester.get(f"{path}?changeVersionId=1"))["data"][0]["userId"] == SECOND_REVIEWER


def test_an_unknown_review_or_one_of_another_request_is_404(
    requester: httpx.Client, reviewer: httpx.Client, asked: dict[str, Any]
) -> None:
    made = review(reviewer, asked).json()
    other = taken(ask_for(requester))
    assert requester.get(f"changeRequests/{other['id']}/reviews/{made['id']}/").status_code == 404
    assert requester.get(f"changeRequests/{'0' * 24}/reviews/").status_code == 404


def test_suggested_reviewers_are_those_who_may(requester: httpx.Client, asked: dict[str, Any]) -> None:
    """Seed 000: userId, username, firstName, lastName."""
    rows = taken(requester.get(f"changeRequests/{asked['id']}/suggestedReviewers/"))["data"]
    assert rows[0] == {
        "userId": REVIEWER,
        "username": "reviewer@example.com",
        "firstName": "Rene",
        "lastName": "Reviewer",
    }
    assert [row["userId"] for row in rows] == [REVIEWER, SECOND_REVIEWER]
    assert REQUESTER not in [row["userId"] for row in rows]


def test_auto_apply_starts_the_change_on_approval(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    """wire.md F: autoApply applies when approved; nobody gets its Location."""
    asked = taken(ask_for(requester, auto_apply=True))
    review(reviewer, asked)
    assert request(requester, asked["id"])["status"] == "approved"
    emulator.advance(21)
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["statusChangedBy"]) == ("resolved", None)
    assert champion(requester, GOVERNED) == CANDIDATE


@pytest.mark.parametrize(("value", "reviews"), [("none", 0), ("recorded", 1)])
def test_switch_auto_action_reviews(emulator: EmulatorDoor, requester: httpx.Client, value: str, reviews: int) -> None:
    """wire.md F: an automatic action approves after a period; statusChangedBy null when the system set it."""
    emulator.switches(auto_action_reviews=value)
    emulator.change("policies", POLICY, automaticAction={"action": "approve", "period": "P3D"})
    asked = taken(ask_for(requester))
    emulator.advance(3 * 86_400 + 1)
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["statusChangedBy"], seen["statusChangedAt"]) == ("approved", None, None)
    rows = taken(requester.get(f"changeRequests/{asked['id']}/reviews/"))["data"]
    assert len(rows) == reviews
    assert all(row["userName"] is None for row in rows)


def test_an_automatic_approval_applies_itself_too(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("policies", POLICY, automaticAction={"action": "approve", "period": "PT1H"})
    asked = taken(ask_for(requester, auto_apply=True))
    emulator.advance(2 * 3_600)
    assert request(requester, asked["id"])["status"] == "resolved"
    assert champion(requester, GOVERNED) == CANDIDATE


def test_automatic_cancelling_takes_an_approved_request_too(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    """Seed 000: 'Period after which an action is executed on a Change Request if it is not resolved or cancelled.'"""
    emulator.change("policies", POLICY, automaticAction={"action": "cancel", "period": "P1D"})
    asked = taken(ask_for(requester))
    review(reviewer, asked)
    emulator.advance(86_401)
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["statusChangedBy"]) == ("cancelled", None)
    assert seen["processedAt"] is not None


def test_an_automatic_approval_of_an_approved_request_changes_nothing(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    emulator.change("policies", POLICY, automaticAction={"action": "approve", "period": "P1D"})
    asked = taken(ask_for(requester))
    review(reviewer, asked)
    emulator.advance(86_401)
    assert emulator.count("changeRequestApproved", asked["id"]) == 1


def test_a_paused_policy_acts_no_more(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("policies", POLICY, automaticAction={"action": "cancel", "period": "P1D"})
    asked = taken(ask_for(requester))
    emulator.change("policies", POLICY, active=False)
    emulator.advance(86_401)
    assert request(requester, asked["id"])["status"] == "pending"
