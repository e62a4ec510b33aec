"""What the operator and the sensor for accuracy share: their arguments and their gate."""

from __future__ import annotations

from typing import Any

from airflow_provider.mlops.gates import Gate, accuracy_gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gating import RuleTask


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
        if self.model_id is not None:
            self._filters = {**self._filters, "modelId": self.model_id}

    def identity(self) -> dict[str, Any]:
        """What is measured, over which window, and what is wanted of it."""
        wanted = [self.metric, self.comparison, self.threshold, self.view, self.minimum_sample]
        return {"deployment_id": self.deployment_id, "window": self._plan.to_json(), "rule": wanted, **self._filters}

    def gate(self, window: Window) -> Gate:
        """The metric over the window."""
        return accuracy_gate(self.deployment_id, self.metric, window, self._rule, self._filters)
