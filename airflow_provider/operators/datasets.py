"""Datasets of the catalog: upload a file, download one, delete one."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall, OutcomeUnknown
from airflow_provider.api.waits import wait_from_json
from airflow_provider.mlops import datasets
from airflow_provider.mlops.rows import UnreadableSource
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client
    from airflow_provider.tasks.memory import Handle

UPLOAD = "upload"
NAME_LENGTH = 200


class DataRobotUploadDatasetOperator(DataRobotBaseOperator):
    """Uploads a file to the catalog as a dataset, or as a new version of one, and waits until it is processed.

    The file is streamed: memory stays the same for any size.

    :param source: a path or URL that Airflow's object storage knows. The service reads CSV, Parquet and more, and
        compressed files; the endings of the name tell it which.
    :param name: what the dataset shall be called; default: the name of the file.
    :param dataset_id: make a new version of this dataset; it keeps its name.
    :param marked: add a mark to the name (ten letters, made of DAG, run, task and the file's size and time). By it a
        dataset whose answer was lost is found again, and an attempt or rerun with the same file takes the dataset that
        is there. Without a mark, and for a version, a lost answer ends in OutcomeUnknown, and nothing is sent twice.
    :param categories: TRAINING, PREDICTION or others that the service knows; one word, a list, or words with commas.

    Returns ``dataset_id``, ``version_id``, ``name``, ``rows`` and ``columns`` (None where the service does not tell),
    ``bytes`` (of the file) and ``adopted`` (whether a dataset was there already).

    Fails with UnreadableSource (no file, an empty one, one that changes while it is read), JobFailed (the service could
    not read it; in its words), OutcomeUnknown, WaitTimedOut and the errors of the service. Operations: listDatasets,
    createDatasetFromFile or createDatasetVersionFromFile, getStatus, getDatasetVersion. Memory before Airflow 3.3: the
    mark, looked for among the newest thousand datasets; none for a version.
    """

    operation = "createDatasetFromFile"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "source",
        "name",
        "dataset_id",
        "marked",
        "categories",
    )

    def __init__(
        self,
        *,
        source: str,
        name: str | None = None,
        dataset_id: str | None = None,
        marked: bool | str = True,
        categories: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.name = name
        self.dataset_id = dataset_id
        self.marked = marked
        self.categories = categories

    def prepare(self) -> None:
        """Checks every argument before anything is read or sent."""
        super().prepare()
        self._path = files.path_of("source", self.source)
        self.dataset_id = arguments.optional_identifier("dataset_id", self.dataset_id)
        self.marked = arguments.flag("marked", self.marked)
        self.categories = arguments.several("categories", self.categories)
        self.name = self._path.name if arguments.absent(self.name) else arguments.named("name", self.name, NAME_LENGTH)
        if any(sign in self.name for sign in "/\\\r\n"):
            raise InvalidCall(f"name must be one line without slashes, not {self.name!r}")

    def identity(self) -> dict[str, Any]:
        """The file, and what it shall be in the catalog."""
        return {"source": str(self._path), "name": self.name, "dataset_id": self.dataset_id}

    def start(self, run: Run) -> Step:
        """Takes the dataset that carries our mark, or uploads."""
        state = files.state_of(self._path)
        if state.size == 0:
            raise UnreadableSource(f"{self._path} is empty")
        if self.dataset_id is not None:
            return self._send(run, datasets.file_name(str(self.name), None, self._path.name), state)
        mark = datasets.mark_of(self._instance, self._path, *astuple(state)) if self.marked else None
        name = datasets.file_name(str(self.name), mark, self._path.name)
        found = datasets.find(run.client, name, failed=False) if mark else None
        if found is None:
            return self._send(run, name, state)
        self.log.info("Dataset %s (%s) is this file already; it is taken.", found["datasetId"], name)
        return self._await(run, datasets.taken_up(found), state, noted=False)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with what an earlier attempt sent; a version of which nothing was noted is not sent again."""
        if handle.state == "submitted" and not handle.wait and handle.before.get("version_id"):
            return self._processing(handle)
        if handle.state == "submitted" and not handle.wait and self.dataset_id is not None:
            run.memory.settle()
            raise OutcomeUnknown(
                f"an earlier attempt sent a version of dataset {self.dataset_id} and ended before it noted which; "
                "check with listDatasetVersions, then clear the task to send it again, or do not",
                operation="createDatasetVersionFromFile",
            )
        return super().take_up(run, handle)

    def _send(self, run: Run, name: str, state: files.FileState) -> Step:
        version: dict[str, Any] = {} if self.dataset_id is None else {"datasetId": self.dataset_id}
        look = (lambda: datasets.find(run.client, name)) if self.marked and self.dataset_id is None else None
        with self._path.open("rb") as stream:
            sent = run.submit(
                "createDatasetVersionFromFile" if version else "createDatasetFromFile",
                datasets.body_of(stream, name, list(self.categories or ())),
                stage=UPLOAD,
                look=look,
                extra_body=self.extra_body,
                **version,
            )
        created = datasets.created_of(run.client, sent)
        self.log.info("Uploaded %d bytes as %s: dataset %s.", state.size, name, created.dataset_id)
        if files.state_of(self._path) != state:
            run.memory.settle()
            raise UnreadableSource(
                f"{self._path} was changed while it was read; dataset {created.dataset_id} holds both"
            )
        return self._await(run, created, state, noted=True)

    def _await(self, run: Run, created: datasets.Created, state: files.FileState, *, noted: bool) -> Await:
        known = {"version_id": created.version_id, "bytes": state.size, "adopted": created.adopted}
        if noted:
            run.memory.update(id=created.dataset_id, before=known)
        else:
            run.adopt(UPLOAD, before=known, id=created.dataset_id)
        return Await(created.waits[0], f"dataset {created.dataset_id} is being read")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over: the dataset tells whether it can be used. Then the account of it."""
        assert run.handle is not None, "a wait that ended has a handle"
        if "entity" not in result:
            return self._processing(run.handle)
        found, known = result["entity"], run.handle.before
        return {
            "dataset_id": run.handle.id,
            "version_id": known["version_id"],
            "name": found.get("name"),
            "rows": found.get("rowCount"),
            "columns": found.get("columnCount"),
            "bytes": known["bytes"],
            "adopted": known["adopted"],
        }

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Where only the record of the job is gone, the dataset itself tells; else the task fails."""
        assert run.handle is not None, "a wait that ended has a handle"
        if datasets.is_lost(wait_from_json(run.handle.wait or {}), reason):
            return self._processing(run.handle)
        return super().failed(run, f"dataset {run.handle.id}: {reason}", result)

    def _processing(self, handle: Handle) -> Await:
        [processing] = datasets.Created(str(handle.id), handle.before["version_id"]).waits
        return Await(processing, f"dataset {handle.id} is being processed")


class DataRobotDeleteDatasetOperator(DataRobotBaseOperator):
    """Deletes a dataset with all its versions; one that is gone is a success without a write.

    :param dataset_id: the dataset.

    Returns ``dataset_id`` and ``deleted``. Fails with the errors of the service. Operations: getDataset,
    deleteDataset. Memory before Airflow 3.3: a dataset that is gone was deleted.
    """

    operation = "deleteDataset"
    template_fields = (*DataRobotBaseOperator.template_fields, "dataset_id")

    def __init__(self, *, dataset_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.dataset_id = arguments.identifier("dataset_id", self.dataset_id)

    def identity(self) -> dict[str, Any]:
        """The dataset."""
        return {"dataset_id": self.dataset_id}

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone."""
        there = delete(
            run, self.operation, lambda: datasets.get(run.client, self.dataset_id), datasetId=self.dataset_id
        )
        return {"dataset_id": self.dataset_id, "deleted": there is not None}


class DataRobotDownloadDatasetOperator(DataRobotBaseReadOperator):
    """Downloads the file of a dataset to any path or URL that Airflow's object storage knows.

    The file is gathered beside the worker and put to its place whole, so that nobody ever sees a part of it. Memory
    stays the same for any size; the worker needs room for the file in its temporary folder.

    :param dataset_id: the dataset.
    :param path: where the file goes; one that is there is replaced.
    :param version_id: of this version; default: the latest.

    Returns ``dataset_id``, ``version_id``, ``path``, ``bytes``, ``sha256`` (of the file) and ``media_type``. Fails with
    DatasetNotUsable when the dataset is in state ERROR, and with the errors of the service. Operations: getDataset,
    downloadDatasetFile; getDatasetVersion, downloadDatasetVersionFile.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "dataset_id", "path", "version_id")

    def __init__(self, *, dataset_id: str, path: str, version_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.version_id = version_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.dataset_id = arguments.identifier("dataset_id", self.dataset_id)
        self.version_id = arguments.optional_identifier("version_id", self.version_id)
        self._target = files.path_of("path", self.path)

    def read(self, client: Client) -> dict[str, Any]:
        """Downloads, then puts the file to its place."""
        found = datasets.get(client, self.dataset_id, self.version_id)
        datasets.refuse_in_error(found)
        with tempfile.TemporaryFile() as part:
            kind = datasets.download(client, part, self.dataset_id, self.version_id)
            size = part.tell()
            part.seek(0)
            digest = hashlib.file_digest(part, "sha256").hexdigest()
            files.put(part, self._target)
        self.log.info("Dataset %s: %d bytes to %s.", self.dataset_id, size, self._target)
        return {
            "dataset_id": self.dataset_id,
            "version_id": found.get("versionId"),
            "path": str(self._target),
            "bytes": size,
            "sha256": digest,
            "media_type": kind,
        }
