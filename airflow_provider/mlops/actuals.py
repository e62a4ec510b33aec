"""Checks rows of actuals one by one, and packs the good ones into chunks.

    rows ──► check ──► good: a JSON fragment ──► chunks of at most 10,000, each with a digest
                 └───► bad: line, reason, row ──► rejects

A chunk is made of its rows and nothing else, so the same input gives the same chunks and digests: that is how a rerun
knows what was accepted already. Bodies are built as text, because a checked row needs no second check (rule of the
house: the row check is at least as strict as the contract).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.rows import Broken, Row

CHUNK_ROWS = 10_000  # submitDeploymentActualsFromJson takes at most 10,000 (wire.md D)
ID_LENGTH = 128  # longer ids are cut by the service and then match nothing (wire.md D)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOMORROW = timedelta(days=1)  # clocks differ; a day ahead is no clock
ACTED = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}
NUMERIC = ("Regression",)
LABELLED = ("Binary", "Multiclass")


class DuplicateId(DataRobotError):
    """An association id stands twice in the input, and ``duplicates`` is ``error``."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not sent: ``line`` in the source, why, and what stands there."""

    line: int
    reason: str
    row: Any

    def to_json(self) -> dict[str, Any]:
        """The line of the rejects file."""
        return {"line": self.line, "reason": self.reason, "row": self.row}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are sent together. ``body`` is the whole request body."""

    number: int
    rows: int
    digest: str
    body: bytes
    first_line: int
    last_line: int
    repeats: bool = False  # an id of an earlier chunk stands here again: it must not overtake that one


@dataclass(slots=True)
class Tally:
    """What was read so far: ``read`` rows, of them ``rejected``, and ``duplicate`` ones that another row replaces."""

    read: int = 0
    rejected: int = 0
    duplicate: int = 0
    naive: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class RowCheck:
    """The check for one target type.

    :param target_type: of the champion package: Regression, Binary, Multiclass; any other takes every scalar.
    :param classes: known class labels, where they can be read.
    :param now: rows from the future are refused.
    """

    def __init__(self, target_type: str, classes: Sequence[str] | None, now: datetime, tally: Tally) -> None:
        self._tally = tally
        self._latest = now + TOMORROW
        self._value = self._check_of(target_type, classes)

    def fragment(self, row: Row) -> tuple[str, str] | str:
        """(association id, JSON of the row), or the reason why it is refused."""
        _, key, value, stamp, acted = row
        name = key if type(key) is str else _key_text(key)
        if not name or len(name) > ID_LENGTH:
            return "association id is empty" if not name else f"association id has {len(name)} characters, at most 128"
        sent = self._value(value)
        if sent is None:
            return self._refusal(value)
        text = f'{{"associationId":{quoted(name)},"actualValue":{sent}'
        if stamp is not None and stamp != "":
            when = self._timestamp(stamp)
            if type(when) is not str:
                return f"timestamp {stamp!r} {when[0]}"
            text += f',"timestamp":"{when}"'
        if acted is not None and acted != "":
            word = ACTED.get(str(acted).strip().lower())
            if word is None:
                return f"was acted on is {acted!r}, neither true nor false"
            text += f',"wasActedOn":{word}'
        return name, text + "}"

    def _check_of(self, target_type: str, classes: Sequence[str] | None) -> Callable[[Any], str | None]:
        self._wanted = "a finite number" if target_type in NUMERIC else "a label"
        if target_type in NUMERIC:
            return _number
        if target_type in LABELLED and classes:
            self._wanted = f"one of {', '.join(list(classes)[:10])}"
            known = {label: quoted(label) for label in classes}
            by_number = {float(label): quoted(label) for label in classes if _number(label)}
            return lambda value: known.get(value) or _class(value, known, by_number)
        return _label

    def _refusal(self, value: Any) -> str:
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return "actual value is empty"
        return f"actual value {str(value)[:60]!r} is not {self._wanted}"

    def _timestamp(self, stamp: Any) -> str | tuple[str]:
        try:
            when = stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp).strip())
        except ValueError:
            return ("is no ISO 8601 time",)
        if when.tzinfo is None:
            self._tally.naive += 1
            when = when.replace(tzinfo=UTC)
        if when < EPOCH:
            return ("is before 1970",)
        if when > self._latest:
            return ("is in the future",)
        return when.isoformat()


def chunks(
    rows: Iterable[Row | Broken],
    check: RowCheck,
    tally: Tally,
    *,
    duplicates: str = "last",
    seen: Seen | None = None,
    keep_without_predictions: bool | None = None,
    size: int = CHUNK_ROWS,
    on_reject: Callable[[Reject], None],
) -> Iterator[Chunk]:
    """Packs the good rows into chunks of at most ``size``; bad ones go to ``on_reject``.

    :param duplicates: ``last`` or ``first`` of rows with the same id counts, ``error`` refuses them, ``ignore`` sends
        all as they come.
    :param seen: remembers ids across chunks; needed for all but ``ignore``.
    """
    packing = _Packing(duplicates, seen, keep_without_predictions)
    for row in rows:
        tally.read += 1
        if type(row) is Broken:
            _reject(Reject(row.line, row.reason, row.raw), tally, on_reject)
            continue
        checked = check.fragment(row)  # type: ignore[arg-type]
        if type(checked) is str:
            _reject(Reject(row[0], checked, list(row[1:])), tally, on_reject)  # type: ignore[index]
            continue
        packing.add(row[0], checked[0], checked[1], tally)  # type: ignore[index]
        if len(packing.fragments) >= size:
            yield packing.close(tally)
    if packing.fragments:
        yield packing.close(tally)


class Seen:
    """What :func:`chunks` needs of a set of ids that is too large for memory."""

    def add(self, names: Sequence[str]) -> list[bool]:
        """For each name whether it was there before; all are there afterwards."""
        raise NotImplementedError


class _Packing:
    """The chunk that is being filled."""

    def __init__(self, duplicates: str, seen: Seen | None, keep: bool | None) -> None:
        self._duplicates = duplicates
        self._seen = seen
        self._tail = b"]}" if keep is None else f'],"keepActualsWithoutPredictions":{str(keep).lower()}}}'.encode()
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self.fragments: dict[str, str] | list[str] = [] if self._duplicates == "ignore" else {}
        self._first = self._last = 0

    def add(self, line: int, name: str, fragment: str, tally: Tally) -> None:
        self._first = self._first or line
        self._last = line
        if type(self.fragments) is list:
            self.fragments.append(fragment)
            return
        if name in self.fragments:
            if self._duplicates == "error":
                raise DuplicateId(f"line {line}: association id {name!r} stands in the input before")
            tally.duplicate += 1
            if self._duplicates == "first":
                return
            self.fragments.pop(name)  # type: ignore[call-overload]
        self.fragments[name] = fragment  # type: ignore[call-overload,index]

    def close(self, tally: Tally) -> Chunk:
        repeats = self._across(tally)
        fragments = self.fragments if type(self.fragments) is list else self.fragments.values()  # type: ignore[union-attr]
        body = b'{"data":[' + ",".join(fragments).encode() + self._tail
        chunk = Chunk(
            number=self._number,
            rows=len(self.fragments),
            digest=hashlib.sha256(body).hexdigest()[:32],
            body=body,
            first_line=self._first,
            last_line=self._last,
            repeats=repeats,
        )
        self._number += 1
        self._begin()
        return chunk

    def _across(self, tally: Tally) -> bool:
        """Looks for ids of earlier chunks; whether one stands here again (and stays)."""
        if type(self.fragments) is list or self._seen is None:
            return False
        names = list(self.fragments)
        before = [name for name, known in zip(names, self._seen.add(names), strict=True) if known]
        if before and self._duplicates == "error":
            raise DuplicateId(
                f"association id {before[0]!r} (lines {self._first}-{self._last}) stands in the input before"
            )
        if self._duplicates == "first":
            for name in before:
                self.fragments.pop(name)  # type: ignore[call-overload]
            tally.duplicate += len(before)
            return False
        return bool(before)


def _reject(reject: Reject, tally: Tally, on_reject: Callable[[Reject], None]) -> None:
    tally.rejected += 1
    kind = reject.reason.split("'")[0].strip()
    tally.reasons[kind] = tally.reasons.get(kind, 0) + 1
    on_reject(reject)


def _key_text(key: Any) -> str:
    """An id that is no string: whole numbers as such, everything empty as nothing."""
    if key is None or isinstance(key, bool) or (isinstance(key, float) and not math.isfinite(key)):
        return ""
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)


def _number(value: Any) -> str | None:
    """JSON of a finite number, or None. Python reads 1_000 as a number; nobody else does."""
    if type(value) is str:
        if "_" in value:
            return None
    elif isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return repr(number) if math.isfinite(number) else None


def _label(value: Any) -> str | None:
    if type(value) is str:
        return quoted(value) if value else None
    if value is None or isinstance(value, (Mapping, list, tuple)) or (isinstance(value, float) and math.isnan(value)):
        return None
    return quoted(_key_text(value) or str(value))


def _class(value: Any, known: Mapping[str, str], by_number: Mapping[float, str]) -> str | None:
    """A label in another spelling of the same number (1.0 for 1), or None."""
    label = _label(value)
    if label is None:
        return None
    text = value if type(value) is str else _key_text(value) or str(value)
    if text in known:
        return known[text]
    number = _number(text)
    return by_number.get(float(number)) if number is not None else None
