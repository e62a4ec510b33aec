"""The secondary dataset configuration of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall, NotFound
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run

CREDENTIAL = {"catalog_version_id": "catalogVersionId", "credential_id": "credentialId", "url": "url"}


class DataRobotUpdateSecondaryDatasetConfigurationOperator(DataRobotBaseOperator):
    """Makes a deployment join another set of secondary datasets to what it scores; writes only what differs.

    A policy may gate this change; then use DataRobotCreateChangeRequestOperator with
    ``action="updateSecondaryDatasetConfigs"``.

    :param deployment_id: the deployment.
    :param secondary_dataset_config_id: the configuration.
    :param credentials: a list of ``{"catalog_version_id": ..., "credential_id": ..., "url": ...}`` for datasets that
        need them: ids of credentials that the service keeps, no secrets (None: as they are).

    Returns ``deployment_id``, ``secondary_dataset_config_id``, ``previous`` (the one before, None where there was none)
    and ``changed``. Fails with SettingsNotSeen (accepted, not done: a change request may wait for approval), Forbidden
    (credentials that do not fit) and the errors of the service. Operations:
    getDeploymentSecondaryDatasetConfiguration, updateDeploymentSecondaryDatasetConfiguration. Memory before Airflow
    3.3: none is needed, the configuration is compared first.
    """

    operation = "updateDeploymentSecondaryDatasetConfiguration"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "secondary_dataset_config_id",
        "credentials",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        secondary_dataset_config_id: str,
        credentials: Iterable[Mapping[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.secondary_dataset_config_id = secondary_dataset_config_id
        self.credentials = credentials

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.secondary_dataset_config_id = arguments.identifier(
            "secondary_dataset_config_id", self.secondary_dataset_config_id
        )
        given = [] if self.credentials is None else [dict(one) for one in self.credentials]
        for number, one in enumerate(given):
            if set(one) - set(CREDENTIAL):
                raise InvalidCall(f"credentials[{number}] must have {', '.join(CREDENTIAL)}, not {', '.join(one)}")
        self._credentials = [{CREDENTIAL[name]: value for name, value in one.items()} for one in given]

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted configuration."""
        return {"deployment_id": self.deployment_id, "config": self.secondary_dataset_config_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes the configuration, unless it is in use with these credentials."""
        before = self._current(run)
        if self._as_wanted(before):
            return self._result(before.get("secondaryDatasetConfigId"), changed=False)
        body: dict[str, Any] = {"secondaryDatasetConfigId": self.secondary_dataset_config_id}
        if self._credentials:
            body["credentialsIds"] = self._credentials  # the answer says credentialIds
        run.submit(
            self.operation,
            body,
            stage="configuration",
            look=lambda: True if self._as_wanted(self._current(run)) else None,
            extra_body=self.extra_body,
            before={"previous": before.get("secondaryDatasetConfigId")},
            deploymentId=self.deployment_id,
        )
        if not self._as_wanted(self._current(run)):
            raise SettingsNotSeen(
                f"the service accepted the configuration, and deployment {self.deployment_id} has another; "
                "a change request that waits for an approval may be the reason",
                operation=self.operation,
            )
        return self._result(before.get("secondaryDatasetConfigId"), changed=True)

    def _current(self, run: Run) -> dict[str, Any]:
        """The configuration in use, empty where there is none."""
        try:
            return run.read("getDeploymentSecondaryDatasetConfiguration", deploymentId=self.deployment_id)
        except NotFound:
            run.read("getDeployment", deploymentId=self.deployment_id)  # is it the deployment that is not there?
            return {}

    def _as_wanted(self, now: Mapping[str, Any]) -> bool:
        same = now.get("secondaryDatasetConfigId") == self.secondary_dataset_config_id
        return same and (not self._credentials or now.get("credentialIds") == self._credentials)

    def _result(self, previous: str | None, *, changed: bool) -> dict[str, Any]:
        return {
            "deployment_id": self.deployment_id,
            "secondary_dataset_config_id": self.secondary_dataset_config_id,
            "previous": previous,
            "changed": changed,
        }
