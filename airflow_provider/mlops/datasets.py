"""Datasets of the catalog: a file goes up as a stream, is waited for, and is found again after a lost answer.

    name + mark ──► upload (multipart) ──► job ──► processing ──► COMPLETED
                       └─ answer lost ──► listed by its name? taken up : sent once more

The service calls a dataset after its file, and no list can be searched. So the file's name carries a mark of ours, and
the newest datasets are looked through. A new version of a dataset has no name of its own: nothing tells it from
somebody else's, so it is sent at most once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider.api.errors import DataRobotError, Gone, JobFailed, NotFound, PollBudgetSpent, WaitTimedOut
from airflow_provider.api.locations import local_path
from airflow_provider.api.messages import prepare
from airflow_provider.api.once import SETTLE, Sent, send_once
from airflow_provider.api.uploads import Upload
from airflow_provider.api.waiting import GaveUp, TimedOut
from airflow_provider.api.waits import EntityWait, Failed, JobWait, Wait

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

NEWEST = 1000  # datasets that a look goes through: ten pages, for an upload of minutes or hours ago
PAGE = 100
MARK_LENGTH = 10
LOST = ("EXPIRED", "not found")  # what the end of a job says whose record is gone
MOST_ACTUALS = 5_000_000  # rows that submitDeploymentActualsFromDataset takes (wire.md D)
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".gz": "application/gzip",
    ".zip": "application/zip",
}


class DatasetNotUsable(DataRobotError):
    """A dataset cannot be used for what is wanted: it is in error, no snapshot, or too large."""


@dataclass(frozen=True, slots=True)
class Created:
    """A dataset, or a version of one, that the service is reading.

    :param version_id: None: whatever is the latest.
    :param job: the path of its job; None where only the dataset is known.
    :param adopted: it is one whose answer was lost, or of an earlier attempt.
    """

    dataset_id: str
    version_id: str | None
    job: str | None = None
    adopted: bool = False

    @property
    def waits(self) -> list[Wait]:
        """What to wait for, one after the other: the job where it is known, then the processing."""
        version = f"versions/{self.version_id}/" if self.version_id else ""
        processing = EntityWait(f"datasets/{self.dataset_id}/{version}", "dataset")
        return [JobWait(self.job), processing] if self.job else [processing]


def mark_of(*parts: object) -> str:
    """A mark for a name: the same parts give the same mark."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:MARK_LENGTH]


def file_name(name: str, mark: str | None, like: str) -> str:
    """The name of an uploaded file: the wanted name, the mark, and the endings of the source, which tell its format."""
    endings = endings_of(like)
    stem = name.removesuffix(endings) if endings else name
    return f"{stem} {mark}{endings}" if mark else f"{stem}{endings}"


def endings_of(name: str) -> str:
    """What tells the format of a file: ``.csv``, ``.csv.gz``; '' where nothing does."""
    found = ""
    for one in reversed(PurePosixPath(name).suffixes[-2:]):
        if not one[1:].isalnum() or one[1:].isdigit():
            break
        found = one + found
    return found


def media_type(name: str) -> str:
    """What a file of this name is."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def find(client: Client, name: str, *, failed: bool = True) -> dict[str, Any] | None:
    """The newest dataset of this name among the newest thousand (operation listDatasets); None where there is none.

    :param failed: also one whose processing ended in ERROR.
    """
    stem = name.removesuffix(endings_of(name))  # a server may drop them
    listed = client.iterate("listDatasets", orderBy="-created", limit=PAGE, offset=0)
    for one in islice(listed, NEWEST):
        if one.get("name") in (name, stem) and (failed or one.get("processingState") != "ERROR"):
            return one
    return None


def body_of(stream: BinaryIO, name: str, categories: Sequence[str] = ()) -> Upload:
    """The body of an upload."""
    fields = (("categories", ",".join(categories)),) if categories else ()
    return Upload(stream, name, media_type(name), fields)


def created_of(client: Client, sent: Sent) -> Created:
    """What an upload has made, from its answer or from what was found after a lost one."""
    if sent.answer is None:
        return taken_up(sent.found)
    answer = sent.answer
    job = local_path(answer.location, client.settings) if answer.location else None
    return Created(str(answer.require("catalogId")), str(answer.require("catalogVersionId")), job)


def taken_up(dataset: Mapping[str, Any]) -> Created:
    """A dataset that is there already."""
    return Created(str(dataset["datasetId"]), str(dataset["versionId"]), adopted=True)


def upload(
    client: Client, stream: BinaryIO, name: str, *, dataset_id: str | None = None, settle: float = SETTLE
) -> Created:
    """Uploads a file as a dataset of this name, or as a new version of one; memory stays the same for any size.

    :param stream: open for reading bytes, and able to go back to its start.
    :param name: of the file; unique for a dataset (:func:`file_name`), because a lost answer is looked for by it.
    :param dataset_id: make a new version of this dataset.
    :raises OutcomeUnknown: the answer was lost, and what became of it cannot be told (always so for a version).
    """
    body = body_of(stream, name)
    if dataset_id is not None:
        call = prepare("createDatasetVersionFromFile", {"datasetId": dataset_id}, body)
        return created_of(client, send_once(client, call, None, settle=settle))
    call = prepare("createDatasetFromFile", {}, body)
    return created_of(client, send_once(client, call, lambda: find(client, name), settle=settle))


def wait_processed(
    client: Client,
    created: Created,
    *,
    deadline: float | None = None,
    on_pending: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Waits in this process until a dataset is ready; gives it as getDatasetVersion does.

    :raises JobFailed: the service could not read the file; the message has its words.
    :raises WaitTimedOut: not ready at the deadline (seconds since 1970); PollBudgetSpent: not to be asked for too long.
    """
    dataset: dict[str, Any] = {}
    for wait in created.waits:
        end = client.wait(wait, deadline=deadline, on_pending=on_pending)
        told = f"dataset {created.dataset_id} is not ready"
        if isinstance(end, TimedOut):
            raise WaitTimedOut(f"{told}: {end.note}", operation="getDatasetVersion")
        if isinstance(end, GaveUp):
            spent = PollBudgetSpent(f"{told}: {end.reason}", operation="getDatasetVersion")
            spent.retryable = not end.refused
            raise spent
        if isinstance(end, Failed) and not is_lost(wait, end.reason):
            raise JobFailed(f"{told}: {end.reason}", operation="getDatasetVersion")
        dataset = end.result.get("entity", dataset)
    return dataset


def is_lost(wait: Wait, reason: str) -> bool:
    """Whether only the record of a job is gone: then the dataset itself tells how it went."""
    return isinstance(wait, JobWait) and reason.startswith(LOST)


def delete(client: Client, dataset_id: str) -> bool:
    """Deletes a dataset (operation deleteDataset); False when it was gone already."""
    call = prepare("deleteDataset", {"datasetId": dataset_id})
    try:
        send_once(client, call, lambda: True if _is_gone(client, dataset_id) else None)
    except (NotFound, Gone):
        return False
    return True


def get(client: Client, dataset_id: str, version_id: str | None = None) -> dict[str, Any]:
    """A dataset as its latest version, or as a given one."""
    if version_id is None:
        found: dict[str, Any] = client.call("getDataset", datasetId=dataset_id).object()
        return found
    return client.call("getDatasetVersion", datasetId=dataset_id, datasetVersionId=version_id).object()


def download(client: Client, into: BinaryIO, dataset_id: str, version_id: str | None = None) -> str:
    """Writes the file of a dataset into ``into``; gives its media type. Memory stays the same for any size."""
    if version_id is None:
        return client.download("downloadDatasetFile", into, datasetId=dataset_id).content_type
    answer = client.download("downloadDatasetVersionFile", into, datasetId=dataset_id, datasetVersionId=version_id)
    return answer.content_type


def refuse_unusable(dataset: Mapping[str, Any]) -> None:
    """Raises :class:`DatasetNotUsable` for a dataset from which no actuals can be taken."""
    refuse_in_error(dataset)
    name = _told(dataset)
    if dataset.get("isSnapshot") is False:
        raise DatasetNotUsable(f"{name} is no snapshot: actuals are taken from snapshots only")
    rows = dataset.get("rowCount")
    if isinstance(rows, int) and rows > MOST_ACTUALS:
        raise DatasetNotUsable(f"{name} has {rows:,} rows, and the service takes {MOST_ACTUALS:,} actuals a call")
    if rows == 0:
        raise DatasetNotUsable(f"{name} has no rows")


def refuse_in_error(dataset: Mapping[str, Any]) -> None:
    """Raises :class:`DatasetNotUsable` for a dataset that the service could not read."""
    if dataset.get("processingState") == "ERROR":
        why = dataset.get("error") or "the service gave no reason"
        raise DatasetNotUsable(f"{_told(dataset)} is in state ERROR: {why}")


def _told(dataset: Mapping[str, Any]) -> str:
    return f"dataset {dataset.get('datasetId')} ({dataset.get('name')!r})"


def _is_gone(client: Client, dataset_id: str) -> bool:
    try:
        get(client, dataset_id)
    except (NotFound, Gone):
        return True
    return False
