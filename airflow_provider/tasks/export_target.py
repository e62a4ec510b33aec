"""Where exported files go: a folder at any URL, what is done of it so far, and its manifest.

    FOLDER/_progress/plan.json, NAME.json ... ──► FOLDER/NAME.csv ... ──► FOLDER/manifest.json, and no more progress

Each file comes to its name whole, and the manifest last: who finds one finds all files that it names. Progress is
small files that are written once (no store can append), so that an attempt on another worker goes on where the last one
ended. It belongs to one run of one task; that of any other is begun anew.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.export_windows import Piece
from airflow_provider.mlops.fetching import BLOCK, ContentDiffers, NoRoom
from airflow_provider.mlops.manifest import NAME
from airflow_provider.tasks import files

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

PROGRESS, PLAN, FORMER = "_progress", "plan.json", "former.json"
IF_EXISTS = ("overwrite", "error", "skip")


class TargetExists(DataRobotError):
    """The folder holds an export already, and it must not be replaced."""


class Target:
    """A folder for the files of one export.

    :param key: of the run of the task that writes.
    """

    def __init__(self, folder: ObjectStoragePath, key: str) -> None:
        self.folder = folder
        self.key = key
        self._progress = folder / PROGRESS
        self._done: dict[str, Any] | None = None

    def manifest(self) -> dict[str, Any] | None:
        """The manifest that is there; one that cannot be read counts as another's."""
        place = self.folder / NAME
        try:
            if not place.exists():
                return None
        except ValueError as error:  # no file system is registered for the scheme: a provider is missing
            raise InvalidCall(f"{self.folder} cannot be opened: {error}") from None
        return _read(place)

    def plan(self) -> list[Piece] | None:
        """The pieces that an earlier attempt planned."""
        found = self._known().get(PLAN)
        return None if found is None else [Piece(**one) for one in found["pieces"]]

    def begin(self, pieces: Sequence[Piece]) -> None:
        """Notes a plan; what another run had begun is forgotten. A manifest stays until the first file comes."""
        there = self.manifest() or {}
        former = {*self.former(), *(str(one.get("name")) for one in there.get("files", ()))}
        self.forget()
        self._note(FORMER, {"names": sorted(former)})
        self._note(PLAN, {"pieces": [one.to_json() for one in pieces]})

    def left(self, pieces: Sequence[Piece]) -> Iterator[Piece]:
        """The pieces that are not done, in order; halves in place of those that were split."""
        for piece in pieces:
            known = self._known().get(f"{piece.name}.json")
            if known is None:
                yield piece
            elif "halves" in known:
                yield from self.left([Piece(**one) for one in known["halves"]])

    def entries(self, pieces: Sequence[Piece]) -> Iterator[dict[str, Any]]:
        """What was noted of the files of all pieces, in order."""
        for piece in pieces:
            known = self._known()[f"{piece.name}.json"]
            if "halves" in known:
                yield from self.entries([Piece(**one) for one in known["halves"]])
            else:
                yield from known["files"]

    def done(self, piece: Piece, entries: Sequence[Mapping[str, Any]]) -> None:
        """A piece is here, with these files."""
        self._note(f"{piece.name}.json", {"files": list(entries)})

    def split(self, piece: Piece, halves: Sequence[Piece]) -> None:
        """A piece is asked for as two."""
        self._note(f"{piece.name}.json", {"halves": [one.to_json() for one in halves]})

    def put(self, source: Path, name: str) -> str:
        """Puts a file of this machine to its name; gives its path. It is verified there by its size.

        A former manifest goes first: it may name this file, and tell of other bytes.
        """
        (self.folder / NAME).unlink(missing_ok=True)
        target = self.folder / name
        with room_at(target), source.open("rb") as stream:
            files.put(stream, target)
        size, wanted = files.state_of(target).size, source.stat().st_size
        if size != wanted:
            target.unlink(missing_ok=True)
            raise ContentDiffers(f"{target} has {size} bytes after {wanted} were written to it")
        return str(target)

    def finish(self, manifest: Mapping[str, Any]) -> str:
        """Writes the manifest, then takes away progress and the files of a former one; gives its path."""
        place, former = self.folder / NAME, self.former()
        with tempfile.TemporaryFile() as part, room_at(place):
            part.write(json.dumps(manifest, indent=1).encode())
            files.put(part, place)
        self.forget()
        for name in former - {file["name"] for file in manifest["files"]}:
            if name and "/" not in name:
                (self.folder / name).unlink(missing_ok=True)
        return str(place)

    def forget(self) -> None:
        """Takes away all progress."""
        self._progress.fs.invalidate_cache()
        if self._progress.exists():
            self._progress.rmdir(recursive=True)
        self._done = None

    def former(self) -> set[str]:
        """The names of the files of the manifest that this export takes the place of."""
        return set((self._known().get(FORMER) or {}).get("names", ()))

    def _note(self, name: str, content: Mapping[str, Any]) -> None:
        with tempfile.TemporaryFile() as part, room_at(self._progress):
            part.write(json.dumps({"key": self.key, **content}).encode())
            files.put(part, self._progress / name)
        self._known()[name] = dict(content)

    def _known(self) -> dict[str, Any]:
        if self._done is None:
            self._progress.fs.invalidate_cache()
            found = {}
            if self._progress.exists():
                for one in self._progress.iterdir():
                    if one.name.endswith(".json") and not one.name.startswith("."):
                        found[one.name] = _read(one)
            self._done = {name: one for name, one in found.items() if one.get("key") == self.key}
        return self._done


def _read(place: ObjectStoragePath) -> dict[str, Any]:
    """A JSON object; what is none is nobody's."""
    try:
        found = json.loads(place.read_bytes())
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


@contextmanager
def room_at(place: Any) -> Iterator[None]:
    """A full disk as an error of ours."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise NoRoom(f"there is no room left for {place}: {os.strerror(error.errno)}") from error


def staging_of(given: str | None) -> Path:
    """The folder on this machine where files grow; by default one that only this user can read."""
    if given:
        return Path(given)
    place = Path(tempfile.gettempdir()) / f"datarobot-exports-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise NoRoom(f"{place} belongs to somebody else: name another folder with staging")
    return place


def sha256_of(path: Path) -> str:
    """The checksum of a file of this machine."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
