"""When a deployment counts as healthy: its health settings, compared and laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Areas = dict[str, dict[str, Any]]


def differing(wanted: Mapping[str, Mapping[str, Any]], now: Mapping[str, Any]) -> Areas:
    """What of the wanted values is not so now, area by area; lists of words are compared without their order."""
    compared = {
        area: {name: value for name, value in values.items() if not _same(value, (now.get(area) or {}).get(name))}
        for area, values in wanted.items()
    }
    return {area: values for area, values in compared.items() if values}


def laid_over(areas: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]) -> Areas:
    """The wanted values over those of ``areas``, in areas of either."""
    return {name: {**(areas.get(name) or {}), **wanted.get(name, {})} for name in dict.fromkeys([*areas, *wanted])}


def body(differs: Areas, now: Mapping[str, Any]) -> Areas:
    """What is sent: each area that differs, whole, for nobody says what becomes of keys that are left out."""
    return {area: {**(now.get(area) or {}), **values} for area, values in differs.items()}


def _same(wanted: Any, now: Any) -> bool:
    lists = (wanted, now)
    if all(isinstance(one, list) and all(isinstance(word, str) for word in one) for one in lists):
        return sorted(wanted) == sorted(now)
    return bool(wanted == now)
