"""What the operator and the sensor for service health share: their arguments and their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.readings.service_health import METRICS
from airflow_provider.mlops.gates import Gate
from airflow_provider.mlops.monitoring_gates import QUANTILE_OF, service_health_gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import SampleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class ServiceHealthTask(SampleTask):
    """A gate on one metric of service health; the arguments stand with the operator."""

    gate_fields = (*SampleTask.gate_fields, "metric", "comparison", "threshold", "quantile", "slow_threshold")

    def __init__(
        self,
        *,
        threshold: float | str,
        metric: str = "serverErrorRate",
        comparison: str = "<=",
        quantile: float | str | None = None,
        slow_threshold: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metric = metric
        self.comparison = comparison
        self.threshold = threshold
        self.quantile = quantile
        self.slow_threshold = slow_threshold

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.metric = arguments.one_of("metric", self.metric, METRICS)
        self._rule = self.rule(str(self.comparison).strip(), arguments.number("threshold", self.threshold))
        self._quantile = None if arguments.absent(self.quantile) else arguments.number("quantile", self.quantile)
        if self._quantile is not None and self.metric not in QUANTILE_OF:
            raise InvalidCall(f"quantile goes with {' or '.join(QUANTILE_OF)}, not with {self.metric}")
        if self._quantile is not None and not 0 <= self._quantile <= 1:
            raise InvalidCall(f"quantile must be from 0 to 1, not {self.quantile!r}")
        slow = self.slow_threshold
        self._slow = None if arguments.absent(slow) else arguments.whole("slow_threshold", slow, 1)

    def measured(self) -> dict[str, Any]:
        """Which metric."""
        return {"metric": self.metric, "quantile": self._quantile, "slow_threshold": self._slow}

    def gate(self, client: Client, window: Window) -> Gate:
        """The metric over the window."""
        return service_health_gate(
            self.deployment_id,
            self.metric,
            window,
            self._rule,
            quantile=self._quantile,
            slow_threshold=self._slow,
            filters=self._filters,
        )
