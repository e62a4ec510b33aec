"""Change requests: create, list, read, edit, cancel, resolve, review."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import applying, requests
from airflow_provider.emulator.behaviour.change_check import check_change
from airflow_provider.emulator.behaviour.policies import canonical, policy_for
from airflow_provider.emulator.behaviour.request_view import operations_of, request_view, review_view
from airflow_provider.emulator.behaviour.rights import is_admin, owned, reviewer_ids, role_on
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

ORDER_KEYS = ("createdAt", "processedAt", "updatedAt")


@serves("listChangeRequests")
def list_requests(call: Call) -> Answer:
    """The requests that the user has access to; 200 or, as the page says, 201 (switch)."""
    rows = [one for one in call.service.store.rows("changeRequests") if _accessible(call, one) and _wanted(call, one)]
    rows = call.service.listed(rows)
    order = call.arguments.get("orderBy")
    if order is not None:
        rows.sort(key=lambda one: one[order.removeprefix("-")] or 0.0, reverse=order.startswith("-"))
    answer = call.page([request_view(call.service, one, call.user) for one in rows])
    return Answer(int(call.service.switches["list_change_requests_status"]), answer.body)


def _wanted(call: Call, request: Record) -> bool:
    ids, statuses = call.arguments.get("entityId"), call.arguments.get("status")
    chosen = {
        "myRequests": request["userId"] == call.user["id"],
        "showApproved": request["status"] == "approved",
        "showCancelled": request["status"] == "cancelled",
    }
    flags = [call.arguments[name].lower() == "true" for name in chosen if name in call.arguments]
    facts = [fact for name, fact in chosen.items() if name in call.arguments]
    return (
        flags == facts
        and (not ids or request["entityId"] in ids)
        and (not statuses or request["status"] in [canonical(word) for word in statuses])
    )


@serves("createChangeRequest")
def create_request(call: Call) -> Answer:
    """201 with the request; the deployment must be the user's own."""
    service, body = call.service, call.body
    deployment = owned(service, call.user, body["entityId"])
    change = body.get("change")
    check_change(body["action"], change)
    policy = policy_for(service, call.user, body["action"], deployment, change)
    request = requests.open_request(
        service,
        call.user,
        deployment,
        policy,
        action=body["action"],
        change=change,
        auto_apply=body["autoApply"],
        comment=body.get("comment", ""),
    )
    return Answer(201, request_view(service, request, call.user))


@serves("getChangeRequest")
def get_request(call: Call) -> Answer:
    """One request."""
    return Answer(200, request_view(call.service, _request(call), call.user))


@serves("updateChangeRequest")
def update_request(call: Call) -> Answer:
    """200 with the request; another ``change`` is a new version, on which no review counts yet."""
    request = _request(call)
    _must_be_open(call, request)
    if not operations_of(call.service, request, call.user)["canUpdate"]:
        raise refuse(403, "Only its author can update the change request.")
    body = call.body or {}
    changes = {name: body[name] for name in ("autoApply", "change", "comment") if name in body}
    if "change" in changes:
        check_change(request["action"], changes["change"])
    requests.edit(call.service, request, changes)
    return Answer(200, request_view(call.service, request, call.user))


@serves("updateChangeRequestStatus")
def set_request_status(call: Call) -> Answer:
    """Cancel or resolve: the word is echoed, Location points to the job (200 on the page, 202 recorded: switch)."""
    request = _request(call)
    _must_be_open(call, request)
    wanted = call.body["status"]
    job = _cancel(call, request) if wanted == "cancelled" else _resolve(call, request)
    return call.accepted(job, {"status": wanted}, int(call.service.switches["set_status_answer"]))


def _cancel(call: Call, request: Record) -> Record:
    if not operations_of(call.service, request, call.user)["canCancel"]:
        raise refuse(403, "Only its author can cancel the change request.")
    return applying.start_cancelling(call.service, request, call.user)


def _resolve(call: Call, request: Record) -> Record:
    service = call.service
    if request["status"] != "approved":
        value = service.switches["resolve_unapproved"]
        raise refuse_by_switch(
            value, f"Only an approved change request can be resolved; this one is {request['status']}."
        )
    if not operations_of(service, request, call.user)["canResolve"]:
        raise refuse(403, "You do not have permission to resolve this change request.")
    running = [
        job
        for job in service.store.rows("jobs")
        if job["state"] == "running" and job["arguments"].get("changeRequestId") == request["id"]
    ]
    value = service.switches["second_resolve"]
    if running and value != "accept":
        raise refuse_by_switch(value, "The change request is being resolved already.")
    failure = applying.validation_failure(service, request)
    if failure is not None and service.switches["apply_validation"] == "refuse_409":
        raise refuse(409, failure["message"])
    return applying.start_applying(service, request, call.user)


@serves("listChangeRequestReviews")
def list_reviews(call: Call) -> Answer:
    """Reviews of a request, by status and version."""
    request = _request(call)
    status, version = call.arguments.get("status"), call.arguments.get("changeVersionId")
    rows = [
        one
        for one in requests.reviews_of(call.service, request)
        if (status is None or one["status"] == canonical(status))
        and (version is None or one["changeVersionId"] == version)
    ]
    return call.page([review_view(call.service, one) for one in call.service.listed(rows)])


@serves("getChangeRequestReview")
def get_review(call: Call) -> Answer:
    """One review."""
    request = _request(call)
    found = call.service.store.get("reviews", call.arguments["reviewId"])
    if found is None or found["changeRequestId"] != request["id"]:
        raise refuse(404, f"Review {call.arguments['reviewId']} not found.")
    return Answer(200, review_view(call.service, found))


@serves("createChangeRequestReview")
def create_review(call: Call) -> Answer:
    """201 with the review; who may, and for which version, is partly assumed (switches)."""
    request = _request(call)
    _must_be_open(call, request)
    status, version = canonical(call.body["status"]), call.body["changeVersionId"]
    if status != "commented":
        _must_review(call, request)
    _must_be_current(call, request, version)
    review = requests.review(
        call.service, request, call.user, version=version, status=status, comment=call.body.get("comment", "")
    )
    return Answer(201, review_view(call.service, review))


def _must_review(call: Call, request: Record) -> None:
    if request["userId"] == call.user["id"]:
        value = call.service.switches["self_review"]
        if value.startswith("refuse_"):
            raise refuse_by_switch(value, "You cannot review your own change request.")
    elif call.user["id"] not in reviewer_ids(call.service, request):
        raise refuse(403, "You do not have permission to review this change request.")


def _must_be_current(call: Call, request: Record, version: str) -> None:
    if version == requests.current_version(request):
        return
    value = call.service.switches["outdated_review_version"]
    if version not in request["versions"]:
        raise refuse(422, "Invalid field data", {"changeVersionId": "no such version of this change request"})
    if value != "accept":
        raise refuse_by_switch(value, "The change request has a newer version than the one that was reviewed.")


@serves("listChangeRequestSuggestedReviewers")
def list_suggested_reviewers(call: Call) -> Answer:
    """Users who may review the request, without its author."""
    request = _request(call)
    users = [call.service.store.tables["users"][key] for key in reviewer_ids(call.service, request)]
    return call.page(
        [
            {
                "userId": user["id"],
                "username": user["username"],
                "firstName": user["firstName"],
                "lastName": user["lastName"],
            }
            for user in call.service.listed(users)
        ]
    )


def _request(call: Call) -> Record:
    request = call.service.store.get("changeRequests", call.arguments["changeRequestId"])
    if request is None or not _accessible(call, request):
        raise refuse(404, f"Change request {call.arguments['changeRequestId']} not found.")
    return request


def _accessible(call: Call, request: Record) -> bool:
    deployment = call.service.store.get("deployments", request["entityId"])
    return (
        request["userId"] == call.user["id"]
        or is_admin(call.user)
        or call.user["id"] in reviewer_ids(call.service, request)
        or (deployment is not None and role_on(call.service, call.user, deployment) is not None)
    )


def _must_be_open(call: Call, request: Record) -> None:
    if not requests.is_open(request):
        raise refuse_by_switch(call.service.switches["closed_request"], f"Change request is {request['status']}.")
