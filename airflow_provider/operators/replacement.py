"""Replacing the champion of a deployment, directly or behind a governance approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import replacement
from airflow_provider.operators.change_requests import with_origin
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.callbacks import Callbacks, RequestOpened, listed
from airflow_provider.tasks.gate import COMMENT_LENGTH, ChangeGate
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.replacing import Replacing
from airflow_provider.tasks.run import Run
from airflow_provider.tasks.serving import Serving

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

MONTH = timedelta(days=30)


class DataRobotReplaceModelOperator(DataRobotBaseOperator):
    """Makes a model the champion of a deployment, and succeeds only when it really is.

    Validates, asks the approval policies, replaces directly or through a change request that people approve, validates
    again before it is applied, and reads the champion afterwards. A model that is the champion already is a success
    without a write.

    :param deployment_id: the deployment.
    :param model_package_id: the model package (registered model version) that shall serve; or
    :param model_id: the model by its own id. Exactly one of the two.
    :param reason: ACCURACY, DATA_DRIFT, ERRORS, SCHEDULED_REFRESH, SCORING_SPEED, OTHER; DEPRECATION only through a
        change request.
    :param runtime_parameters: ``[{"fieldName", "type", "value"}]``; cannot go through a change request.
    :param governance: ``auto`` asks the policies, ``always`` opens a change request, ``never`` writes directly.
    :param on_warning: ``fail`` or ``allow`` a replacement whose validation says ``warning``.
    :param policy_query: the query for getApprovalPolicyMatch in place of the assumed ones.
    :param policy_unknown: what ``auto`` does when the policies may not be asked (403): ``direct`` (the service then
        decides), ``request`` or ``fail``.
    :param comment: for the reviewers; where the run comes from is added.
    :param auto_apply: let the service apply the change when it is approved; no second validation is possible then.
    :param adopt: take up an equal open request of ``mine`` or of ``any`` user.
    :param on_conflict: ``fail``, ``wait`` or ``cancel_own`` when a request for another model is open.
    :param on_changes_requested: ``fail``, ``skip`` or ``wait`` when reviewers ask for changes.
    :param on_cancelled: ``fail`` or ``skip`` when the request is cancelled.
    :param on_new_version: ``fail``, ``skip`` or ``wait`` when somebody edits the request.
    :param require_reviews: refuse an approval that has fewer approving reviews than it needs.
    :param on_request_opened: a callback or several (functions, notifiers) that are called on the worker as soon as a
        change request was opened, with ``change_request`` in their context: ``id``, ``link``, ``approvals_required``
        and more. One that fails is logged.
    :param apply_timeout: seconds or a timedelta for the replacement itself, once it is allowed.
    :param timeout: for everything, approval included; default 30 days.

    Returns ``outcome`` (``replaced`` or ``already_champion``), ``deployment_id``, ``champion``, ``previous`` (None
    when it is not known), ``change_request`` (who decided and when, with the ids of open ``duplicates``; None for a
    direct replacement) and ``sent_twice``: operations that were sent again because the first answer was lost, or the
    attempt that sent it died, and nothing of it was seen within ``settle``; if the service carries out the first
    later than that, it did so twice. A decision that is no approval stands in XCom under ``decision``, with its
    ``outcome``, also when the task fails or is skipped.

    Fails with ReplacementRefused (validation), ReplacementNotSeen (done by word, not in fact), ConflictingRequest,
    NotAsAsked (the change request was altered), PolicyUnknown, OutcomeUnknown, WaitTimedOut and the errors of the
    service. Operations: getDeployment, validateDeploymentModelReplacement, getApprovalPolicyMatch, listChangeRequests,
    createChangeRequest, updateChangeRequestStatus, replaceDeploymentModel.

    Memory before Airflow 3.3: the champion, an open change request of the caller for the same change, and the status
    ``replacingModel`` tell whether an earlier attempt already wrote.
    """

    operation = "replaceDeploymentModel"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "model_package_id",
        "model_id",
        "reason",
        "runtime_parameters",
        "governance",
        "on_warning",
        "policy_query",
        "policy_unknown",
        "comment",
        "auto_apply",
        "adopt",
        "on_conflict",
        "on_changes_requested",
        "on_cancelled",
        "on_new_version",
        "require_reviews",
        "apply_timeout",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str | None = None,
        model_id: str | None = None,
        reason: str = "OTHER",
        runtime_parameters: Sequence[Mapping[str, Any]] | None = None,
        governance: str = "auto",
        on_warning: str = "fail",
        policy_query: Mapping[str, str] | None = None,
        policy_unknown: str = "direct",
        comment: str = "",
        auto_apply: bool | str = False,
        adopt: str = "mine",
        on_conflict: str = "fail",
        on_changes_requested: str = "fail",
        on_cancelled: str = "fail",
        on_new_version: str = "fail",
        require_reviews: bool | str = False,
        on_request_opened: Callbacks = None,
        apply_timeout: float | timedelta | str | None = timedelta(hours=4),
        timeout: float | timedelta | str | None = MONTH,
        on_timeout: str = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, on_timeout=on_timeout, **kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.model_id = model_id
        self.reason = reason
        self.runtime_parameters = runtime_parameters
        self.governance = governance
        self.on_warning = on_warning
        self.policy_query = policy_query
        self.policy_unknown = policy_unknown
        self.comment = comment
        self.auto_apply = auto_apply
        self.adopt = adopt
        self.on_conflict = on_conflict
        self.on_changes_requested = on_changes_requested
        self.on_cancelled = on_cancelled
        self.on_new_version = on_new_version
        self.require_reviews = require_reviews
        self.on_request_opened = on_request_opened
        self.apply_timeout = apply_timeout
        self._comment = ""
        self._context: Mapping[str, Any] = {}
        self._tell: Callable[[Any], object] = dict

    def introduce(self, context: Context) -> None:
        """Notes where the run comes from: the reviewers are told."""
        super().introduce(context)
        self._comment, self._context = with_origin(self.message(), context), context
        self._tell = lambda decision: context["ti"].xcom_push(key="decision", value=decision)

    def message(self) -> str:
        """What the reviewers are told, before where the run comes from."""
        return self.comment

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._target = replacement.Target(
            arguments.optional_identifier("model_package_id", self.model_package_id),
            arguments.optional_identifier("model_id", self.model_id),
        )
        self.reason = arguments.one_of("reason", self.reason, replacement.REQUEST_REASONS)
        self.governance = arguments.one_of("governance", self.governance, ("auto", "never", "always"))
        if self.runtime_parameters and self.governance == "always":
            raise InvalidCall("runtime_parameters cannot go through a change request: use governance='never' or 'auto'")
        if self.reason == "DEPRECATION" and self.governance == "never":
            raise InvalidCall("reason DEPRECATION exists in change requests only, and governance is 'never'")
        self._steps = Replacing(
            serving=Serving(self.deployment_id, self._target),
            gate=self._checked_gate(),
            reason=self.reason,
            runtime_parameters=list(self.runtime_parameters or ()),
            governance=self.governance,
            on_warning=arguments.one_of("on_warning", self.on_warning, ("fail", "allow")),
            policy_query=self.policy_query,
            policy_unknown=arguments.one_of("policy_unknown", self.policy_unknown, ("direct", "request", "fail")),
            apply_seconds=arguments.seconds("apply_timeout", self.apply_timeout),
            extra_body=self.extra_body,
        )

    def identity(self) -> dict[str, Any]:
        """The deployment and the model that shall serve."""
        return {"deployment_id": self.deployment_id, **self._target.ids}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    # --- what the life cycle asks -----------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Looks at the champion and at replacements under way, validates, then writes or asks for approval."""
        return self._steps.start(run)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """A request that was being applied is asked; everything else is waited for or looked for again."""
        return self._steps.take_up(run, handle) or super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """After a wait: decides by the stage what the service's truth is now."""
        return self._steps.proceed(run, self._stage(run))

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """A job that failed, or whose record is lost: the champion tells what really happened."""
        return self._steps.failed(run, self._stage(run), reason) or super().failed(run, reason, result)

    def timed_out(self, run: Run, note: str | None) -> Step:
        """The deadline passed: one look at the champion comes first."""
        return self._steps.timed_out(run, self._stage(run)) or super().timed_out(run, note)

    # --- small things -----------------------------------------------------------------------------------------

    @staticmethod
    def _stage(run: Run) -> str:
        assert run.handle is not None, "a wait that ended has a handle"
        return run.handle.stage

    def _checked_gate(self) -> ChangeGate:
        return ChangeGate(
            deployment_id=self.deployment_id,
            action=self._target.change_action,
            change=replacement.change(self._target, self.reason),
            comment=arguments.text("comment", self._comment or self.message(), COMMENT_LENGTH),
            auto_apply=arguments.flag("auto_apply", self.auto_apply),
            adopt=arguments.one_of("adopt", self.adopt, ("mine", "any")),
            on_conflict=arguments.one_of("on_conflict", self.on_conflict, ("fail", "wait", "cancel_own")),
            on_changes_requested=arguments.one_of(
                "on_changes_requested", self.on_changes_requested, ("fail", "skip", "wait")
            ),
            on_cancelled=arguments.one_of("on_cancelled", self.on_cancelled, ("fail", "skip")),
            on_new_version=arguments.one_of("on_new_version", self.on_new_version, ("fail", "skip", "wait")),
            require_reviews=arguments.flag("require_reviews", self.require_reviews),
            apply_seconds=arguments.seconds("apply_timeout", self.apply_timeout),
            on_opened=RequestOpened(listed("on_request_opened", self.on_request_opened), self._context),
            tell=self._tell,
        )
