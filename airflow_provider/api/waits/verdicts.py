"""What a wait says of an answer: not over, well over, badly over, or a word that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from airflow_provider.api.endings import Ending

JSON = dict[str, Any]


class WaitAnswer(Protocol):
    """The part of an answer that waits look at."""

    @property
    def status(self) -> int: ...
    @property
    def location(self) -> str | None: ...
    def json(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Pending:
    """Not over; ``note`` is a line for the log, if there is news. ``at_once``: there is more to ask without a pause."""

    note: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not over as far as anyone knows: the service said a word that no page has."""

    word: str


@dataclass(frozen=True, slots=True)
class Done:
    """Over, and well."""

    result: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Over, and not well: the service said so."""

    reason: str
    result: JSON = field(default_factory=dict)


Verdict = Pending | Unknown | Done | Failed


class Wait(Protocol):
    """What the engine needs of a wait."""

    kind: ClassVar[str]

    @property
    def absent(self) -> Ending: ...
    def request(self) -> str | None: ...
    def receive(self, answer: WaitAnswer) -> Verdict: ...
