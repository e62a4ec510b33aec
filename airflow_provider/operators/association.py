"""The association id of a deployment: which columns join a prediction with its actual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.deployment_settings import Areas, DataRobotBaseSettingsOperator
from airflow_provider.tasks.run import Run

AREA = "associationId"
HINT = "an association id cannot change once predictions have used it"  # wire.md D


class DataRobotSetAssociationIdOperator(DataRobotBaseSettingsOperator):
    """Sets the association id of a deployment, without which no actual finds its prediction; writes only what differs.

    Set it before the first predictions are made: it cannot change once predictions have used it.

    :param deployment_id: the deployment.
    :param columns: the column, or the columns, of the prediction data that name a row.
    :param required_in_prediction_requests: refuse prediction requests without them (None: stays as it is).

    Returns ``deployment_id``, ``columns``, ``required_in_prediction_requests`` and ``changed`` (what was written).
    Fails with SettingsNotSeen (done by word, not in fact), JobFailed, WaitTimedOut and the errors of the service.
    Operations: getDeploymentSettings, updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed,
    the wanted values are compared first.
    """

    template_fields = (*DataRobotBaseSettingsOperator.template_fields, "columns", "required_in_prediction_requests")

    def __init__(
        self,
        *,
        columns: str | Sequence[str],
        required_in_prediction_requests: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.columns = columns
        self.required_in_prediction_requests = required_in_prediction_requests

    def wanted(self) -> Areas:
        """The columns, and whether requests must have them."""
        columns = arguments.several("columns", self.columns)
        if not columns or not all(columns) or len(set(columns)) != len(columns):
            raise InvalidCall(f"columns must name at least one column, each once, not {self.columns!r}")
        values: dict[str, Any] = {"columnNames": columns}
        if not arguments.absent(self.required_in_prediction_requests):
            required = arguments.flag("required_in_prediction_requests", self.required_in_prediction_requests)
            values["requiredInPredictionRequests"] = required
        return {AREA: values}

    def account(self, now: Mapping[str, Any], changed: Areas) -> dict[str, Any]:
        """The association id as it is now."""
        found = now.get(AREA) or {}
        return {
            "columns": list(found.get("columnNames") or ()),
            "required_in_prediction_requests": found.get("requiredInPredictionRequests"),
            "changed": changed.get(AREA, {}),
        }

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """The service's words, and what usually stands behind them."""
        return super().failed(run, f"{reason}; {HINT}", result)
