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
from airflow_provider.api.waits import JobWait
from airflow_provider.mlops import replacement, review
from airflow_provider.tasks.cancelling import withdraw
from airflow_provider.tasks.gate import APPLY, CONFLICT, DECISION, ChangeGate
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.run import Await, Run
from airflow_provider.tasks.serving import Entity, Serving

REPLACE, BUSY = "replace", "busy"
APPLY_LEAST = 600.0  # seconds for applying what was approved just before the deadline
Step = Await | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replacing:
    """One model that shall become the champion of one deployment; the words are those of the operator."""

    serving: Serving
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
        deployment = self.serving.look(run)
        champion = replacement.champion_of(deployment)
        if replacement.is_being_replaced(deployment):
            run.adopt(BUSY, before=champion)
            return self.serving.steady("another replacement is under way", self.apply_seconds)
        if self.serving.target.serves(champion):
            return self._already(run, deployment)
        if deployment.get("status") == "inactive":
            run.log.warning("The deployment is inactive. Replacing its model may hang until it is activated.")
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
        body = replacement.submission(self.serving.target, self.reason, self.runtime_parameters)
        try:
            sent = run.submit(
                "replaceDeploymentModel",
                body,
                stage=REPLACE,
                look=lambda: self.serving.begun(run) or self.gate.open(run).mine,
                extra_body=self.extra_body,
                before=champion,
                deploymentId=self.serving.deployment_id,
            )
        except (Forbidden, Conflict, Unprocessable) as error:
            return self._refused(run, champion, error)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        note = f"{self.serving.target} replaces {champion['model_package_id']}"
        if path is None:
            return self.serving.steady(note, self.apply_seconds)
        return Await(JobWait(path), note, limit=self.apply_seconds)

    def _refused(self, run: Run, champion: dict[str, Any], error: DataRobotError) -> Step:
        """A refused write: another replacement was faster, or the validation failed, or a policy is in the way."""
        if self.serving.begun(run) is not None:
            return self.start(run)
        validation = replacement.validation_in(error)
        if validation is not None:
            replacement.refuse_unfit(validation, self.serving.target, on_warning="fail")
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
        assert run.handle is not None, "something was waited for"
        if stage == DECISION:
            return self._decided(run)
        if stage == BUSY and run.handle.id and self.serving.is_right(self.serving.seen(run)):
            return self._overtaken(run, run.handle.id)
        if stage == CONFLICT:
            run.memory.settle()
        return self.start(run) if stage in (BUSY, CONFLICT) else self._verified(run)

    def failed(self, run: Run, stage: str, reason: str) -> Step | None:
        """After a wait that ended badly: None where it did so in fact too."""
        if stage not in (REPLACE, APPLY):
            return None
        deployment = self.serving.look(run)
        if self.serving.is_right(deployment):
            run.log.warning("The job ended badly (%s), and yet the model is the champion.", reason)
            return self._verified(run)
        if replacement.is_being_replaced(deployment):
            run.log.warning("The job ended badly (%s), and the deployment is still being replaced.", reason)
            return self.serving.steady(f"still being replaced, after: {reason}", self.apply_seconds)
        return None

    def timed_out(self, run: Run, stage: str) -> Step | None:
        """After the deadline: the result where the model is the champion all the same."""
        if stage in (REPLACE, APPLY) and self.serving.is_right(self.serving.look(run)):
            run.log.warning("The job is not over at the deadline, and yet the model is the champion.")
            return self._verified(run)
        return None

    def _decided(self, run: Run) -> Step:
        decided = self.gate.decided(run)
        if isinstance(decided, Await):
            return decided
        approved = decided.outcome == "approved"
        ends_itself = decided.outcome == "resolved" or (approved and bool(decided.entity.get("autoApply")))
        if not ends_itself:
            deployment = self.serving.look(run)
            if approved and replacement.is_being_replaced(deployment):
                run.memory.update(stage=BUSY)  # perhaps somebody applies this very request
                return self.serving.steady("the deployment is being replaced meanwhile", self.apply_seconds)
            if self.serving.is_right(deployment):
                return self._overtaken(run, decided.id)
            # Another model may have been put in while people decided: that one is replaced now.
            run.memory.update(before=replacement.champion_of(deployment))
        self.gate.accept(run, decided)
        if ends_itself:
            run.memory.update(stage=APPLY)
            return self.gate.application(decided.id)
        self._validate(run)
        if run.deadline is not None:  # what was approved in time is applied, and waited for
            run.deadline = max(run.deadline, run.clock() + min(APPLY_LEAST, self.apply_seconds or APPLY_LEAST))
        return self.gate.apply(run, decided.entity)

    def _overtaken(self, run: Run, request_id: str) -> dict[str, Any]:
        """Somebody made the model champion: by our request, or so that a request of ours must not do it again later."""
        handle = run.handle
        assert handle is not None, "a decision was waited for"
        decision = self._decision(run, request_id)
        if decision["status"] in review.OPEN and handle.owner == "ours":
            withdraw(run, request_id, "the model is the champion already")
            decision = self._decision(run, request_id)
        outcome = "replaced" if decision["status"] == "resolved" else "already_champion"
        run.log.warning("%s became the champion by somebody else's hand.", self.serving.target)
        return self._result(run, outcome, self.serving.look(run), handle.before, decision)

    def _verified(self, run: Run) -> Step:
        """The champion is read until it is ours; a request that the service opened by itself is taken up."""
        handle = run.handle
        assert handle is not None, "a replacement was waited for"
        deployment = self.serving.seen(run)
        if self.serving.is_right(deployment):
            decision = self._decision(run, handle.id) if handle.id else None
            return self._result(run, "replaced", deployment, handle.before, decision)
        if replacement.is_being_replaced(deployment):
            return self.serving.steady("done by word, and still being replaced", self.apply_seconds)
        opened = self.gate.open(run).mine if handle.stage == REPLACE else None
        if opened is not None and self.governance != "never":
            run.log.info("The write opened change request %s in place of replacing.", opened["id"])
            return self._ask(run, handle.before)
        run.memory.settle()
        raise self.serving.not_seen(deployment, f"; the write opened change request {opened['id']}" if opened else "")

    def _decision(self, run: Run, request_id: str) -> dict[str, Any]:
        entity = run.read("getChangeRequest", changeRequestId=request_id)
        return {**review.decision(run.client, entity), "duplicates": self.gate.duplicates(run, request_id)}

    def _validate(self, run: Run) -> None:
        validation = replacement.validate(run.client, self.serving.deployment_id, self.serving.target)
        replacement.refuse_unfit(validation, self.serving.target, self.on_warning)

    def _already(self, run: Run, deployment: Entity) -> dict[str, Any]:
        """The previous champion is known only where this task noted it, before a write or while it waited."""
        if not self.serving.is_right(deployment):
            raise self.serving.not_seen(deployment)
        before = run.unsettled.before if run.unsettled else {}
        previous = None if self.serving.target.serves(before) else before
        return self._result(run, "already_champion", deployment, previous, None)

    def _result(
        self, run: Run, outcome: str, deployment: Entity, previous: Entity | None, decision: dict[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "outcome": outcome,
            "deployment_id": self.serving.deployment_id,
            "champion": replacement.champion_of(deployment),
            "previous": dict(previous) if previous else None,
            "change_request": decision,
            "sent_twice": run.unsettled.sent_twice if run.unsettled else [],
        }
