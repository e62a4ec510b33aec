"""Reading answers: what stands at a path, how a word is spelled, and what it means by a row of ``endings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.endings import Ending, Endings
from airflow_provider.api.waits.verdicts import Done, Failed, Pending, Unknown, Verdict, WaitAnswer


def canonical(word: str) -> str:
    """The camelCase spelling of a word that the pages allow in camelCase, PascalCase and UPPER_SNAKE."""
    if word.isupper():
        first, *rest = word.lower().split("_")
        return first + "".join(part.capitalize() for part in rest)
    return word[:1].lower() + word[1:]


def dig(value: Any, path: str) -> Any:
    """What stands at a dotted path, or None."""
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def by_word(endings: Endings, words: Mapping[str, Ending], answer: WaitAnswer, done: Done) -> Verdict:
    """The verdict by the word of an answer; ``done`` is what a good end gives."""
    entity = answer.json()
    word = str(dig(entity, endings.field))
    ending = words.get(word) or words.get(canonical(word))
    if ending is None:
        return Unknown(word)
    if ending == "done":
        return done
    message = dig(entity, endings.message) if endings.message else None
    if ending == "failed":
        return Failed(f"{word}: {message}" if message else word, {"entity": kept(endings, entity)})
    return Pending(f"{endings.field} is {word}" + (f": {message}" if message else ""))


def kept(endings: Endings, entity: Any) -> Any:
    """What a result keeps of an answer, by dotted path where that is not all of it."""
    return entity if endings.keeps is None else {path: dig(entity, path) for path in endings.keeps}
