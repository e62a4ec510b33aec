"""Several waits, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.until import UntilWait
from airflow_provider.api.waits.verdicts import JSON, Done, Failed, Pending, Unknown, Verdict, Wait, WaitAnswer


@dataclass(slots=True)
class EveryWait:
    """Several waits, asked one after another, until each is over, well or not.

    Done gives ``outcomes``: one object a wait, in order, with ``outcome`` (done or failed), ``reason`` and ``result``.
    """

    kind: ClassVar[str] = "every"
    absent: ClassVar[Ending] = "failed"
    waits: Sequence[Wait]
    over: dict[int, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.waits or any(isinstance(one, (UntilWait, EveryWait)) for one in self.waits):
            raise ValueError("EveryWait holds at least one wait, and only such as ask for an answer of their own")

    def request(self) -> str | None:
        return self.waits[self._turn()].request()

    def receive(self, answer: WaitAnswer) -> Verdict:
        verdict = self.waits[self._turn()].receive(answer)
        if isinstance(verdict, (Pending, Unknown)):
            return verdict
        return self.note(verdict)

    def note(self, verdict: Done | Failed) -> Pending | Done:
        """Takes the end of the wait whose turn it is."""
        failed = isinstance(verdict, Failed)
        self.over[self._turn()] = {
            "outcome": "failed" if failed else "done",
            "reason": verdict.reason if isinstance(verdict, Failed) else None,
            "result": verdict.result,
        }
        if len(self.over) == len(self.waits):
            return Done({"outcomes": [self.over[number] for number in range(len(self.waits))]})
        return Pending(f"{len(self.over)} of {len(self.waits)} are over", at_once=True)

    def _turn(self) -> int:
        return next(number for number in range(len(self.waits)) if number not in self.over)
