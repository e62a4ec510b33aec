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
from airflow_provider.tasks.links import entity_url
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

APPROVED = ("approved", "resolved")
RETURNED = "return_value"  # Airflow's own constant for it stands in a module that loads the database models
OUTCOMES = ("approved", "changesRequested", "cancelled", "superseded")


class DataRobotChangeRequestSensor(DataRobotBaseSensor, BranchMixIn):
    """Waits until a change request is approved, and says who decided and when.

    The server's status decides, pinned to the version of the change that was current at the first look: an approval
    of another version is no approval of this one. There is no "rejected" at the service: reviewers ask for changes, or
    the request is cancelled. ``resolved`` counts as approved: it is applied already.

    :param change_request_id: the change request.
    :param version: the version that must be approved; default: the one that is current at the first look. Needed
        with ``mode="reschedule"``, which forgets the first look.
    :param on_changes_requested: ``fail``, ``skip``, ``branch``, or ``wait`` for an edit (which makes a new version:
        ``on_new_version`` says what then) or for another review.
    :param on_cancelled: ``fail``, ``skip`` or ``branch``.
    :param on_new_version: ``fail``, ``skip``, ``branch``, or ``wait`` for the new version too.
    :param branches: task id, task group id, or list of them, to follow for each outcome: ``approved`` and those that
        say ``branch`` (changesRequested, cancelled, superseded). An empty list follows nothing.
    :param require_reviews: refuse an approval that has fewer approving reviews than it needs.
    :param timeout: default 30 days, whatever ``[sensors] default_timeout`` says.

    Returns ``outcome`` (approved, resolved, changesRequested, cancelled, superseded), ``id``, ``action``, ``status``,
    ``version``, ``requested_by``, ``decided_by``, ``decided_at``, ``approvals_required``, ``by_policy`` and ``reviews``
    (latest of each reviewer: by, status, comment, at). The same stands in XCom under ``decision``, also when the sensor
    fails or is skipped. Fails when the author chose so for the outcome, when the request is not there, when its status
    is a word that nobody knows for ten minutes, and after ``timeout``. Operations: getChangeRequest,
    listChangeRequestReviews.
    """

    inherits_from_skipmixin = True  # a branch that was not followed stays skipped when it is cleared alone
    looks_again = True  # a request may be edited or cancelled while the task stands in a queue
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
        self._branches = self._checked_branches()
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
            self.web_link = entity_url(client.settings.web_url, entity)
        keep = [outcome for outcome, choice in self._choices.items() if choice == "wait"]
        return ReviewWait(f"changeRequests/{self.change_request_id}/", self.version, keep)

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """The decision, after what the author chose for its outcome."""
        self.web_link = entity_url(client.settings.web_url, result["entity"])
        outcome = str(result["outcome"])
        decision = {"outcome": outcome, **review.decision(client, result["entity"])}
        context["ti"].xcom_push(key="decision", value=decision)
        told = f"change request {decision['id']} is {outcome}, by {decision['decided_by'] or 'unknown or automatic'}"
        if outcome in APPROVED:
            if self.require_reviews and decision["by_policy"]:
                raise AirflowFailException(f"{told}: fewer approving reviews than it needs, and require_reviews is on")
        elif self._choices[outcome] != "branch":
            said = "; ".join(f"{one['by']}: {one['comment']}" for one in decision["reviews"] if one["comment"])
            end_as(self._choices[outcome], told + (f" ({said})" if said else ""))
        self.log.info("%s.", told)
        return decision

    def follow(self, context: Context, answer: Any) -> None:
        """Skips the tasks behind the sensor that the outcome does not name."""
        if not self.branches:
            return
        outcome = "approved" if answer["outcome"] in APPROVED else answer["outcome"]
        if self.do_xcom_push:
            # Skipping ends the task at once, and what it returns would be lost.
            context["ti"].xcom_push(key=RETURNED, value=answer)
        self.do_branch(context, self._branches[outcome])

    def _checked_branches(self) -> dict[str, list[str]]:
        """The tasks to follow for each outcome that needs some; every one of them must be there."""
        needed = [outcome for outcome, choice in self._choices.items() if choice == "branch"]
        if not needed and not self.branches:
            return {}
        given = arguments.mapping("branches", self.branches) or {}
        unknown = [outcome for outcome in given if outcome not in OUTCOMES]
        missing = [outcome for outcome in ("approved", *needed) if outcome not in given]
        if unknown or missing:
            raise InvalidCall(
                f"branches must name the tasks to follow for {', '.join(('approved', *needed))}"
                + (f"; {', '.join(missing)} is missing" if missing else f"; {', '.join(unknown)} is no outcome")
            )
        followed = {outcome: arguments.several(f"branches[{outcome!r}]", names) for outcome, names in given.items()}
        dag = self.get_dag()
        there = {*dag.task_ids, *dag.task_group_dict} if dag is not None else set()
        strange = sorted({name for names in followed.values() for name in names} - there)
        if strange:
            raise InvalidCall(f"branches names {', '.join(strange)}: no such task or task group in this DAG")
        return followed
