"""Gates whose author says what is wanted: how many rows and how new, and the rule that their number must meet."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow_provider.mlops.gates import Rule
from airflow_provider.mlops.windows import span
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gating import GateTask


class SampleTask(GateTask):
    """A gate whose author says how many rows there must be, and how new they must be.

    :param minimum_sample: rows that the value must be made of; fewer, or an unknown number, count as no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones (or none) count as no data. Default: any age. Costs a second request a look.
    """

    gate_fields = (*GateTask.gate_fields, "minimum_sample", "max_age")
    _rule: Rule

    def __init__(self, *, minimum_sample: int | str = 1, max_age: timedelta | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum_sample = minimum_sample
        self.max_age = max_age

    def rule(self, comparison: str, threshold: float, view: str = "value") -> Rule:
        """The rule, over as many and as new rows as the author wants."""
        age = None if arguments.absent(self.max_age) else span("max_age", self.max_age) / timedelta(hours=1)
        least = arguments.whole("minimum_sample", self.minimum_sample, 1)
        return Rule(comparison, threshold, view, minimum_sample=least, max_age=age)

    def identity(self) -> dict[str, Any]:
        """What is measured, over which window, and what is wanted of it."""
        return {
            "deployment_id": self.deployment_id,
            "window": self._plan.to_json(),
            "rule": list(asdict(self._rule).values()),
            **self.measured(),
            **self._filters,
        }

    def measured(self) -> dict[str, Any]:
        """What tells this gate from others of its kind."""
        raise NotImplementedError(f"{type(self).__name__} must say what it measures")


class RuleTask(SampleTask):
    """A gate whose author gives the rule.

    :param comparison: ``<``, ``<=``, ``>`` or ``>=``: how the measured number must compare with
    :param threshold: this number.
    :param view: what is compared: the ``value``, its ``difference`` or ``ratio`` to the baseline, or the
        ``improvement`` over the baseline in percent (negative is worse).
    """

    gate_fields = (*SampleTask.gate_fields, "comparison", "threshold", "view")

    def __init__(self, *, comparison: str, threshold: float | str, view: str = "value", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.comparison = comparison
        self.threshold = threshold
        self.view = view

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        threshold = arguments.number("threshold", self.threshold)
        self._rule = self.rule(str(self.comparison).strip(), threshold, str(self.view).strip().lower())
