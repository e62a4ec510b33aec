"""Settings of challengers: whether a deployment takes them, and when they are replayed by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import challengers, replays
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deployment_settings import Areas, DataRobotBaseSettingsOperator
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run


class DataRobotUpdateChallengerSettingsOperator(DataRobotBaseSettingsOperator):
    """Turns the challenger models of a deployment on, with all that they need, or off; writes only what differs.

    On means: challenger models, stored prediction rows and target drift tracking. Off turns only the first off.

    :param deployment_id: the deployment.
    :param enabled: on or off.

    Returns ``deployment_id``, ``enabled`` and ``changed`` (the settings that were written, by their names). Fails with
    SettingsNotSeen (done by word, not in fact), JobFailed, WaitTimedOut and the errors of the service. Operations:
    getDeploymentSettings, updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed, the wanted
    values are compared first.
    """

    template_fields = (*DataRobotBaseSettingsOperator.template_fields, "enabled")

    def __init__(self, *, enabled: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enabled = enabled

    def wanted(self) -> Areas:
        """The areas to be on, or the first to be off."""
        self.enabled = arguments.flag("enabled", self.enabled)
        areas = challengers.NEEDED if self.enabled else challengers.NEEDED[:1]
        return {area: {"enabled": self.enabled} for area in areas}

    def account(self, now: Mapping[str, Any], changed: Areas) -> dict[str, Any]:
        """Whether they are on, and what was written."""
        return {"enabled": self.enabled, "changed": {area: values["enabled"] for area, values in changed.items()}}


class DataRobotUpdateChallengerReplaySettingsOperator(DataRobotBaseOperator):
    """Sets whether and when the challengers of a deployment are replayed by themselves; writes only what differs.

    :param deployment_id: the deployment.
    :param enabled: whether replays start by themselves (None: stays as it is).
    :param schedule: when, in UTC: a cron text of numbers, commas and stars (``30 2 * * 1``), or a mapping of lists with
        minute, hour, dayOfMonth, month and dayOfWeek, as the service has it (None: stays as it is).

    ``extra_body`` is written each time. Returns ``deployment_id``, ``enabled``, ``schedule`` (as the service tells
    them) and ``changed`` (what was written). Fails with SettingsNotSeen (accepted, not done) and the errors of the
    service. Operations: getDeploymentChallengerReplaySettings, updateDeploymentChallengerReplaySettings. Memory before
    Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentChallengerReplaySettings"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "enabled", "schedule")

    def __init__(
        self,
        *,
        deployment_id: str,
        enabled: bool | str | None = None,
        schedule: str | Mapping[str, Sequence[int | str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.enabled = enabled
        self.schedule = schedule

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._wanted: dict[str, Any] = {}
        if not arguments.absent(self.enabled):
            self._wanted["enabled"] = arguments.flag("enabled", self.enabled)
        schedule = replays.schedule_of(self.schedule)
        if schedule is not None:
            self._wanted["schedule"] = schedule
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of enabled and schedule")

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        now = self._now(run)
        differs = replays.differing(self._wanted, now)
        if differs or self.extra_body:
            run.submit(
                self.operation,
                differs,
                stage="settings",
                look=lambda: None if replays.differing(self._wanted, self._now(run)) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
            now = self._now(run)
            left = replays.differing(self._wanted, now)
            if left:
                raise SettingsNotSeen(
                    f"the service accepted the change, and deployment {self.deployment_id} still has another "
                    f"{' and '.join(left)}: {now}",
                    operation=self.operation,
                )
        return {
            "deployment_id": self.deployment_id,
            "enabled": now.get("enabled"),
            "schedule": now.get("schedule"),
            "changed": differs,
        }

    def _now(self, run: Run) -> dict[str, Any]:
        return run.read("getDeploymentChallengerReplaySettings", deploymentId=self.deployment_id)
