"""The ledger of an upload: which chunks were sent when, at which job, and how that ended.

A folder of small files that are written once and never changed, read by listing it; object stores can do no more than
that. Their numbers tell the order. A batch of chunks writes:

    000007.intended.json   before its posts: digests, rows, weights, service time  (charged to the quota from here on)
    000008.sent.json       after its posts: the Location of each chunk
    000012.over.json       when jobs are over: the outcome of each chunk

A chunk that is intended and not sent may or may not have arrived: it is sent again, and its rows count as repeated. The
service overwrites by association id, so a repeat changes nothing but the quota.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.actuals import Chunk

Outcome = Literal["done", "failed", "lost"]
VERSION = 1


class ChangedInput(DataRobotError):
    """The source gives other rows than it gave when its upload began."""


class Store(Protocol):
    """A folder: the part of a file system that a ledger needs."""

    def names(self) -> Iterable[str]:
        """The names of all files in it."""
        ...

    def read(self, name: str) -> bytes:
        """The content of a file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Makes a file that is not there yet; it appears whole or not at all."""
        ...


@dataclass(slots=True)
class Entry:
    """What is known of one chunk. ``sends`` counts intentions: each may have reached the service."""

    digest: str
    rows: int
    sends: int = 0
    location: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    by: str = ""


@dataclass(slots=True)
class Ledger:
    """The ledger of one input, read from its folder; every change is written there first.

    :param store: the folder.
    :param by: run and attempt that write (``run#attempt``): rows that another run has sent are told apart from its
        own, and what failed in another attempt is tried again.
    """

    store: Store
    by: str
    entries: dict[int, Entry] = field(default_factory=dict)
    charges: list[tuple[float, int]] = field(default_factory=list)
    _next: int = 0

    @classmethod
    def read(cls, store: Store, by: str) -> Ledger:
        """Everything that was written before."""
        ledger = cls(store, by)
        for name in sorted(store.names()):
            number, event = _parsed(name)
            if event is not None:
                ledger._next = number + 1
                ledger._take(event, json.loads(store.read(name)))
        return ledger

    def entry(self, chunk: Chunk) -> Entry | None:
        """What is known of this chunk; raises :class:`ChangedInput` when another one stood at its place."""
        known = self.entries.get(chunk.number)
        if known is not None and known.digest != chunk.digest:
            raise ChangedInput(
                f"chunk {chunk.number} (lines {chunk.first_line}-{chunk.last_line}) is not what it was when the upload "
                "began: on_changed_input='resend' sends it again, a new state_path starts afresh"
            )
        return known

    def forget(self, chunk: Chunk) -> None:
        """The input has changed here, and what it is now shall be sent."""
        self.entries.pop(chunk.number, None)

    def intend(self, chunks: Sequence[Chunk], weight: int, at: float) -> None:
        """Notes that these chunks are about to be sent, at this service time."""
        noted = [{"chunk": one.number, "digest": one.digest, "rows": one.rows} for one in chunks]
        self._write("intended", {"at": at, "weight": weight, "by": self.by, "chunks": noted})

    def sent(self, locations: Mapping[int, str | None]) -> None:
        """Notes where the jobs of chunks are; None for a chunk that was accepted without a job."""
        self._write("sent", {"locations": {str(number): place for number, place in locations.items()}})

    def over(self, outcomes: Mapping[int, tuple[Outcome, str | None]]) -> None:
        """Notes how chunks ended."""
        noted = {str(number): {"outcome": outcome, "reason": why} for number, (outcome, why) in outcomes.items()}
        self._write("over", {"outcomes": noted})

    def spent(self, now: float, seconds: float) -> list[tuple[float, int]]:
        """Charges of the last so many seconds of service time: (when, weighted rows)."""
        return [(at, rows) for at, rows in self.charges if at > now - seconds]

    def _write(self, event: str, content: dict[str, Any]) -> None:
        self.store.write(f"{self._next:06d}.{event}.json", json.dumps({"v": VERSION, **content}).encode())
        self._next += 1
        self._take(event, content)

    def _take(self, event: str, content: Mapping[str, Any]) -> None:
        match event:
            case "intended":
                rows = 0
                for one in content["chunks"]:
                    known = self.entries.get(one["chunk"])
                    entry = known if known and known.digest == one["digest"] else Entry(one["digest"], one["rows"])
                    entry.sends, entry.location, entry.outcome = entry.sends + 1, None, None
                    entry.by = content.get("by", "")
                    self.entries[one["chunk"]] = entry
                    rows += one["rows"]
                self.charges.append((content["at"], rows * content["weight"]))
            case "sent":
                for number, location in content["locations"].items():
                    entry = self.entries[int(number)]
                    entry.location = location
                    if location is None:
                        entry.outcome = "done"
            case "over":
                for number, end in content["outcomes"].items():
                    entry = self.entries[int(number)]
                    entry.outcome, entry.reason = end["outcome"], end["reason"]


def _parsed(name: str) -> tuple[int, str | None]:
    number, _, event = name.removesuffix(".json").partition(".")
    known = number.isdigit() and event in ("intended", "sent", "over")
    return (int(number), event) if known else (0, None)
