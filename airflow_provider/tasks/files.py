"""Files at any URL that Airflow's object storage knows: what they are now, and how one is put to its place whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.rows import SourceAbsent

BLOCK = 1 << 20  # bytes that are held at a time


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is at a moment: equal states mean that it was not changed meanwhile.

    ``modified`` (seconds since 1970) and ``tag`` (of an object store) are None where its place does not tell them.
    """

    size: int
    modified: float | None = None
    tag: str | None = None


def path_of(name: str, given: Any) -> ObjectStoragePath:
    """The path or URL of a file; raises :class:`InvalidCall` for what is none."""
    text = str(given or "").strip()
    if not text or text.lower() == "none":
        raise InvalidCall(f"{name} must be the path or URL of a file, not {given!r}")
    try:
        return ObjectStoragePath(text)
    except ValueError as error:
        raise InvalidCall(f"{name} must be the path or URL of a file, not {given!r}: {error}") from None


def state_of(path: ObjectStoragePath) -> FileState:
    """The file's state; raises :class:`SourceAbsent` where there is no file."""
    try:
        if not path.is_file():
            raise SourceAbsent(f"{path} does not exist, or is no file")
        stat = path.stat()
    except FileNotFoundError:
        raise SourceAbsent(f"{path} does not exist") from None
    except ValueError as error:  # no file system is registered for the scheme: a provider is missing
        raise InvalidCall(f"{path} cannot be opened: {error}") from None
    modified = stat.st_mtime or None  # Airflow says 0 where a store has another word for it
    tag = stat.get("ETag") or stat.get("etag")
    return FileState(int(stat.st_size), None if modified is None else float(modified), tag)


def put(stream: BinaryIO, target: ObjectStoragePath) -> None:
    """Puts what a stream holds under a name, in one upload; beside it and then renamed on a file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    local = target.protocol in ("file", "")
    place = target.with_name(f".{target.name}.part") if local else target
    stream.seek(0)
    try:
        with place.open("wb") as written:
            while block := stream.read(BLOCK):
                written.write(block)
    except BaseException:
        if local:
            Path(place.path).unlink(missing_ok=True)
        raise
    if local:
        Path(place.path).replace(target.path)
