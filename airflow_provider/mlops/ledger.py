"""The ledger of an upload: which chunks were sent when, at which job, and how that ended.

A folder of small files that are written once and never changed, read by listing it; object stores can do no more than
that. Their numbers tell the order. A batch of chunks writes:

    000007.intended.json   before its posts: digests, rows, weight, service time  (charged to the quota from here on)
    000008.sent.json       after its posts: the job of each chunk, and the service time by which all had arrived
    000012.over.json       how chunks ended: done, failed, lost (its job is not known any more), refused (nothing of
                           it arrived, and so it costs nothing)

A chunk that is intended and neither sent nor over may or may not have arrived: it is sent again, and its rows count as
repeated. The service overwrites by association id, so a repeat changes nothing but the quota.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.once import SETTLE
from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.row_check import Tally

Outcome = Literal["done", "failed", "lost", "refused"]
End = tuple[Outcome, str | None]  # and why
VERSION = 1
EVENTS = ("intended", "sent", "over")


class ChangedInput(DataRobotError):
    """The source gives other rows than it gave when its upload began."""


class LedgerUnreadable(DataRobotError):
    """A file of the ledger is damaged, or was written by a newer release."""


class LedgerInUse(DataRobotError):
    """Somebody else uploads the same input at this moment."""

    retryable = True


class Store(Protocol):
    """A folder: the part of a file system that a ledger needs."""

    def names(self) -> Iterable[str]:
        """The names of all files in it."""
        ...

    def read(self, name: str) -> bytes:
        """The content of a file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Makes a file, whole or not at all; raises :class:`LedgerInUse` when it is there already."""
        ...


@dataclass(slots=True)
class Entry:
    """What is known of one chunk.

    ``by``: who intended it last. ``sends`` counts intentions that may have reached the service, ``tries`` those of
    ``by``. ``order``, ``at``: number and service time of the last intention.
    """

    digest: str
    rows: int
    by: str = ""
    sends: int = 0
    tries: int = 0
    order: int = 0
    at: float = 0.0
    location: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None

    @property
    def unsure(self) -> bool:
        """Whether the last sending may have reached the service without an answer that we have."""
        return self.sends > 0 and self.location is None and self.outcome is None


@dataclass(slots=True)
class Ledger:
    """The ledger of one input, read from its folder; every change is written there first.

    ``charges`` are (service time, weighted rows) by intention and chunk. ``began`` is when the first pass began.
    ``unsure`` is when something was sent last of which nobody knows whether it arrived. ``datasets`` are those that
    were made for the upload, by the path of their job. ``latest`` is the number of the last file.

    :param store: the folder.
    :param by: run and attempt that write (``run#attempt``): rows that another run has sent are told apart from its
        own, and what failed in another attempt is tried again.
    """

    store: Store
    by: str
    entries: dict[int, Entry] = field(default_factory=dict)
    charges: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    began: float | None = None
    unsure: float = 0.0
    datasets: dict[str, str] = field(default_factory=dict)
    latest: int = 0

    @classmethod
    def read(cls, store: Store, by: str) -> Ledger:
        """Everything that was written before."""
        ledger = cls(store, by)
        for number, event, name in sorted(_parsed(name) for name in store.names()):
            if event in EVENTS:
                ledger.latest = number
                ledger._take(event, _content(name, store.read(name)))
        return ledger

    def own(self, entry: Entry) -> bool:
        """Whether our run has sent it, in this attempt or in an earlier one."""
        return entry.by.rpartition("#")[0] == self.by.rpartition("#")[0]

    def entry(self, chunk: Chunk, *, resend_changed: bool = False) -> Entry | None:
        """What is known of this chunk; of another one at its place nothing, or :class:`ChangedInput` is raised."""
        known = self.entries.get(chunk.number)
        if known is None or known.digest == chunk.digest:
            return known
        if not resend_changed:
            raise ChangedInput(
                f"chunk {chunk.number} ({chunk.rows} rows) is not what it was when the upload began: the source or the "
                "arguments have changed; on_changed_input='resend' sends what is there now, a new state_path starts "
                "afresh"
            )
        del self.entries[chunk.number]
        return None

    def intend(self, chunks: Sequence[Chunk], weight: int, at: float) -> None:
        """Notes that these chunks are about to be sent, at this service time."""
        noted = [{"chunk": one.number, "digest": one.digest, "rows": one.rows} for one in chunks]
        began = at if self.began is None else self.began
        self._write("intended", {"at": at, "began": began, "weight": weight, "by": self.by, "chunks": noted})

    def sent(self, locations: Mapping[int, str], at: float, dataset: str | None = None) -> None:
        """Notes where the jobs of chunks are, by when all had arrived, and the dataset in which they went."""
        places = {str(number): place for number, place in locations.items()}
        self._write("sent", {"at": at, "locations": places, **({"dataset": dataset} if dataset else {})})

    def over(self, ends: Mapping[int, End]) -> None:
        """Notes how chunks ended, and why."""
        noted = {str(number): {"outcome": outcome, "reason": why} for number, (outcome, why) in ends.items()}
        self._write("over", {"outcomes": noted})

    def settle(self, ends: Mapping[str, End]) -> None:
        """Notes how jobs ended, by their path; a job that nobody waits for any more is passed over."""
        waiting = ((number, one.location) for number, one in self.entries.items() if one.location and not one.outcome)
        known = {number: ends[path] for number, path in waiting if path in ends}
        if known:
            self.over(known)

    def spent(self) -> list[tuple[float, int]]:
        """All charges: (service time, weighted rows)."""
        return list(self.charges.values())

    def _write(self, event: str, content: dict[str, Any]) -> None:
        self.store.write(f"{self.latest + 1:06d}.{event}.json", json.dumps({"v": VERSION, **content}).encode())
        self.latest += 1
        self._take(event, content)

    def _take(self, event: str, content: Mapping[str, Any]) -> None:
        if event == "intended":
            self.began = content["began"]
            for one in content["chunks"]:
                self._intended(one, content)
        elif event == "sent":
            for number, location in content["locations"].items():
                self._sent(int(number), location, content["at"])
                if "dataset" in content:
                    self.datasets[location] = content["dataset"]
        else:
            for number, end in content["outcomes"].items():
                self._over(int(number), end["outcome"], end["reason"])

    def _intended(self, one: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        number, at, by = one["chunk"], content["at"], content["by"]
        known = self.entries.get(number)
        if known is not None and known.unsure:
            self.unsure = max(self.unsure, known.at)
        if known is None or known.digest != one["digest"]:
            known = Entry(one["digest"], one["rows"])
        known.tries = known.tries + 1 if known.by == by else 1
        known.by, known.sends, known.order, known.at = by, known.sends + 1, self.latest, at
        known.location = known.outcome = known.reason = None
        self.entries[number] = known
        # As long as there is no answer it may arrive late, and late is on the safe side of any hour.
        self.charges[self.latest, number] = (at + SETTLE, one["rows"] * content["weight"])

    def _sent(self, number: int, location: str, at: float) -> None:
        entry = self.entries[number]
        entry.location = location
        self.charges[entry.order, number] = (at, self.charges[entry.order, number][1])

    def _over(self, number: int, outcome: Outcome, reason: str | None) -> None:
        entry = self.entries[number]
        if outcome == "refused":
            entry.sends -= 1
            entry.tries -= 1
            self.charges.pop((entry.order, number), None)
        elif entry.unsure:
            self.unsure = max(self.unsure, entry.at)
        entry.outcome, entry.reason = outcome, reason


def account(tally: Tally, ledger: Ledger, chunks: int) -> dict[str, int]:
    """Every row that was read so far, by what became of it: read = sent + rejected + skipped + pending.

    :param chunks: how many the rows have made so far; their numbers begin at 0.
    :return: ``sent`` by this run; ``skipped``: duplicates, and rows that another run has sent; ``repeated``: of those
        sent, what was or may have been sent before, once for each time.
    """
    done = [one for number, one in ledger.entries.items() if number < chunks and one.outcome == "done"]
    own = [one for one in done if ledger.own(one)]
    sent = sum(one.rows for one in own)
    accepted = sum(one.rows for one in done)
    return {
        "read": tally.read,
        "sent": sent,
        "rejected": tally.rejected,
        "skipped": tally.duplicate + accepted - sent,
        "pending": tally.read - tally.rejected - tally.duplicate - accepted,
        "repeated": sum(one.rows * (one.sends - 1) for one in own),
    }


def _parsed(name: str) -> tuple[int, str, str]:
    number, _, event = name.removesuffix(".json").partition(".")
    return (int(number), event, name) if number.isdigit() else (0, "", name)


def _content(name: str, raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
        version = content["v"]
    except (ValueError, KeyError, TypeError):
        raise LedgerUnreadable(f"{name} is damaged: remove it if its rows may be sent again") from None
    if version != VERSION:
        raise LedgerUnreadable(f"{name} was written by another release (version {version}, this one reads {VERSION})")
    found: dict[str, Any] = content
    return found
