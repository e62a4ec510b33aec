"""Datasets of the catalog: upload, new versions, state, plain download, deletion."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_provider.emulator.answers import Answer, empty, invalid, refuse
from airflow_provider.emulator.behaviour import datasets
from airflow_provider.emulator.behaviour.datasets import latest_version, version_of, versions_of, view, visible_dataset
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.fetching import SCHEMES
from airflow_provider.emulator.store import Record
from airflow_provider.emulator.uploads import KEPT


@serves("createDatasetFromFile")
def create_from_file(call: Call) -> Answer:
    """202 with the new ids and the Location of the job that reads the file (wire.md J)."""
    dataset = datasets.create(call.service, call.user, call.body["file"], _categories(call.body))
    return _new_version(call, dataset)


@serves("createDatasetVersionFromFile")
def create_version_from_file(call: Call) -> Answer:
    """The same for a version of a dataset that is there already."""
    return _new_version(call, _dataset(call))


@serves("createDatasetFromUrl")
def create_from_url(call: Call) -> Answer:
    """The same from a URL, which the service fetches itself."""
    url = call.body["url"]
    if not url.startswith(SCHEMES):
        raise invalid([f"must begin with {' or '.join(SCHEMES)} @ $.url"])
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or url
    dataset = datasets.create(call.service, call.user, name, _categories(call.body))
    version, job = datasets.fetch_version(call.service, call.user, dataset, url)
    return _accepted(call, dataset, version, job)


def _new_version(call: Call, dataset: Record) -> Answer:
    version, job = datasets.add_version(call.service, call.user, dataset, call.body[KEPT])
    return _accepted(call, dataset, version, job)


def _accepted(call: Call, dataset: Record, version: Record, job: Record) -> Answer:
    body = {"catalogId": dataset["id"], "catalogVersionId": version["id"], "statusId": job["id"]}
    return call.accepted(job, body)


@serves("listDatasets")
def list_datasets(call: Call) -> Answer:
    """The datasets that the user has made, each as its latest version."""
    rows = [one for one in call.service.store.rows("datasets") if not one["deleted"]]
    mine = [one for one in rows if one["createdBy"] == call.user["id"] or is_admin(call.user)]
    return _page(call, [(one, latest_version(call.service, one)) for one in call.service.listed(mine)])


@serves("listDatasetVersions")
def list_versions(call: Call) -> Answer:
    """The versions of a dataset."""
    dataset = _dataset(call)
    return _page(call, [(dataset, one) for one in call.service.listed(versions_of(call.service, dataset))])


def _page(call: Call, found: list[tuple[Record, Record]]) -> Answer:
    if call.arguments.get("filterFailed"):
        found = [one for one in found if one[1]["state"] != "ERROR"]
    category = call.arguments.get("category")
    if category is not None:
        found = [one for one in found if category in one[0]["categories"]]
    order = call.arguments.get("orderBy")
    if order is not None:
        found.sort(key=lambda one: float(one[1]["createdAt"]), reverse=order.startswith("-"))
    return call.page([view(call.service, dataset, version) for dataset, version in found])


@serves("getDataset")
def get_dataset(call: Call) -> Answer:
    """The dataset as its latest version."""
    dataset = _dataset(call)
    return Answer(200, view(call.service, dataset, latest_version(call.service, dataset)))


@serves("getDatasetVersion")
def get_version(call: Call) -> Answer:
    """The dataset as one of its versions."""
    dataset = _dataset(call)
    return Answer(
        200, view(call.service, dataset, version_of(call.service, dataset, call.arguments["datasetVersionId"]))
    )


@serves("updateDataset")
def update_dataset(call: Call) -> Answer:
    """Another name, other categories."""
    dataset = _dataset(call)
    changes = {name: call.body[name] for name in ("name",) if name in call.body}
    if "categories" in call.body:
        changes["categories"] = _categories(call.body)
    call.service.store.change("datasets", dataset["id"], changes, "datasetUpdated")
    return Answer(200, view(call.service, dataset, latest_version(call.service, dataset)))


@serves("deleteDataset")
def delete_dataset(call: Call) -> Answer:
    """204, and 410 for everything that comes after (wire.md J)."""
    datasets.delete(call.service, _dataset(call))
    return empty(204)


@serves("downloadDatasetFile")
def download(call: Call) -> Answer:
    """The originally uploaded file of the latest version (wire.md H)."""
    dataset = _dataset(call)
    return _file(call, dataset, latest_version(call.service, dataset))


@serves("downloadDatasetVersionFile")
def download_version(call: Call) -> Answer:
    """The originally uploaded file of one version."""
    dataset = _dataset(call)
    return _file(call, dataset, version_of(call.service, dataset, call.arguments["datasetVersionId"]))


def _file(call: Call, dataset: Record, version: Record) -> Answer:
    if version["state"] != "COMPLETED":  # the generated R client documents this 409
        raise refuse(409, "Ingest info is missing for dataset version.")
    name = dataset["name"].replace('"', "")
    headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"'}
    kind = datasets.media_type(call.service, version)
    return Answer(200, None, headers, kind, file=call.service.files.path(version["id"]))


def _dataset(call: Call) -> Record:
    return visible_dataset(call.service, call.user, call.arguments["datasetId"])


def _categories(body: dict[str, Any]) -> list[str]:
    """One word, several, or several joined by commas as a form field carries them."""
    given = body.get("categories", [])
    return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else list(given)
