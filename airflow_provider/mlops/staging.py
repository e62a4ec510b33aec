"""The other way of chunks to a deployment: many of them as one dataset of the catalog.

    chunk ──► part on disk ─┐
    chunk ──► part on disk ─┴─► one CSV ──► dataset ──► processed ──► intend ──► fromDataset ──► job ──► deleted

The dataset is named after its rows, so one that is there already (a worker died, an answer was lost) is taken up. Only
the post counts for the quota. The rows are those that were checked, and the ledger tells of chunks as it does on the
other way: a retry may change ways.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider.api.errors import DataRobotError, JobFailed, WaitTimedOut
from airflow_provider.api.messages import prepare
from airflow_provider.mlops import datasets
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.sending import Sending

if TYPE_CHECKING:
    from airflow_provider.mlops.ledger import Ledger

FIELDS = ("associationId", "actualValue", "timestamp", "wasActedOn")
STAND_BY = 60.0  # seconds that a worker waits in place for a dataset
log = logging.getLogger(__name__)


class DatasetSending(Sending):
    """Up to 5,000,000 rows are a dataset, and one post.

    :param fields: which of :data:`FIELDS` the rows have.
    :param folder: where parts wait, on this machine.
    :param keep: keep actuals without predictions; None: the service decides.
    :param delete: delete the dataset when its rows are taken over.
    """

    operation = "submitDeploymentActualsFromDataset"

    def __init__(
        self, *way: Any, fields: Sequence[str], folder: Path, keep: bool | None = None, delete: bool = True
    ) -> None:
        super().__init__(*way)
        self._fields = [name for name in FIELDS if name in fields]
        self._folder = folder
        self._keep = keep
        self._delete = delete
        self._version: str | None = None

    def take(self, chunk: Chunk) -> Chunk:
        """Puts its rows to disk; memory holds what is known of it."""
        rows = json.loads(chunk.body)["data"]
        with self._part(chunk).open("w", newline="") as part:
            csv.writer(part).writerows([_text(row.get(name)) for name in self._fields] for row in rows)
        return replace(chunk, body=b"")

    def over(self, path: str) -> None:
        """Deletes the dataset of this job, if that is wanted."""
        if self._delete:
            clean(self._client, self._ledger, [path])

    def ready(self, batch: Sequence[Chunk]) -> str | None:
        """Uploads the rows as a dataset, or finds it; its path, when it is not processed before long."""
        mark = datasets.mark_of(self._deployment_id, *(chunk.digest for chunk in batch))
        name = datasets.file_name("actuals", mark, "actuals.csv")
        found = datasets.find(self._client, name, failed=False)
        if found is not None:
            created = datasets.taken_up(found)
        else:
            with self._joined(batch) as stream:
                created = datasets.upload(self._client, stream, name)
        deadline = self._client.clock() + STAND_BY
        try:
            dataset = datasets.wait_processed(self._client, created, deadline=deadline)
        except WaitTimedOut:
            return created.waits[-1].request()
        count, rows = dataset.get("rowCount"), sum(chunk.rows for chunk in batch)
        if count not in (None, rows):
            raise JobFailed(f"dataset {created.dataset_id} has {count} rows, and {rows} were uploaded")
        self.dataset, self._version = created.dataset_id, created.version_id
        log.info("Dataset %s holds %d rows.", created.dataset_id, rows)
        return None

    def posted(self, batch: Sequence[Chunk], threads: Executor) -> Iterable[str | DataRobotError]:
        """One post for all."""
        body: dict[str, Any] = {"datasetId": self.dataset, **{f"{name}Column": name for name in self._fields}}
        if self._version is not None:
            body["datasetVersionId"] = self._version
        if self._keep is not None:
            body["keepActualsWithoutPredictions"] = self._keep
        end = self.post(prepare(self.operation, {"deploymentId": self._deployment_id}, body))
        if isinstance(end, str):
            for chunk in batch:
                self._part(chunk).unlink()
        else:
            end.message += f"; dataset {self.dataset} was accepted before that, and the next attempt takes it"
        return [end] * len(batch)

    def _part(self, chunk: Chunk) -> Path:
        return self._folder / f"{chunk.number}.part.csv"

    @contextmanager
    def _joined(self, batch: Sequence[Chunk]) -> Iterator[BinaryIO]:
        """The header and all parts, as one file."""
        with tempfile.TemporaryFile(dir=self._folder) as whole:
            head = io.StringIO(newline="")
            csv.writer(head).writerow(self._fields)
            whole.write(head.getvalue().encode())
            for chunk in batch:
                with self._part(chunk).open("rb") as part:
                    shutil.copyfileobj(part, whole)
            whole.seek(0)
            yield whole


def clean(client: Any, ledger: Ledger, paths: Iterable[str]) -> None:
    """Deletes the datasets of jobs that went well; one that cannot be deleted is named and left."""
    for path in paths:
        dataset = ledger.datasets.get(path)
        if dataset is None:
            continue
        try:
            datasets.delete(client, dataset)
        except DataRobotError as error:
            log.warning("Dataset %s is left in the catalog: %s", dataset, error)


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
