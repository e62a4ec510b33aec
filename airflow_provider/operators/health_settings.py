"""When a deployment counts as healthy: thresholds and rules of its health statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import health_settings
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run


class DataRobotUpdateHealthSettingsOperator(DataRobotBaseOperator):
    """Sets when a deployment counts as healthy; writes only the areas in which something differs, each of them whole.

    :param deployment_id: the deployment.
    :param settings: areas and their values as the API names them, ``{"dataDrift": {"driftThreshold": 0.2}, "accuracy":
        {"metric": "AUC", "measurement": "percent", "warningThreshold": 5, "failingThreshold": 10}}``. The areas are
        ``accuracy``, ``actualsTimeliness``, ``customMetrics``, ``dataDrift``, ``fairness``, ``predictionsTimeliness``,
        ``service``. Values that are not named stay as they are.
    :param reset: put all areas back to the service's defaults first, and lay ``settings`` (may be left out) over them.

    Returns ``deployment_id``, ``changed`` (the values that were written, area by area) and ``settings`` (all of them
    now). Fails with SettingsNotSeen (done by word, not in fact) and the errors of the service. Operations:
    getDeploymentHealthSettings, updateDeploymentHealthSettings; getDeploymentHealthSettingsDefaults with ``reset``.
    Memory before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentHealthSettings"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "settings", "reset")

    def __init__(
        self,
        *,
        deployment_id: str,
        settings: Mapping[str, Mapping[str, Any]] | str | None = None,
        reset: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.settings = settings
        self.reset = reset

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._reset = arguments.flag("reset", self.reset)
        areas = arguments.mapping("settings", self.settings) or {}
        if not areas and not self._reset:
            raise InvalidCall('settings must name at least one area, as in {"dataDrift": {"driftThreshold": 0.2}}')
        wrong = [name for name, values in areas.items() if not isinstance(values, Mapping) or not values]
        if wrong:
            raise InvalidCall(f"settings[{wrong[0]!r}] must be a mapping with at least one value")
        self._given = {name: dict(values) for name, values in areas.items()}

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, "settings": self._given, "reset": self._reset}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs, and reads it again."""
        wanted = self._wanted(run)
        now = self._now(run)
        differs = health_settings.differing(wanted, now)
        if differs or self.extra_body:
            run.submit(
                self.operation,
                health_settings.body(differs, now),
                stage="settings",
                look=lambda: None if health_settings.differing(wanted, self._now(run)) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
            now = self._now(run)
            left = health_settings.differing(wanted, now)
            if left:
                raise SettingsNotSeen(
                    f"the service accepted the settings, and deployment {self.deployment_id} does not have {left}",
                    operation=self.operation,
                )
        return {"deployment_id": self.deployment_id, "changed": differs, "settings": now}

    def _wanted(self, run: Run) -> health_settings.Areas:
        if not self._reset:
            return self._given
        first = run.read("getDeploymentHealthSettingsDefaults", deploymentId=self.deployment_id)
        known = {name: values for name, values in first.items() if isinstance(values, Mapping)}
        return health_settings.laid_over(known, self._given)

    def _now(self, run: Run) -> dict[str, Any]:
        return run.read("getDeploymentHealthSettings", deploymentId=self.deployment_id)
