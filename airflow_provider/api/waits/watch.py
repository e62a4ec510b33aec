"""An object that shall stay good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.verdicts import Failed, Pending, Verdict, WaitAnswer
from airflow_provider.api.waits.words import dig


@dataclass(frozen=True, slots=True)
class WatchWait:
    """An object that shall stay good: it never ends well by itself, only badly, or at the deadline of whoever watches.

    ``expect`` maps dotted paths to the value that must stand there, ``refuse`` to values that must not.
    """

    kind: ClassVar[str] = "watch"
    absent: ClassVar[Ending] = "failed"
    path: str
    expect: Mapping[str, Any]
    refuse: Mapping[str, Sequence[Any]]

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        wrong = [
            f"{p} is {dig(entity, p)!r}, not {value!r}" for p, value in self.expect.items() if dig(entity, p) != value
        ]
        wrong += [f"{p} is {dig(entity, p)!r}" for p, values in self.refuse.items() if dig(entity, p) in values]
        if wrong:
            return Failed("; ".join(wrong), {"entity": entity})
        return Pending("all is well so far")
