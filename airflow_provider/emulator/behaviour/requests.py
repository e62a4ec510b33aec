r"""Change requests: versions, reviews, quorum, and what follows from them.

::

                       quorum of approving reviews on the current version
    pending ------------------------------------------------------> approved ---- resolving (a job) ---> resolved
       ^  \                                                          |  ^
       |   '-- a review asks for changes --> changesRequested        |  '-- the policy's automatic action
       '------- the change is edited: a new version -----------------'
    any of the three --cancelled by the author, or by the policy's automatic action--> cancelled

A review counts for the version it names, and only the latest of each reviewer. ``autoApply`` starts the job as soon as
the request is approved.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import Refusal, refuse_by_switch
from airflow_provider.emulator.behaviour import applying
from airflow_provider.emulator.behaviour.marking import set_status
from airflow_provider.emulator.behaviour.policies import seconds_of
from airflow_provider.emulator.behaviour.rights import CLOSED, open_requests
from airflow_provider.emulator.store import new_id

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

SYSTEM_ID = "0" * 24  # who reviews when nobody does


def open_request(
    service: Service,
    user: Record,
    deployment: Record,
    policy: Record | None,
    *,
    action: str,
    change: Record | None,
    auto_apply: bool,
    comment: str,
) -> Record:
    """Open a change request; refused where the switches ``second_open_request`` or ``request_without_policy`` say."""
    same = [one for one in open_requests(service, deployment) if one["action"] == action]
    value = service.switches["second_open_request"]
    if same and value != "allow":
        raise refuse_by_switch(value, f"There is an open change request for this action already: {same[0]['id']}.")
    without = service.switches["request_without_policy"]
    if policy is None and without.startswith("refuse_"):
        raise refuse_by_switch(without, "No approval policy applies to this change.")
    now = service.clock.now()
    required = int(service.switches["approvals_required"]) if policy else int(without == "pending")
    if service.lies("change_altered") and change and "modelPackageId" in change:
        change = {**change, "modelPackageId": deployment["modelPackageId"]}
    request = service.store.add(
        "changeRequests",
        {
            "action": action,
            "autoApply": auto_apply or (policy is None and without == "resolved"),
            "change": change,
            "versions": [],
            "comment": comment,
            "entityId": deployment["id"],
            "createdAt": now,
            "updatedAt": now,
            "processedAt": None,
            "status": "pending",
            "statusChangedAt": None,
            "statusChangedBy": None,
            "userId": user["id"],
            "policyId": policy["id"] if policy else None,
            "numApprovalsRequired": required,
            "diff": None,
        },
        "changeRequestCreated",
    )
    _new_version(service, request)
    _plan_automatic_action(service, request, policy)
    recompute(service, request, None)
    return request


def _new_version(service: Service, request: Record) -> None:
    counted = service.switches["change_version_ids"] == "counter"
    version = str(len(request["versions"])) if counted else new_id()
    service.store.change("changeRequests", request["id"], {"versions": [*request["versions"], version]})


def _plan_automatic_action(service: Service, request: Record, policy: Record | None) -> None:
    automatic = (policy or {}).get("automaticAction")
    if automatic:
        moment = service.clock.now() + (seconds_of(automatic["period"]) or 0)
        service.store.plan(moment, "automaticAction", request_id=request["id"])


def current_version(request: Record) -> str:
    """Id of the version that reviews count for."""
    return str(request["versions"][-1])


def is_open(request: Record) -> bool:
    """Whether the request is neither resolved nor cancelled."""
    return request["status"] not in CLOSED


def reviews_of(service: Service, request: Record) -> list[Record]:
    """All reviews of the request, oldest first."""
    return [one for one in service.store.rows("reviews") if one["changeRequestId"] == request["id"]]


def edit(service: Service, request: Record, changes: Record) -> None:
    """Change comment, autoApply or the change itself; another change is a new version."""
    other = "change" in changes and changes["change"] != request["change"]
    service.store.change(
        "changeRequests", request["id"], {**changes, "updatedAt": service.clock.now()}, "changeRequestEdited"
    )
    if other:
        _new_version(service, request)
        if service.switches["after_edit"] == "pending":
            recompute(service, request, None)


def review(service: Service, request: Record, user: Record, *, version: str, status: str, comment: str) -> Record:
    """Add a review and let the request follow."""
    added = service.store.add(
        "reviews",
        {
            "changeRequestId": request["id"],
            "changeVersionId": version,
            "comment": comment,
            "createdAt": service.clock.now(),
            "status": status,
            "userId": user["id"],
        },
        "reviewCreated",
    )
    service.store.change("changeRequests", request["id"], {"updatedAt": service.clock.now()})
    if status != "commented":
        recompute(service, request, user)
    return added


def recompute(service: Service, request: Record, by: Record | None) -> None:
    """The status that follows from the reviews of the current version; an approval may start the change."""
    status = _status_by_reviews(service, request)
    if status == request["status"]:
        return
    named = by is not None and service.switches["approved_by"] == "reviewer"
    set_status(service, request, status, by["id"] if by is not None and named else None)
    if status == "approved":
        approved(service, request)


def _status_by_reviews(service: Service, request: Record) -> str:
    verdicts = verdicts_of(service, request)
    approvals = sum(verdict == "approved" for verdict in verdicts.values())
    enough = approvals >= request["numApprovalsRequired"]
    if service.lies("approved_without_quorum") and verdicts:
        return "approved"
    if "changesRequested" in verdicts.values():
        wins = service.switches["mixed_reviews"] == "approved" and enough and approvals
        return "approved" if wins else "changesRequested"
    return "approved" if enough else "pending"


def verdicts_of(service: Service, request: Record) -> dict[str, str]:
    """The latest verdict of each reviewer on the current version."""
    uncounted = request["userId"] if service.switches["self_review"] == "accept_not_counted" else None
    return {
        one["userId"]: one["status"]
        for one in reviews_of(service, request)
        if one["changeVersionId"] == current_version(request)
        and one["status"] != "commented"
        and one["userId"] != uncounted
    }


def approved(service: Service, request: Record) -> None:
    """What follows an approval: with autoApply the change, by nobody; what cannot begin leaves it approved."""
    if service.lies("approved_version_changed"):
        _new_version(service, request)
    if request["autoApply"]:
        with suppress(Refusal):
            applying.start_applying(service, request, None)


@due("automaticAction")
def automatic_action(service: Service, request_id: str) -> None:
    """The policy's period is over: cancel or approve what is still open, if the policy is still there and active."""
    request = service.store.get("changeRequests", request_id)
    policy = service.store.get("policies", request["policyId"]) if request is not None else None
    if request is not None and policy is not None and policy["active"]:
        act_automatically(service, request, policy)


def act_automatically(service: Service, request: Record, policy: Record) -> None:
    """The policy's automatic action on one request."""
    automatic = policy.get("automaticAction")
    if automatic is None or not is_open(request):
        return
    if automatic["action"] == "cancel":
        set_status(service, request, "cancelled", None)
    elif request["status"] != "approved":
        if service.switches["auto_action_reviews"] == "recorded":
            _record_system_review(service, request)
        set_status(service, request, "approved", None)
        approved(service, request)


def _record_system_review(service: Service, request: Record) -> None:
    service.store.add(
        "reviews",
        {
            "changeRequestId": request["id"],
            "changeVersionId": current_version(request),
            "comment": "",
            "createdAt": service.clock.now(),
            "status": "approved",
            "userId": SYSTEM_ID,
        },
    )
