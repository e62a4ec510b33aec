"""A challenger that is there: update it, delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import dig
from airflow_provider.mlops import challengers
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.links import deployment_url

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run


class DataRobotUpdateChallengerOperator(DataRobotBaseOperator):
    """Gives a challenger another name or prediction environment; writes only what differs.

    :param deployment_id: the deployment.
    :param challenger_id: the challenger.
    :param name: the new name (None: stays as it is).
    :param prediction_environment_id: where it shall score (None: stays as it is).

    ``extra_body`` is written each time. Returns ``deployment_id``, ``challenger_id``, ``name``, ``model_id``,
    ``model_name``, ``model_package_id``, ``prediction_environment_id`` and ``changed`` (what was written). Fails with
    ChallengerNotSeen (accepted, not done) and the errors of the service. Operations: getDeploymentChallenger,
    updateDeploymentChallenger. Memory before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentChallenger"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "challenger_id",
        "name",
        "prediction_environment_id",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        challenger_id: str,
        name: str | None = None,
        prediction_environment_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.challenger_id = challenger_id
        self.name = name
        self.prediction_environment_id = prediction_environment_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.challenger_id = arguments.identifier("challenger_id", self.challenger_id)
        self._wanted: dict[str, str] = {}
        if not arguments.unset(self.name):
            self._wanted["name"] = arguments.named("name", self.name, challengers.NAME_LENGTH)
        place = arguments.optional_identifier("prediction_environment_id", self.prediction_environment_id)
        if place is not None:
            self._wanted["predictionEnvironmentId"] = place
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of name and prediction_environment_id")

    def identity(self) -> dict[str, Any]:
        """The challenger and the wanted values."""
        return {"deployment_id": self.deployment_id, "challenger_id": self.challenger_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs, found = self._compared(run)
        if differs or self.extra_body:
            run.submit(
                self.operation,
                differs,
                stage="update",
                look=lambda: None if self._compared(run)[0] else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
                challengerId=self.challenger_id,
            )
            left, found = self._compared(run)
            if left:
                raise challengers.ChallengerNotSeen(
                    f"the service accepted the change, and challenger {self.challenger_id} still has another "
                    f"{', '.join(left)}",
                    operation=self.operation,
                )
        return {"deployment_id": self.deployment_id, **challengers.told(found), "changed": differs}

    def _compared(self, run: Run) -> tuple[dict[str, str], dict[str, Any]]:
        found = run.read("getDeploymentChallenger", deploymentId=self.deployment_id, challengerId=self.challenger_id)
        now = {"name": found.get("name"), "predictionEnvironmentId": dig(found, "predictionEnvironment.id")}
        return {name: value for name, value in self._wanted.items() if now[name] != value}, found


class DataRobotDeleteChallengerOperator(DataRobotBaseOperator):
    """Deletes a challenger; one that is gone is a success without a write.

    :param deployment_id: the deployment.
    :param challenger_id: the challenger.

    Returns ``deployment_id``, ``challenger_id`` and ``deleted``. Fails with the errors of the service. Operations:
    getDeploymentChallenger, listDeploymentChallengers, deleteDeploymentChallenger. Memory before Airflow 3.3: a
    challenger that is gone was deleted.
    """

    operation = "deleteDeploymentChallenger"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "challenger_id")

    def __init__(self, *, deployment_id: str, challenger_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.challenger_id = challenger_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.challenger_id = arguments.identifier("challenger_id", self.challenger_id)

    def identity(self) -> dict[str, Any]:
        """The challenger."""
        return {"deployment_id": self.deployment_id, "challenger_id": self.challenger_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone."""
        where = {"deploymentId": self.deployment_id, "challengerId": self.challenger_id}
        found = delete(
            run, self.operation, lambda: challengers.get(run.client, self.deployment_id, self.challenger_id), **where
        )
        if found is None:
            challengers.listed(run.client, self.deployment_id)  # a deployment that is not there answers 404 too
        return {**self.identity(), "deleted": found is not None}
