"""Checks rows of actuals one by one, and packs the good ones into chunks.

    rows ──► check ──► good: a JSON fragment ──► chunks of at most 10,000, each with a digest
                 └───► bad: line, reason, row ──► rejects

A chunk is made of its rows and nothing else, so the same input gives the same chunks and digests: that is how a rerun
knows what was accepted already. Bodies are built as text, because a checked row needs no second check (rule of the
house: the row check is at least as strict as the contract).

Where the last row of an id counts, chunks come in windows. Within a window no id stands twice, so its chunks may be
sent side by side; a window is sent when everything of the windows before it is over. A row whose id is in its window
already is held for the next one, which begins when enough is held.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.row_check import RowCheck, Tally, shown
from airflow_provider.mlops.rows import Broken, Row

CHUNK_ROWS = 10_000  # submitDeploymentActualsFromJson takes at most 10,000 (wire.md D)
DUPLICATES = ("last", "first", "error", "ignore")


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
    """Rows that are sent together, after everything of the windows before. ``body`` is the whole request body."""

    number: int
    window: int
    rows: int
    digest: str
    body: bytes


class Seen(Protocol):
    """What :func:`chunks` needs of a set of ids that may be too large for memory."""

    def add(self, names: Sequence[str]) -> list[bool]:
        """For each of some different names whether it was there before; all are there afterwards."""
        ...

    def forget(self) -> None:
        """Empties the set."""
        ...


def chunks(
    rows: Iterable[Row | Broken],
    check: RowCheck,
    tally: Tally,
    *,
    duplicates: str = "last",
    seen: Seen | None = None,
    keep_without_predictions: bool | None = None,
    size: int = CHUNK_ROWS,
    on_reject: Callable[[Reject], object],
) -> Iterator[Chunk]:
    """Packs the good rows into chunks of at most ``size``; bad ones go to ``on_reject``.

    :param duplicates: ``last`` or ``first`` of rows with the same id counts, ``error`` refuses them, ``ignore`` sends
        all as they come.
    :param seen: remembers ids across chunks; needed for all but ``ignore``.
    """
    packing = _Packing(duplicates, seen, keep_without_predictions, size, tally)
    for row in rows:
        tally.read += 1
        if type(row) is Broken:
            _reject(Reject(row.line, row.reason, row.raw), tally, on_reject)
            continue
        checked = check.fragment(row)  # type: ignore[arg-type]
        if type(checked) is str:
            _reject(Reject(row[0], checked, list(row[1:])), tally, on_reject)  # type: ignore[index]
            continue
        packing.add(row[0], checked[0], checked[1])  # type: ignore[index]
        if len(packing.open) >= size:
            yield from packing.close()
    yield from packing.finish()


class _Packing:
    """The chunk that is being filled (``open``), and the rows that are held for the next window."""

    def __init__(self, duplicates: str, seen: Seen | None, keep: bool | None, size: int, tally: Tally) -> None:
        self._duplicates = duplicates
        self._ignore = duplicates == "ignore"
        self._seen = seen
        self._size = size
        self._tally = tally
        self._tail = b"]}" if keep is None else f'],"keepActualsWithoutPredictions":{str(keep).lower()}}}'.encode()
        self._number = self._window = 0
        self.open: dict[Any, str] = {}
        self._held: dict[str, str] = {}

    def add(self, line: int, name: str, fragment: str) -> None:
        if self._ignore:
            self.open[line] = fragment
        elif name not in self.open:
            self.open[name] = fragment
        else:
            self._again(name, fragment, f"line {line}")

    def close(self) -> Iterator[Chunk]:
        """The open chunk, without what must not go with it; then a new window if enough is held."""
        if self._seen is not None and not self._ignore:
            self._sift(self._seen)
        if self.open:
            yield self._chunk(self.open.values())
        self.open = {}
        if len(self._held) >= self._size:
            yield from self._next_window()

    def finish(self) -> Iterator[Chunk]:
        """All that is left."""
        yield from self.close()
        if self._held:
            yield from self._next_window()

    def _again(self, name: str, fragment: str, where: str) -> None:
        """A row whose id stands in the open chunk."""
        if self._duplicates == "error":
            raise DuplicateId(f"{where}: association id {shown(name)} stands in the input before")
        self._tally.duplicate += 1
        if self._duplicates == "last":
            self.open[name] = fragment

    def _sift(self, seen: Seen) -> None:
        """Takes out rows whose ids were packed before: to be held, or to be dropped."""
        names = list(self.open)
        for name, known in zip(names, seen.add(names), strict=True):
            if not known:
                continue
            if self._duplicates == "error":
                raise DuplicateId(f"association id {shown(name)} stands in the input twice")
            fragment = self.open.pop(name)
            if self._duplicates == "first":
                self._tally.duplicate += 1
            else:
                self._tally.duplicate += name in self._held
                self._held[name] = fragment

    def _next_window(self) -> Iterator[Chunk]:
        held, self._held = iter(self._held.items()), {}
        self._window += 1
        assert self._seen is not None, "nothing is held without it"
        self._seen.forget()
        while part := dict(itertools.islice(held, self._size)):
            self._seen.add(list(part))
            yield self._chunk(part.values())

    def _chunk(self, fragments: Iterable[str]) -> Chunk:
        rows = list(fragments)
        body = b'{"data":[' + ",".join(rows).encode() + self._tail
        digest = hashlib.sha256(body).hexdigest()[:32]
        self._number += 1
        self._tally.packed += len(rows)
        return Chunk(self._number - 1, self._window, len(rows), digest, body)


def _reject(reject: Reject, tally: Tally, on_reject: Callable[[Reject], object]) -> None:
    tally.rejected += 1
    kind = reject.reason.partition(":")[0]
    tally.reasons[kind] = tally.reasons.get(kind, 0) + 1
    on_reject(reject)
