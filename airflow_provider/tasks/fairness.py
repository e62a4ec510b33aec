"""What the operator and the sensor for fairness share: their arguments and their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.behaviour_gates import FAIRNESS_METRICS, fairness_gate
from airflow_provider.mlops.gates import Gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import SampleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class FairnessTask(SampleTask):
    """A gate on the classes of a protected feature; the arguments stand with the operator."""

    gate_fields = (*SampleTask.gate_fields, "protected_feature", "threshold", "metric", "only_significant")

    def __init__(
        self,
        *,
        protected_feature: str,
        threshold: float | str | None = None,
        metric: str | None = None,
        only_significant: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.protected_feature = protected_feature
        self.threshold = threshold
        self.metric = metric
        self.only_significant = only_significant

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.protected_feature = arguments.named("protected_feature", self.protected_feature, 256)
        metric = None if arguments.absent(self.metric) else str(self.metric)
        self._metric = None if metric is None else arguments.one_of("metric", metric, FAIRNESS_METRICS)
        self._significant = arguments.flag("only_significant", self.only_significant)
        if arguments.absent(self.threshold):
            self._rule = self.rule(">=", 0.0, "difference")  # to the deployment's own threshold
            return
        threshold = arguments.number("threshold", self.threshold)
        if not 0 <= threshold <= 1:
            raise InvalidCall(f"threshold must be from 0 to 1, not {self.threshold!r}")
        self._rule = self.rule(">=", threshold)

    def measured(self) -> dict[str, Any]:
        """Which feature, by which measure."""
        return {"feature": self.protected_feature, "metric": self._metric, "significant": self._significant}

    def gate(self, client: Client, window: Window) -> Gate:
        """The feature's classes over the window."""
        return fairness_gate(
            self.deployment_id,
            self.protected_feature,
            window,
            self._rule,
            metric=self._metric,
            significant=self._significant,
            filters=self._filters,
        )
