"""Replacing the champion of a deployment, directly or behind a governance approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Conflict, DataRobotError, Forbidden, InvalidCall, Unprocessable
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.mlops import replacement, review
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.gate import APPLY, COMMENT_LENGTH, DECISION, ChangeGate
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

REPLACE, BUSY, CONFLICT = "replace", "busy", "conflict"
SEEN_LOOKS, SEEN_PAUSE = 5, 3.0  # the champion may lag behind the end of the job (wire.md K)
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
    :param apply_timeout: seconds or a timedelta for the replacement itself, once it is allowed.
    :param timeout: for everything, approval included; default 30 days.

    Returns ``outcome`` (``replaced`` or ``already_champion``), ``deployment_id``, ``champion``, ``previous`` (None
    when it is not known), ``change_request`` (who decided and when; None for a direct replacement).

    Fails with ReplacementRefused (validation), ReplacementNotSeen (done by word, not in fact), ConflictingRequest,
    PolicyUnknown, OutcomeUnknown, WaitTimedOut and the errors of the service. Operations: getDeployment,
    validateDeploymentModelReplacement, getApprovalPolicyMatch, listChangeRequests, createChangeRequest,
    updateChangeRequestStatus, replaceDeploymentModel.

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
        self.apply_timeout = apply_timeout
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
        self._target = replacement.Target(
            arguments.optional_identifier("model_package_id", self.model_package_id),
            arguments.optional_identifier("model_id", self.model_id),
        )
        self.reason = arguments.one_of("reason", self.reason, replacement.REQUEST_REASONS)
        self.governance = arguments.one_of("governance", self.governance, ("auto", "never", "always"))
        self.on_warning = arguments.one_of("on_warning", self.on_warning, ("fail", "allow"))
        self.policy_unknown = arguments.one_of("policy_unknown", self.policy_unknown, ("direct", "request", "fail"))
        self.apply_timeout = arguments.seconds("apply_timeout", self.apply_timeout)
        self._gate = self._checked_gate()
        if self.runtime_parameters and self.governance == "always":
            raise InvalidCall("runtime_parameters cannot go through a change request: use governance='never' or 'auto'")
        if self.reason == "DEPRECATION" and self.governance == "never":
            raise InvalidCall("reason DEPRECATION exists in change requests only, and governance is 'never'")

    def identity(self) -> dict[str, Any]:
        """The deployment and the model that shall serve."""
        return {"deployment_id": self.deployment_id, **self._target.ids}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    # --- stages -----------------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Looks at the champion and at replacements under way, validates, then writes or asks for approval."""
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        champion = replacement.champion_of(deployment)
        before = run.handle.before if run.handle and run.handle.before else champion
        if self._target.serves(champion):
            return self._result("already_champion", champion, self._remembered(run), None)
        if deployment.get("status") == "replacingModel":
            run.adopt(BUSY, before=before)
            return Await(self._steady(), "another replacement is under way", limit=self._apply_seconds())
        validation = replacement.validate(run.client, self.deployment_id, self._target)
        replacement.refuse_unfit(validation, self._target, self.on_warning)
        if self._needs_approval(run, deployment):
            return self._ask(run, champion)
        return self._replace(run, champion)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """After a wait: decide by the stage what the service's truth is now."""
        assert run.handle is not None, "a wait that ended has a handle"
        match run.handle.stage:
            case stage if stage == DECISION:
                return self._decided(run)
            case stage if stage in (BUSY, CONFLICT):
                run.memory.settle()
                return self.start(run)
            case _:
                return self._verified(run)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """A job that failed, or whose record is lost: the champion tells what really happened."""
        if run.handle is not None and run.handle.stage in (REPLACE, APPLY) and self._seen(run, looks=1):
            self.log.warning("The job ended badly (%s), and yet the model is the champion.", reason)
            return self._verified(run)
        return super().failed(run, reason, result)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """A request that was being applied is asked; everything else is waited for or looked for again."""
        if handle.stage == APPLY and handle.state == "intended":
            run.outwait(handle)
            return self._gate.take_up_application(run, str(handle.id)) or self.start(run)
        return super().take_up(run, handle)

    def _decided(self, run: Run) -> Step:
        decided = self._gate.decided(run)
        if isinstance(decided, Await):
            return decided
        entity, decision = decided
        if decision["status"] == "resolved" or self._gate.auto_apply:
            run.memory.update(stage=APPLY)
            return self._gate.application(str(entity["id"]))
        validation = replacement.validate(run.client, self.deployment_id, self._target)
        replacement.refuse_unfit(validation, self._target, self.on_warning)
        return self._gate.apply(run, entity)

    def _replace(self, run: Run, champion: dict[str, Any]) -> Step:
        body = replacement.submission(self._target, self.reason, list(self.runtime_parameters or []))
        try:
            sent = run.submit(
                "replaceDeploymentModel",
                body,
                stage=REPLACE,
                look=lambda: self._under_way(run, champion),
                extra_body=self.extra_body,
                before=champion,
                deploymentId=self.deployment_id,
            )
        except (Forbidden, Conflict, Unprocessable) as error:
            return self._refused(run, champion, error)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        wait = JobWait(path) if path else self._steady()
        return Await(wait, f"{self._target} replaces {champion['model_package_id']}", limit=self._apply_seconds())

    def _refused(self, run: Run, champion: dict[str, Any], error: DataRobotError) -> Step:
        """A refused write: a failed validation is final; otherwise a policy may be what refused."""
        validation = replacement.validation_in(error)
        if validation is not None:
            replacement.refuse_unfit(validation, self._target, on_warning="fail")
        if self.governance != "auto":
            raise error
        self.log.info("The direct replacement was refused (%s); asking for approval instead.", error)
        return self._ask(run, champion)

    def _ask(self, run: Run, champion: dict[str, Any]) -> Step:
        if self.runtime_parameters:
            raise InvalidCall("the replacement needs an approval, and runtime_parameters cannot go through a request")
        return self._gate.request(run, before=champion)

    def _verified(self, run: Run) -> Step:
        """The champion is read until it is ours; a request that the service opened by itself is taken up."""
        champion = self._seen(run, SEEN_LOOKS)
        if champion is None:
            if run.handle is not None and run.handle.stage == REPLACE and self.governance != "never":
                opened = review.open_requests(
                    run.client, self.deployment_id, self._gate.action, self._gate.change, self.adopt
                )
                if opened.mine is not None:
                    self.log.info("The write opened change request %s in place of replacing.", opened.mine["id"])
                    return self._ask(run, run.handle.before)
            raise replacement.ReplacementNotSeen(
                f"the service says done, and the champion of {self.deployment_id} is not {self._target}"
            )
        decision = None
        if run.handle is not None and run.handle.id:
            entity = run.read("getChangeRequest", changeRequestId=run.handle.id)
            decision = review.decision(run.client, entity)
        return self._result("replaced", champion, run.handle.before if run.handle else None, decision)

    def _seen(self, run: Run, looks: int) -> dict[str, Any] | None:
        for look in range(looks):
            if look:
                run.sleep(SEEN_PAUSE)
            deployment = run.read("getDeployment", deploymentId=self.deployment_id)
            champion = replacement.champion_of(deployment)
            if self._target.serves(champion) and deployment.get("status") != "errored":
                return champion
        return None

    def _under_way(self, run: Run, before: Mapping[str, Any]) -> dict[str, Any] | None:
        """After a lost answer: whether the replacement took place, or is taking place."""
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        champion = replacement.champion_of(deployment)
        if self._target.serves(champion) or deployment.get("status") == "replacingModel":
            return champion
        opened = review.open_requests(run.client, self.deployment_id, self._gate.action, self._gate.change)
        return dict(opened.mine) if opened.mine is not None else None

    # --- small things -----------------------------------------------------------------------------------------

    def _needs_approval(self, run: Run, deployment: Mapping[str, Any]) -> bool:
        if self.governance != "auto":
            return self.governance == "always"
        try:
            policy = review.matching_policy(
                run.client, self._gate.action, [deployment.get("importance")], self.policy_query
            )
        except review.PolicyUnknown as error:
            if self.policy_unknown == "fail":
                raise
            self.log.info("%s; policy_unknown is %s.", error, self.policy_unknown)
            return self.policy_unknown == "request" or self.reason == "DEPRECATION"
        if policy:
            self.log.info("Approval policy %s applies.", policy)
        elif self.reason == "DEPRECATION":
            raise InvalidCall("reason DEPRECATION exists in change requests only, and no policy asks for one")
        return policy is not None

    def _checked_gate(self) -> ChangeGate:
        comment = "\n\n".join(part for part in (str(self.comment or "").strip(), self._origin) if part)
        return ChangeGate(
            deployment_id=self.deployment_id,
            action=self._target.change_action,
            change=replacement.change(self._target, self.reason),
            comment=arguments.text("comment", comment, COMMENT_LENGTH),
            auto_apply=arguments.flag("auto_apply", self.auto_apply),
            adopt=arguments.one_of("adopt", self.adopt, ("mine", "any")),
            on_conflict=arguments.one_of("on_conflict", self.on_conflict, ("fail", "wait", "cancel_own")),
            on_changes_requested=arguments.one_of(
                "on_changes_requested", self.on_changes_requested, ("fail", "skip", "wait")
            ),
            on_cancelled=arguments.one_of("on_cancelled", self.on_cancelled, ("fail", "skip")),
            on_new_version=arguments.one_of("on_new_version", self.on_new_version, ("fail", "skip", "wait")),
            require_reviews=arguments.flag("require_reviews", self.require_reviews),
        )

    def _steady(self) -> EntityWait:
        return EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=["active", "inactive"])

    def _apply_seconds(self) -> float | None:
        return None if self.apply_timeout is None else float(self.apply_timeout)  # type: ignore[arg-type]

    def _remembered(self, run: Run) -> dict[str, Any] | None:
        """The previous champion, when an earlier attempt noted it before its write."""
        return run.handle.before or None if run.handle and run.handle.state != "settled" else None

    def _result(
        self,
        outcome: str,
        champion: Mapping[str, Any],
        previous: Mapping[str, Any] | None,
        decision: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        return {
            "outcome": outcome,
            "deployment_id": self.deployment_id,
            "champion": dict(champion),
            "previous": dict(previous) if previous else None,
            "change_request": dict(decision) if decision else None,
        }
