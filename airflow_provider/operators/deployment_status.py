"""Deployments: activate and deactivate."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow_provider.api.errors import Conflict, DataRobotError
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

CHANGING = ("launching", "stopping", "replacingModel")
ON_THE_WAY = {"active": "launching", "inactive": "stopping"}


class StatusNotSeen(DataRobotError):
    """The service says that the status was changed, and it is another one."""


class _SetStatusOperator(DataRobotBaseOperator):
    """Common to activating and deactivating; the wanted status is compared first."""

    operation = "updateDeploymentStatus"
    wanted: ClassVar[str]
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id")

    def __init__(self, *, deployment_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)

    def identity(self) -> dict[str, Any]:
        """The deployment and its wanted status."""
        return {"deployment_id": self.deployment_id, "status": self.wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Looks, and asks for the status where it is another."""
        status = self._status(run)
        if status == self.wanted:
            return self._result(changed=False)
        if status in CHANGING:
            return self._busy(run, status)
        try:
            sent = run.submit(
                "updateDeploymentStatus",
                {"status": self.wanted},
                stage="status",
                look=lambda: self._begun(run),
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        except Conflict:
            # 409: a change runs already, nothing would change (seed 002:7303), or something else is in the way.
            status = self._status(run)
            if status not in (self.wanted, *CHANGING):
                raise
            return self._busy(run, status)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        wait = JobWait(path) if path else self._settled_as(self.wanted)
        return Await(wait, f"the deployment becomes {self.wanted}")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Reads the status; another change that was waited for may have left the wrong one."""
        status = self._status(run)
        waited_only = run.handle is not None and run.handle.stage == "busy"
        if status == self.wanted:
            return self._result(changed=not waited_only)
        if waited_only:
            run.memory.settle()
            return self.start(run)
        raise StatusNotSeen(
            f"the service says done, and deployment {self.deployment_id} is {status}; "
            "a change request that waits for an approval may be the reason"
        )

    def _busy(self, run: Run, status: str) -> Await:
        run.adopt("busy")
        return Await(self._settled_as("active", "inactive"), f"the deployment is {status}")

    def _settled_as(self, *words: str) -> EntityWait:
        return EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=words)

    def _begun(self, run: Run) -> str | None:
        """After a lost answer: the status, when it is the wanted one or on the way there."""
        status = self._status(run)
        return status if status in (self.wanted, ON_THE_WAY[self.wanted]) else None

    def _status(self, run: Run) -> str:
        return str(run.read("getDeployment", deploymentId=self.deployment_id).get("status"))

    def _result(self, changed: bool) -> dict[str, Any]:
        return {"deployment_id": self.deployment_id, "status": self.wanted, "changed": changed}


class DataRobotActivateDeploymentOperator(_SetStatusOperator):
    """Activates a deployment and waits until it is active; active already is a success without a write.

    A change that is under way is waited for first. A policy may gate this change; then use a change request.

    :param deployment_id: the deployment.

    Returns ``deployment_id``, ``status`` and ``changed``. Fails with JobFailed, StatusNotSeen (done by word, not in
    fact), WaitTimedOut and the errors of the service. Operations: getDeployment, updateDeploymentStatus, getStatus.
    Memory before Airflow 3.3: the status itself.
    """

    wanted = "active"


class DataRobotDeactivateDeploymentOperator(_SetStatusOperator):
    """Deactivates a deployment and waits until it is inactive; inactive already is a success without a write.

    A change that is under way is waited for first. A policy may gate this change; then use a change request.

    :param deployment_id: the deployment.

    Returns ``deployment_id``, ``status`` and ``changed``. Fails with JobFailed, StatusNotSeen (done by word, not in
    fact), WaitTimedOut and the errors of the service. Operations: getDeployment, updateDeploymentStatus, getStatus.
    Memory before Airflow 3.3: the status itself.
    """

    wanted = "inactive"
