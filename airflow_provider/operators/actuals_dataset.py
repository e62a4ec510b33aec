"""Actuals from a dataset that is in the catalog already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import InvalidCall, TooManyRequests
from airflow_provider.api.waits import JobWait, UntilWait
from airflow_provider.mlops import association, datasets
from airflow_provider.mlops.budget import HOUR, MARGIN
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

PROCESSING, QUOTA, JOB = "processing", "quota", "job"


class DataRobotSubmitActualsFromDatasetOperator(DataRobotBaseOperator):
    """Submits the actuals of a dataset, at most 5,000,000 rows, and waits until they are taken over.

    What cannot go well is refused before anything is sent: no association id, a dataset in state ERROR, one that is no
    snapshot, one with too many rows or none. A dataset that is still being processed is waited for. A spent hourly
    quota (429) is waited out, until ``timeout``. Rows replace what was submitted for their association ids before.

    :param deployment_id: the deployment; its association id must be configured.
    :param dataset_id: the dataset.
    :param version_id: this version of it; default: the one that is the latest now.
    :param association_id_column: the column with the association id.
    :param actual_value_column: a number for regression, a label for classification.
    :param timestamp_column: when the outcome became known.
    :param was_acted_on_column: whether the prediction was acted on.
    :param keep_actuals_without_predictions: keep actuals whose prediction is not there yet (None: the service decides).

    Returns ``deployment_id``, ``dataset_id``, ``version_id``, ``rows`` (None where the service does not tell) and
    ``submitted``. Fails with AssociationIdMissing, DatasetNotUsable, JobFailed, WaitTimedOut and the errors of the
    service. Operations: getDeploymentSettings, getDataset or getDatasetVersion, submitDeploymentActualsFromDataset,
    getStatus. Memory before Airflow 3.3: none is needed, the same rows again change nothing (they cost quota again).
    """

    operation = "submitDeploymentActualsFromDataset"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "dataset_id",
        "version_id",
        "association_id_column",
        "actual_value_column",
        "timestamp_column",
        "was_acted_on_column",
        "keep_actuals_without_predictions",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        dataset_id: str,
        version_id: str | None = None,
        association_id_column: str = "association_id",
        actual_value_column: str = "actual_value",
        timestamp_column: str | None = None,
        was_acted_on_column: str | None = None,
        keep_actuals_without_predictions: bool | str | None = None,
        timeout: float | timedelta | str | None = timedelta(days=1),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.deployment_id = deployment_id
        self.dataset_id = dataset_id
        self.version_id = version_id
        self.association_id_column = association_id_column
        self.actual_value_column = actual_value_column
        self.timestamp_column = timestamp_column
        self.was_acted_on_column = was_acted_on_column
        self.keep_actuals_without_predictions = keep_actuals_without_predictions

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.dataset_id = arguments.identifier("dataset_id", self.dataset_id)
        self.version_id = arguments.optional_identifier("version_id", self.version_id)
        self._body: dict[str, Any] = {
            "associationIdColumn": arguments.named("association_id_column", self.association_id_column, 512),
            "actualValueColumn": arguments.named("actual_value_column", self.actual_value_column, 512),
        }
        if self._body["associationIdColumn"] == self._body["actualValueColumn"]:
            raise InvalidCall("association_id_column and actual_value_column must be two columns")
        if not arguments.absent(self.timestamp_column):
            self._body["timestampColumn"] = str(self.timestamp_column)
        if not arguments.absent(self.was_acted_on_column):
            self._body["wasActedOnColumn"] = str(self.was_acted_on_column)
        if not arguments.absent(self.keep_actuals_without_predictions):
            keep = arguments.flag("keep_actuals_without_predictions", self.keep_actuals_without_predictions)
            self._body["keepActualsWithoutPredictions"] = keep

    def identity(self) -> dict[str, Any]:
        """The deployment, the dataset, and its columns."""
        return {"deployment": self.deployment_id, "dataset": self.dataset_id, "version": self.version_id, **self._body}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Refuses what cannot go well, waits for a dataset that is not ready, and submits."""
        association.required(run.client, self.deployment_id)
        known = run.handle.before if run.handle is not None and run.handle.state != "settled" else {}
        version = self.version_id or known.get("version_id")  # the version of the first look, if there was one
        found = datasets.get(run.client, self.dataset_id, version)
        datasets.refuse_unusable(found)
        version = str(found["versionId"])
        known = {"version_id": version, "rows": found.get("rowCount")}
        if found.get("processingState") == "RUNNING":
            run.adopt(PROCESSING, before=known)
            [processing] = datasets.Created(self.dataset_id, version).waits
            return Await(processing, f"dataset {self.dataset_id} is being processed")
        try:
            sent = run.submit(
                self.operation,
                {"datasetId": self.dataset_id, "datasetVersionId": version, **self._body},
                stage=JOB,
                look=None,
                extra_body=self.extra_body,
                before=known,
                deploymentId=self.deployment_id,
            )
        except TooManyRequests as full:
            return self._outwait(run, full, known)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None:
            return self._result(known)
        return Await(JobWait(path), f"actuals of dataset {self.dataset_id} are being taken over")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The dataset is ready, the quota is free again: look again. The job is over: done."""
        assert run.handle is not None, "a wait that ended has a handle"
        return self._result(run.handle.before) if run.handle.stage == JOB else self.start(run)

    def _outwait(self, run: Run, full: TooManyRequests, known: dict[str, Any]) -> Await:
        """The hourly quota is spent: go on when the service says, else in the next hour of its clock."""
        pause = full.retry_after if full.retry_after is not None else HOUR - run.clock() % HOUR
        run.adopt(QUOTA, before=known)
        note = f"the quota is spent ({full.message}); going on in {pause:.0f} s"
        return Await(UntilWait(run.clock() + pause + MARGIN), note)

    def _result(self, known: dict[str, Any]) -> dict[str, Any]:
        return {
            "deployment_id": self.deployment_id,
            "dataset_id": self.dataset_id,
            "version_id": known["version_id"],
            "rows": known["rows"],
            "submitted": True,
        }
