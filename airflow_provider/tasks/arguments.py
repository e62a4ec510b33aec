"""Arguments after rendering: templates give strings, and a task must not read "False" as true.

Each check gives the value in its right type or raises :class:`InvalidCall` that says which argument, what was given
and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import InvalidCall

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False, "none": False}


def flag(name: str, value: Any) -> bool:
    """A boolean, or one of the words that templates make of one."""
    if isinstance(value, bool):
        return value
    try:
        return WORDS[str(value).strip().lower()]
    except KeyError:
        raise InvalidCall(f"{name} must be true or false, not {value!r}") from None


def identifier(name: str, value: Any) -> str:
    """An id: a non-empty string without blanks, slashes and template remains."""
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str) or not text or any(sign in text for sign in " /?#{}\t\n") or text.lower() == "none":
        raise InvalidCall(f"{name} must be an id, a string without blanks and slashes, not {value!r}")
    return text


def optional_identifier(name: str, value: Any) -> str | None:
    """An id, or None where nothing (or a template's None) was given."""
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "none")):
        return None
    return identifier(name, value)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of some words, in any case; gives the word as it is spelled in ``allowed``."""
    for word in allowed:
        if str(value).strip().lower() == word.lower():
            return word
    raise InvalidCall(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def seconds(name: str, value: Any) -> float | None:
    """A duration in seconds from a number, its text or a timedelta; None stays None."""
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "none")):
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidCall(f"{name} must be a number of seconds or a timedelta, not {value!r}") from None
    if number < 0:
        raise InvalidCall(f"{name} must not be negative, not {value!r}")
    return number


def text(name: str, value: Any, most: int) -> str:
    """A text of at most so many characters; None gives an empty one."""
    given = "" if value is None else str(value)
    if len(given) > most:
        raise InvalidCall(f"{name} must have at most {most} characters, not {len(given)}")
    return given


def mapping(name: str, value: Any) -> dict[str, Any] | None:
    """A mapping with string keys, or None."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidCall(f"{name} must be a mapping with string keys, not {type(value).__name__}")
    return dict(value)
