"""Change requests: which action needs one, finding ours among the open ones, and telling who decided what.

All values that a client sends to ask the approval policies are assumptions (no page shows a call); they stand in one
table, ``POLICY_QUERIES``, and each operator takes ``policy_query`` in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.api import moments
from airflow_provider.api.errors import DataRobotError, Forbidden, NotFound, NotServed
from airflow_provider.api.waits import canonical

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

# seed 000:1210-1222
ACTIONS = (
    "approve",
    "changeStatus",
    "changeImportance",
    "cleanupStats",
    "delete",
    "replaceModel",
    "replaceModelPackage",
    "updateSecondaryDatasetConfigs",
)
OPEN = ("pending", "approved", "changesRequested")
# A request stays ``approved`` while it is being applied (wire.md F); what shows it is the status of its deployment.
ON_THE_WAY: Mapping[str, Sequence[str]] = {
    "replaceModel": ("replacingModel",),
    "replaceModelPackage": ("replacingModel",),
    "changeStatus": ("launching", "stopping"),
}

REASONS_WHY = ("replacementReason",)  # keys of a change that do not say what is done

# Assumed: entity type and action per change request action; the field is always the importance.
POLICY_QUERIES: Mapping[str, tuple[str, str]] = {
    "replaceModel": ("deploymentModel", "update"),
    "replaceModelPackage": ("deploymentModel", "update"),
    "approve": ("deployment", "create"),
    "delete": ("deployment", "delete"),
    "changeImportance": ("deployment", "update"),
    "changeStatus": ("deploymentStatus", "update"),
    "updateSecondaryDatasetConfigs": ("deploymentConfig", "update"),
    "cleanupStats": ("deploymentMonitoringData", "delete"),
}


class PolicyUnknown(DataRobotError):
    """The service does not tell this user about approval policies (403), or has none of them (404, 501)."""


class ConflictingRequest(DataRobotError):
    """Another change request of the same action is open on the deployment."""


class NotAllowed(DataRobotError):
    """The service's own ``userOperations`` say that this user may not do this to the change request."""


class NotAsAsked(DataRobotError):
    """The change request asks for another change than the task does."""


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """The open change requests of one action: ``mine`` asks for the same change, ``others`` are in the way."""

    mine: Mapping[str, Any] | None
    others: Sequence[Mapping[str, Any]]


def matching_policy(
    client: Client,
    action: str,
    importances: Sequence[str | None],
    policy_query: Mapping[str, str] | None = None,
) -> str | None:
    """The id of a policy that gates the action, or None (operation getApprovalPolicyMatch).

    Asks without the field and once for each importance, because a policy without a condition and one with a
    condition may be matched by either. Raises :class:`PolicyUnknown` where the service does not tell.
    """
    entity_type, verb = POLICY_QUERIES[action]
    base = {"entityType": entity_type, "action": verb}
    queries = [base] + [{**base, "fieldName": "importance", "fieldValue": level} for level in importances if level]
    if policy_query is not None:
        queries = [dict(policy_query)]
    try:
        for query in queries:
            arguments: dict[str, Any] = dict(query)
            found = client.call("getApprovalPolicyMatch", **arguments).object().get("policyId")
            if found:
                return str(found)
    except (Forbidden, NotFound, NotServed) as error:
        raise PolicyUnknown(f"approval policies cannot be asked: {error}") from error
    return None


def open_requests(
    client: Client, deployment_id: str, action: str, change: Mapping[str, Any] | None, adopt: str = "mine"
) -> OpenRequests:
    """Looks for open requests of the action on the deployment (listChangeRequests, getDeployment).

    A request is ours when it is in the caller's own list, or is named by the deployment and may be edited by the
    caller, and its change is equal; with ``adopt="any"`` an equal change of another user counts too. Of several the
    caller's own comes first, then the newest.
    """
    own = {entity["id"] for entity in _listed(client, deployment_id, myRequests=True)}
    entities = {entity["id"]: entity for entity in _listed(client, deployment_id)}
    for entity in _named(client, deployment_id, entities):
        entities[entity["id"]] = entity
        if (entity.get("userOperations") or {}).get("canUpdate"):
            own.add(entity["id"])
    same_action = [e for e in entities.values() if canonical(str(e.get("action"))) == action]
    equal = [e for e in same_action if same_change(e, change) and (adopt == "any" or e["id"] in own)]
    mine = max(equal, key=lambda e: (e["id"] in own, _when(e.get("createdAt"))), default=None)
    return OpenRequests(mine, [e for e in same_action if mine is None or e["id"] != mine["id"]])


def same_change(entity: Mapping[str, Any], change: Mapping[str, Any] | None) -> bool:
    """Whether a request asks for this change.

    Keys that the service added do not matter, words match in any case, and moments in any form.
    """
    theirs = entity.get("change") or {}
    return all(_same(theirs.get(key), value) for key, value in (change or {}).items())


def refuse_altered(entity: Mapping[str, Any], change: Mapping[str, Any] | None) -> None:
    """Raises :class:`NotAsAsked` when a request says another word than the change does.

    Silence is no other word, and why something is done may be told in other words.
    """
    theirs = {key: value for key, value in (entity.get("change") or {}).items() if key not in REASONS_WHY}
    others = [key for key, value in (change or {}).items() if key in theirs and not _same(theirs[key], value)]
    if others:
        raise NotAsAsked(f"change request {entity.get('id')} has another {', '.join(others)}: {dict(theirs)}")


def _same(theirs: Any, ours: Any) -> bool:
    if str(theirs).lower() == str(ours).lower():
        return True
    moment = _moment(ours)
    return moment is not None and moment == _moment(theirs)


def _moment(value: Any) -> datetime | None:
    try:
        return moments.read(value)
    except ValueError:
        return None


def _when(value: Any) -> datetime:
    """A moment to sort by: texts of different precision do not sort as times do."""
    return _moment(value) or datetime.min.replace(tzinfo=UTC)


def creation(
    deployment_id: str, action: str, change: Mapping[str, Any] | None, comment: str, auto_apply: bool
) -> dict[str, Any]:
    """The body of createChangeRequest."""
    body: dict[str, Any] = {
        "entityType": "deployment",
        "entityId": deployment_id,
        "action": action,
        "autoApply": auto_apply,
        "comment": comment,
    }
    return body if change is None else {**body, "change": dict(change)}


def refuse_unless_allowed(entity: Mapping[str, Any], operation: str) -> None:
    """Raises :class:`NotAllowed` when ``userOperations`` forbids: canUpdate, canResolve, canCancel, canReview."""
    allowed = (entity.get("userOperations") or {}).get(operation)
    if allowed is False:
        raise NotAllowed(
            f"change request {entity.get('id')} is {entity.get('status')} and was opened by "
            f"{entity.get('userName') or entity.get('userId')}: the service does not allow this user to "
            f"{operation.removeprefix('can').lower()} it"
        )


def application_begun(client: Client, request_id: str) -> dict[str, Any] | None:
    """After a lost answer to resolving: the request when it is applied or being applied, None when nothing shows it."""
    entity = client.call("getChangeRequest", changeRequestId=request_id).object()
    status = canonical(str(entity.get("status")))
    if status in ("resolved", "resolving"):
        return entity
    on_the_way = ON_THE_WAY.get(canonical(str(entity.get("action"))))
    if status != "approved" or on_the_way is None:
        return None
    deployment = client.call("getDeployment", deploymentId=entity.get("entityId")).object()
    return entity if deployment.get("status") in on_the_way else None


def decision(client: Client, entity: Mapping[str, Any]) -> dict[str, Any]:
    """Who decided, and when.

    Gives ``id``, ``action``, ``status``, ``version``, ``requested_by``, ``decided_by`` (a list), ``decided_at``,
    ``approvals_required``, ``by_policy`` and ``reviews`` (latest of each reviewer on the current version).
    ``decided_by`` is empty and ``decided_at`` None when the service does not say: of an applied request without
    approving reviews it names only who applied it. An approval with fewer reviews than it needs is marked
    ``by_policy`` (assumed to be a policy's automatic action).
    """
    status = canonical(str(entity.get("status")))
    approved = status in ("approved", "resolved")
    reviews = latest_reviews(client, entity)
    deciding = [one for one in reviews if one["status"] == ("approved" if approved else status)]
    last_change = entity if status != "resolved" else {}
    by, at = last_change.get("statusChangedBy"), last_change.get("statusChangedAt")
    required = entity.get("numApprovalsRequired") or 0
    return {
        "id": entity.get("id"),
        "action": canonical(str(entity.get("action"))),
        "status": status,
        "version": entity.get("changeVersionId"),
        "requested_by": entity.get("userName") or entity.get("userId"),
        "decided_by": [one["by"] for one in deciding] or ([by] if by else []),
        "decided_at": max((one["at"] for one in deciding), key=_when, default=at),
        "approvals_required": required,
        "by_policy": approved and len(deciding) < required,
        "reviews": reviews,
    }


def latest_reviews(client: Client, entity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The last review of each reviewer on the current version, as ``by``, ``status``, ``comment``, ``at``."""
    latest: dict[str, dict[str, Any]] = {}
    version = entity.get("changeVersionId")
    reviews = client.iterate("listChangeRequestReviews", changeRequestId=entity["id"])
    for review in sorted(reviews, key=lambda one: _when(one.get("createdAt"))):
        if review.get("changeVersionId") == version and canonical(str(review.get("status"))) != "commented":
            latest[str(review.get("userId"))] = {
                "by": review.get("userName") or review.get("userId"),
                "status": canonical(str(review.get("status"))),
                "comment": review.get("comment") or "",
                "at": review.get("createdAt"),
            }
    return list(latest.values())


def _named(client: Client, deployment_id: str, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Open requests that the deployment names and the list does not show yet: a new one may be missing there."""
    deployment = client.call("getDeployment", deploymentId=deployment_id).object()
    for request_id in deployment.get("openedChangeRequests") or ():
        if request_id not in known:
            entity = client.call("getChangeRequest", changeRequestId=request_id).object()
            if canonical(str(entity.get("status"))) in OPEN:
                yield entity


def _listed(client: Client, deployment_id: str, **filters: Any) -> Iterator[dict[str, Any]]:
    listed = client.iterate("listChangeRequests", entityType="deployment", entityId=deployment_id, **filters)
    return (entity for entity in listed if canonical(str(entity.get("status"))) in OPEN)
