"""Monitoring batches: change, lock and unlock one, and what is said of a model's data in it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.moments import utc
from airflow_provider.mlops import monitoring_batches
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.batch_arguments import LENGTH, change, settings_given
from airflow_provider.tasks.links import deployment_url

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run


class DataRobotUpdateMonitoringBatchOperator(DataRobotBaseOperator):
    """Changes a monitoring batch, locks it or unlocks it; writes only what differs.

    :param deployment_id: the deployment.
    :param batch_id: the batch, or
    :param name: its name.
    :param new_name: what it shall be called.
    :param description: for people; an empty text takes it away.
    :param external_url: a page about what it holds.
    :param locked: whether it takes no more predictions.

    Returns ``batch_id``, ``changed`` (what was written) and ``batch``. Fails with MonitoringBatchMissing,
    MonitoringBatchAmbiguous, MonitoringBatchNotSeen (done by word, not in fact) and the errors of the service.
    Operations: listDeploymentMonitoringBatches, getDeploymentMonitoringBatch, updateDeploymentMonitoringBatch. Memory
    before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentMonitoringBatch"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "batch_id",
        "name",
        "new_name",
        "description",
        "external_url",
        "locked",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        batch_id: str | None = None,
        name: str | None = None,
        new_name: str | None = None,
        description: str | None = None,
        external_url: str | None = None,
        locked: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.batch_id = batch_id
        self.name = name
        self.new_name = new_name
        self.description = description
        self.external_url = external_url
        self.locked = locked

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.batch_id, self.name = arguments.id_or_name("batch_id", self.batch_id, self.name, LENGTH)
        wanted = settings_given(self)
        if not arguments.absent(self.new_name):
            wanted["name"] = arguments.named("new_name", self.new_name, LENGTH)
        if not wanted and not self.extra_body:
            raise InvalidCall("nothing is to be changed: give at least one new value")
        self._wanted = wanted

    def identity(self) -> dict[str, Any]:
        """The batch and the wanted values."""
        return {"deployment_id": self.deployment_id, "id": self.batch_id, "is": self.name, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        batch_id = monitoring_batches.identify(run.client, self.deployment_id, self.batch_id, self.name)
        now = monitoring_batches.get(run.client, self.deployment_id, batch_id)
        differs = monitoring_batches.differing(self._wanted, now)
        if differs or self.extra_body:
            now = change(run, self.deployment_id, batch_id, differs, self.extra_body)
        return {"batch_id": batch_id, "changed": differs, "batch": now}


class DataRobotUpdateMonitoringBatchModelOperator(DataRobotBaseOperator):
    """Says from when to when a model's data in a monitoring batch is; writes only what differs.

    :param deployment_id: the deployment.
    :param batch_id: the batch, or
    :param name: its name.
    :param model_id: a model that has predictions in it.
    :param start_time: in ISO 8601 or as a datetime, naive is UTC; likewise ``end_time``. None: stays as it is.

    Returns ``batch_id``, ``model_id``, ``changed`` (what was written) and ``model``. Fails with MonitoringBatchMissing,
    MonitoringBatchNotSeen (done by word, not in fact) and the errors of the service. Operations:
    listDeploymentMonitoringBatches, getDeploymentMonitoringBatchModel, updateDeploymentMonitoringBatchModel. Memory
    before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentMonitoringBatchModel"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "batch_id",
        "name",
        "model_id",
        "start_time",
        "end_time",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_id: str,
        batch_id: str | None = None,
        name: str | None = None,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_id = model_id
        self.batch_id = batch_id
        self.name = name
        self.start_time = start_time
        self.end_time = end_time

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.model_id = arguments.identifier("model_id", self.model_id)
        self.batch_id, self.name = arguments.id_or_name("batch_id", self.batch_id, self.name, LENGTH)
        times = {"startTime": ("start_time", self.start_time), "endTime": ("end_time", self.end_time)}
        self._wanted = {
            key: datetime.fromisoformat(utc(arguments.moment(name, one)))
            for key, (name, one) in times.items()
            if not arguments.absent(one)
        }
        if not self._wanted and not self.extra_body:
            raise InvalidCall("nothing is to be changed: give start_time or end_time")
        start, end = self._wanted.get("startTime"), self._wanted.get("endTime")
        if start and end and start > end:
            raise InvalidCall(f"start_time must not be after end_time: {start} is after {end}")

    def identity(self) -> dict[str, Any]:
        """The model in the batch, and the wanted times."""
        wanted = {name: str(one) for name, one in self._wanted.items()}
        return {"deployment_id": self.deployment_id, "id": self.batch_id or self.name, "model": self.model_id, **wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        batch_id = monitoring_batches.identify(run.client, self.deployment_id, self.batch_id, self.name)
        whose: dict[str, Any] = {"deploymentId": self.deployment_id, "monitoringBatchId": batch_id}
        whose["modelId"] = self.model_id

        def differing() -> dict[str, datetime]:
            now = run.read("getDeploymentMonitoringBatchModel", **whose)
            return {name: one for name, one in self._wanted.items() if not _is(now.get(name), one)}

        differs = differing()
        if differs or self.extra_body:
            changed = {name: utc(one) for name, one in differs.items()}
            run.submit(
                self.operation,
                changed,
                stage="update",
                look=lambda: None if differing() else True,
                extra_body=self.extra_body,
                **whose,
            )
            if differing():
                raise monitoring_batches.MonitoringBatchNotSeen(
                    f"the service says that it is done, and model {self.model_id} in batch {batch_id} has other times"
                )
        model = run.read("getDeploymentMonitoringBatchModel", **whose)
        changed_times = {name: one.isoformat() for name, one in differs.items()}
        return {"batch_id": batch_id, "model_id": self.model_id, "changed": changed_times, "model": model}


def _is(told: Any, wanted: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(told)) == wanted
    except ValueError:
        return False
