"""Waiting for any job of the service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.locations import local_path
from airflow_provider.api.waits import JobWait
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


STATUS = re.compile(r"status/[^/?#\s]+/")


class DataRobotApiJobSensor(DataRobotBaseSensor):
    """Waits until a job is over; fails when it failed.

    :param location: the ``Location`` that a call answered: an absolute URL of the connection's service, a path
        relative to the API (``status/abc/``), or the id of a status object.

    Returns ``location``: where the finished job points to (None when it ended with COMPLETED in place of a redirect).
    Fails with the service's words when the job failed, was aborted or has expired, when its record is gone, with
    ForeignLocation for another origin (the token would go there), and after ``timeout``. Operation: getStatus.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "location")

    def __init__(self, *, location: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.location = location

    def prepare(self) -> None:
        """Refuses an empty location before anything is sent."""
        self.location = str(self.location).strip()
        if arguments.absent(self.location):
            raise InvalidCall(f"location must be the Location of a job, or the id of its status, not {self.location!r}")

    def identity(self) -> dict[str, Any]:
        """The job."""
        return {"location": self.location}

    def wait(self, client: Client) -> JobWait:
        """The status object; an URL of another origin is refused, because the token would go there."""
        path = f"status/{self.location}/"
        if "/" in self.location:
            path = local_path(self.location, client.settings).rstrip("/") + "/"
        if not STATUS.fullmatch(path):
            raise InvalidCall(f"location must point to status/<id>/, not to {path!r}")
        return JobWait(path)
