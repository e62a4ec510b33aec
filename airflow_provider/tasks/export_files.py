"""From the dataset of an export to a file at its place: download, count, convert, put.

dataset version ──► part on this machine ──► rows and columns ──► CSV or Parquet ──► FOLDER/NAME
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import conversion
from airflow_provider.mlops.exports import there
from airflow_provider.mlops.fetching import ContentDiffers, Fetched, fetch
from airflow_provider.mlops.manifest import Column, CsvReader
from airflow_provider.tasks.export_target import Target, room_at, sha256_of

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

FORMATS = ("csv", "parquet")


@dataclass(frozen=True, slots=True)
class Here:
    """A dataset that is on this machine, counted and not yet put to its place."""

    dataset: Mapping[str, Any]
    fetched: Fetched[CsvReader]
    rows: int | None
    columns: list[Column]

    def remove(self) -> None:
        """Deletes it from this machine."""
        for path in (self.fetched.path, self.fetched.path.with_name(f"{self.fetched.path.name}.json")):
            path.unlink(missing_ok=True)


def bring(client: Client, dataset: Mapping[str, Any], export_id: str | None, staging: Path, key: str) -> Here:
    """Downloads a dataset, going on with what an earlier attempt of the same task has left on this machine.

    :param dataset: as getDataset tells it.
    :param key: of the run of the task: two tasks never share a part.
    """
    dataset_id, version = str(dataset["datasetId"]), dataset.get("versionId")
    operation = "downloadDatasetVersionFile" if version else "downloadDatasetFile"
    named: dict[str, Any] = {"datasetId": dataset_id} | ({"datasetVersionId": version} if version else {})
    part = staging / f"{key[:12]}-{dataset_id}.part"
    fetched: Fetched[CsvReader] = there(
        lambda: fetch(client, operation, part, reader=CsvReader, pinned=bool(version), **named), export_id, dataset_id
    )
    if fetched.reader.is_parquet:
        rows, columns = conversion.read_parquet(part)
    else:
        rows, columns = fetched.reader.rows, fetched.reader.columns()
    here = Here(dataset, fetched, rows, columns)
    if rows == 0 and (dataset.get("rowCount") or 0) > 0:
        here.remove()
        raise ContentDiffers(f"dataset {dataset_id} has {dataset['rowCount']} rows, and its file came without any")
    return here


def put(here: Here, target: Target, stem: str, form: str) -> dict[str, Any]:
    """Puts a dataset to its place in the wanted form; gives what the manifest tells of the file itself."""
    name, source = f"{stem}.{form}", here.fetched.path
    about: dict[str, Any] = {
        "name": name,
        "dataset_id": here.dataset.get("datasetId"),
        "dataset_version_id": here.dataset.get("versionId"),
        "rows": here.rows,
        "bytes": here.fetched.size,
        "sha256": here.fetched.sha256,
        "columns": here.columns,
    }
    if here.fetched.reader.is_parquet == (form == "parquet"):
        target.put(source, name)
        return about
    made = source.with_suffix(f".{form}")
    try:
        with room_at(made):
            rows, columns = (conversion.to_parquet if form == "parquet" else conversion.to_csv)(source, made)
        target.put(made, name)
        sha256, size = sha256_of(made), made.stat().st_size
    finally:
        made.unlink(missing_ok=True)
    return {
        **about,
        "rows": rows,
        "bytes": size,
        "sha256": sha256,
        "source_sha256": here.fetched.sha256,
        "columns": columns,
    }
