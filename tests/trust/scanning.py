"""Where a secret could have been left: errors with all that hangs on them, Airflow's database, its log files."""

from __future__ import annotations

import sqlite3
import traceback
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# The tokens of the emulator's demo world: whoever of them appears anywhere has been leaked by us.
TOKENS = ("requester-token", "reviewer-token", "admin-token", "outsider-token")


def told(error: BaseException | None) -> str:
    """All that can be shown of an error: its traceback with the causes, its repr, and what hangs on it."""
    if error is None:
        return ""
    texts = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), str(seen), repr(vars(seen)), repr(seen.args)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)


def in_text(text: str, words: Iterable[str] = TOKENS) -> list[str]:
    """Which of the words are there."""
    return [word for word in words if word in text]


def in_database(file: Path, words: Iterable[str] = TOKENS) -> list[str]:
    """Tables and columns of an SQLite database that hold one of the words, packed or not: XComs, rendered fields,
    serialised DAGs, triggers, task states, logs, and whatever Airflow will add. Not the text of DAG files, which here
    are tests that name the demo world's tokens.
    """
    wanted, found = tuple(words), []
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in (one for one in tables if one != "dag_code"):
            rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name out of the database itself
            columns = [one[0] for one in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    found += [f"{table}.{column}: {word}" for word in in_text(_plain(value), wanted)]
    database.close()
    return sorted(set(found))


def in_files(folder: Path, words: Iterable[str] = TOKENS) -> list[str]:
    """Files below a folder that hold one of the words."""
    wanted = tuple(words)
    return [
        f"{file.relative_to(folder)}: {word}"
        for file in sorted(_files(folder))
        for word in in_text(file.read_text(errors="replace"), wanted)
    ]


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _plain(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value.decode("utf-8", "replace")
