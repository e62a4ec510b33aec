"""Large files of the service, to this machine: gone on with after a break, verified, with room to spare.

    folder/NAME ◄── grows ── download ──► whole ──► size, SHA-256 ──► Fetched
    folder/NAME.json   what the bytes are a part of: written before the first of them

A process that dies leaves both files. The next one that fetches the same on this machine reads what is there, and asks
for the rest with Range and If-Range; where the service gives no ETag, only if the file cannot change (``pinned``).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from airflow_provider.api.errors import DataRobotError

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import Client
    from airflow_provider.api.downloads import Held

BLOCK = 1 << 20  # bytes that are read at a time
SPARE = 64 << 20  # bytes that stay free on the disk
STALLS = 2  # tries in a row that bring no byte, before the fetch is given up


class NoRoom(DataRobotError):
    """The disk has no room for a file."""

    retryable = True
    here = True


class ContentDiffers(DataRobotError):
    """A file came whole and is not what it should be: its size or its checksum differs."""

    retryable = True


class Reader(Protocol):
    """Reads along while a file comes."""

    def feed(self, block: bytes, /) -> object:
        """Takes the next bytes."""
        ...


R = TypeVar("R", bound=Reader)


class Unread:
    """Reads nothing."""

    def feed(self, block: bytes, /) -> None:
        """Takes the next bytes."""


@dataclass(frozen=True, slots=True)
class Fetched(Generic[R]):
    """A file that is here.

    :param reader: what read along.
    :param resumed_at: how many bytes were there from an earlier process or try (0: none).
    """

    path: Path
    size: int
    sha256: str
    media_type: str
    reader: R
    resumed_at: int


def fetch(
    client: Client,
    operation_id: str,
    path: Path,
    *,
    reader: Callable[[], R],
    pinned: bool = False,
    size: int | None = None,
    sha256: str | None = None,
    **arguments: Any,
) -> Fetched[R]:
    """Downloads the file that an operation answers to ``path``, going on with what is there of it.

    :param reader: makes what reads along; a new one where the file begins anew.
    :param pinned: the operation and its arguments always give the same bytes (a version of a dataset).
    :param size: how many bytes it should have, where that is known.
    :param sha256: its checksum (64 hex digits), where that is known.
    :raises NoRoom: the disk has too little room, or got full.
    :raises ContentDiffers: it is not what it should be. Both leave nothing behind.
    """
    from airflow_provider.api.downloads import total_of  # with the transport, which no DAG file needs

    name = json.dumps([client.settings.endpoint, operation_id, arguments], sort_keys=True)
    part = Part(path, name, reader, pinned=pinned)
    with part.open():
        answer = _all(client, operation_id, part, arguments)
        part.close()
        part.path.touch()  # an empty file is one too
        try:
            _verify(part, total_of(answer) if size is None else size, sha256, operation_id)
        except ContentDiffers:
            part.remove()
            raise
    return Fetched(path, part.size, part.sha256, answer.content_type, part.reader, part.resumed_at)


def _all(client: Client, operation_id: str, part: Part[R], arguments: dict[str, Any]) -> Answer:
    """As many downloads as it takes, as long as each brings something."""
    stalls = 0
    while True:
        before = part.size
        try:
            return client.download(operation_id, part, **arguments)
        except DataRobotError as error:
            stalls = stalls + 1 if part.size <= before else 0
            if not error.retryable or isinstance(error, NoRoom) or stalls >= STALLS:
                raise


def _verify(part: Part[R], size: int | None, sha256: str | None, operation_id: str) -> None:
    if size is not None and part.size != size:
        raise ContentDiffers(f"the file has {part.size} bytes, and should have {size}", operation=operation_id)
    if sha256 is not None and part.sha256 != sha256.strip().lower():
        raise ContentDiffers(
            f"the SHA-256 of the file is {part.sha256}, and should be {sha256}", operation=operation_id
        )


class Part(Generic[R]):
    """A file on this machine that grows (``downloads.Growing``), and the mark beside it.

    :param name: what the file is; bytes of anything else are not gone on with.
    """

    def __init__(self, path: Path, name: str, reader: Callable[[], R], *, pinned: bool = False) -> None:
        self.path = path
        self.mark = path.with_name(f"{path.name}.json")
        self.size = self.resumed_at = 0
        self._name = name
        self._make = reader
        self._pinned = pinned
        self._file: IO[bytes] | None = None
        self._validator: str | None = None
        self._unlooked = 0  # bytes since the last look at the disk
        self._afresh()

    @property
    def sha256(self) -> str:
        """The checksum of what is there."""
        return self._digest.hexdigest()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Reads what an earlier process left, and closes the file at the end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _room(self):
            self._take_up()
            try:
                yield
            finally:
                self.close()

    def held(self) -> Held | None:
        """What is there and can be gone on with."""
        from airflow_provider.api.downloads import Held

        known = self.size and (self._pinned or self._validator)
        return Held(self.size, self._validator) if known else None

    def begin(self, offset: int, answer: Answer) -> None:
        """Makes room, and notes what the bytes will be a part of."""
        from airflow_provider.api.downloads import total_of

        total = total_of(answer)
        if total is not None and total - offset > shutil.disk_usage(self.path.parent).free - SPARE:
            raise NoRoom(f"{self.path.parent} has no room for the {total - offset:,} bytes of {self.path.name}")
        if offset:
            self.resumed_at = self.resumed_at or offset
            return
        self.forget()
        tag = answer.headers.get("etag", "").strip()
        coded = answer.headers.get("content-encoding", "identity") != "identity"
        self._validator = tag if tag and not tag.startswith("W/") and not coded else None
        self.mark.write_text(json.dumps({"name": self._name, "validator": self._validator}), encoding="utf-8")

    def write(self, block: bytes, /) -> None:
        """Takes the next bytes; :class:`NoRoom` where a file whose size nobody told would fill the disk."""
        self._unlooked += len(block)
        if self._unlooked > SPARE // 4:
            self._unlooked = 0
            if shutil.disk_usage(self.path.parent).free < SPARE // 2:
                raise NoRoom(f"{self.path.parent} has no room for more of {self.path.name}: {self.size:,} bytes so far")
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(block)
        self._fed(block)

    def forget(self) -> None:
        """Begins anew."""
        self.remove()
        self._afresh()
        self.resumed_at = 0

    def close(self) -> None:
        """Everything that came is in the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Deletes the file and its mark."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self.path.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def _afresh(self) -> None:
        self.size = 0
        self.reader = self._make()
        self._digest = hashlib.sha256()
        self._validator = None

    def _fed(self, block: bytes) -> None:
        self._digest.update(block)
        self.reader.feed(block)
        self.size += len(block)

    def _take_up(self) -> None:
        try:
            told = json.loads(self.mark.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            told = {}
        if told.get("name") != self._name or not self.path.exists() or not (self._pinned or told.get("validator")):
            self.remove()
            return
        self._validator = told["validator"]
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                self._fed(block)
        self.resumed_at = self.size


@contextmanager
def _room(part: Part[R]) -> Iterator[None]:
    """Nothing stays behind of a file for which there is no room."""
    try:
        yield
    except NoRoom:
        part.remove()
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        part.remove()
        raise NoRoom(f"there is no room left for {part.path}: {os.strerror(error.errno)}") from error
