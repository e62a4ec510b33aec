"""Stored predictions with their actuals, as a CSV file."""

from __future__ import annotations

import hashlib
import tempfile
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import model_files
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.downloading import FIELDS, Place
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotDownloadPredictionResultsOperator(DataRobotBaseReadOperator):
    """Downloads stored predictions of a window, with their actuals where they are known, as one CSV file.

    For small windows: the service gives them page by page. Exports are the way for many rows. Take a window that is
    closed: rows that come while the pages are read may shift them.

    :param deployment_id: the deployment.
    :param path: where the file goes: a path or URL that Airflow's object storage knows.
    :param start: inclusive, RFC 3339 (``{{ data_interval_start }}``); None: as the service says.
    :param end: exclusive, likewise.
    :param model_id: of this model only.
    :param actuals_present: only with an actual (True), only without (False), or both (None).
    :param page_rows: rows that a page is asked for.
    :param if_empty: ``fail`` or ``write`` a file with the header alone when there are no rows.
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: a folder on the worker where the file grows; default: its temporary folder.

    Returns ``deployment_id``, ``path``, ``bytes``, ``sha256``, ``downloaded`` and ``rows``. Fails with EmptyWindow,
    RowsDiffer (pages with different columns), FileThere, NoRoom and the errors of the service. Operation:
    listDeploymentPredictionResults.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "deployment_id",
        "start",
        "end",
        "model_id",
        "actuals_present",
        "page_rows",
        "if_empty",
        *FIELDS,
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        path: str,
        start: str | None = None,
        end: str | None = None,
        model_id: str | None = None,
        actuals_present: bool | str | None = None,
        page_rows: int | str = 1000,
        if_empty: str = "fail",
        if_exists: str = "overwrite",
        staging: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.path = path
        self.start = start
        self.end = end
        self.model_id = model_id
        self.actuals_present = actuals_present
        self.page_rows = page_rows
        self.if_empty = if_empty
        self.if_exists = if_exists
        self.staging = staging

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.if_empty = arguments.one_of("if_empty", self.if_empty, ("fail", "write"))
        self.page_rows = arguments.whole("page_rows", self.page_rows, 1)
        self._place = Place.of(self.path, self.if_exists, self.staging, self.deployment_id)
        self._filters: dict[str, Any] = {"deploymentId": self.deployment_id}
        for name, value in (("start", self.start), ("end", self.end)):
            if not arguments.absent(value):
                self._filters[name] = str(value).strip()
        if not arguments.absent(self.model_id):
            self._filters["modelId"] = arguments.identifier("model_id", self.model_id)
        if not arguments.absent(self.actuals_present):
            self._filters["actualsPresent"] = arguments.flag("actuals_present", self.actuals_present)

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> dict[str, Any]:
        """Reads page by page, then puts the file to its place."""
        from airflow_provider.tasks.export_target import room_at

        there = self._place.skipped()
        if there is not None:
            return {"deployment_id": self.deployment_id, **there, "rows": None}
        digest, rows = hashlib.sha256(), 0
        with room_at(self._place.path), tempfile.TemporaryFile(dir=self.staging or None) as part:
            for number, page in enumerate(model_files.result_pages(client, int(self.page_rows), **self._filters)):
                part.write(page)
                digest.update(page)
                rows += model_files.lines_in(page) if number else 0
            if not rows and self.if_empty == "fail":
                raise model_files.EmptyWindow(f"deployment {self.deployment_id} has no rows for {self._filters}")
            size = part.tell()
            files.put(part, self._place.path)
        self.log.info("%d rows of deployment %s to %s.", rows, self.deployment_id, self._place.path)
        about = {"path": str(self._place.path), "bytes": size, "sha256": digest.hexdigest(), "downloaded": True}
        return {"deployment_id": self.deployment_id, **about, "rows": rows}
