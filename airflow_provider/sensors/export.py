"""Waiting until an export is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import EntityWait, Wait
from airflow_provider.mlops.exports import KINDS, datasets_of
from airflow_provider.tasks import arguments
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

SENSED = tuple(name for name, kind in KINDS.items() if kind.update)  # of training data only those made are shown


class DataRobotExportSensor(DataRobotBaseSensor):
    """Waits until an export of predictions or actuals has succeeded; fails when it failed or was cancelled.

    :param deployment_id: the deployment.
    :param export_id: the export.
    :param kind: ``predictions`` or ``actuals``.

    Returns ``export_id``, ``model_id``, ``start``, ``end`` and ``dataset_ids``. Fails in the service's words when the
    export FAILED, when there is no such export, and after ``timeout``. Operations: getDeploymentPredictionDataExport or
    getDeploymentActualsDataExport.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "deployment_id", "export_id", "kind")

    def __init__(self, *, deployment_id: str, export_id: str, kind: str = "predictions", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.export_id = export_id
        self.kind = kind

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.export_id = arguments.identifier("export_id", self.export_id)
        self.kind = arguments.one_of("kind", self.kind, SENSED)

    def identity(self) -> dict[str, Any]:
        """The export."""
        return {"deployment_id": self.deployment_id, "export_id": self.export_id, "kind": self.kind}

    def wait(self, client: Client) -> Wait:
        """The state of the export."""
        folder = KINDS[self.kind].folder
        return EntityWait(f"deployments/{self.deployment_id}/{folder}/{self.export_id}/", "export")

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """What the export has made."""
        found = result["entity"]
        period = found.get("period") or {}
        return {
            "export_id": found.get("id"),
            "model_id": found.get("modelId"),
            "start": period.get("start"),
            "end": period.get("end"),
            "dataset_ids": datasets_of(found),
        }
