"""Waiting for people: a change request until it is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BranchMixIn

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import ReviewWait
from airflow_provider.mlops import review
from airflow_provider.tasks import arguments
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

APPROVED = ("approved", "resolved")


class DataRobotChangeRequestSensor(DataRobotBaseSensor, BranchMixIn):
    """Waits until a change request is approved, and says who decided and when.

    The server's status decides, pinned to the version of the change that was current at the first look: an approval
    of another version is no approval of this one. There is no "rejected" at the service: reviewers ask for changes, or
    the request is cancelled.

    :param change_request_id: the change request.
    :param version: the version that must be approved; default: the one that is current at the first look. Needed
        with ``mode="reschedule"``, which forgets the first look.
    :param on_changes_requested: ``fail``, ``skip``, ``branch`` or ``wait``.
    :param on_cancelled: ``fail``, ``skip`` or ``branch``.
    :param on_new_version: ``fail``, ``skip``, ``branch``, or ``wait`` for the new version too.
    :param branches: task id, or list of them, to follow for each outcome (approved, changesRequested, cancelled,
        superseded); needed with ``branch``. An outcome that is missing here follows nothing.
    :param require_reviews: refuse an approval that has fewer approving reviews than it needs.
    :param timeout: default 30 days, whatever ``[sensors] default_timeout`` says.

    Returns ``outcome``, ``id``, ``action``, ``status``, ``version``, ``requested_by``, ``decided_by``, ``decided_at``,
    ``approvals_required``, ``by_policy`` and ``reviews`` (latest of each reviewer: by, status, comment, at).
    Operations: getChangeRequest, listChangeRequestReviews.
    """

    template_fields = (
        *DataRobotBaseSensor.template_fields,
        "change_request_id",
        "version",
        "on_changes_requested",
        "on_cancelled",
        "on_new_version",
        "branches",
        "require_reviews",
    )

    def __init__(
        self,
        *,
        change_request_id: str,
        version: str | None = None,
        on_changes_requested: str = "fail",
        on_cancelled: str = "fail",
        on_new_version: str = "fail",
        branches: Mapping[str, str | Sequence[str]] | None = None,
        require_reviews: bool | str = False,
        timeout: float | timedelta = timedelta(days=30),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.change_request_id = change_request_id
        self.version = version
        self.on_changes_requested = on_changes_requested
        self.on_cancelled = on_cancelled
        self.on_new_version = on_new_version
        self.branches = branches
        self.require_reviews = require_reviews

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.change_request_id = arguments.identifier("change_request_id", self.change_request_id)
        self.version = arguments.optional_identifier("version", self.version)
        self._choices = {
            "changesRequested": arguments.one_of(
                "on_changes_requested", self.on_changes_requested, ("fail", "skip", "branch", "wait")
            ),
            "cancelled": arguments.one_of("on_cancelled", self.on_cancelled, ("fail", "skip", "branch")),
            "superseded": arguments.one_of("on_new_version", self.on_new_version, ("fail", "skip", "branch", "wait")),
        }
        self.require_reviews = arguments.flag("require_reviews", self.require_reviews)
        if "branch" in self._choices.values() and not self.branches:
            raise InvalidCall("branches must say which tasks to follow for each outcome when an outcome says 'branch'")
        if self.reschedule and not self.deferrable and self.version is None:
            raise InvalidCall(
                "version is needed with mode='reschedule' (createChangeRequest gives it), or deferrable=True"
            )

    def identity(self) -> dict[str, Any]:
        """The request, and the version where one was given."""
        return {"change_request_id": self.change_request_id, "version": self.version}

    def wait(self, client: Client) -> ReviewWait:
        """The request, pinned to the version that is current now."""
        if self.version is None:
            entity = client.call("getChangeRequest", changeRequestId=self.change_request_id).json()
            self.version = entity.get("changeVersionId")
        keep = [outcome for outcome, choice in self._choices.items() if choice == "wait"]
        return ReviewWait(f"changeRequests/{self.change_request_id}/", self.version, keep)

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> Any:
        """The decision, after what the author chose for its outcome."""
        outcome = str(result["outcome"])
        decision = {"outcome": outcome, **review.decision(client, result["entity"])}
        context["ti"].xcom_push(key="decision", value=decision)
        told = f"change request {decision['id']} is {outcome}, by {decision['decided_by'] or 'unknown or automatic'}"
        if outcome in APPROVED:
            if self.require_reviews and decision["by_policy"]:
                raise AirflowFailException(f"{told}: fewer approving reviews than it needs, and require_reviews is on")
        elif self._choices[outcome] != "branch":
            end_as(self._choices[outcome], told)
        self.log.info("%s.", told)
        if self.branches:
            name = "approved" if outcome in APPROVED else outcome
            self.do_branch(context, self.branches.get(name, []))
        return decision
