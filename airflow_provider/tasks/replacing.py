"""Replacing the champion of a deployment, step by step; the operator in front of it holds the arguments.

    start ──► it is the champion already ──────────────────────────────► result
      ├──► another replacement is under way: stage "busy" ──► start
      ├──► written directly: stage "replace" ──► the job is over ──► verified ──► result
      └──► people decide (tasks/gate.py): stages "conflict", "decision", "apply" ──► verified ──► result

Whatever a job, an event or a change request says: the champion that getDeployment shows decides. After a wait that
ended badly, too late or without a record it is looked at as well, and while the deployment says ``replacingModel``
nothing is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import Conflict, DataRobotError, Forbidden, InvalidCall, Unprocessable
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.mlops import replacement, review
from airflow_provider.tasks.cancelling import withdraw
from airflow_provider.tasks.gate import APPLY, CONFLICT, DECISION, ChangeGate, Decided
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.run import Await, Run

REPLACE, BUSY = "replace", "busy"
APPLY_LEAST = 600.0  # seconds for applying what was approved just before the deadline
SEEN_LOOKS, SEEN_PAUSE = 5, 3.0  # the champion may lag behind the end of the job (wire.md K)
Entity = Mapping[str, Any]
Step = Await | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replacing:
    """One model that shall become the champion of one deployment; the words are those of the operator."""

    deployment_id: str
    target: replacement.Target
    gate: ChangeGate
    reason: str
    runtime_parameters: Sequence[Mapping[str, Any]]
    governance: str
    on_warning: str
    policy_query: Mapping[str, str] | None
    policy_unknown: str
    apply_seconds: float | None
    extra_body: Mapping[str, Any] | None = None

    # --- before the write -------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Looks at the champion and at replacements under way, validates, then writes or asks for approval."""
        deployment = self._deployment(run)
        champion = replacement.champion_of(deployment)
        if replacement.is_being_replaced(deployment):
            run.adopt(BUSY, before=champion)
            return self._steady("another replacement is under way")
        if self.target.serves(champion):
            return self._already(run, deployment)
        self._validate(run)
        return self._ask(run, champion) if self._needs_approval(run, deployment) else self._replace(run, champion)

    def take_up(self, run: Run, handle: Handle) -> Step | None:
        """Goes on with a request whose application an earlier attempt noted; None where nothing special is to do."""
        if handle.stage != APPLY or handle.state != "intended":
            return None
        run.outwait(handle)
        taken_up = self.gate.take_up_application(run, str(handle.id))
        if taken_up is None:  # it may still be on its way
            run.memory.update(sent_twice=[*handle.sent_twice, "updateChangeRequestStatus"])
        return taken_up or self.start(run)

    def _replace(self, run: Run, champion: dict[str, Any]) -> Step:
        body = replacement.submission(self.target, self.reason, self.runtime_parameters)
        try:
            sent = run.submit(
                "replaceDeploymentModel",
                body,
                stage=REPLACE,
                look=lambda: self._begun(run) or self.gate.open(run).mine,
                extra_body=self.extra_body,
                before=champion,
                deploymentId=self.deployment_id,
            )
        except (Forbidden, Conflict, Unprocessable) as error:
            return self._refused(run, champion, error)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        note = f"{self.target} replaces {champion['model_package_id']}"
        return Await(JobWait(path), note, limit=self.apply_seconds) if path else self._steady(note)

    def _refused(self, run: Run, champion: dict[str, Any], error: DataRobotError) -> Step:
        """A refused write: another replacement was faster, or the validation failed, or a policy is in the way."""
        if self._begun(run) is not None:
            return self.start(run)
        validation = replacement.validation_in(error)
        if validation is not None:
            replacement.refuse_unfit(validation, self.target, on_warning="fail")
        if validation is not None or self.governance != "auto" or self.runtime_parameters:
            raise error
        run.log.info("The direct replacement was refused (%s); asking for approval instead.", error)
        return self._ask(run, champion)

    def _needs_approval(self, run: Run, deployment: Entity) -> bool:
        if self.governance != "auto":
            return self.governance == "always"
        try:
            policy = review.matching_policy(
                run.client, self.gate.action, [deployment.get("importance")], self.policy_query
            )
        except review.PolicyUnknown as error:
            if self.policy_unknown == "fail":
                raise
            run.log.info("%s; policy_unknown is %s.", error, self.policy_unknown)
            return self.policy_unknown == "request" or self.reason == "DEPRECATION"
        if policy:
            run.log.info("Approval policy %s applies.", policy)
        elif self.reason == "DEPRECATION":
            raise InvalidCall("reason DEPRECATION exists in change requests only, and no policy asks for one")
        return policy is not None

    def _ask(self, run: Run, champion: dict[str, Any]) -> Step:
        if self.runtime_parameters:
            raise InvalidCall("the replacement needs an approval, and runtime_parameters cannot go through a request")
        return self.gate.request(run, before=champion)

    # --- after a wait -----------------------------------------------------------------------------------------

    def proceed(self, run: Run, stage: str) -> Step:
        """After a wait that ended well: what the truth of the service is now."""
        if stage == DECISION:
            return self._decided(run)
        if stage == CONFLICT:
            run.memory.settle()
        return self.start(run) if stage in (BUSY, CONFLICT) else self._verified(run)

    def failed(self, run: Run, stage: str, reason: str) -> Step | None:
        """After a wait that ended badly: None where it did so in fact too."""
        if stage not in (REPLACE, APPLY):
            return None
        deployment = self._deployment(run)
        if self._serves(deployment):
            run.log.warning("The job ended badly (%s), and yet the model is the champion.", reason)
            return self._verified(run)
        if replacement.is_being_replaced(deployment):
            run.log.warning("The job ended badly (%s), and the deployment is still being replaced.", reason)
            return self._steady(f"still being replaced, after: {reason}")
        return None

    def timed_out(self, run: Run, stage: str) -> Step | None:
        """After the deadline: the result where the model is the champion all the same."""
        if stage in (REPLACE, APPLY) and self._serves(self._deployment(run)):
            run.log.warning("The job is not over at the deadline, and yet the model is the champion.")
            return self._verified(run)
        return None

    def _decided(self, run: Run) -> Step:
        decided = self.gate.decided(run)
        if isinstance(decided, Await):
            return decided
        applies_itself = bool(decided.entity.get("autoApply")) and decided.outcome == "approved"
        if decided.outcome != "resolved" and not applies_itself:
            deployment = self._deployment(run)
            if self._serves(deployment) and not replacement.is_being_replaced(deployment):
                return self._overtaken(run, decided, deployment)
        self.gate.accept(run, decided)
        if decided.outcome == "resolved" or applies_itself:
            run.memory.update(stage=APPLY)
            return self.gate.application(decided.id)
        self._validate(run)
        if run.deadline is not None:  # what was approved in time is applied, and waited for
            run.deadline = max(run.deadline, run.clock() + min(APPLY_LEAST, self.apply_seconds or APPLY_LEAST))
        return self.gate.apply(run, decided.entity)

    def _overtaken(self, run: Run, decided: Decided, deployment: Entity) -> dict[str, Any]:
        """Somebody made the model champion in another way: a request of ours must not do it again later."""
        run.log.warning("%s became the champion while change request %s was open.", self.target, decided.id)
        handle = run.handle
        assert handle is not None, "a decision was waited for"
        if handle.owner == "ours" and decided.decision["status"] in review.OPEN:
            withdraw(run, decided.id, "the model is the champion already")
        return self._result(run, "already_champion", deployment, handle.before, self._decision(run, decided.id))

    def _verified(self, run: Run) -> Step:
        """The champion is read until it is ours; a request that the service opened by itself is taken up."""
        handle = run.handle
        assert handle is not None, "a replacement was waited for"
        deployment = self._seen(run)
        if self._serves(deployment):
            decision = self._decision(run, handle.id) if handle.id else None
            return self._result(run, "replaced", deployment, handle.before, decision)
        if replacement.is_being_replaced(deployment):
            return self._steady("the service says done, and the deployment is still being replaced")
        opened = self.gate.open(run).mine if handle.stage == REPLACE else None
        if opened is not None and self.governance != "never":
            run.log.info("The write opened change request %s in place of replacing.", opened["id"])
            return self._ask(run, handle.before)
        run.memory.settle()
        raise self._not_seen(deployment, f"; the write opened change request {opened['id']}" if opened else "")

    def _seen(self, run: Run) -> Entity:
        """The deployment, as soon as it shows the target; after some looks as it is."""
        deployment = self._deployment(run)
        for _ in range(SEEN_LOOKS - 1):
            if self._serves(deployment) or replacement.is_being_replaced(deployment):
                break
            run.sleep(SEEN_PAUSE)
            deployment = self._deployment(run)
        return deployment

    def _begun(self, run: Run) -> Entity | None:
        """The deployment where it shows the target, or a replacement that is under way; else None."""
        deployment = self._deployment(run)
        return deployment if replacement.is_being_replaced(deployment) or self._serves(deployment) else None

    def _deployment(self, run: Run) -> dict[str, Any]:
        return run.read("getDeployment", deploymentId=self.deployment_id)

    def _serves(self, deployment: Entity) -> bool:
        return self.target.serves(replacement.champion_of(deployment)) and deployment.get("status") != "errored"

    def _decision(self, run: Run, request_id: str) -> dict[str, Any]:
        entity = run.read("getChangeRequest", changeRequestId=request_id)
        return {**review.decision(run.client, entity), "duplicates": self.gate.duplicates(run, request_id)}

    def _validate(self, run: Run) -> None:
        validation = replacement.validate(run.client, self.deployment_id, self.target)
        replacement.refuse_unfit(validation, self.target, self.on_warning)

    def _steady(self, note: str) -> Await:
        wait = EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=["active", "inactive"])
        return Await(wait, note, limit=self.apply_seconds)

    def _already(self, run: Run, deployment: Entity) -> dict[str, Any]:
        """The previous champion is known only where this task noted it, before a write or while it waited."""
        if not self._serves(deployment):
            raise self._not_seen(deployment)
        before = run.unsettled.before if run.unsettled else {}
        previous = None if self.target.serves(before) else before
        return self._result(run, "already_champion", deployment, previous, None)

    def _not_seen(self, deployment: Entity, more: str = "") -> replacement.ReplacementNotSeen:
        champion = replacement.champion_of(deployment)
        return replacement.ReplacementNotSeen(
            f"{self.target} should serve deployment {self.deployment_id}, and does not: the champion is model package "
            f"{champion['model_package_id']} (model {champion['model_id']}), the status is {deployment.get('status')}"
            + more
        )

    def _result(
        self, run: Run, outcome: str, deployment: Entity, previous: Entity | None, decision: dict[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "outcome": outcome,
            "deployment_id": self.deployment_id,
            "champion": replacement.champion_of(deployment),
            "previous": dict(previous) if previous else None,
            "change_request": decision,
            "sent_twice": run.unsettled.sent_twice if run.unsettled else [],
        }
