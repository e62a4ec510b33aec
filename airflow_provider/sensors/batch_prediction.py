"""Waiting until a batch prediction is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import Wait
from airflow_provider.mlops import batch_predictions
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotBatchPredictionSensor(DataRobotBaseSensor):
    """Waits until a batch prediction is done, whoever has started it; fails when it ends FAILED or ABORTED.

    :param batch_prediction_id: the job.

    Returns ``batch_prediction_id``, ``status``, ``scored_rows``, ``failed_rows``, ``skipped_rows``,
    ``elapsed_seconds`` and ``monitoring_batch_id`` (None where there is none). Fails in the service's words, when there
    is no such job, and after ``timeout``. Operations: getBatchPrediction.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "batch_prediction_id")

    def __init__(self, *, batch_prediction_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_prediction_id = batch_prediction_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.batch_prediction_id = arguments.identifier("batch_prediction_id", self.batch_prediction_id)

    def identity(self) -> dict[str, Any]:
        """The job."""
        return {"batch_prediction_id": self.batch_prediction_id}

    def wait(self, client: Client) -> Wait:
        """The job."""
        return batch_predictions.wait_for(self.batch_prediction_id)

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """What it came to."""
        return batch_predictions.told(result["entity"])
