"""A set of ids on disk, for inputs whose ids do not fit into memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from zlib import crc32


class SeenOnDisk:
    """Digests of 96 bits in a throw-away SQLite file; a context manager that removes it.

    :param folder: a work directory on this machine.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "seen.sqlite"
        self._file.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._file, isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000", "locking_mode=EXCLUSIVE"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, proof INTEGER, call INTEGER)")
        self._calls = 0

    def add(self, names: Sequence[str]) -> list[bool]:
        """For each of some different names whether it was there before; all are there afterwards."""
        self._calls += 1
        call = self._calls
        # Python's own hash of a string has 64 bits and lasts as long as the process, like the set itself. Sorted,
        # because neighbours lie on the same pages.
        rows = sorted([(hash(name), _proof(name), call) for name in names])
        before = self._database.total_changes
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", rows)
        self._database.execute("COMMIT")
        if self._database.total_changes - before == len(rows):
            return [False] * len(names)
        return [self._of_an_earlier_call(name) for name in names]

    def forget(self) -> None:
        """Empties the set."""
        self._database.execute("DELETE FROM seen")

    def _of_an_earlier_call(self, name: str) -> bool:
        found = self._database.execute("SELECT proof, call FROM seen WHERE key = ?", (hash(name),)).fetchone()
        return bool(found[0] == _proof(name) and found[1] != self._calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._file.unlink(missing_ok=True)


def _proof(name: str) -> int:
    return crc32(name.encode(errors="surrogatepass"))
