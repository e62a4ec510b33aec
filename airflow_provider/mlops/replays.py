"""Replays of challengers: their settings, and the schedule in the service's own words.

The schedule has five lists, as cron has five fields (seed 002:1466). A cron text of numbers, commas and stars is taken
too: ``30 2 * * 1`` is ``{"minute": [30], "hour": [2], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": [1]}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import DataRobotError, InvalidCall

FIELDS = {"minute": (0, 59), "hour": (0, 23), "dayOfMonth": (1, 31), "month": (1, 12), "dayOfWeek": (0, 7)}
EVERY = "*"


class NoChallengers(DataRobotError):
    """There is no challenger for which a replay would score anything."""


def schedule_of(given: Any) -> dict[str, list[Any]] | None:
    """A schedule as the service takes it, from a mapping of lists, its JSON text or a cron text; None for nothing.

    Words that are neither numbers nor stars (names of days, for example) are left to the service in a mapping.
    """
    if given is None or str(given).strip().lower() in ("", "none"):
        return None
    if isinstance(given, str):
        given = _from_text(given)
    if not isinstance(given, Mapping) or set(given) - set(FIELDS) or not given:
        raise InvalidCall(f"schedule must be a cron text or a mapping with {', '.join(FIELDS)}, not {given!r}")
    missing = [name for name in FIELDS if name not in given]
    if missing:
        raise InvalidCall(f"schedule lacks {', '.join(missing)}; a star stands for every one")
    return {name: _values(name, given[name]) for name in FIELDS}


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted settings is not so now; numbers and their texts are the same in a schedule."""
    return {name: value for name, value in wanted.items() if _plain(now.get(name)) != _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: sorted(map(str, one)) if isinstance(one, list) else one for name, one in value.items()}
    return value


def _from_text(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            raise InvalidCall(f"schedule is no JSON: {text!r}") from None
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise InvalidCall(f"schedule must have five fields, minute hour day-of-month month day-of-week, not {text!r}")
    values = {name: field.split(",") for name, field in zip(FIELDS, fields, strict=True)}
    strange = [one for found in values.values() for one in found if one != EVERY and not one.isdigit()]
    if strange:
        raise InvalidCall(f"schedule takes numbers, commas and stars; {', '.join(strange)} is none of them: {text!r}")
    return values


def _values(name: str, given: Any) -> list[Any]:
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    values = [int(one) if isinstance(one, str) and one.isdigit() else one for one in found]
    least, most = FIELDS[name]
    wrong = [one for one in values if isinstance(one, int) and (isinstance(one, bool) or not least <= one <= most)]
    if wrong or not values:
        raise InvalidCall(f"schedule.{name} must list numbers from {least} to {most}, or a star, not {given!r}")
    return values
