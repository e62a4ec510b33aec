"""Waiting until a dataset can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import Wait
from airflow_provider.mlops.datasets import Created
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotDatasetSensor(DataRobotBaseSensor):
    """Waits until a dataset of the catalog is processed; fails when it ends in ERROR.

    :param dataset_id: the dataset.
    :param version_id: this version of it; default: whatever is the latest at each look.

    Returns ``dataset_id``, ``version_id``, ``name``, ``rows`` and ``columns`` (None where the service does not tell).
    Fails in the service's words when it could not read the file, when there is no such dataset, and after ``timeout``.
    Operations: getDataset or getDatasetVersion.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "dataset_id", "version_id")

    def __init__(self, *, dataset_id: str, version_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.version_id = version_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.dataset_id = arguments.identifier("dataset_id", self.dataset_id)
        self.version_id = arguments.optional_identifier("version_id", self.version_id)

    def identity(self) -> dict[str, Any]:
        """The dataset."""
        return {"dataset_id": self.dataset_id, "version_id": self.version_id}

    def wait(self, client: Client) -> Wait:
        """The state of the dataset."""
        return Created(self.dataset_id, self.version_id).waits[0]

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """What the dataset is."""
        found = result["entity"]
        return {
            "dataset_id": found.get("datasetId"),
            "version_id": found.get("versionId"),
            "name": found.get("name"),
            "rows": found.get("rowCount"),
            "columns": found.get("columnCount"),
        }
