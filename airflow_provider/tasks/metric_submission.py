"""Submitting values of a custom metric, call by call; the operator in front of it holds the arguments.

    start ──► all rows are checked ──► stage "values": POST of a chunk ──► its job ──► the next ──► ... ──► account
      └──► a dataset ──► stage "dataset": one POST ──► its job ──► account

Each call is noted before and after, in the state that ``tasks/metric_state.py`` tells of. What may have arrived is
never sent again without somebody's wish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import DataRobotError, OutcomeUnknown
from airflow_provider.api.waits import JobWait
from airflow_provider.hooks.stats import ROWS
from airflow_provider.mlops.metric_values import ChangedValues, call_of
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.metric_order import MetricOrder
from airflow_provider.tasks.metric_state import account, advanced, begun, planned, told, validated
from airflow_provider.tasks.run import Await, Run

Step = Await | dict[str, Any]

POST = "submitDeploymentCustomMetricValuesFromJson"
VALUES, DATASET = "values", "dataset"


class ValuesNotTaken(DataRobotError):
    """The service accepted values, and the job that was to store them failed: whether a part is stored is not known."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The values of one order; ``first_attempt`` tells whether an earlier attempt may have sent some of them."""

    order: MetricOrder
    first_attempt: bool
    extra_body: Mapping[str, Any] | None = None

    # --- from rows --------------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Checks all rows, then sends the first chunk of those that were not sent before."""
        order = self.order
        metric_id = order.metric_id(run.client)
        before = self._sent_before(run)
        if order.source is None:
            return self._start_dataset(run, metric_id, before)
        sent = before.get("sent", 0)
        survey = order.survey(sent)
        survey.refuse(order.most_rejected)
        if sent and (survey.good < sent or survey.before != before["digest"]):
            raise ChangedValues(
                f"{order.source.name} gives other rows than the {sent} of it that this task has sent; resend=True "
                "sends all of it anew"
            )
        run.log.info("%d rows, %d of them sent before, %d rejected.", survey.rows, sent, survey.rejected)
        for line in survey.told:
            run.log.warning("Rejected: %s.", line)
        if run.plan_only:
            plan = planned(order, metric_id, survey, sent)
            run.log.info("plan_only: the task would send %d values: %s", plan["values"], plan["plan"])
            return plan
        if order.validate_only:
            return validated(order, run.client, metric_id, survey, sent, self.extra_body)
        return self._next(run, metric_id, begun(survey, sent, before.get("digest", "")))

    def _next(self, run: Run, metric_id: str, state: dict[str, Any]) -> Step:
        """Sends the next chunk, or gives the account."""
        if not state["marks"]:
            return account(metric_id, state)
        order = self.order
        chunk = order.chunk(state["sent"], tuple(state["marks"][0]))
        call = call_of(order.deployment_id, metric_id, chunk, order.model, self.extra_body)
        sent = run.submit_call(call, stage=VALUES, look=None, before={**state, "under_way": True}, id=metric_id)
        ROWS.tell(len(chunk.buckets), operation=call.operation.id)
        run.log.info("%d values were accepted.", len(chunk.buckets))
        return self._awaited(run, sent.answer) or self._next(run, metric_id, self._stored(run))

    def _awaited(self, run: Run, answer: Answer | None) -> Await | None:
        path = run.path_of(answer) if answer is not None else None
        if path is None:
            run.log.warning("The service named no job for the values that it accepted.")
            return None
        return Await(JobWait(path), f"values of custom metric {run.handle.id if run.handle else ''} are being stored")

    # --- from a dataset ---------------------------------------------------------------------------------------

    def _start_dataset(self, run: Run, metric_id: str, before: dict[str, Any]) -> Step:
        if before.get("dataset"):
            run.log.info("This task has submitted dataset %s before; resend=True does it anew.", before["dataset"])
            return {"custom_metric_id": metric_id, "dataset_id": before["dataset"], "sent": None, "skipped": True}
        sent = run.submit(
            "submitDeploymentCustomMetricValuesFromDataset",
            self.order.dataset_body(),
            stage=DATASET,
            look=None,
            extra_body=self.extra_body,
            before={},
            id=metric_id,
            deploymentId=self.order.deployment_id,
            customMetricId=metric_id,
        )
        return self._awaited(run, sent.answer) or self._finish_dataset(run)

    def _finish_dataset(self, run: Run) -> dict[str, Any]:
        assert run.handle is not None, "what was submitted has a handle"
        run.memory.update(before={"dataset": self.order.dataset_id}, wait=None)
        found = {"custom_metric_id": run.handle.id, "dataset_id": self.order.dataset_id}
        return {**found, "sent": None, "skipped": False}

    # --- afterwards -------------------------------------------------------------------------------------------

    def proceed(self, run: Run) -> Step:
        """What was sent last is stored: goes on behind it."""
        assert run.handle is not None, "a wait that ended has a handle"
        if run.handle.stage == DATASET:
            return self._finish_dataset(run)
        return self._next(run, str(run.handle.id), self._stored(run))

    def failed(self, run: Run, reason: str) -> NoReturn:
        """What was sent last is not known to be stored: never sent again without somebody's wish."""
        run.memory.settle()
        raise ValuesNotTaken(
            f"{told(run.handle)} were accepted, and their job ended: {reason}. Whether a part of them is stored is not "
            "known; look at getDeploymentCustomMetricValuesOverTime, then clear the task to send them again, or do not",
            operation=POST,
        )

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on behind what an earlier attempt has sent; what it may have sent is not sent again."""
        if handle.state == "submitted" and handle.stage == VALUES and not handle.before.get("under_way"):
            return self._next(run, str(handle.id), handle.before)
        if handle.state == "submitted":
            run.log.warning("An earlier attempt ended after %s were accepted.", told(run.handle))
            return self.proceed(run)
        run.memory.settle()
        raise OutcomeUnknown(
            f"an earlier attempt ended while it sent {told(run.handle)}, and whether they arrived is not known; look "
            "at getDeploymentCustomMetricValuesOverTime, then clear the task to send them again, or do not",
            operation=POST,
        )

    def _stored(self, run: Run) -> dict[str, Any]:
        """The state behind the chunk that was sent last; noted, so that no other attempt sends it."""
        state = advanced(run.handle)
        run.memory.update(before=state, wait=None)
        return state

    def _sent_before(self, run: Run) -> dict[str, Any]:
        """What this task instance is known to have sent."""
        known = run.handle if run.handle is not None and run.handle.fingerprint == run.fingerprint else None
        if known is None and not (run.memory.lasts or self.first_attempt or self.order.resend or run.plan_only):
            raise OutcomeUnknown(
                "an earlier attempt may have sent values, and nothing remembers which; give state_path, or resend=True "
                "to send all of them",
                operation=POST,
            )
        return {} if known is None or (self.order.resend and known.state == "settled") else known.before
