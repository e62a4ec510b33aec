"""An object whose own field tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_provider.api.endings import ENTITIES, Ending
from airflow_provider.api.waits.verdicts import Done, Failed, Pending, Verdict, WaitAnswer
from airflow_provider.api.waits.words import by_word, dig, kept


@dataclass(frozen=True, slots=True)
class EntityWait:
    """An object whose own field tells; ``endings`` names a row of ``endings.ENTITIES``.

    ``want`` lists words that count as done besides the row's own (``active`` for a deployment). Done gives the object,
    or what the row keeps of it, as ``entity``.
    """

    kind: ClassVar[str] = "entity"
    path: str
    endings: str
    want: Sequence[str] = ()

    @property
    def absent(self) -> Ending:
        return ENTITIES[self.endings].absent

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        endings = ENTITIES[self.endings]
        words: dict[str, Ending] = {**endings.words, **dict.fromkeys(self.want, "done")}
        return by_word(endings, words, answer, Done({"entity": kept(endings, answer.json())}))


@dataclass(frozen=True, slots=True)
class WordWait:
    """Any object until a field of it says one of some words; whoever waits names them, as no row of a table does.

    ``field`` and ``message`` are dotted paths, booleans are ``true`` and ``false``. Every other word is pending. Done
    gives the ``word`` alone: an object that nobody knows may hold secrets, and ends stand in the database.
    """

    kind: ClassVar[str] = "word"
    absent: ClassVar[Ending] = "failed"
    path: str
    field: str
    done: Sequence[str]
    failed: Sequence[str] = ()
    message: str | None = None

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        entity = answer.json()
        found = dig(entity, self.field)
        word = str(found).lower() if isinstance(found, bool) else str(found)
        if word in self.done:
            return Done({"word": word})
        if word in self.failed:
            told = dig(entity, self.message) if self.message else None
            return Failed(f"{self.field} is {word}: {told}" if told else f"{self.field} is {word}")
        return Pending(f"{self.field} is {word}")
