"""Arguments after rendering: templates give strings, and a task must not read "False" as true.

Each check gives the value in its right type or raises :class:`InvalidCall` that says which argument, what was given
and what is allowed. A template makes the text "None" of None: where an argument may be absent, that text is too.
"""

from __future__ import annotations

import ast
import contextlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow_provider.api import moments
from airflow_provider.api.errors import InvalidCall

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False, "none": False}


def unset(value: Any) -> bool:
    """Whether it is None, or what a template makes of None."""
    return str(value).strip().lower() == "none"


def absent(value: Any) -> bool:
    """Whether nothing was given: None, a blank, or what a template makes of None."""
    return unset(value) or (isinstance(value, str) and not value.strip())


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
    if not isinstance(text, str) or absent(text) or not _is_segment(text):
        # 64e000000000000000000002 is a number for Python
        hint = "; render_template_as_native_obj makes numbers of ids" if isinstance(value, (int, float)) else ""
        raise InvalidCall(f"{name} must be an id, a string without blanks and slashes, not {value!r}{hint}")
    return text


def _is_segment(text: str) -> bool:
    """Whether a text can stand in a path as it is, as one part that leads nowhere else."""
    return text.isprintable() and text not in (".", "..") and not any(sign in text for sign in " /\\?#%{}")


def optional_identifier(name: str, value: Any) -> str | None:
    """An id, or None where nothing was given."""
    return None if absent(value) else identifier(name, value)


def id_or_name(id_name: str, key: Any, name: Any, most: int) -> tuple[str | None, str | None]:
    """A thing by its id or its name, the other of which is None; raises unless exactly one of them is given.

    :param id_name: the argument that has the id, for errors; that of the name is ``name``.
    :param most: characters of a name.
    """
    if absent(key) == absent(name):
        raise InvalidCall(f"give exactly one of {id_name} and name")
    return (None, named("name", name, most)) if absent(key) else (identifier(id_name, key), None)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of some words, in any case; gives the word as it is spelled in ``allowed``."""
    for word in allowed:
        if str(value).strip().lower() == word.lower():
            return word
    raise InvalidCall(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def several(name: str, value: Any) -> list[str]:
    """Words from one word, a list of them or a text with commas; an empty list where nothing was given.

    A template makes a text of a list, ``"['a', 'b']"``: that is read as the list.
    """
    if absent(value):
        return []
    if isinstance(value, str) and value.strip().startswith("["):
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value.strip())
    if isinstance(value, str):
        return [word.strip() for word in value.split(",")]
    if not isinstance(value, Iterable) or isinstance(value, Mapping) or not all(isinstance(one, str) for one in value):
        raise InvalidCall(f"{name} must be a word, a list of words or words with commas between, not {value!r}")
    return list(value)


def some_of(name: str, value: Any, allowed: Sequence[str]) -> list[str]:
    """:func:`several`, each :func:`one_of` the allowed ones."""
    return [one_of(name, word, allowed) for word in several(name, value)]


def whole(name: str, value: Any, least: int) -> int:
    """A whole number from ``least`` on, or its text."""
    try:
        number = int(str(value))
    except ValueError:
        number = None
    if number is None or number < least:
        raise InvalidCall(f"{name} must be a whole number from {least} on, not {value!r}")
    return number


def number(name: str, value: Any) -> float:
    """A finite number, or its text."""
    try:
        found = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not math.isfinite(found):
        raise InvalidCall(f"{name} must be a finite number, not {value!r}")
    return found


def seconds(name: str, value: Any) -> float | None:
    """A duration in seconds from a number, its text or a timedelta; None where nothing was given."""
    if absent(value):
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidCall(f"{name} must be a number of seconds or a timedelta, not {value!r}") from None
    if not 0 <= number < float("inf"):
        raise InvalidCall(f"{name} must be a number of seconds from 0 on, not {value!r}")
    return number


def moment(name: str, value: Any) -> datetime:
    """A time with its zone from a datetime or an ISO 8601 text; one without a zone is UTC."""
    return moments.given(name, value)


def text(name: str, value: Any, most: int) -> str:
    """A text of at most so many characters; None gives an empty one."""
    given = "" if value is None else str(value)
    if len(given) > most:
        raise InvalidCall(f"{name} must have at most {most} characters, not {len(given)}")
    return given


def named(name: str, value: Any, most: int) -> str:
    """A text that must not be blank."""
    if absent(value):
        raise InvalidCall(f"{name} must be a text of 1 to {most} characters, not {value!r}")
    return text(name, value, most)


def optional_name(name: str, value: Any, most: int) -> str | None:
    """A text that must not be blank, or None where nothing was given."""
    return None if absent(value) else named(name, value, most)


def mapping(name: str, value: Any) -> dict[str, Any] | None:
    """A mapping with string keys, or the text of a JSON object; None where nothing was given."""
    if absent(value):
        return None
    given = value
    if isinstance(value, str):
        try:
            given = json.loads(value)
        except ValueError:
            # Not the text itself: a body may hold secrets.
            raise InvalidCall(f"{name} must be a mapping, or the text of a JSON object, not other text") from None
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InvalidCall(f"{name} must be a mapping with string keys, not {type(given).__name__}")
    return dict(given)
