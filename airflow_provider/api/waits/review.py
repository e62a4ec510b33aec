"""A change request until it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.verdicts import Done, Pending, Unknown, Verdict, WaitAnswer
from airflow_provider.api.waits.words import canonical


@dataclass(frozen=True, slots=True)
class ReviewWait:
    """A change request until people (or its policy) have decided (operation getChangeRequest).

    The server's status decides, pinned to the version that was seen (``version``, None: any). Done gives ``outcome``
    (approved, changesRequested, cancelled, resolved or superseded) and the request as ``entity``.
    ``keep_waiting`` lists outcomes that do not end the wait: ``changesRequested`` (an edit may follow) and
    ``superseded`` (a newer version is waited for as well).
    """

    kind: ClassVar[str] = "review"
    absent: ClassVar[Ending] = "failed"
    path: str
    version: str | None = None
    keep_waiting: Sequence[str] = ()

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        word = canonical(str(entity.get("status")))
        if word == "resolved" or word == "cancelled":
            return Done({"outcome": word, "entity": entity})
        seen = entity.get("changeVersionId")
        if self.version is not None and seen != self.version and "superseded" not in self.keep_waiting:
            return Done({"outcome": "superseded", "entity": entity})
        if word == "pending" or word in self.keep_waiting:
            return Pending(f"change request is {word}, version {seen}")
        if word in ("approved", "changesRequested"):
            return Done({"outcome": word, "entity": entity})
        return Unknown(word)
