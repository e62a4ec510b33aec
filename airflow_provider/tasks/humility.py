"""What the operator and the sensor for humility share: their arguments and their gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.behaviour_gates import humility_gate
from airflow_provider.mlops.gates import Gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import SampleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class HumilityTask(SampleTask):
    """A gate on humility rules; the arguments stand with the operator."""

    gate_fields = (*SampleTask.gate_fields, "threshold", "measure", "humility_rule")

    def __init__(
        self, *, threshold: float | str, measure: str = "share", humility_rule: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold
        self.measure = measure
        self.humility_rule = humility_rule

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.measure = arguments.one_of("measure", self.measure, ("share", "count"))
        threshold = arguments.number("threshold", self.threshold)
        if threshold < 0 or (self.measure == "share" and threshold > 1):
            raise InvalidCall(f"threshold must be from 0 on, of a share at most 1, not {self.threshold!r}")
        self._rule = self.rule("<=", threshold)
        named = self.humility_rule
        self._named = None if arguments.absent(named) else arguments.named("humility_rule", named, 256)

    def measured(self) -> dict[str, Any]:
        """Which rule, and how it is counted."""
        return {"measure": self.measure, "humility_rule": self._named}

    def gate(self, client: Client, window: Window) -> Gate:
        """The rule over the window."""
        return humility_gate(
            self.deployment_id,
            window,
            self._rule,
            humility_rule=self._named,
            share=self.measure == "share",
            filters=self._filters,
        )
