"""Monitoring batches: create or take by name, look at, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import OutcomeUnknown, Refused
from airflow_provider.mlops import monitoring_batches
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.batch_arguments import LENGTH, change, settings_given
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client
    from airflow_provider.tasks.run import Run


class DataRobotCreateMonitoringBatchOperator(DataRobotBaseOperator):
    """Creates a monitoring batch, or takes the one that has the name already and compares it.

    :param deployment_id: the deployment; it takes 100 new batches a day unless its installation says otherwise.
    :param name: by which people and later tasks know it; make it one of the run (``{{ ds }}``).
    :param description: for people.
    :param external_url: a page about what it holds.
    :param locked: whether it takes no more predictions.
    :param on_difference: when the batch is there and differs: ``fail``, ``update`` it, or ``ignore`` that.

    Returns ``batch_id``, ``name``, ``created``, ``changed`` (what was written to a batch that was there), ``limits``
    (what the service told of them before) and ``batch`` (as the service shows it). Fails with MonitoringBatchDiffers,
    MonitoringBatchAmbiguous, MonitoringBatchNotSeen, OutcomeUnknown and the errors of the service. Operations:
    listDeploymentMonitoringBatches, getDeploymentMonitoringBatchLimits, createDeploymentMonitoringBatch,
    updateDeploymentMonitoringBatch. Memory before Airflow 3.3: the name.
    """

    operation = "createDeploymentMonitoringBatch"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "name",
        "description",
        "external_url",
        "locked",
        "on_difference",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        name: str,
        description: str | None = None,
        external_url: str | None = None,
        locked: bool | str | None = None,
        on_difference: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.name = name
        self.description = description
        self.external_url = external_url
        self.locked = locked
        self.on_difference = on_difference

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.name = arguments.named("name", self.name, LENGTH)
        self.on_difference = arguments.one_of("on_difference", self.on_difference, ("fail", "update", "ignore"))
        self._wanted = {"name": self.name, **settings_given(self)}

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted batch."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Takes the batch of this name, or creates it."""
        found = self._find(run.client)
        if found is not None:
            return self._take(run, found)
        limits = monitoring_batches.limits(run.client, self.deployment_id)
        self.log.info("Limits of monitoring batches: %s.", limits or "not told")
        try:
            sent = run.submit(
                self.operation,
                monitoring_batches.body_of(self._wanted),
                stage="create",
                look=lambda: self._find(run.client),
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        except Refused as refused:
            refused.add_note(f"limits told before: {limits or 'none'}")
            raise
        batch = sent.found if sent.answer is None else sent.answer.object()
        listed = monitoring_batches.named(run.client, self.deployment_id, self.name) if sent.sends > 1 else []
        others = [str(one["id"]) for one in listed if one["id"] != batch["id"]]
        if others:
            raise OutcomeUnknown(
                f"an answer was lost, and beside batch {batch['id']} named {self.name!r} there is {', '.join(others)} "
                "now; delete the one that is not wanted",
                operation=self.operation,
            )
        return self._result(batch, limits, created=True, changed={})

    def _take(self, run: Run, found: dict[str, Any]) -> dict[str, Any]:
        differs = monitoring_batches.differing(self._wanted, found)
        if not differs or self.on_difference == "ignore":
            self.log.info("Monitoring batch %s is there already: %s.", self.name, found["id"])
            return self._result(found, {}, created=False, changed={})
        if self.on_difference == "fail":
            now = {name: found.get(name) for name in differs}
            raise monitoring_batches.MonitoringBatchDiffers(
                f"batch {found['id']} of this name has {now}, and {differs} is wanted"
            )
        changed = change(run, self.deployment_id, str(found["id"]), differs, None)
        return self._result(changed, {}, created=False, changed=differs)

    def _find(self, client: Client) -> dict[str, Any] | None:
        return monitoring_batches.find(client, self.deployment_id, self.name)

    def _result(
        self, batch: Mapping[str, Any], limits: dict[str, Any], *, created: bool, changed: dict[str, Any]
    ) -> dict[str, Any]:
        told = {"batch_id": batch["id"], "name": batch.get("name"), "created": created, "changed": changed}
        return {**told, "limits": limits, "batch": dict(batch)}


class DataRobotDeleteMonitoringBatchOperator(DataRobotBaseOperator):
    """Deletes a monitoring batch; one that is gone is a success without a write.

    :param deployment_id: the deployment.
    :param batch_id: the batch, or
    :param name: its name.

    Returns ``batch_id`` (None where no batch has the name) and ``deleted``. Fails with MonitoringBatchAmbiguous and the
    errors of the service (a locked batch must be unlocked first). Operations: listDeploymentMonitoringBatches,
    getDeploymentMonitoringBatch, deleteDeploymentMonitoringBatch. Memory before Airflow 3.3: a batch that is gone was
    deleted.
    """

    operation = "deleteDeploymentMonitoringBatch"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "batch_id", "name")

    def __init__(
        self, *, deployment_id: str, batch_id: str | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.batch_id = batch_id
        self.name = name

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.batch_id, self.name = arguments.id_or_name("batch_id", self.batch_id, self.name, LENGTH)

    def identity(self) -> dict[str, Any]:
        """The batch."""
        return {"deployment_id": self.deployment_id, "id": self.batch_id, "name": self.name}

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone."""
        batch_id = self.batch_id
        if batch_id is None:
            found = monitoring_batches.find(run.client, self.deployment_id, str(self.name))
            batch_id = None if found is None else str(found["id"])
        if batch_id is None:
            return {"batch_id": None, "deleted": False}
        where = {"deploymentId": self.deployment_id, "monitoringBatchId": batch_id}
        found = delete(
            run, self.operation, lambda: monitoring_batches.get(run.client, self.deployment_id, batch_id), **where
        )
        return {"batch_id": batch_id, "deleted": found is not None}


class DataRobotGetMonitoringBatchOperator(DataRobotBaseReadOperator):
    """Reads a monitoring batch, and which models have predictions in it.

    :param deployment_id: the deployment.
    :param batch_id: the batch, or
    :param name: its name.

    Returns ``batch_id``, ``name``, ``locked``, ``predictions`` (how many), ``models`` (as the service shows them) and
    ``batch``. Fails with MonitoringBatchMissing, MonitoringBatchAmbiguous and the errors of the service. Operations:
    listDeploymentMonitoringBatches (for a name), getDeploymentMonitoringBatch, listDeploymentMonitoringBatchModels.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "batch_id", "name")

    def __init__(
        self, *, deployment_id: str, batch_id: str | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.batch_id = batch_id
        self.name = name

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.batch_id, self.name = arguments.id_or_name("batch_id", self.batch_id, self.name, LENGTH)

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> dict[str, Any]:
        """The batch and its models."""
        batch_id = monitoring_batches.identify(client, self.deployment_id, self.batch_id, self.name)
        batch = monitoring_batches.get(client, self.deployment_id, batch_id)
        return {
            "batch_id": batch_id,
            "name": batch.get("name"),
            "locked": batch.get("isLocked"),
            "predictions": batch.get("predictionsCount"),
            "models": monitoring_batches.models(client, self.deployment_id, batch_id),
            "batch": batch,
        }
