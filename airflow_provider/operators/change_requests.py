"""Change requests: open, edit, review, cancel and resolve them, for each of the eight actions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.api.waits import EntityWait, JobWait, canonical
from airflow_provider.mlops import review
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.gate import COMMENT_LENGTH, ChangeGate
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

VERDICTS = ("approved", "changesRequested", "commented")


class NotCurrent(DataRobotError):
    """The change request was edited: the version that was meant is not the current one."""


class NotDecided(DataRobotError):
    """The change request is not in a state that allows this."""


class _OnRequestOperator(DataRobotBaseOperator):
    """Common to all that work on one change request."""

    template_fields = (*DataRobotBaseOperator.template_fields, "change_request_id")

    def __init__(self, *, change_request_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change_request_id = change_request_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.change_request_id = arguments.identifier("change_request_id", self.change_request_id)

    def identity(self) -> dict[str, Any]:
        """The request."""
        return {"change_request_id": self.change_request_id}

    def _entity(self, run: Run) -> dict[str, Any]:
        return run.read("getChangeRequest", changeRequestId=self.change_request_id)

    def _status(self, entity: Mapping[str, Any]) -> str:
        return canonical(str(entity.get("status")))


class DataRobotCreateChangeRequestOperator(DataRobotBaseOperator):
    """Opens a change request on a deployment, or takes up an equal one of ours that is open.

    :param deployment_id: the deployment.
    :param action: approve, changeStatus, changeImportance, cleanupStats, delete, replaceModel, replaceModelPackage or
        updateSecondaryDatasetConfigs.
    :param change: the change in the words of the action (``{"status": "inactive"}``, ``{"importance": "HIGH"}``,
        ``{"modelPackageId": ..., "replacementReason": "accuracy"}``, ...); none for ``delete``.
    :param comment: for the reviewers; where the run comes from is added. At most 10,000 characters in all.
    :param auto_apply: let the service apply the change when it is approved.
    :param adopt: take up an equal open request of ``mine`` or of ``any`` user.
    :param on_conflict: ``fail`` or ``cancel_own`` when a request of the same action for another change is open.

    Returns ``change_request_id``, ``version``, ``status``, ``approvals_required`` and ``adopted``. It does not wait for
    the decision: put a DataRobotChangeRequestSensor behind it. Operations: listChangeRequests, getDeployment,
    createChangeRequest. Memory before Airflow 3.3: an open request of the caller for the same change.
    """

    operation = "createChangeRequest"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "action",
        "change",
        "comment",
        "auto_apply",
        "adopt",
        "on_conflict",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        action: str,
        change: Mapping[str, Any] | None = None,
        comment: str = "",
        auto_apply: bool | str = False,
        adopt: str = "mine",
        on_conflict: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.action = action
        self.change = change
        self.comment = comment
        self.auto_apply = auto_apply
        self.adopt = adopt
        self.on_conflict = on_conflict
        self._origin = ""

    def execute(self, context: Context) -> Any:
        """Remembers where the run comes from, for the reviewers, then runs the life cycle."""
        instance = context["ti"]
        self._origin = f"Airflow {instance.dag_id}.{instance.task_id}, run {instance.run_id}"
        return super().execute(context)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.action = arguments.one_of("action", self.action, review.ACTIONS)
        self.change = arguments.mapping("change", self.change)
        if self.change is None and self.action != "delete":
            raise InvalidCall(f"change is needed for action {self.action!r}")
        comment = "\n\n".join(part for part in (str(self.comment or "").strip(), self._origin) if part)
        self._gate = ChangeGate(
            deployment_id=self.deployment_id,
            action=self.action,
            change=self.change,
            comment=arguments.text("comment", comment, COMMENT_LENGTH),
            auto_apply=arguments.flag("auto_apply", self.auto_apply),
            adopt=arguments.one_of("adopt", self.adopt, ("mine", "any")),
            on_conflict=arguments.one_of("on_conflict", self.on_conflict, ("fail", "cancel_own")),
        )

    def identity(self) -> dict[str, Any]:
        """The deployment, the action and the change."""
        return {"deployment_id": self.deployment_id, "action": self.action, "change": self.change}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Opens the request, or takes it up."""
        self._gate.request(run)
        assert run.handle is not None, "a request was opened or taken up"
        entity = run.read("getChangeRequest", changeRequestId=str(run.handle.id))
        return {
            "change_request_id": entity["id"],
            "version": entity.get("changeVersionId"),
            "status": canonical(str(entity.get("status"))),
            "approvals_required": entity.get("numApprovalsRequired"),
            "adopted": run.handle.owner == "adopted",
        }


class DataRobotUpdateChangeRequestOperator(_OnRequestOperator):
    """Edits an open change request. A new change makes a new version, and reviews of the old one no longer count.

    :param change_request_id: the change request.
    :param change: the new change; unchanged when None.
    :param comment: the new comment; unchanged when None.
    :param auto_apply: unchanged when None.

    Returns ``change_request_id``, ``version``, ``status`` and ``changed``. Writes only what differs. Operations:
    getChangeRequest, updateChangeRequest. Memory before Airflow 3.3: the wanted values are compared first.
    """

    operation = "updateChangeRequest"
    template_fields = (*_OnRequestOperator.template_fields, "change", "comment", "auto_apply")

    def __init__(
        self,
        *,
        change: Mapping[str, Any] | None = None,
        comment: str | None = None,
        auto_apply: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.change = change
        self.comment = comment
        self.auto_apply = auto_apply

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._wanted: dict[str, Any] = {}
        if self.change is not None:
            self._wanted["change"] = arguments.mapping("change", self.change)
        if self.comment is not None:
            self._wanted["comment"] = arguments.text("comment", self.comment, COMMENT_LENGTH)
        if self.auto_apply is not None:
            self._wanted["autoApply"] = arguments.flag("auto_apply", self.auto_apply)
        if not self._wanted:
            raise InvalidCall("give at least one of change, comment and auto_apply")

    def identity(self) -> dict[str, Any]:
        """The request and the wanted values."""
        return {"change_request_id": self.change_request_id, **self._wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        entity = self._entity(run)
        differs = self._differs(entity)
        if differs:
            review.refuse_unless_allowed(entity, "canUpdate")
            run.submit(
                "updateChangeRequest",
                differs,
                stage="update",
                look=lambda: None if self._differs(self._entity(run)) else True,
                extra_body=self.extra_body,
                changeRequestId=self.change_request_id,
            )
            entity = self._entity(run)
        return {
            "change_request_id": self.change_request_id,
            "version": entity.get("changeVersionId"),
            "status": self._status(entity),
            "changed": sorted(differs),
        }

    def _differs(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in self._wanted.items()
            if (not review.same_change(entity, value) if name == "change" else entity.get(name) != value)
        }


class DataRobotReviewChangeRequestOperator(_OnRequestOperator):
    """Reviews a change request with the rights of the connection's user.

    The version must be given: an approval is of one version, and a pipeline that approves whatever is current approves
    what it has not seen. The requester cannot review his own request; that is refused before anything is sent.

    :param change_request_id: the change request.
    :param version: the version that is reviewed (``changeVersionId``).
    :param verdict: approved, changesRequested or commented.
    :param comment: at most 10,000 characters.

    Returns ``review_id``, ``change_request_id``, ``version``, ``verdict`` and ``status`` of the request afterwards. An
    equal latest review of ours is taken for this one. Operations: getChangeRequest, listChangeRequestReviews,
    createChangeRequestReview. Memory before Airflow 3.3: a review with the same version, verdict and comment.
    """

    operation = "createChangeRequestReview"
    template_fields = (*_OnRequestOperator.template_fields, "version", "verdict", "comment")

    def __init__(self, *, version: str, verdict: str, comment: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.version = version
        self.verdict = verdict
        self.comment = comment
        self._origin = ""

    def execute(self, context: Context) -> Any:
        """Marks the review with where the run comes from, so that another attempt finds it."""
        instance = context["ti"]
        self._origin = f"Airflow {instance.dag_id}.{instance.task_id}, run {instance.run_id}"
        return super().execute(context)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.version = arguments.identifier("version", self.version)
        self.verdict = arguments.one_of("verdict", self.verdict, VERDICTS)
        comment = "\n\n".join(part for part in (str(self.comment or "").strip(), self._origin) if part)
        self._comment = arguments.text("comment", comment, COMMENT_LENGTH)

    def identity(self) -> dict[str, Any]:
        """The request, its version and the verdict."""
        return {**super().identity(), "version": self.version, "verdict": self.verdict}

    def start(self, run: Run) -> Step:
        """Reviews, unless this very review is there already."""
        made = self._made(run)
        if made is None:
            entity = self._entity(run)
            if entity.get("changeVersionId") != self.version:
                raise NotCurrent(
                    f"change request {self.change_request_id} is at version {entity.get('changeVersionId')}, "
                    f"not {self.version}: look at the change again"
                )
            review.refuse_unless_allowed(entity, "canComment" if self.verdict == "commented" else "canReview")
            body = {"changeVersionId": self.version, "status": self.verdict, "comment": self._comment}
            sent = run.submit(
                "createChangeRequestReview",
                body,
                stage="review",
                look=lambda: self._made(run),
                extra_body=self.extra_body,
                changeRequestId=self.change_request_id,
            )
            made = sent.answer.json() if sent.answer is not None else sent.found
        return {
            "review_id": made["id"],
            "change_request_id": self.change_request_id,
            "version": self.version,
            "verdict": self.verdict,
            "status": self._status(self._entity(run)),
        }

    def _made(self, run: Run) -> dict[str, Any] | None:
        reviews = run.client.iterate(
            "listChangeRequestReviews", changeRequestId=self.change_request_id, changeVersionId=self.version
        )
        return next(
            (
                one
                for one in reviews
                if canonical(str(one.get("status"))) == self.verdict and one.get("comment") == self._comment
            ),
            None,
        )


class DataRobotCancelChangeRequestOperator(_OnRequestOperator):
    """Cancels an open change request; a cancelled one is a success without a write.

    :param change_request_id: the change request.

    Returns ``change_request_id``, ``status`` and ``changed``. Fails with NotDecided when it was resolved already.
    Operations: getChangeRequest, updateChangeRequestStatus. Memory before Airflow 3.3: the status itself.
    """

    operation = "updateChangeRequestStatus"

    def identity(self) -> dict[str, Any]:
        """The request and the wanted status."""
        return {**super().identity(), "status": "cancelled"}

    def start(self, run: Run) -> Step:
        """Cancels, where there is something to cancel."""
        entity = self._entity(run)
        status = self._status(entity)
        if status == "cancelled":
            return self._result(changed=False)
        if status == "resolved":
            raise NotDecided(f"change request {self.change_request_id} was applied already and cannot be cancelled")
        review.refuse_unless_allowed(entity, "canCancel")
        run.submit(
            "updateChangeRequestStatus",
            {"status": "cancelled"},
            stage="cancel",
            look=lambda: True if self._status(self._entity(run)) == "cancelled" else None,
            extra_body=self.extra_body,
            changeRequestId=self.change_request_id,
        )
        after = self._status(self._entity(run))
        if after != "cancelled":
            raise NotDecided(f"the service accepted the cancellation, and the request is {after}")
        return self._result(changed=True)

    def _result(self, changed: bool) -> dict[str, Any]:
        return {"change_request_id": self.change_request_id, "status": "cancelled", "changed": changed}


class DataRobotResolveChangeRequestOperator(_OnRequestOperator):
    """Applies an approved change request and waits until it is applied; an applied one is a success without a write.

    :param change_request_id: the change request.
    :param version: the version that was approved; another current version is refused. None: whatever is approved.

    Returns the decision: ``id``, ``action``, ``status``, ``version``, ``requested_by``, ``decided_by``, ``decided_at``,
    ``approvals_required``, ``by_policy``, ``reviews``. The effect on the deployment is for the next task to read.
    Operations: getChangeRequest, updateChangeRequestStatus, listChangeRequestReviews. Memory before Airflow 3.3: the
    status itself.
    """

    operation = "updateChangeRequestStatus"
    template_fields = (*_OnRequestOperator.template_fields, "version")

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
        """The request and the wanted status."""
        return {**super().identity(), "status": "resolved"}

    def start(self, run: Run) -> Step:
        """Resolves, where it is approved and still the version that was meant."""
        entity = self._entity(run)
        status = self._status(entity)
        if status in ("resolved", "resolving"):
            run.adopt("apply", id=self.change_request_id)
            return self._applied(None)
        if self.version is not None and entity.get("changeVersionId") != self.version:
            raise NotCurrent(
                f"change request {self.change_request_id} is at version {entity.get('changeVersionId')}, "
                f"not {self.version}"
            )
        if status != "approved":
            raise NotDecided(
                f"change request {self.change_request_id} is {status}; only an approved one can be applied"
            )
        review.refuse_unless_allowed(entity, "canResolve")
        sent = run.submit(
            "updateChangeRequestStatus",
            {"status": "resolving"},
            stage="apply",
            look=lambda: True if self._status(self._entity(run)) in ("resolved", "resolving") else None,
            extra_body=self.extra_body,
            id=self.change_request_id,
            changeRequestId=self.change_request_id,
        )
        return self._applied(run.path_of(sent.answer) if sent.answer is not None else None)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Reads the request: only ``resolved`` is applied."""
        entity = self._entity(run)
        status = self._status(entity)
        if status != "resolved":
            raise NotDecided(f"the service says done, and change request {self.change_request_id} is {status}")
        return review.decision(run.client, entity)

    def _applied(self, job: str | None) -> Await:
        wait = JobWait(job) if job else EntityWait(f"changeRequests/{self.change_request_id}/", "application")
        return Await(wait, f"change request {self.change_request_id} is being applied")
