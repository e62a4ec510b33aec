"""Runs of retraining policies: start one and wait for what comes of it, cancel one."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import BadRequest, Conflict, InvalidCall, Refused, Unprocessable
from airflow_provider.api.waits import RunWait
from airflow_provider.mlops import retraining
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.retraining import Attempt, Retraining
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

IF_RUNNING = ("adopt", "wait", "fail")


class OfPolicyOperator(DataRobotBaseOperator):
    """Common to all that work on one retraining policy."""

    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "policy_id")

    def __init__(self, *, deployment_id: str, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.policy_id = arguments.identifier("policy_id", self.policy_id)

    def identity(self) -> dict[str, Any]:
        """The policy."""
        return {"deployment_id": self.deployment_id, "policy_id": self.policy_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)


class DataRobotRunRetrainingPolicyOperator(OfPolicyOperator):
    """Starts one run of a retraining policy, waits until it is over, and says what came of it.

    The service answers a start with nothing, so the run is found afterwards: it is new in the list, and did not begin
    before the start by the service's own clock. A lost answer is looked after in the same way, and a second start is
    sent only when nothing of the first was seen within ``settle``; the service allows one active run a policy.

    :param deployment_id: the deployment.
    :param policy_id: the retraining policy.
    :param if_running: what to do when a run goes on already: ``adopt`` it (it may have begun before today's data was
        there: see ``started_after``), ``wait`` until it is over and then start one, or ``fail``.
    :param started_after: adopt only a run that began at this moment or later (a time with its zone, or its text, by
        the service's clock); one that began earlier is waited for, and then a new one is started.
    :param appear_timeout: seconds or a timedelta within which an accepted run must show in the list, and within which
        a champion that the run replaced must be seen.

    Returns ``outcome`` (``challenger_created``, ``package_created``, ``replaced``, or ``pending_approval``: an approval
    policy applies, and the request is open), ``deployment_id``, ``policy_id``, ``run_id``, ``status`` (the service's
    word), ``started_at``, ``finished_at``, ``challenger_id``, ``model_package_id``, ``project_id``,
    ``registered_model_id``, ``previous`` (the champion before, where the policy replaces it), ``change_request_id``,
    ``adopted``, ``answer_lost`` (the run is the one that was new after a start without an answer: it may be somebody
    else's, and should the service carry out the start much later, another begins) and ``sent_twice`` (as of the replace
    operator).

    A user who kills the task cancels the run, and so does the deadline, where this task started it; near its end the
    service refuses that, and the log says so. Fails with RunInProgress, RunNotSeen, RunVanished, RetrainingCancelled,
    JobFailed (with the service's message; a retry starts another run), ReplacementNotSeen, OutcomeUnknown (names the
    runs of which one may be ours), WaitTimedOut and the errors of the service. Operations:
    getDeploymentRetrainingPolicy, listDeploymentRetrainingPolicyRuns, createDeploymentRetrainingPolicyRun,
    getDeploymentRetrainingPolicyRun, updateDeploymentRetrainingPolicyRun, getDeployment, listChangeRequests.

    Memory before Airflow 3.3: on a retry, a run that began after the DAG run did and that goes on or went well is taken
    for the one of the earlier attempt.
    """

    operation = "createDeploymentRetrainingPolicyRun"
    template_fields = (*OfPolicyOperator.template_fields, "if_running", "started_after", "appear_timeout")

    def __init__(
        self,
        *,
        if_running: str = "adopt",
        started_after: Any = None,
        appear_timeout: float | timedelta | str = 120.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.if_running = if_running
        self.started_after = started_after
        self.appear_timeout = appear_timeout
        self._attempt = Attempt()

    def introduce(self, context: Context) -> None:
        """Notes when the DAG run began, and whether this is a retry."""
        super().introduce(context)
        self._attempt = self._attempt_of(context)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.if_running = arguments.one_of("if_running", self.if_running, IF_RUNNING)
        after = None if arguments.absent(self.started_after) else retraining.moment(self.started_after)
        if after is None and not arguments.absent(self.started_after):
            raise InvalidCall(f"started_after must be a time such as 2026-03-01T00:00:00Z, not {self.started_after!r}")
        if after is not None and after > time.time() + retraining.DAY:
            raise InvalidCall(f"started_after lies in the future: {self.started_after!r}")
        self._steps = Retraining(
            deployment_id=self.deployment_id,
            policy_id=self.policy_id,
            if_running=self.if_running,
            started_after=after,
            appear_seconds=arguments.seconds("appear_timeout", self.appear_timeout) or 0.0,
            attempt=self._attempt,
            extra_body=self.extra_body,
        )

    def start(self, run: Run) -> Step:
        """Looks for a run that goes on, takes it up or waits for it; else starts one."""
        return self._steps.start(run)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """A start that may have been sent is looked for; everything else is waited for again."""
        return self._steps.take_up(run, handle) or super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """After a wait: decides by the stage what comes next."""
        return self._steps.proceed(run, result)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """After a wait that ended badly."""
        return self._steps.failed(run, reason, result)

    def _attempt_of(self, context: Context) -> Attempt:
        began = getattr(context.get("dag_run"), "start_date", None)
        instance = context["ti"]
        cleared = getattr(instance, "max_tries", None) not in (None, self.retries)
        is_retry = (getattr(instance, "try_number", 1) or 1) > 1 and not cleared
        return Attempt(began.timestamp() if began else None, is_retry)


class DataRobotCancelRetrainingRunOperator(OfPolicyOperator):
    """Cancels a run of a retraining policy, and waits until it is over.

    A run that is over already is a success without a write.

    :param deployment_id: the deployment.
    :param policy_id: the retraining policy.
    :param run_id: the run.

    Returns ``cancelled`` (false: it was over, or ended before it was stopped), ``deployment_id``, ``policy_id``,
    ``run_id``, ``status``, ``started_at``, ``finished_at``, ``challenger_id``, ``model_package_id``, ``project_id`` and
    ``registered_model_id``. Fails with CancelRefused (the service does not cancel a run that creates its challenger or
    replaces the model), RunVanished, WaitTimedOut and the errors of the service. Operations:
    getDeploymentRetrainingPolicyRun, updateDeploymentRetrainingPolicyRun. Memory before Airflow 3.3: none is needed,
    the run is looked at first.
    """

    operation = "updateDeploymentRetrainingPolicyRun"
    template_fields = (*OfPolicyOperator.template_fields, "run_id")

    def __init__(self, *, run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.run_id = arguments.identifier("run_id", self.run_id)

    def identity(self) -> dict[str, Any]:
        """The run."""
        return {**super().identity(), "run_id": self.run_id}

    def start(self, run: Run) -> Step:
        """Cancels it, unless it is over."""
        found = self._read(run)
        if retraining.is_over(found):
            return self._result(found)
        try:
            run.submit(
                self.operation,
                {"status": "cancelled"},
                stage="cancel",
                look=lambda: self._over(run),
                extra_body=self.extra_body,
                id=self.run_id,
                **self._where,
            )
        except (BadRequest, Conflict, Unprocessable) as refusal:
            return self._refused(run, refusal)
        path = retraining.run_path(self.deployment_id, self.policy_id, self.run_id)
        return Await(RunWait(path, retraining.ANY_PROMISE), f"retraining run {self.run_id} is being cancelled")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """It ended well before it was stopped."""
        self.log.warning("Retraining run %s was not stopped: %s.", self.run_id, retraining.NOT_STOPPED)
        return self._result(result["entity"])

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """It is over, as wished; whether it was cancelled is for its word to say."""
        if "entity" not in result:
            run.memory.settle()
            raise retraining.failure(self.run_id, reason, None)
        return self._result(result["entity"])

    @property
    def _where(self) -> dict[str, Any]:
        return {
            "deploymentId": self.deployment_id,
            "retrainingPolicyId": self.policy_id,
            "runId": self.run_id,
        }

    def _read(self, run: Run) -> dict[str, Any]:
        return run.read("getDeploymentRetrainingPolicyRun", **self._where)

    def _over(self, run: Run) -> dict[str, Any] | None:
        found = self._read(run)
        return found if retraining.is_over(found) else None

    def _refused(self, run: Run, refusal: Refused) -> Step:
        now = self._read(run)
        if retraining.is_over(now):
            return self._result(now)
        raise retraining.CancelRefused(
            f"retraining run {self.run_id} is {now.get('status')} and is not cancelled any more: {refusal.message}; "
            + retraining.NOT_STOPPED,
            operation=self.operation,
            status=refusal.status,
        ) from refusal

    def _result(self, found: dict[str, Any]) -> dict[str, Any]:
        told = retraining.told(found)
        return {
            "cancelled": retraining.was_cancelled(found),
            "deployment_id": self.deployment_id,
            "policy_id": self.policy_id,
            **told,
        }
