"""Checks one row of actuals, and makes the JSON of a good one.

The check is at least as strict as the contract, so that what passes needs no second check (rule of the house for bulk
bodies). What it refuses it refuses with a reason: a kind, a colon and what was found.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from airflow_provider.mlops.columns import key_text
from airflow_provider.mlops.rows import Row

ID_LENGTH = 128  # longer ids are cut by the service and then match nothing (wire.md D)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOMORROW = timedelta(days=1)  # clocks differ; a day ahead is no clock
NUMERIC = ("Regression",)
LABELLED = ("Binary", "Multiclass")
SHOWN = 60  # characters of a refused value that a reason shows
ACTED = dict.fromkeys(("true", "yes", "1", "1.0"), "true") | dict.fromkeys(("false", "no", "0", "0.0"), "false")


@dataclass(slots=True)
class Tally:
    """What was read so far.

    ``read`` rows; of them ``rejected``, ``duplicate`` (another row of the same id counts) and ``packed`` into chunks;
    ``naive`` timestamps had no zone; ``reasons`` counts rejects by kind.
    """

    read: int = 0
    rejected: int = 0
    duplicate: int = 0
    packed: int = 0
    naive: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class RowCheck:
    """The check for one target type.

    :param target_type: of the champion package: Regression, Binary, Multiclass; any other takes every label.
    :param classes: all class labels, where they are known.
    :param now: rows from the future are refused.
    """

    def __init__(self, target_type: str, classes: Sequence[str] | None, now: datetime, tally: Tally) -> None:
        self._tally = tally
        self._latest = now + TOMORROW
        self._value = self._check_of(target_type, classes)

    def fragment(self, row: Row) -> tuple[str, str] | str:
        """(association id, JSON of the row), or the reason why it is refused: its kind, a colon and what was found."""
        _, key, value, stamp, acted = row
        name = key if type(key) is str else key_text(key)
        if not name:
            return "association id is empty" if key is None or key == "" else f"association id is no text: {shown(key)}"
        if len(name) > ID_LENGTH:
            return f"association id is longer than {ID_LENGTH} characters: {len(name)}"
        sent = self._value(value)
        if sent is None:
            return "actual value is empty" if _absent(value) else f"actual value is not {self._wanted}: {shown(value)}"
        text = f'{{"associationId":{quoted(name)},"actualValue":{sent}'
        if stamp is not None and stamp != "":
            when = self._timestamp(stamp)
            if not when.startswith("timestamp"):
                text += f',"timestamp":"{when}"'
            elif not _absent(stamp):
                return f"{when}: {shown(stamp)}"
        if acted is not None and acted != "":
            word = ACTED.get(str(acted).strip().lower())
            if word is not None:
                text += f',"wasActedOn":{word}'
            elif not _absent(acted):
                return f"was acted on is neither true nor false: {shown(acted)}"
        return name, text + "}"

    def _check_of(self, target_type: str, classes: Sequence[str] | None) -> Callable[[Any], str | None]:
        self._wanted = "a finite number" if target_type in NUMERIC else "a label"
        if target_type in NUMERIC:
            return _number
        if target_type in LABELLED and classes:
            self._wanted = f"one of {', '.join(list(classes)[:10])}"
            return _Classes(classes).label
        return _label

    def _timestamp(self, stamp: Any) -> str:
        """RFC 3339 in UTC, or what is wrong with it."""
        try:
            when = stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp).strip())
        except ValueError:
            return "timestamp is no ISO 8601 time"
        naive = when.tzinfo is None
        if naive:
            when = when.replace(tzinfo=UTC)
        if not EPOCH <= when <= self._latest:
            return "timestamp is before 1970" if when < EPOCH else "timestamp is in the future"
        self._tally.naive += naive
        return when.astimezone(UTC).isoformat()


def _absent(value: Any) -> bool:
    """None, a blank text, or what data frames write for nothing."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, numbers.Number) and value != value)


def shown(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _number(value: Any) -> str | None:
    """JSON of a finite number, or None. Python reads 1_000 as a number; nobody else does."""
    if type(value) is str:
        if "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, numbers.Number):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return repr(number) if math.isfinite(number) else None


def _label(value: Any) -> str | None:
    """JSON of a label: a text, a finite number as such (1.0 is 1), True or False as words; or None."""
    text = str(value) if isinstance(value, bool) else key_text(value)
    return quoted(text) if text and not text.isspace() else None


class _Classes:
    """Known class labels, also in another spelling of the same number (1.0 for 1)."""

    def __init__(self, classes: Iterable[str]) -> None:
        self._known = {str(label): quoted(str(label)) for label in classes}
        self._numbers = {text: quoted(label) for label in self._known if (text := _number(label)) is not None}

    def label(self, value: Any) -> str | None:
        """JSON of the class, or None."""
        if type(value) is str and (found := self._known.get(value)) is not None:
            return found
        text = str(value) if isinstance(value, bool) else key_text(value)
        if text is None:
            return None
        return self._known.get(text) or self._numbers.get(_number(text) or "")
