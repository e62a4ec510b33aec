"""The kinds of remote work as the service keeps them: what was begun, how it is, and who brings it to its end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.processes import until
from tests.people import Desk

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

GOING = {None, "running", "pending", "approved", "resolving", "INITIALIZING"}
STOPPED = {"cancelled", "CANCELLED", "ABORTED"}


@dataclass(frozen=True)
class Work:
    """One kind of remote work.

    ``dag``: whose task begins it. ``table``, ``deployment``, ``state``: where its records stand, and which of their
    fields name their deployment and how they are. ``looks``, ``cancel``: what asks for it, and what stops it.
    ``importance``: of its deployment; an approval policy applies to CRITICAL ones.
    """

    name: str
    dag: str
    table: str
    deployment: str
    state: str
    looks: tuple[str, ...]
    cancel: str | None
    importance: str = "LOW"

    def begun(self, service: EmulatorDoor, deployment: str) -> list[dict[str, Any]]:
        """What was begun on a deployment, oldest first."""
        return [one for one in self._records(service) if one.get(self.deployment) == deployment]

    def is_going(self, record: Mapping[str, Any]) -> bool:
        """Whether it goes on."""
        return record[self.state] in GOING

    def is_stopped(self, record: Mapping[str, Any]) -> bool:
        """Whether somebody stopped it."""
        return record[self.state] in STOPPED

    def _records(self, service: EmulatorDoor) -> list[dict[str, Any]]:
        if self.table != "jobs":
            return list(service.world(self.table).values())
        return [{**one["arguments"], **one} for one in service.jobs() if one["kind"] == "modelReplacement"]


REQUEST = Work(
    name="change request",
    dag="replacement",
    table="changeRequests",
    deployment="entityId",
    state="status",
    looks=("getChangeRequest",),
    cancel="updateChangeRequestStatus",
    importance="CRITICAL",
)
RETRAINING = Work(
    name="retraining run",
    dag="retraining",
    table="retrainingRuns",
    deployment="deploymentId",
    state="state",
    looks=("getDeploymentRetrainingPolicyRun",),
    cancel="updateDeploymentRetrainingPolicyRun",
)
BATCH = Work(
    name="batch prediction",
    dag="batch",
    table="batchPredictions",
    deployment="deploymentId",
    state="status",
    looks=("getBatchPrediction",),
    cancel="deleteBatchPrediction",
)
EXPORT = Work(
    name="export",
    dag="export",
    table="dataExports",
    deployment="deploymentId",
    state="outcome",
    looks=("getStatus",),
    cancel="updateDeploymentPredictionDataExport",
)
REPLACEMENT = Work(
    name="model replacement",
    dag="replacement",
    table="jobs",
    deployment="deploymentId",
    state="state",
    looks=("getStatus", "getDeployment"),  # the second where nobody remembers the job
    cancel=None,
)


def end(service: EmulatorDoor, record: Mapping[str, Any], fails: str | None = None) -> None:
    """Brings work to its end: well, or with a message. A change request is approved first, and applied by the task."""
    if "entityId" in record:
        approve(service, record["id"])
    until(lambda: bool(jobs_of(service, record)), f"a job works on {record['id']}", 180)
    [job] = jobs_of(service, record)
    service.end_job(job["id"], **({"failsWith": fails} if fails else {}))


def jobs_of(service: EmulatorDoor, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The running jobs that work on a record."""
    running = [one for one in service.jobs() if one["state"] == "running"]
    return [one for one in running if record["id"] in {one["id"], *map(str, one["arguments"].values())}]


def approve(service: EmulatorDoor, request_id: str) -> None:
    """What a reviewer does."""
    with closing(Desk(service.endpoint, service.tokens["reviewer"])) as desk:
        [request] = [one for one in desk.requests() if one["id"] == request_id]
        desk.review(request, "approved")
