"""What the operator and the sensor for accuracy share: their arguments and their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.mlops.gates import Gate, accuracy_gate
from airflow_provider.mlops.replacement import champion_of
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import RuleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class AccuracyTask(RuleTask):
    """A gate on one accuracy metric.

    :param metric: as the service calls it: AUC, LogLoss, Accuracy, RMSE, MAE, R Squared, Gini Norm, Rate@Top10%, ...
    :param model_id: of this model; default: the champion.
    """

    gate_fields = (*RuleTask.gate_fields, "metric", "model_id")

    def __init__(self, *, metric: str, model_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = metric
        self.model_id = model_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.metric = arguments.named("metric", self.metric, 60).strip()
        self.model_id = arguments.optional_identifier("model_id", self.model_id)

    def measured(self) -> dict[str, Any]:
        """Which metric, of which model."""
        return {"metric": self.metric, "model_id": self.model_id}

    def gate(self, client: Client, window: Window) -> Gate:
        """The metric of one model over the window: after a replacement, several have predictions in it."""
        model_id = self.model_id or self._filters.get("modelId") or self._champion(client)
        filters = {**self._filters, **({"modelId": model_id} if model_id else {})}
        return accuracy_gate(self.deployment_id, self.metric, window, self._rule, filters)

    def _champion(self, client: Client) -> str | None:
        deployment = client.call("getDeployment", deploymentId=self.deployment_id).object()
        return (champion_of(deployment) or {}).get("model_id")
