"""A point in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.verdicts import Verdict, WaitAnswer


@dataclass(frozen=True, slots=True)
class UntilWait:
    """A point in time, in seconds since 1970; asks nothing."""

    kind: ClassVar[str] = "until"
    absent: ClassVar[Ending] = "failed"
    time: float

    def request(self) -> None:
        return None

    def receive(self, answer: WaitAnswer) -> Verdict:
        raise TypeError("an UntilWait asks nothing and is answered nothing")
