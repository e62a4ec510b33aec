"""What the operators and sensors for timeliness share: their arguments and their gates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.behaviour_gates import timeliness_gate
from airflow_provider.mlops.gates import Gate, Rule
from airflow_provider.mlops.windows import Window, span
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import SampleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

HOUR = timedelta(hours=1)


class TimelinessTask(SampleTask):
    """A gate on the age of the newest rows; the arguments stand with the operators."""

    what: ClassVar[str]

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        if arguments.absent(self.max_age):
            raise InvalidCall("max_age must be whole hours, at least one, like 24h, 7d or P7D")
        age = span("max_age", self.max_age)
        least = arguments.whole("minimum_sample", self.minimum_sample, 1)
        self._rule = Rule("<=", age / HOUR, minimum_sample=least)
        if self._plan.start is None:
            self._refuse_short(int(self._plan.last / HOUR))

    def measured(self) -> dict[str, Any]:
        """Which rows."""
        return {"what": self.what}

    def gate(self, client: Client, window: Window) -> Gate:
        """The age of the newest rows in the window."""
        self._refuse_short(window.hours)
        return timeliness_gate(self.deployment_id, self.what, window, self._rule, self._filters)

    def _refuse_short(self, hours: int) -> None:
        most = self._rule.threshold
        if hours < most:
            raise InvalidCall(f"the window has {hours} hours, fewer than the {most:g} of max_age: take a longer one")


class PredictionsTimelinessTask(TimelinessTask):
    """A gate on when the newest predictions were made."""

    what = "predictions"


class ActualsTimelinessTask(TimelinessTask):
    """A gate on when the newest predictions with an actual were made."""

    what = "actuals"
