"""Exports of a deployment's monitoring data: what is asked for, what counts as the same, and what may be taken again.

    wanted ──► equal one of ours under way? adopted ──► equal one that is over and not stale? reused ──► created

An export made before its window was closed is stale, and so is every one of actuals: labels come late. Bodies and
entities hold one model each (wire.md H).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider.api import moments
from airflow_provider.api.endings import EXPORT
from airflow_provider.api.errors import DataRobotError, Gone, NotFound
from airflow_provider.mlops import datasets
from airflow_provider.mlops.export_windows import Piece

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

NO_AUGMENTATION = "NO_AUGMENTATION"


class DatasetGone(DataRobotError):
    """The dataset of an export was deleted before it was downloaded; another export is needed."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of exports: its operations, and how many rows one can have (wire.md H).

    :param update: cancels one; None where the service cannot.
    :param delete: deletes the record of one; None where the service cannot.
    """

    name: str
    folder: str
    create: str
    list: str
    get: str
    update: str | None
    delete: str | None
    limit: int | None


PREDICTIONS = Kind(
    "predictions",
    "predictionDataExports",
    "createDeploymentPredictionDataExport",
    "listDeploymentPredictionDataExports",
    "getDeploymentPredictionDataExport",
    "updateDeploymentPredictionDataExport",
    None,
    200_000,
)
ACTUALS = Kind(
    "actuals",
    "actualsDataExports",
    "createDeploymentActualsDataExport",
    "listDeploymentActualsDataExports",
    "getDeploymentActualsDataExport",
    "updateDeploymentActualsDataExport",
    "deleteDeploymentActualsDataExport",
    1_000_000,
)
TRAINING = Kind(
    "training",
    "trainingDataExports",
    "createDeploymentTrainingDataExport",
    "listDeploymentTrainingDataExports",
    "getDeploymentTrainingDataExport",
    None,
    None,
    None,
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (PREDICTIONS, ACTUALS, TRAINING)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one export is asked for.

    :param options: further keys of the body: ``batchIds``, ``augmentationType``, ``onlyMatchedPredictions``.
    """

    kind: Kind
    deployment_id: str
    piece: Piece
    options: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The body of the POST."""
        given = {"modelId": self.piece.model_id, "start": self.piece.start, "end": self.piece.end, **self.options}
        return {name: value for name, value in given.items() if value is not None}

    def path(self, export_id: str) -> str:
        """Where an export of this kind is read, relative to the API root."""
        return f"deployments/{self.deployment_id}/{self.kind.folder}/{export_id}/"

    def cancellation(self, export_id: str) -> dict[str, Any] | None:
        """The write that cancels it, as a handle keeps it; None where there is none."""
        if self.kind.update is None:
            return None
        named = {"deploymentId": self.deployment_id, "exportId": export_id}
        return {"operation": self.kind.update, "arguments": named, "body": {"status": "CANCELLED"}}

    def is_same(self, export: Mapping[str, Any]) -> bool:
        """Whether an export was asked for the same."""
        if self.piece.model_id not in (None, export.get("modelId")):
            return False
        if self.kind is TRAINING:
            return True
        period = export.get("period") or {}
        times = [(self.piece.start, period.get("start")), (self.piece.end, period.get("end"))]
        return all(_same_time(*pair) for pair in times) and self._same_options(export)

    def _same_options(self, export: Mapping[str, Any]) -> bool:
        if self.kind is ACTUALS:
            return bool(export.get("onlyMatchedPredictions")) == bool(self.options.get("onlyMatchedPredictions"))
        batches = {one.get("batchId") for one in _listed(export.get("batches"))}
        augmentation = self.options.get("augmentationType") or NO_AUGMENTATION
        return batches == set(self.options.get("batchIds") or ()) and augmentation == (
            export.get("augmentationType") or NO_AUGMENTATION
        )


def exports(client: Client, kind: Kind, deployment_id: str) -> Iterable[dict[str, Any]]:
    """All exports of a kind, of all users."""
    return client.iterate(kind.list, deploymentId=deployment_id, offset=0, limit=100)


def equal(client: Client, wanted: Wanted) -> list[dict[str, Any]]:
    """All that were asked for the same, the newest first."""
    found = [one for one in exports(client, wanted.kind, wanted.deployment_id) if wanted.is_same(one)]
    return sorted(found, key=lambda one: str(one.get("createdAt") or ""), reverse=True)


def under_way(found: Iterable[Mapping[str, Any]], created_by: str | None) -> Mapping[str, Any] | None:
    """The newest that is under way and ours; without knowing who we are, none."""
    return next((one for one in found if created_by and maker(one) == created_by and is_pending(one)), None)


def new(
    found: Iterable[Mapping[str, Any]], known: Sequence[str], created_by: str | None = None
) -> Mapping[str, Any] | None:
    """The newest that was not there before, and was made by this user where that is known."""
    ours = (one for one in found if created_by is None or maker(one) == created_by)
    return next((one for one in ours if one.get("id") not in known), None)


def reusable(
    client: Client, wanted: Wanted, found: Iterable[Mapping[str, Any]], settle: float
) -> Mapping[str, Any] | None:
    """The newest that is over, was made when its window was closed for so many seconds, and has all its datasets."""
    end = wanted.piece.end
    for one in found:
        over = wanted.kind is TRAINING or one.get("status") == "SUCCEEDED"
        fresh = end is None or (moments.read(one.get("createdAt")) - moments.read(end)).total_seconds() >= settle
        if over and fresh and _all_there(client, one):
            return one
    return None


def is_pending(export: Mapping[str, Any]) -> bool:
    """Whether it is under way."""
    return EXPORT.words.get(str(export.get("status"))) == "pending"


def maker(export: Mapping[str, Any]) -> str | None:
    """The id of the user who asked for it: a text, or an object for actuals (seed 002:1092)."""
    by = export.get("createdBy")
    found = by.get("id") if isinstance(by, Mapping) else by
    return str(found) if found else None


def datasets_of(export: Mapping[str, Any]) -> list[str]:
    """The ids of its datasets: a list, or one object for training data (wire.md H)."""
    return [str(one["id"]) for one in _listed(export.get("data")) if one.get("id")]


def dataset(client: Client, export_id: str | None, dataset_id: str) -> dict[str, Any]:
    """A dataset of an export; raises :class:`DatasetGone` where it is not there any more."""
    found: dict[str, Any] = there(lambda: datasets.get(client, dataset_id), export_id, dataset_id)
    return found


def there(read: Callable[[], Any], export_id: str | None, dataset_id: str) -> Any:
    """What ``read`` gives of a dataset; raises :class:`DatasetGone` where it is not there any more."""
    try:
        return read()
    except (Gone, NotFound) as error:
        raise DatasetGone(
            f"dataset {dataset_id} of export {export_id} was deleted, or belongs to somebody else, before it was "
            f"downloaded ({error.message}); another attempt asks for a new export"
        ) from error


def _all_there(client: Client, export: Mapping[str, Any]) -> bool:
    named = datasets_of(export)
    try:
        return bool(named) and all(datasets.get(client, one).get("processingState") == "COMPLETED" for one in named)
    except (Gone, NotFound):
        return False


def _same_time(one: str | None, other: Any) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return moments.read(one) == moments.read(other)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        return [value]
    return [one for one in value or () if isinstance(one, Mapping)]
