"""Old exports and their datasets: the catalog keeps at most a hundred of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_provider.api import moments
from airflow_provider.api.errors import Gone, NotFound
from airflow_provider.mlops import datasets, exports
from airflow_provider.mlops.exports import KINDS, Kind
from airflow_provider.mlops.windows import service_time
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run

WEEK = timedelta(days=7)


class DataRobotDeleteOldExportsOperator(DataRobotBaseOperator):
    """Deletes the datasets of old exports of a deployment, and the records of exports where the service can.

    The catalog keeps at most 100 exports of each kind: run this after each export, or no new one can be made some day.
    What is under way is never touched, and what is gone already is no error. Only exports of actuals can be deleted
    themselves; of the others the datasets go, and the records stay.

    :param deployment_id: the deployment.
    :param kinds: ``predictions``, ``actuals``, ``training``; default: the first two (training data do not grow).
    :param older_than: seconds or a timedelta since an export was asked for.
    :param keep: so many of the newest of each kind stay, however old they are.
    :param created_by: only exports of the user with this id; default: of everybody whose datasets this user may delete.

    Returns ``deployment_id``, ``datasets_deleted``, ``exports_deleted``, ``datasets_gone`` (already, or of other users)
    and ``kept`` (exports). Fails with the errors of the service. Operations: getVersion, the lists of exports,
    getDataset, deleteDataset, deleteDeploymentActualsDataExport. Memory before Airflow 3.3: none is needed, what is
    deleted stays deleted.
    """

    operation = "deleteDataset"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "kinds",
        "older_than",
        "keep",
        "created_by",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        kinds: str | Sequence[str] = ("predictions", "actuals"),
        older_than: float | timedelta | str = WEEK,
        keep: int | str = 0,
        created_by: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.kinds = kinds
        self.older_than = older_than
        self.keep = keep
        self.created_by = created_by

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._kinds = [KINDS[name] for name in arguments.some_of("kinds", self.kinds, tuple(KINDS))]
        self._age = arguments.seconds("older_than", self.older_than) or 0.0
        self._keep = arguments.whole("keep", self.keep, 0)
        self.created_by = arguments.optional_identifier("created_by", self.created_by)

    def identity(self) -> dict[str, Any]:
        """Which exports go."""
        kinds = [kind.name for kind in self._kinds]
        return {"deployment": self.deployment_id, "kinds": kinds, "older_than": self._age, "keep": self._keep}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Deletes what is old, the oldest first."""
        now = service_time(run.client)
        counts = {"datasets_deleted": 0, "exports_deleted": 0, "datasets_gone": 0, "kept": 0}
        for kind in self._kinds:
            for export, old in self._judged(run, kind, now.timestamp()):
                if not old:
                    counts["kept"] += 1
                    continue
                for one in exports.datasets_of(export):
                    counts["datasets_deleted" if self._delete_dataset(run, one) else "datasets_gone"] += 1
                counts["exports_deleted"] += self._delete_export(run, kind, str(export["id"]))
        return {"deployment_id": self.deployment_id, **counts}

    def _judged(self, run: Run, kind: Kind, now: float) -> Iterator[tuple[Mapping[str, Any], bool]]:
        """Each export of a kind, the oldest first, and whether it goes."""
        found = list(exports.exports(run.client, kind, self.deployment_id))
        found.sort(key=lambda one: str(one.get("createdAt") or ""))
        for number, one in enumerate(found):
            newest = number >= len(found) - self._keep
            ours = self.created_by in (None, exports.maker(one))
            made = one.get("createdAt")
            aged = bool(made) and now - moments.read(made).timestamp() > self._age
            yield one, aged and ours and not newest and not exports.is_pending(one)

    def _delete_dataset(self, run: Run, dataset_id: str) -> bool:
        """Whether it was there and is deleted now."""

        def gone() -> bool | None:
            try:
                datasets.get(run.client, dataset_id)
            except (Gone, NotFound):
                return True
            return None

        if gone():
            return False
        named: dict[str, Any] = {"datasetId": dataset_id}
        return _done(lambda: run.submit("deleteDataset", stage="delete", look=gone, id=dataset_id, **named))

    def _delete_export(self, run: Run, kind: Kind, export_id: str) -> bool:
        if kind.delete is None:
            return False
        named: dict[str, Any] = {"deploymentId": self.deployment_id, "exportId": export_id}

        def gone() -> bool | None:
            try:
                run.read(kind.get, **named)
            except (Gone, NotFound):
                return True
            return None

        return _done(lambda: run.submit(str(kind.delete), stage="delete", look=gone, id=export_id, **named))


def _done(delete: Callable[[], object]) -> bool:
    """Whether a deletion was ours; somebody else may be faster."""
    try:
        delete()
    except (Gone, NotFound):
        return False
    return True
