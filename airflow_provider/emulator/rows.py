"""Rows of predictions and actuals: too many for plain records, so SQLite keeps them, beside the store.

::

    predictions        one row per prediction: when, which model, which association id, what was predicted; if known of
                       which monitoring batch (``batch``, an id), from which values (``features``, JSON by name), which
                       humility rules it met (``humility``, JSON list of ids), in which ``request``
    requests           one row per prediction request: how many rows, how long it took, how it ended, who asked
    batches --> sent   what was accepted, post by post: ``sent`` is a log, nothing in it is ever overwritten
    actuals            what is stored: one row per deployment and association id, the last one applied wins

With a state file the rows stand in a file beside it (``FILE.rows``), made when the first row is asked for; without one
they stand in a temporary file of SQLite's own. A *generation* ties both files together: rows that belong to another
start or reset are thrown away.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE meta(generation TEXT);
CREATE TABLE names(number INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE predictions(
  number INTEGER PRIMARY KEY, deployment INTEGER, model INTEGER, moment REAL, association TEXT,
  value, classes TEXT, distance INTEGER, batch TEXT, features TEXT, humility TEXT, request INTEGER);
CREATE INDEX predictions_by_batch ON predictions(deployment, batch) WHERE batch IS NOT NULL;
CREATE INDEX predictions_by_moment ON predictions(deployment, moment);
CREATE INDEX predictions_by_association ON predictions(deployment, association);
CREATE TABLE requests(
  number INTEGER PRIMARY KEY, deployment INTEGER, model INTEGER, moment REAL, rows INTEGER, execution REAL,
  response REAL, status INTEGER, consumer TEXT, cached INTEGER, remote TEXT, host TEXT, batch TEXT);
CREATE INDEX requests_by_moment ON requests(deployment, moment);
CREATE TABLE batches(
  number INTEGER PRIMARY KEY, deployment INTEGER, moment REAL, rows INTEGER, charged INTEGER, keep INTEGER,
  first INTEGER, last INTEGER, state TEXT);
CREATE INDEX batches_by_moment ON batches(moment);
CREATE TABLE sent(number INTEGER PRIMARY KEY, association TEXT, value, acted INTEGER, moment REAL);
CREATE TABLE actuals(
  deployment INTEGER, association TEXT, value, scored, acted INTEGER, moment REAL, received REAL,
  PRIMARY KEY(deployment, association)) WITHOUT ROWID;
"""
CACHE_KIB = 64_000  # beyond that SQLite uses the disk: memory stays the same for any number of rows

FILLERS: list[Callable[[Any], None]] = []  # each puts the rows of a service's world into its empty database


class Rows:
    """The rows of one service, opened when they are asked for.

    :param file: where they are kept between processes, or None
    :param fill: puts the rows of the world into an empty database
    """

    def __init__(self, file: Path | None, fill: Callable[[], None]) -> None:
        self._file = file
        self._fill = fill
        self._generation = ""
        self._db: sqlite3.Connection | None = None
        self._numbers: dict[str, int] = {}

    def begin(self, generation: str) -> None:
        """Rows of this generation are ours; all others are forgotten as soon as rows are asked for."""
        self.close()
        self._generation = generation

    @property
    def db(self) -> sqlite3.Connection:
        """The open database."""
        if self._db is None:
            self._db = self._open()
            if self._generation_found() != self._generation:
                self._db = self._afresh(self._db)
                self._fill()
                self.commit()
        return self._db

    def number(self, name: str) -> int:
        """The number that stands for an id in the columns ``deployment`` and ``model``."""
        if name not in self._numbers:
            self.db.execute("INSERT OR IGNORE INTO names(name) VALUES (?)", (name,))
            found = self.db.execute("SELECT number FROM names WHERE name = ?", (name,)).fetchone()
            self._numbers[name] = found[0]
        return self._numbers[name]

    def name(self, number: int) -> str:
        """The id behind a number."""
        return str(self.db.execute("SELECT name FROM names WHERE number = ?", (number,)).fetchone()[0])

    def keep_batches(self, known: Iterable[int]) -> None:
        """Forget accepted batches that no job knows: the process was killed before it answered their post."""
        if self._file is None or not self._file.exists():
            return
        marks = ",".join(str(int(number)) for number in known)
        self.db.execute(f"DELETE FROM batches WHERE number NOT IN ({marks})")  # noqa: S608 - whole numbers only
        self.commit()

    def commit(self) -> None:
        """Make everything since the last commit lasting."""
        if self._db is not None:
            self._db.commit()

    def close(self) -> None:
        """Let go of the database."""
        if self._db is not None:
            self._db.close()
        self._db = None
        self._numbers.clear()

    def _open(self) -> sqlite3.Connection:
        # The service is made in one thread and served in another, never in both at a time.
        db = sqlite3.connect(str(self._file or ""), check_same_thread=False)
        weakref.finalize(self, db.close)
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a killed machine is not our case
        if self._file is None:
            db.execute("PRAGMA journal_mode = OFF")
        return db

    def _afresh(self, db: sqlite3.Connection) -> sqlite3.Connection:
        db.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        db = self._open()
        db.executescript(SCHEMA)
        db.execute("INSERT INTO meta VALUES (?)", (self._generation,))
        return db

    def _generation_found(self) -> str | None:
        assert self._db is not None
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
            return None
        found = self._db.execute("SELECT generation FROM meta").fetchone()
        return str(found[0]) if found else None
