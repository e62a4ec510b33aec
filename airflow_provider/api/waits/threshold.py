"""A number in an answer."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import ClassVar

from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.verdicts import Done, Pending, Verdict, WaitAnswer
from airflow_provider.api.waits.words import dig

COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True, slots=True)
class ThresholdWait:
    """A number in an answer until it compares as wished; no number yet is pending, never a pass."""

    kind: ClassVar[str] = "threshold"
    absent: ClassVar[Ending] = "failed"
    path: str
    field: str
    comparison: str
    value: float

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        found = dig(answer.json(), self.field)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return Pending(f"{self.field} has no value yet")
        if COMPARISONS[self.comparison](found, self.value):
            return Done({"value": found})
        return Pending(f"{self.field} is {found}, waiting for {self.comparison} {self.value}")
