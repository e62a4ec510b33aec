"""DataRobotBaseSettingsOperator: what every operator does that changes areas of a deployment's settings.

compare ──► nothing differs ──► done, nothing written
   └──► write what differs ──► job ──► compare again: done by word is not done in fact
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.waits import JobWait, UntilWait
from airflow_provider.mlops.settable import SettingsNotSeen, differing
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

Areas = dict[str, dict[str, Any]]


class DataRobotBaseSettingsOperator(DataRobotBaseOperator):
    """Changes areas of the settings of a deployment (operations getDeploymentSettings, updateDeploymentSettings).

    :param deployment_id: the deployment.
    """

    operation = "updateDeploymentSettings"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id")

    def __init__(self, *, deployment_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id

    def wanted(self) -> Areas:
        """What is wanted, area by area; checks the arguments that it is made of."""
        raise NotImplementedError(f"{type(self).__name__} must say what it wants")

    def account(self, now: Mapping[str, Any], changed: Areas) -> dict[str, Any]:
        """The result beside ``deployment_id``: what was written, unless an operator tells more."""
        return {"changed": changed}

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._wanted = self.wanted()

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs, _ = self._compared(run)
        if not differs and not self.extra_body:
            return self._result(run, {})
        sent = run.submit(
            self.operation,
            differs,
            stage="settings",
            look=lambda: None if self._compared(run)[0] else True,
            extra_body=self.extra_body,
            before={"changed": differs},
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None and sent.answer is not None and self._compared(run)[0]:
            until = run.clock() + run.settle  # no Location names the job, and the settings are not yet as wanted
            return Await(UntilWait(until), f"the settings of deployment {self.deployment_id} are being changed")
        if path is None:
            return self._result(run, differs)
        return Await(JobWait(path), f"the settings of deployment {self.deployment_id} are being changed")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Asks the settings themselves."""
        assert run.handle is not None, "a wait that ended has a handle"
        return self._result(run, run.handle.before["changed"])

    def _compared(self, run: Run) -> tuple[Areas, dict[str, Any]]:
        """What the deployment has not as wanted, and its settings."""
        now = run.read("getDeploymentSettings", deploymentId=self.deployment_id)
        compared = {area: differing(values, now.get(area) or {}) for area, values in self._wanted.items()}
        return {area: values for area, values in compared.items() if values}, now

    def _result(self, run: Run, changed: Areas) -> dict[str, Any]:
        left, now = self._compared(run)
        if left:
            run.memory.settle()
            raise SettingsNotSeen(
                f"the service says that it is done, and deployment {self.deployment_id} still has "
                f"{ {area: now.get(area) for area in left} }, not {left}",
                operation=self.operation,
            )
        return {"deployment_id": self.deployment_id, **self.account(now, changed)}
