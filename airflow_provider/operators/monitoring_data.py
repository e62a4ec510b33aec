"""Deleting monitoring data, and reports made on demand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import JobWait
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run


class DataRobotDeleteMonitoringDataOperator(DataRobotBaseOperator):
    """Deletes what monitoring knows of a deployment: stored predictions, their statistics and actuals. No way back.

    A policy may gate this; then use DataRobotCreateChangeRequestOperator with ``action="cleanupStats"``.

    :param deployment_id: the deployment.
    :param confirm: the same id once more: nothing is deleted by a slip of a template.
    :param model_id: of this model only (None: of all).
    :param start_time: from this time on, inside; ISO 8601 or a datetime, naive is UTC (None: from the beginning).
    :param end_time: up to this time, outside (None: to the end).

    Newer rows might go when it is sent twice, so it is sent at most once: a lost answer ends in OutcomeUnknown. Returns
    ``deployment_id``, ``model_id``, ``start`` and ``end``. Fails with OutcomeUnknown, JobFailed, WaitTimedOut and the
    errors of the service. Operations: createDeploymentMonitoringDataDeletion, getStatus. Memory before Airflow 3.3:
    none.
    """

    operation = "createDeploymentMonitoringDataDeletion"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "confirm",
        "model_id",
        "start_time",
        "end_time",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        confirm: str,
        model_id: str | None = None,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.confirm = confirm
        self.model_id = model_id
        self.start_time = start_time
        self.end_time = end_time

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        if arguments.identifier("confirm", self.confirm) != self.deployment_id:
            raise InvalidCall(f"confirm must be the id of the deployment, {self.deployment_id}, not {self.confirm!r}")
        self.model_id = arguments.optional_identifier("model_id", self.model_id)
        self._start, self._end = (
            None if arguments.absent(value) else arguments.moment(name, value)
            for name, value in (("start_time", self.start_time), ("end_time", self.end_time))
        )
        if self._start is not None and self._end is not None and self._start >= self._end:
            raise InvalidCall(f"start_time must be before end_time, not {self.start_time!r} and {self.end_time!r}")

    def identity(self) -> dict[str, Any]:
        """The deployment, the model and the time."""
        return {"deployment_id": self.deployment_id, **self._body()}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Deletes."""
        sent = run.submit(
            self.operation,
            self._body(),
            stage="delete",
            look=None,
            extra_body=self.extra_body,
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        return Await(JobWait(path), "monitoring data is being deleted") if path else self._result()

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over."""
        return self._result()

    def _body(self) -> dict[str, Any]:
        times = {"start": self._start, "end": self._end}
        body = {name: time.isoformat() for name, time in times.items() if time is not None}
        return body if self.model_id is None else {**body, "modelId": self.model_id}

    def _result(self) -> dict[str, Any]:
        return {
            "deployment_id": self.deployment_id,
            "model_id": self.model_id,
            "start": self._start.isoformat() if self._start else None,
            "end": self._end.isoformat() if self._end else None,
        }


class DataRobotCreateOnDemandReportOperator(DataRobotBaseOperator):
    """Has a scheduled report of a deployment made and mailed now.

    :param deployment_id: the deployment.
    :param report_id: the scheduled report.

    Nothing tells a first report from a second, so it is asked for at most once: a lost answer ends in OutcomeUnknown.
    Returns ``deployment_id`` and ``report_id``. Fails with OutcomeUnknown, JobFailed, WaitTimedOut and the errors of
    the service. Operations: createDeploymentOnDemandReport, getStatus. Memory before Airflow 3.3: none.
    """

    operation = "createDeploymentOnDemandReport"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "report_id")

    def __init__(self, *, deployment_id: str, report_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.report_id = report_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.report_id = arguments.identifier("report_id", self.report_id)

    def identity(self) -> dict[str, Any]:
        """The deployment and the report."""
        return {"deployment_id": self.deployment_id, "report_id": self.report_id}

    def start(self, run: Run) -> Step:
        """Asks for the report."""
        sent = run.submit(
            self.operation,
            {"id": self.report_id},
            stage="report",
            look=None,
            extra_body=self.extra_body,
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        return Await(JobWait(path), "the report is being made") if path else self.identity()

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over."""
        return self.identity()
