"""What an export is asked to do: the arguments of its operators, and what they tell of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider.mlops.export_windows import Piece
from airflow_provider.mlops.exports import Kind, Wanted
from airflow_provider.mlops.manifest import NAME
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.base import DataRobotBaseOperator
from airflow_provider.tasks.export_files import FORMATS
from airflow_provider.tasks.export_target import IF_EXISTS, Target, staging_of
from airflow_provider.tasks.links import deployment_url

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.tasks.run import Run


class ExportingTask(DataRobotBaseOperator):
    """Arguments of the operators that export; each of them tells about its own."""

    kind: ClassVar[Kind]
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "path",
        "format",
        "if_exists",
        "if_empty",
        "created_by",
        "row_limit",
        "delete_datasets",
        "staging",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        path: str,
        format: str = "csv",
        if_exists: str = "overwrite",
        if_empty: str = "fail",
        created_by: str | None = None,
        row_limit: int | str | None = None,
        delete_datasets: bool | str = False,
        staging: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.path = path
        self.format = format
        self.if_exists = if_exists
        self.if_empty = if_empty
        self.created_by = created_by
        self.row_limit = row_limit
        self.delete_datasets = delete_datasets
        self.staging = staging

    # --- what an operator gives -------------------------------------------------------------------------------

    def pieces(self, run: Run) -> list[Piece]:
        """The plan, made of what the service has now."""
        raise NotImplementedError(f"{type(self).__name__} must say what it exports")

    def options(self) -> dict[str, Any]:
        """Further keys of the body."""
        return {}

    def findable(self) -> bool:
        """Whether an attempt without a memory takes the export that an earlier one made."""
        return self.may_reuse()

    def may_reuse(self) -> bool:
        """Whether an export that is there may be taken in place of a new one."""
        raise NotImplementedError(f"{type(self).__name__} must say whether it takes older exports")

    def about(self) -> dict[str, Any]:
        """What was asked for, for the manifest."""
        return {}

    # --- arguments --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.format = arguments.one_of("format", self.format, FORMATS)
        self.if_exists = arguments.one_of("if_exists", self.if_exists, IF_EXISTS)
        self.if_empty = arguments.one_of("if_empty", self.if_empty, ("fail", "skip"))
        self.created_by = arguments.optional_identifier("created_by", self.created_by)
        self.delete_datasets = arguments.flag("delete_datasets", self.delete_datasets)
        limit = None if arguments.absent(self.row_limit) else arguments.whole("row_limit", self.row_limit, 1)
        self._limit = self.kind.limit if limit is None else limit
        self._folder = files.path_of("path", self.path)
        self._staging = staging_of(None if arguments.absent(self.staging) else self.staging)
        if self.format == "parquet":
            from airflow_provider.mlops.conversion import needed

            needed()

    def identity(self) -> dict[str, Any]:
        """What is exported, and where to."""
        return {
            "deployment": self.deployment_id,
            "path": str(self._folder),
            "format": self.format,
            **self.about(),
            **self.options(),
        }

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    @contextmanager
    def _opened(self, context: Context) -> Iterator[Run]:
        with super()._opened(context) as run:
            key = hashlib.sha256(f"{self._instance}\n{run.fingerprint}".encode()).hexdigest()[:32]
            self._target = Target(self._folder, key)
            yield run

    # --- what is told -----------------------------------------------------------------------------------------

    def _told(self) -> dict[str, Any]:
        return {
            "kind": self.kind.name,
            "deployment_id": self.deployment_id,
            "format": self.format,
            **self.about(),
            "options": self.options(),
        }

    def _result(self, told: Mapping[str, Any], *, skipped: bool = False) -> dict[str, Any]:
        return {
            "deployment_id": self.deployment_id,
            "path": str(self._folder),
            "manifest": f"{self._folder}/{NAME}",
            "format": told.get("format"),
            "rows": told.get("rows"),
            "planned_rows": told.get("planned_rows"),
            "bytes": told.get("bytes"),
            "files": len(told.get("files", ())),
            "skipped": skipped,
        }

    def _wanted(self, piece: Piece) -> Wanted:
        return Wanted(self.kind, self.deployment_id, piece, self.options())
