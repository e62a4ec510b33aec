"""Deployments: activate and deactivate."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow_provider.api.errors import Conflict, DataRobotError
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run


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
        if status in ("launching", "stopping", "replacingModel"):
            return self._busy(run, status)
        try:
            sent = run.submit(
                "updateDeploymentStatus",
                {"status": self.wanted},
                stage="status",
                look=lambda: self._status(run) if self._status(run) in (self.wanted, *self._on_the_way()) else None,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        except Conflict:
            # 409: a change is running, or there is nothing to change (updateDeploymentStatus)
            return self._busy(run, "changing")
        path = run.path_of(sent.answer) if sent.answer is not None else None
        wait = JobWait(path) if path else self._settled_as(self.wanted)
        return Await(wait, f"the deployment becomes {self.wanted}")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Reads the status; another change that was waited for may have left the wrong one."""
        status = self._status(run)
        if status == self.wanted:
            return self._result(changed=True)
        if run.handle is not None and run.handle.stage == "busy":
            run.memory.settle()
            return self.start(run)
        raise StatusNotSeen(f"the service says done, and deployment {self.deployment_id} is {status}")

    def _busy(self, run: Run, status: str) -> Await:
        run.adopt("busy")
        return Await(self._settled_as("active", "inactive"), f"the deployment is {status}")

    def _settled_as(self, *words: str) -> EntityWait:
        return EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=words)

    def _on_the_way(self) -> tuple[str, ...]:
        return ("launching",) if self.wanted == "active" else ("stopping",)

    def _status(self, run: Run) -> str:
        return str(run.read("getDeployment", deploymentId=self.deployment_id).get("status"))

    def _result(self, changed: bool) -> dict[str, Any]:
        return {"deployment_id": self.deployment_id, "status": self.wanted, "changed": changed}


class DataRobotActivateDeploymentOperator(_SetStatusOperator):
    """Activates a deployment and waits until it is active; active already is a success without a write.

    :param deployment_id: the deployment.

    Returns ``deployment_id``, ``status`` and ``changed``. Operations: getDeployment, updateDeploymentStatus.
    Memory before Airflow 3.3: the status itself.
    """

    wanted = "active"


class DataRobotDeactivateDeploymentOperator(_SetStatusOperator):
    """Deactivates a deployment and waits until it is inactive; inactive already is a success without a write.

    :param deployment_id: the deployment.

    Returns ``deployment_id``, ``status`` and ``changed``. Operations: getDeployment, updateDeploymentStatus.
    Memory before Airflow 3.3: the status itself.
    """

    wanted = "inactive"
