"""Replacement, change requests, approval policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.case import Case, Given, World
from tests.harness import GOVERNED, UNGOVERNED, V2, V3
from tests.people import approve
from tests.tasks import ask, review

if TYPE_CHECKING:
    from tests.harness import Stage

POLICY = "64f000000000000000000001"
TRIGGER: dict[str, Any] = {"entityType": "deployment", "intendedAction": {"action": "delete"}}
REVIEW = {"groups": [{"id": "64b000000000000000000001", "name": "Model reviewers"}], "reminderPeriod": "P1D"}
REPLACING = {"model_package_id": V3, "reason": "ACCURACY", "apply_timeout": 900}
BACK = {"previous": {"model_package_id": V2, "model_id": "64a100000000000000000002"}, "instead_of": V3}


def _reviewer(stage: Stage) -> object:
    return stage.enter("reviewer", approve, after=20)


def _asked(world: World) -> Given:
    return {"change_request_id": ask(world.stage.service)}


def _approved(world: World) -> Given:
    request = ask(world.stage.service)
    review(world.stage.service, request)
    return {"change_request_id": request}


def _v3_serves(world: World) -> Given:
    world.stage.service.change("deployments", UNGOVERNED, modelPackageId=V3)
    return {}


CASES = [
    Case(
        "replacement.ReplaceModel",
        {"modelReplaced": 1},
        {"deployment_id": UNGOVERNED, **REPLACING},
        way="direct",
    ),
    Case(
        "replacement.ReplaceModel",
        {"changeRequestCreated": 1, "modelReplaced": 1},
        {"deployment_id": GOVERNED, **REPLACING},
        people=_reviewer,
        way="gated",
    ),
    Case(
        "champion.RollBackModel",
        {"modelReplaced": 1},
        {"deployment_id": UNGOVERNED, "apply_timeout": 900, **BACK},
        ready=_v3_serves,
    ),
    Case(
        "replacement_request.RequestModelReplacement",
        {"changeRequestCreated": 1},
        {"deployment_id": GOVERNED, "model_package_id": V3},
    ),
    Case(
        "change_requests.CreateChangeRequest",
        {"changeRequestCreated": 1},
        {"deployment_id": GOVERNED, "action": "changeImportance", "change": {"importance": "LOW"}},
    ),
    Case("change_requests.UpdateChangeRequest", {"changeRequestEdited": 1}, {"comment": "by hand"}, ready=_asked),
    Case(
        "change_request_decisions.ReviewChangeRequest",
        {"reviewCreated": 1},
        {"version": "0", "verdict": "approved"},
        ready=_asked,
        user="reviewer",
        anew=True,
    ),
    Case("change_request_decisions.CancelChangeRequest", {"changeRequestCancelled": 1}, ready=_asked),
    Case("change_request_decisions.ResolveChangeRequest", {"modelReplaced": 1}, ready=_approved),
    Case(
        "approval_policies.CreateApprovalPolicy",
        {"policyCreated": 1},
        {"name": "Deletions", "trigger": TRIGGER, "review": REVIEW},
        user="admin",
    ),
    Case(
        "approval_policies.UpdateApprovalPolicy",
        {"policyUpdated": 1},
        {"policy_id": POLICY, "name": "Replacements", "trigger": TRIGGER, "review": REVIEW},
        user="admin",
    ),
    Case("approval_policies.DeleteApprovalPolicy", {"policyDeleted": 1}, {"policy_id": POLICY}, user="admin"),
]
