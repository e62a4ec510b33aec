"""A job at the path of its ``Location``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_provider.api.endings import JOB, Ending
from airflow_provider.api.waits.verdicts import Done, Verdict, WaitAnswer
from airflow_provider.api.waits.words import by_word


@dataclass(frozen=True, slots=True)
class JobWait:
    """A job at the path of its ``Location`` (operation getStatus).

    Done gives ``location``: where the 303 pointed, or None when the end was a 200 with COMPLETED.
    """

    kind: ClassVar[str] = "job"
    absent: ClassVar[Ending] = "failed"
    path: str

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        if answer.status == 303:
            return Done({"location": answer.location})
        return by_word(JOB, JOB.words, answer, Done({"location": None}))
