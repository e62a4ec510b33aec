"""What people decide about a change request: review, cancel and resolve, with the rights of the connection's user."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, KeyMissing
from airflow_provider.api.messages import prepare
from airflow_provider.api.waits import EntityWait, JobWait, ReviewWait, canonical
from airflow_provider.mlops import review
from airflow_provider.operators.change_requests import OnRequestOperator, status_of, with_origin
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.gate import COMMENT_LENGTH
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

VERDICTS = ("approved", "changesRequested", "commented")


class NotCurrent(DataRobotError):
    """The change request was edited: the version that was meant is not the current one."""


class NotDecided(DataRobotError):
    """The change request is not in a state that allows this."""


class DataRobotReviewChangeRequestOperator(OnRequestOperator):
    """Reviews a change request with the rights of the connection's user.

    The version must be given: an approval is of one version, and a pipeline that approves whatever is current approves
    what it has not seen. The requester cannot review his own request; that is refused before anything is sent.

    :param change_request_id: the change request.
    :param version: the version that is reviewed (``changeVersionId``).
    :param verdict: approved, changesRequested or commented.
    :param comment: where the run comes from is added. At most 10,000 characters in all.

    Returns ``review_id``, ``change_request_id``, ``version``, ``verdict`` and ``status`` of the request afterwards. A
    review of ours for the same version with the same verdict and comment is taken for this one. Fails with NotCurrent,
    NotAllowed, and the errors of the service. Operations: getChangeRequest, listChangeRequestReviews,
    createChangeRequestReview. Memory before Airflow 3.3: a review with the same version, verdict and comment.
    """

    operation = "createChangeRequestReview"
    template_fields = (*OnRequestOperator.template_fields, "version", "verdict", "comment")

    def __init__(self, *, version: str, verdict: str, comment: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.version = version
        self.verdict = verdict
        self.comment = comment

    def introduce(self, context: Context) -> None:
        """Marks the review with where the run comes from, so that another attempt finds it."""
        super().introduce(context)
        self.comment = with_origin(self.comment, context)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.version = arguments.identifier("version", self.version)
        self.verdict = arguments.one_of("verdict", self.verdict, VERDICTS)
        self.comment = arguments.text("comment", self.comment, COMMENT_LENGTH)
        self._body = {"changeVersionId": self.version, "status": self.verdict, "comment": self.comment}
        prepare(self.operation, {"changeRequestId": self.change_request_id}, self._body, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The request, its version and the verdict."""
        return {**super().identity(), "version": self.version, "verdict": self.verdict}

    def start(self, run: Run) -> Step:
        """Reviews, unless this very review is there already."""
        made = self._made(run) or self._review(run)
        return {
            "review_id": made["id"],
            "change_request_id": self.change_request_id,
            "version": self.version,
            "verdict": self.verdict,
            "status": status_of(self.entity(run)),
        }

    def _review(self, run: Run) -> dict[str, Any]:
        entity = self.entity(run)
        if entity.get("changeVersionId") != self.version:
            raise NotCurrent(
                f"change request {self.change_request_id} is at version {entity.get('changeVersionId')}, "
                f"not {self.version}: look at the change again"
            )
        review.refuse_unless_allowed(entity, "canComment" if self.verdict == "commented" else "canReview")
        sent = run.submit(
            self.operation,
            self._body,
            stage="review",
            look=lambda: self._made(run),
            extra_body=self.extra_body,
            changeRequestId=self.change_request_id,
        )
        made: dict[str, Any] | None = sent.found if sent.answer is None else sent.answer.json()
        made = made or self._made(run)
        if made is None:
            raise KeyMissing(
                "the review was accepted, and neither its answer nor a list has it", operation=self.operation
            )
        return made

    def _made(self, run: Run) -> dict[str, Any] | None:
        reviews = run.client.iterate(
            "listChangeRequestReviews", changeRequestId=self.change_request_id, changeVersionId=self.version
        )
        return next(
            (
                one
                for one in reviews
                if canonical(str(one.get("status"))) == self.verdict and one.get("comment") == self.comment
            ),
            None,
        )


class DataRobotCancelChangeRequestOperator(OnRequestOperator):
    """Cancels an open change request and waits until it is cancelled; a cancelled one is a success without a write.

    :param change_request_id: the change request.

    Returns ``change_request_id``, ``status`` and ``changed``. Fails with NotDecided when it was applied already,
    NotAllowed when the service does not let this user cancel it, JobFailed, WaitTimedOut and the errors of the service.
    Operations: getChangeRequest, updateChangeRequestStatus, getStatus. Memory before Airflow 3.3: the status itself.
    """

    operation = "updateChangeRequestStatus"

    def identity(self) -> dict[str, Any]:
        """The request and the wanted status."""
        return {**super().identity(), "status": "cancelled"}

    def start(self, run: Run) -> Step:
        """Cancels, where there is something to cancel."""
        entity = self.entity(run)
        status = status_of(entity)
        if status == "cancelled":
            return self._result(changed=False)
        if status == "resolved":
            raise NotDecided(f"change request {self.change_request_id} was applied already and cannot be cancelled")
        review.refuse_unless_allowed(entity, "canCancel")
        sent = run.submit(
            self.operation,
            {"status": "cancelled"},
            stage="cancel",
            look=lambda: True if status_of(self.entity(run)) == "cancelled" else None,
            extra_body=self.extra_body,
            changeRequestId=self.change_request_id,
        )
        job = run.path_of(sent.answer) if sent.answer is not None else None
        closed = ReviewWait(
            f"changeRequests/{self.change_request_id}/", keep_waiting=("approved", "changesRequested", "superseded")
        )
        return Await(JobWait(job) if job else closed, f"change request {self.change_request_id} is being cancelled")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Reads the request: what was applied meanwhile was not cancelled."""
        status = status_of(self.entity(run))
        if status != "cancelled":
            raise NotDecided(
                f"the service accepted to cancel change request {self.change_request_id}, and it is {status}"
            )
        return self._result(changed=True)

    def _result(self, changed: bool) -> dict[str, Any]:
        return {"change_request_id": self.change_request_id, "status": "cancelled", "changed": changed}


class DataRobotResolveChangeRequestOperator(OnRequestOperator):
    """Applies an approved change request and waits until it is applied; an applied one is a success without a write.

    :param change_request_id: the change request.
    :param version: the version that was approved; another current version is refused. None: whatever is approved.
    :param timeout: default 4 hours.

    Returns the decision: ``id``, ``action``, ``status``, ``version``, ``requested_by``, ``decided_by``, ``decided_at``,
    ``approvals_required``, ``by_policy``, ``reviews``. The effect on the deployment is for the next task to read.

    Fails with NotCurrent, NotDecided (not approved; or done by word, not in fact), NotAllowed, JobFailed, WaitTimedOut
    and the errors of the service. Operations: getChangeRequest, updateChangeRequestStatus, getStatus,
    listChangeRequestReviews. Memory before Airflow 3.3: the status itself.
    """

    operation = "updateChangeRequestStatus"
    template_fields = (*OnRequestOperator.template_fields, "version")

    def __init__(
        self,
        *,
        version: str | None = None,
        timeout: float | timedelta | str | None = timedelta(hours=4),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.version = version

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.version = arguments.optional_identifier("version", self.version)

    def identity(self) -> dict[str, Any]:
        """The request, its version and the wanted status."""
        return {**super().identity(), "version": self.version, "status": "resolved"}

    def start(self, run: Run) -> Step:
        """Resolves, where it is approved and still the version that was meant."""
        entity = self.entity(run)
        status, current = status_of(entity), entity.get("changeVersionId")
        if self.version not in (None, current):
            raise NotCurrent(
                f"change request {self.change_request_id} is {status} at version {current}, not {self.version}"
            )
        if status in ("resolved", "resolving"):
            run.adopt("apply", id=self.change_request_id)
            return self._applied(None)
        if status != "approved":
            raise NotDecided(
                f"change request {self.change_request_id} is {status}; only an approved one can be applied"
            )
        review.refuse_unless_allowed(entity, "canResolve")
        sent = run.submit(
            self.operation,
            {"status": "resolving"},
            stage="apply",
            look=lambda: review.application_begun(run.client, self.change_request_id),
            extra_body=self.extra_body,
            id=self.change_request_id,
            changeRequestId=self.change_request_id,
        )
        return self._applied(run.path_of(sent.answer) if sent.answer is not None else None)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Reads the request: only ``resolved`` is applied."""
        entity = self.entity(run)
        if status_of(entity) != "resolved":
            raise NotDecided(
                f"the service says done, and change request {self.change_request_id} is {status_of(entity)}"
            )
        return review.decision(run.client, entity)

    def _applied(self, job: str | None) -> Await:
        wait = JobWait(job) if job else EntityWait(f"changeRequests/{self.change_request_id}/", "application")
        return Await(wait, f"change request {self.change_request_id} is being applied")
