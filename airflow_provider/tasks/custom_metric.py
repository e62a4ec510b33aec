"""What the operator and the sensor for custom metrics share: their arguments and their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.behaviour_gates import custom_metric_gate
from airflow_provider.mlops.gates import Gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import RuleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class CustomMetricTask(RuleTask):
    """A gate on a custom metric; the arguments stand with the operator."""

    gate_fields = (*RuleTask.gate_fields, "custom_metric_id", "name", "model_id")

    def __init__(
        self,
        *,
        custom_metric_id: str | None = None,
        name: str | None = None,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.custom_metric_id = custom_metric_id
        self.name = name
        self.model_id = model_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._metric = arguments.optional_identifier("custom_metric_id", self.custom_metric_id)
        self._name = None if arguments.absent(self.name) else arguments.named("name", self.name, 256)
        if (self._metric is None) == (self._name is None):
            raise InvalidCall("say which metric: custom_metric_id or name, and not both")
        self.model_id = arguments.optional_identifier("model_id", self.model_id)

    def measured(self) -> dict[str, Any]:
        """Which metric, of which model."""
        return {"custom_metric_id": self._metric, "name": self._name, "model_id": self.model_id}

    def gate(self, client: Client, window: Window) -> Gate:
        """The metric over the window; it is looked for by its name, or read for its direction, once."""
        from airflow_provider.mlops import custom_metrics

        metric_id, direction = custom_metrics.identify(client, self.deployment_id, self._metric, self._name), None
        if self._rule.view == "improvement":
            direction = custom_metrics.get(client, self.deployment_id, metric_id).get("directionality")
        return custom_metric_gate(
            self.deployment_id,
            metric_id,
            window,
            self._rule,
            directionality=direction,
            filters={**self._filters, **({"modelId": self.model_id} if self.model_id else {})},
        )
