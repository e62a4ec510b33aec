"""Where the parts of a row stand in a source, and how an id that is no text becomes one."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any, Protocol
from uuid import UUID

Parts = tuple[Any, Any, Any, Any]  # a row without its number


class Picking(Protocol):
    """Where the parts of a row stand: :class:`Columns` for actuals."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that must be there."""
        ...

    def pick(self, places: Mapping[str, Any]) -> Callable[[Any], Parts]:
        """A function from a sequence of fields, or from a mapping, to the parts of a row."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of an actual stand.

    :param association_id: one column, or several whose values are joined by ``separator``.
    :param timestamp: when the outcome became known; with or without zone.
    :param was_acted_on: whether the prediction was acted on.
    """

    association_id: str | Sequence[str]
    actual_value: str
    timestamp: str | None = None
    was_acted_on: str | None = None
    separator: str = "_"

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns of the association id."""
        return (self.association_id,) if isinstance(self.association_id, str) else tuple(self.association_id)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that must be there."""
        return (*self.ids, self.actual_value, *(name for name in (self.timestamp, self.was_acted_on) if name))

    def pick(self, places: Mapping[str, Any]) -> Callable[[Any], Parts]:
        """A function from a sequence of fields, or from a mapping, to (id, value, timestamp, acted).

        :param places: column -> its position, or its key in the mapping.
        """
        value = places[self.actual_value]
        stamp, acted = (places[name] if name else None for name in (self.timestamp, self.was_acted_on))
        if len(self.ids) == 1 and acted is None:
            key = places[self.ids[0]]
            if stamp is None:
                two = itemgetter(key, value)
                return lambda fields: (*two(fields), None, None)
            three = itemgetter(key, value, stamp)
            return lambda fields: (*three(fields), None)
        keys = [places[name] for name in self.ids]

        def picked(fields: Any) -> Parts:
            return (
                fields[keys[0]] if len(keys) == 1 else joined([fields[key] for key in keys], self.separator),
                fields[value],
                None if stamp is None else fields[stamp],
                None if acted is None else fields[acted],
            )

        return picked


def key_text(key: Any) -> str | None:
    """An id, or a part of one, as text: texts, numbers (1.0 is 1), dates and UUIDs; None for anything else."""
    if isinstance(key, str):
        return str(key)
    if isinstance(key, bool) or not isinstance(key, (numbers.Number, date, UUID)):
        return None
    if isinstance(key, float):
        if not math.isfinite(key):
            return None
        return str(int(key)) if key.is_integer() else repr(float(key))
    return str(key)


def joined(parts: Iterable[Any], separator: str) -> str | None:
    """A composite id; None when a part of it is missing."""
    texts = [key_text(part) for part in parts]
    return separator.join(texts) if all(texts) else None  # type: ignore[arg-type]
