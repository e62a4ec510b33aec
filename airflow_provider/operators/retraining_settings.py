"""Retraining settings of a deployment: the dataset, the prediction environment and the user of its retraining."""

from __future__ import annotations

from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import retraining_policies
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run


class DataRobotUpdateRetrainingSettingsOperator(DataRobotBaseOperator):
    """Sets on what data, where and as whom a deployment is retrained; writes only what differs.

    :param deployment_id: the deployment.
    :param dataset_id: the dataset of the catalog that runs are trained on.
    :param prediction_environment_id: where challengers are scored.
    :param retraining_user_id: as whom scheduled runs go: an owner of the deployment. A run that a task starts goes as
        the user of the connection.
    :param credential_id: for reading the dataset. The service never shows it, so it is written whenever it is given.

    Returns ``deployment_id``, ``dataset_id``, ``prediction_environment_id``, ``retraining_user_id`` and ``changed``
    (what was written). Fails with SettingsNotSeen (done by word, not in fact) and the errors of the service.
    Operations: getDeploymentRetrainingSettings, updateDeploymentRetrainingSettings. Memory before Airflow 3.3: none is
    needed, the wanted values are compared first.
    """

    operation = "updateDeploymentRetrainingSettings"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "dataset_id",
        "prediction_environment_id",
        "retraining_user_id",
        "credential_id",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        dataset_id: str | None = None,
        prediction_environment_id: str | None = None,
        retraining_user_id: str | None = None,
        credential_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.dataset_id = dataset_id
        self.prediction_environment_id = prediction_environment_id
        self.retraining_user_id = retraining_user_id
        self.credential_id = credential_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        given = {
            "datasetId": arguments.optional_identifier("dataset_id", self.dataset_id),
            "predictionEnvironmentId": arguments.optional_identifier(
                "prediction_environment_id", self.prediction_environment_id
            ),
            "retrainingUserId": arguments.optional_identifier("retraining_user_id", self.retraining_user_id),
            "credentialId": arguments.optional_identifier("credential_id", self.credential_id),
        }
        self._wanted = {name: value for name, value in given.items() if value is not None}
        if not self._wanted and not self.extra_body:
            raise InvalidCall(
                "nothing to set was given: dataset_id, prediction_environment_id, retraining_user_id, ..."
            )

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Compares, and writes what differs."""
        changed = self._differing(run)
        if changed or self.extra_body:
            run.submit(
                self.operation,
                changed,
                stage="settings",
                look=lambda: None if self._left(run) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        left = self._left(run)
        if left:
            raise SettingsNotSeen(
                f"the service says that it is done, and the retraining settings of deployment {self.deployment_id} "
                f"still lack {left}"
            )
        now = retraining_policies.settings(run.client, self.deployment_id)
        return {
            "deployment_id": self.deployment_id,
            "dataset_id": now["datasetId"],
            "prediction_environment_id": now["predictionEnvironmentId"],
            "retraining_user_id": now["retrainingUserId"],
            "changed": changed,
        }

    def _differing(self, run: Run) -> dict[str, Any]:
        return retraining_policies.differing(self._wanted, retraining_policies.settings(run.client, self.deployment_id))

    def _left(self, run: Run) -> dict[str, Any]:
        return {name: value for name, value in self._differing(run).items() if name != "credentialId"}
