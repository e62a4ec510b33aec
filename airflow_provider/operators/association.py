"""The association id of a deployment: which columns join a prediction with its actual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import JobWait
from airflow_provider.mlops import association
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

HINT = "an association id cannot change once predictions have used it"  # wire.md D


class DataRobotSetAssociationIdOperator(DataRobotBaseOperator):
    """Sets the association id of a deployment, without which no actual finds its prediction; writes only what differs.

    Set it before the first predictions are made: it cannot change once predictions have used it.

    :param deployment_id: the deployment.
    :param columns: the column, or the columns, of the prediction data that name a row.
    :param required_in_prediction_requests: refuse prediction requests without them (None: stays as it is).

    Returns ``deployment_id``, ``columns``, ``required_in_prediction_requests`` and ``changed`` (what was written).
    Fails with AssociationIdNotSeen (done by word, not in fact), JobFailed, WaitTimedOut and the errors of the service.
    Operations: getDeploymentSettings, updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed,
    the wanted values are compared first.
    """

    operation = "updateDeploymentSettings"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "columns",
        "required_in_prediction_requests",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        columns: str | Sequence[str],
        required_in_prediction_requests: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.columns = columns
        self.required_in_prediction_requests = required_in_prediction_requests

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        columns = arguments.several("columns", self.columns)
        if not columns or not all(columns) or len(set(columns)) != len(columns):
            raise InvalidCall(f"columns must name at least one column, each once, not {self.columns!r}")
        self._wanted: dict[str, Any] = {"columnNames": columns}
        if not arguments.absent(self.required_in_prediction_requests):
            required = arguments.flag("required_in_prediction_requests", self.required_in_prediction_requests)
            self._wanted["requiredInPredictionRequests"] = required

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs = self._differing(run)
        if not differs and not self.extra_body:
            return self._result(run, {})
        sent = run.submit(
            self.operation,
            {"associationId": differs} if differs else {},
            stage="settings",
            look=lambda: None if self._differing(run) else True,
            extra_body=self.extra_body,
            before={"changed": differs},
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None:
            return self._result(run, differs)
        return Await(JobWait(path), f"the settings of deployment {self.deployment_id} are being changed")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Asks the settings themselves."""
        assert run.handle is not None, "a wait that ended has a handle"
        return self._result(run, run.handle.before["changed"])

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """The service's words, and what usually stands behind them."""
        return super().failed(run, f"{reason}; {HINT}", result)

    def _differing(self, run: Run) -> dict[str, Any]:
        return association.differing(self._wanted, association.settings(run.client, self.deployment_id))

    def _result(self, run: Run, changed: dict[str, Any]) -> dict[str, Any]:
        now = association.settings(run.client, self.deployment_id)
        left = association.differing(self._wanted, now)
        if left:
            raise association.AssociationIdNotSeen(
                f"the service says that it is done, and deployment {self.deployment_id} still has {now}, not {left}"
            )
        return {
            "deployment_id": self.deployment_id,
            "columns": list(now.get("columnNames") or ()),
            "required_in_prediction_requests": now.get("requiredInPredictionRequests"),
            "changed": changed,
        }
