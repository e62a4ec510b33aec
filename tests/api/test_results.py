"""Typed results: read from answers as pages and recorded calls show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider.api.errors import KeyMissing, NotUnderstood
from airflow_provider.api.results import (
    ApprovalPolicy,
    ChangeRequest,
    Deployment,
    JobStatus,
    ModelPackage,
    ReplacementValidation,
    Result,
    Review,
)
from tests.api.tools import answer

# wire.md F: a recorded entity of 2021 (time with a blank and without a zone, a counter as version).
REQUEST = {
    "id": "618008f1c5ab4d8e4a1b1c01",
    "entityType": "deployment",
    "entityId": "618008f1c5ab4d8e4a1b1c00",
    "action": "changeImportance",
    "change": {"importance": "CRITICAL"},
    "changeVersionId": "0",
    "createdAt": "2021-11-01 16:11:45.445000",
    "updatedAt": "2021-11-01 16:11:45.445000",
    "diff": {
        "base": {"importance": "LOW"},
        "head": {"importance": "CRITICAL"},
        "changesFrom": ["Low importance"],
        "changesTo": ["Critical importance"],
    },
    "comment": "",
    "autoApply": True,
    "numApprovalsRequired": 1,
    "processedAt": None,
    "status": "pending",
    "statusChangedAt": None,
    "statusChangedBy": None,
    "userId": "618008f1c5ab4d8e4a1b1c02",
    "userName": "owner@example.com",
    "userOperations": {
        "canUpdate": True,
        "canResolve": False,
        "canCancel": True,
        "canComment": True,
        "canReview": False,
    },
}
# seed 003:2046, shortened.
DEPLOYMENT = {
    "id": "5c6f7a9e9ca9b20017ff95a2",
    "label": "credit",
    "description": None,
    "status": "replacingModel",
    "importance": "HIGH",
    "createdAt": "2019-08-24T14:15:22Z",
    "model": {"id": "5c0fcfdf7e1a5e000101ab0b", "type": "eXtreme Gradient Boosted Trees", "deployedAt": None},
    "modelPackage": {"id": "5c0fcfdf7e1a5e000101ab0c", "name": "credit 2", "registeredModelId": None},
    "governance": {"approvalStatus": "PENDING", "hasOpenedChangeRequests": True},
    "openedChangeRequests": ["618008f1c5ab4d8e4a1b1c01"],
    "serviceHealth": {"status": "passing", "startDate": "2019-08-24T14:00:00Z", "endDate": None},
    "modelHealth": {"status": "notStarted", "message": "-", "startDate": None, "endDate": None},
    "permissions": ["CAN_VIEW"],
    "defaultPredictionServer": {"datarobot-key": "k", "id": None, "url": "https://p"},
}


def test_a_deployment() -> None:
    one = Deployment.read(answer(200, DEPLOYMENT))
    assert one.model_package_id == "5c0fcfdf7e1a5e000101ab0c"
    assert one.model_id == "5c0fcfdf7e1a5e000101ab0b"
    assert one.opened_change_requests == ["618008f1c5ab4d8e4a1b1c01"]
    assert one.governance is not None
    assert one.governance.has_opened_change_requests is True
    assert one.created_at == datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)
    assert one.service_health is not None
    assert (one.service_health.status, one.service_health.end_date) == ("passing", None)
    assert one.model_extra == {"defaultPredictionServer": {"datarobot-key": "k", "id": None, "url": "https://p"}}


def test_only_its_id_is_needed() -> None:
    one = Deployment.read({"id": "a", "openedChangeRequests": None, "governance": None, "novel": None})
    assert (one.model_package_id, one.model_id, one.opened_change_requests) == (None, None, [])
    assert one.model_extra == {"novel": None}


def test_a_change_request() -> None:
    one = ChangeRequest.read(answer(200, REQUEST))
    assert (one.status, one.action, one.change_version_id) == ("pending", "changeImportance", "0")
    assert one.created_at == datetime(2021, 11, 1, 16, 11, 45, 445000, tzinfo=UTC)
    assert (one.user_operations.can_cancel, one.user_operations.can_review) == (True, False)
    assert one.comment == ""
    assert one.diff == REQUEST["diff"]


@pytest.mark.parametrize("spelling", ["changesRequested", "ChangesRequested", "CHANGES_REQUESTED"])
def test_words_come_in_one_spelling(spelling: str) -> None:
    one = ChangeRequest.read({**REQUEST, "status": spelling, "action": "REPLACE_MODEL_PACKAGE"})
    assert (one.status, one.action) == ("changesRequested", "replaceModelPackage")
    review = Review.read({"id": "r", "status": spelling, "changeVersionId": "0"})
    assert review.status == "changesRequested"


def test_an_unknown_word_is_kept() -> None:
    assert ChangeRequest.read({**REQUEST, "status": "resolving"}).status == "resolving"


def test_a_version_that_is_a_number_is_a_text() -> None:
    assert ChangeRequest.read({**REQUEST, "changeVersionId": 3}).change_version_id == "3"


def test_a_validation() -> None:
    # wire.md E.
    checks = {
        "target": {"status": "passing", "message": "ok"},
        "features": {"status": "failing", "message": "one gone"},
    }
    one = ReplacementValidation.read({"status": "failing", "message": "no", "checks": checks})
    assert list(one.unfit) == ["features"]
    assert ReplacementValidation.read({"status": "passing", "checks": None}).unfit == {}


def test_a_package_a_policy_and_a_job() -> None:
    package = ModelPackage.read({"id": "p", "modelId": "m", "target": {"name": "y", "type": "Binary", "classCount": 2}})
    assert package.target is not None
    assert (package.model_id, package.target.class_count) == ("m", 2)
    policy = ApprovalPolicy.read({"id": "x", "name": "n", "active": True, "review": None, "automaticAction": None})
    assert (policy.active, policy.trigger, policy.review) == (True, {}, None)
    job = JobStatus.read({"status": "RUNNING", "statusId": "s", "created": "2024-05-01T00:00:00Z", "message": None})
    assert (job.status, job.status_id, job.message) == ("RUNNING", "s", None)


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        (Deployment, {}, "id"),
        (ChangeRequest, {"id": "a", "status": "pending"}, "changeVersionId"),
        (ChangeRequest, {"id": None, "status": "pending"}, "id, changeVersionId"),
        (JobStatus, {"message": "x"}, "status"),
        (ReplacementValidation, {"checks": {}}, "status"),
    ],
)
def test_a_needed_key_that_is_absent_is_named(kind: type[Result], given: dict[str, Any], missing: str) -> None:
    with pytest.raises(KeyMissing, match=f"listDeployments answered 200: the answer has no key {missing}"):
        kind.read(answer(200, given))


def test_a_value_of_another_kind_is_named_and_not_shown() -> None:
    with pytest.raises(NotUnderstood, match="ChangeRequest: the answer is not as documented: change: ") as caught:
        ChangeRequest.read({**REQUEST, "change": "private"})
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("strange", ["yesterday", 7, "", {}])
def test_a_strange_time_is_no_time(strange: Any) -> None:
    assert Deployment.read({"id": "a", "createdAt": strange}).created_at is None
