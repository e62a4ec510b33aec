"""Batch predictions: score a file, a dataset or a table with the champion of a deployment."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Conflict, InvalidCall, OutcomeUnknown, Refused
from airflow_provider.mlops import batch_predictions
from airflow_provider.mlops.rows import UnreadableSource
from airflow_provider.tasks import files
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run
from airflow_provider.tasks.scoring_order import OPTIONS, ScoringOrder, order_of
from airflow_provider.tasks.stopping import stop

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle

CREATE, UPLOAD = "create", "upload"


class DataRobotScoreBatchOperator(DataRobotBaseOperator):
    """Scores many rows with the champion of a deployment, and waits until it is done.

    Rows come from exactly one of ``source``, ``dataset_id`` and ``intake_settings``; results go to exactly one of
    ``target`` and ``output_settings``. A file is streamed through this worker, both ways: memory stays the same for any
    size, and the target is put to its place whole. All else the service reads and writes itself.

    :param deployment_id: the deployment.
    :param source: a CSV file with a header, at any path or URL that Airflow's object storage knows.
    :param dataset_id: a dataset of the catalog.
    :param intake_settings: where the service finds the rows, as it documents it (``{"type": "s3", "url": ...,
        "credentialId": ...}``). Credentials stand in the service; never put them here.
    :param target: where the results go, at any path or URL; one that is there is replaced.
    :param output_settings: where the service writes them, as it documents it.
    :param passthrough_columns: columns of the rows that the results repeat: a list, or ``all``.
    :param csv_settings: ``delimiter``, ``encoding`` and ``quotechar`` of both files.
    :param prediction_threshold: from 0 to 1, of a binary target. Further options: ``max_explanations``,
        ``include_probabilities``, ``include_prediction_status``, ``skip_drift_tracking`` (keep the rows out of the
        deployment's monitoring), ``num_concurrent``, ``abort_on_error``. None: the service decides.
    :param monitoring_batch_prefix: make a monitoring batch of the rows, whose name begins so.
    :param extra_body: whatever else the service documents for a job (``timeseriesSettings``, ``chunkSize``, ...).

    Returns ``batch_prediction_id``, ``status``, ``scored_rows``, ``failed_rows``, ``skipped_rows``,
    ``elapsed_seconds``, ``monitoring_batch_id`` (None where there is none), and of a ``target`` ``path``, ``bytes`` and
    ``sha256``.

    Fails with UnreadableSource (no file, an empty one, one that changes while it is read), JobFailed (in the service's
    words), BatchPredictionAborted, ResultsMissing, OutcomeUnknown (a lost answer to the creation: nothing tells one job
    from two), WaitTimedOut and the errors of the service. A kill or a deadline aborts the job. Operations:
    createBatchPrediction, uploadBatchPredictionCsv, getBatchPrediction, downloadBatchPrediction,
    deleteBatchPrediction. Memory before Airflow 3.3: none; another attempt is another job.
    """

    operation = "createBatchPrediction"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "source",
        "dataset_id",
        "intake_settings",
        "target",
        "output_settings",
        "passthrough_columns",
        "csv_settings",
        *OPTIONS,
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        source: str | None = None,
        dataset_id: str | None = None,
        intake_settings: Mapping[str, Any] | None = None,
        target: str | None = None,
        output_settings: Mapping[str, Any] | None = None,
        passthrough_columns: str | Sequence[str] | None = None,
        csv_settings: Mapping[str, str] | None = None,
        prediction_threshold: float | str | None = None,
        max_explanations: int | str | None = None,
        include_probabilities: bool | str | None = None,
        include_prediction_status: bool | str | None = None,
        skip_drift_tracking: bool | str | None = None,
        num_concurrent: int | str | None = None,
        abort_on_error: bool | str | None = None,
        monitoring_batch_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.source = source
        self.dataset_id = dataset_id
        self.intake_settings = intake_settings
        self.target = target
        self.output_settings = output_settings
        self.passthrough_columns = passthrough_columns
        self.csv_settings = csv_settings
        self.prediction_threshold = prediction_threshold
        self.max_explanations = max_explanations
        self.include_probabilities = include_probabilities
        self.include_prediction_status = include_prediction_status
        self.skip_drift_tracking = skip_drift_tracking
        self.num_concurrent = num_concurrent
        self.abort_on_error = abort_on_error
        self.monitoring_batch_prefix = monitoring_batch_prefix

    def prepare(self) -> None:
        """Checks every argument before anything is read or sent."""
        super().prepare()
        self._order: ScoringOrder = order_of({name: getattr(self, name) for name in self.template_fields})

    def identity(self) -> dict[str, Any]:
        """The deployment, the rows and where the results go."""
        return self._order.identity

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self._order.deployment_id)

    def start(self, run: Run) -> Step:
        """Creates the job, and gives it its rows."""
        if self._order.source is not None and files.state_of(self._order.source).size == 0:
            raise UnreadableSource(f"{self._order.source} is empty")
        sent = run.submit(self.operation, self._order.body, stage=CREATE, look=None, extra_body=self.extra_body)
        assert sent.answer is not None, "nothing is looked for"
        job_id = batch_predictions.id_of(sent.answer)
        self.log.info("Batch prediction %s was created.", job_id)
        # Noted at once, with what stops it: a kill while the file goes up shall leave nothing behind.
        run.memory.update(id=job_id, cancel=batch_predictions.abortion(job_id))
        return self._with_rows(run, job_id)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with the job of an earlier attempt; one of which nothing is known is not created again."""
        if handle.id is None:
            run.memory.settle()
            raise OutcomeUnknown(
                "an earlier attempt ended while it created a job, and whether it did is not known; look at "
                "listBatchPredictions, then clear the task to create one, or do not",
                operation=self.operation,
            )
        if handle.state == "submitted" and handle.wait:
            return super().take_up(run, handle)
        run.outwait(handle)
        return self._with_rows(run, handle.id)

    def on_kill(self) -> None:
        """Aborts the job, also while its rows are on their way."""
        handle = self._run.handle if self._run is not None else None
        if self._run is not None and handle is not None and handle.id and handle.cancel is None:
            self._run.memory.handle = replace(handle, cancel=batch_predictions.abortion(handle.id))
        super().on_kill()

    def _with_rows(self, run: Run, job_id: str) -> Step:
        """Uploads the rows, if they are ours to give and are missing; then waits."""
        if self._order.source is not None and batch_predictions.wants_rows(batch_predictions.get(run.client, job_id)):
            self._upload(run, job_id)
        note = f"batch prediction {job_id} is being scored"
        return Await(batch_predictions.wait_for(job_id), note, batch_predictions.abortion(job_id))

    def _upload(self, run: Run, job_id: str) -> None:
        source = self._order.source
        assert source is not None, "only a file is uploaded"

        def taken() -> bool | None:
            return None if batch_predictions.wants_rows(batch_predictions.get(run.client, job_id)) else True

        state = files.state_of(source)
        with source.open("rb") as stream:
            try:
                run.submit(
                    "uploadBatchPredictionCsv",
                    batch_predictions.body_of(stream, source.name),
                    stage=UPLOAD,
                    look=taken,
                    id=job_id,
                    batchPredictionId=job_id,
                )
            except Refused as refused:
                if refused.sends == 1 and not isinstance(refused, Conflict):
                    if not refused.retryable:
                        stop(run, "its rows were refused", wanted=True, even_adopted=False)
                    raise
                # It has a file: ours, whose answer was lost, now or in an earlier attempt.
                self.log.warning("Batch prediction %s takes no file any more (%s); waiting for it.", job_id, refused)
                run.adopt(UPLOAD, id=job_id)
                run.memory.update(owner="ours")
            except InvalidCall as shorter:
                raise self._changed(run, job_id) from shorter
        run.memory.update(cancel=batch_predictions.abortion(job_id))
        if files.state_of(source) != state:
            raise self._changed(run, job_id)
        self.log.info("Uploaded %d bytes.", state.size)

    def _changed(self, run: Run, job_id: str) -> UnreadableSource:
        """Aborts the job; the error to raise."""
        run.client.call("deleteBatchPrediction", batchPredictionId=job_id)
        run.memory.settle()
        text = f"{self._order.source} was changed while it was read; batch prediction {job_id} was aborted"
        return UnreadableSource(text)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is done: fetches its results, if they are to go through us."""
        job = result["entity"]
        if self._order.target is None:
            return batch_predictions.told(job)
        with tempfile.TemporaryFile() as part:
            size = batch_predictions.download(run.client, part, job)
            part.seek(0)
            digest = hashlib.file_digest(part, "sha256").hexdigest()
            files.put(part, self._order.target)
        self.log.info("Results of %s: %d bytes to %s.", job.get("id"), size, self._order.target)
        return {**batch_predictions.told(job), "path": str(self._order.target), "bytes": size, "sha256": digest}

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """The service's words; what somebody aborted is not begun again by a retry."""
        told = f"batch prediction {run.handle.id if run.handle else ''}: {reason}"
        if (result.get("entity") or {}).get("status") == "ABORTED":
            run.memory.settle()
            raise batch_predictions.BatchPredictionAborted(told, operation=self.operation)
        return super().failed(run, told, result)
