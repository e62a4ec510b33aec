"""The Portable Prediction Server: its Docker image as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import model_files
from airflow_provider.tasks.downloading import FIELDS, Place
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotDownloadPortablePredictionServerOperator(DataRobotBaseReadOperator):
    """Downloads the Docker image of the Portable Prediction Server (``docker load`` reads it), many gigabytes.

    Size and SHA-256 are held against the metadata of the image. A redirect to a storage service is followed without our
    credentials, and a download that breaks off is gone on with, by an attempt on the same worker too.

    :param path: where the file goes: a path or URL that Airflow's object storage knows.
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: a folder on the worker with room for the image; default: one below its temporary folder.

    Returns ``path``, ``bytes``, ``sha256``, ``downloaded`` (False: a file was there and stays), ``filename`` and
    ``image_id`` (as the service tells them). Fails with FileThere, NoRoom, ContentDiffers (the file is not what its
    metadata say) and the errors of the service (404 where it has no image). Operations:
    getPortablePredictionServerImageMetadata, downloadPortablePredictionServerImage.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, *FIELDS)

    def __init__(self, *, path: str, if_exists: str = "overwrite", staging: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.if_exists = if_exists
        self.staging = staging

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self._place = Place.of(self.path, self.if_exists, self.staging, self._instance)

    def read(self, client: Client) -> dict[str, Any]:
        """Asks what the image is, then brings it."""
        there = self._place.skipped()
        source, told = model_files.image(client)
        about = {"filename": told.get("filename"), "image_id": told.get("dockerImageId")}
        return {**(there or self._place.bring(client, source)), **about}
