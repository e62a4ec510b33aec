"""Change requests: open and edit them, for each of the eight actions. Deciding about them is in the file beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.api.waits import canonical
from airflow_provider.mlops import review
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.callbacks import Callbacks, RequestOpened, listed
from airflow_provider.tasks.gate import COMMENT_LENGTH, ChangeGate
from airflow_provider.tasks.links import deployment_url, entity_url
from airflow_provider.tasks.run import Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class OnRequestOperator(DataRobotBaseOperator):
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

    def entity(self, run: Run) -> dict[str, Any]:
        """The request as it is now."""
        entity = run.read("getChangeRequest", changeRequestId=self.change_request_id)
        self.web_link = entity_url(run.client.settings.web_url, entity)
        return entity


def status_of(entity: Mapping[str, Any]) -> str:
    """The status of a change request in camelCase, whatever spelling the service uses."""
    return canonical(str(entity.get("status")))


def with_origin(comment: Any, context: Context) -> str:
    """The author's comment, and where the run comes from: people see it, and another attempt finds it again."""
    instance = context["ti"]
    origin = f"Airflow {instance.dag_id}.{instance.task_id}, run {instance.run_id}"
    return "\n\n".join(part for part in (str(comment or "").strip(), origin) if part)


class DataRobotCreateChangeRequestOperator(DataRobotBaseOperator):
    """Opens a change request on a deployment, or takes up an equal one of ours that is open.

    :param deployment_id: the deployment.
    :param action: approve, changeStatus, changeImportance, cleanupStats, delete, replaceModel, replaceModelPackage or
        updateSecondaryDatasetConfigs.
    :param change: the change in the words of the action (``{"status": "inactive"}``, ``{"importance": "HIGH"}``,
        ``{"modelPackageId": ..., "replacementReason": "accuracy"}``, ...); ``delete`` needs none.
    :param comment: for the reviewers; where the run comes from is added. At most 10,000 characters in all.
    :param auto_apply: let the service apply the change when it is approved.
    :param adopt: take up an equal open request of ``mine`` or of ``any`` user.
    :param on_conflict: ``fail`` or ``cancel_own`` when a request of the same action for another change is open.
    :param on_request_opened: a callback or several (functions, notifiers) that are called as soon as the request was
        opened, with ``change_request`` in their context: ``id``, ``link``, ``approvals_required`` and more. One that
        fails is logged. A request that was taken up tells nobody again.

    Returns ``change_request_id``, ``version``, ``status``, ``approvals_required``, ``adopted`` and ``sent_twice`` (as
    of the replace operator). It does not wait for the decision: put a DataRobotChangeRequestSensor behind it.

    Fails with InvalidCall (a change that the action does not have), ConflictingRequest, NotAsAsked (the service keeps
    another change than the one that was sent) and the errors of the service. Operations: listChangeRequests,
    getDeployment, createChangeRequest, getChangeRequest. Memory before Airflow 3.3: an open request of the caller for
    the same change.
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
        change: Mapping[str, Any] | str | None = None,
        comment: str = "",
        auto_apply: bool | str = False,
        adopt: str = "mine",
        on_conflict: str = "fail",
        on_request_opened: Callbacks = None,
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
        self.on_request_opened = on_request_opened
        self._context: Mapping[str, Any] = {}

    def introduce(self, context: Context) -> None:
        """Notes where the run comes from: the reviewers are told."""
        super().introduce(context)
        self.comment, self._context = with_origin(self.comment, context), context

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.action = arguments.one_of("action", self.action, review.ACTIONS)
        self.change = arguments.mapping("change", self.change)
        if self.change is None and self.action != "delete":
            raise InvalidCall(f"change is needed for action {self.action!r}")
        self._gate = ChangeGate(
            deployment_id=self.deployment_id,
            action=self.action,
            change=self.change,
            comment=arguments.text("comment", self.comment, COMMENT_LENGTH),
            auto_apply=arguments.flag("auto_apply", self.auto_apply),
            adopt=arguments.one_of("adopt", self.adopt, ("mine", "any")),
            on_conflict=arguments.one_of("on_conflict", self.on_conflict, ("fail", "cancel_own")),
            extra_body=self.extra_body,
            on_opened=RequestOpened(listed("on_request_opened", self.on_request_opened), self._context),
        )
        prepare(self.operation, {}, self._gate.body(), self.extra_body)

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
        review.refuse_altered(entity, self._gate.change)
        return {
            "change_request_id": entity["id"],
            "version": entity.get("changeVersionId"),
            "status": status_of(entity),
            "approvals_required": entity.get("numApprovalsRequired"),
            "adopted": run.handle.owner == "adopted",
            "sent_twice": run.handle.sent_twice,
        }


class DataRobotUpdateChangeRequestOperator(OnRequestOperator):
    """Edits an open change request. A new change makes a new version, and reviews of the old one no longer count.

    :param change_request_id: the change request.
    :param change: the new change; unchanged when None.
    :param comment: the new comment, at most 10,000 characters; unchanged when None.
    :param auto_apply: unchanged when None.

    Writes only what differs (``extra_body`` each time). Returns ``change_request_id``, ``version``, ``status`` and
    ``changed`` (names of what was written). Fails with NotAllowed when the service does not let this user edit the
    request, NotAsAsked, and the errors of the service. Operations: getChangeRequest, updateChangeRequest. Memory before
    Airflow 3.3: the wanted values are compared first.
    """

    operation = "updateChangeRequest"
    template_fields = (*OnRequestOperator.template_fields, "change", "comment", "auto_apply")

    def __init__(
        self,
        *,
        change: Mapping[str, Any] | str | None = None,
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
        if not arguments.absent(self.change):
            self._wanted["change"] = arguments.mapping("change", self.change)
        if not arguments.unset(self.comment):
            self._wanted["comment"] = arguments.text("comment", self.comment, COMMENT_LENGTH)
        if not arguments.absent(self.auto_apply):
            self._wanted["autoApply"] = arguments.flag("auto_apply", self.auto_apply)
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of change, comment and auto_apply")
        prepare(self.operation, {"changeRequestId": self.change_request_id}, self._wanted, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The request and the wanted values."""
        return {**super().identity(), **self._wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        entity = self.entity(run)
        differing = self._differing(entity)
        if differing or self.extra_body:
            review.refuse_unless_allowed(entity, "canUpdate")
            run.submit(
                self.operation,
                differing,
                stage="update",
                look=lambda: None if self._differing(self.entity(run)) else True,
                extra_body=self.extra_body,
                changeRequestId=self.change_request_id,
            )
            entity = self.entity(run)
            left = self._differing(entity)
            if left:
                raise review.NotAsAsked(f"change request {self.change_request_id} still has another {', '.join(left)}")
        return {
            "change_request_id": self.change_request_id,
            "version": entity.get("changeVersionId"),
            "status": status_of(entity),
            "changed": sorted(differing),
        }

    def _differing(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in self._wanted.items()
            if (not review.same_change(entity, value) if name == "change" else entity.get(name) != value)
        }
