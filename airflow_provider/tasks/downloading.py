"""Tasks whose result is a file: where it goes, what if something is there, and how it comes to its name whole.

    service (or its storage) ──► part on this machine, gone on with ──► size, SHA-256 ──► PATH

The part belongs to one run of one task: an attempt on the same worker goes on with it, on another it begins anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.memory import fingerprint

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider.api.client import Client
    from airflow_provider.mlops.model_files import Source

IF_EXISTS = ("overwrite", "error", "skip")
FIELDS = ("path", "if_exists", "staging")


class FileThere(DataRobotError):
    """There is a file of this name already, and it must not be replaced."""


class Place:
    """Where a file goes.

    :param key: names the part on this machine: the same for all attempts of a task run, of no other.
    """

    def __init__(self, path: ObjectStoragePath, if_exists: str, staging: str | None, key: str) -> None:
        self.path = path
        self._if_exists = if_exists
        self._staging = staging
        self._key = key

    @classmethod
    def of(cls, path: Any, if_exists: Any, staging: Any, *about: Any) -> Place:
        """From the arguments of a task; raises InvalidCall for wrong ones."""
        return cls(
            files.path_of("path", path),
            arguments.one_of("if_exists", if_exists, IF_EXISTS),
            None if arguments.absent(staging) else str(staging),
            fingerprint("download", {"about": [str(path), *map(str, about)]})[:16],
        )

    def skipped(self) -> dict[str, Any] | None:
        """The result where a file is there and shall stay; raises :class:`FileThere` where that is an error."""
        try:
            there = self.path.exists()
        except ValueError as error:  # no file system is registered for the scheme: a provider is missing
            raise InvalidCall(f"{self.path} cannot be opened: {error}") from None
        if self._if_exists == "overwrite" or not there:
            return None
        if self._if_exists == "error":
            raise FileThere(f"{self.path} is there already; if_exists (overwrite, error, skip) says what then")
        return {"path": str(self.path), "bytes": files.state_of(self.path).size, "sha256": None, "downloaded": False}

    def bring(self, client: Client, source: Source) -> dict[str, Any]:
        """Downloads, verifies, puts the file to its name; gives ``path``, ``bytes``, ``sha256``, ``downloaded``."""
        from airflow_provider.mlops.fetching import ContentDiffers, Unread, fetch
        from airflow_provider.tasks.export_target import room_at, staging_of

        part = staging_of(self._staging) / f"{self._key}.part"
        fetched = fetch(
            client,
            source.operation,
            part,
            reader=Unread,
            pinned=source.sha256 is not None,  # a part of anything else would be found out at the end
            size=source.size,
            sha256=source.sha256,
            **source.arguments,
        )
        with room_at(self.path), part.open("rb") as stream:
            files.put(stream, self.path)
        if files.state_of(self.path).size != fetched.size:
            raise ContentDiffers(f"{self.path} has not the {fetched.size} bytes that were written to it")
        for left in (part, part.with_name(f"{part.name}.json")):
            left.unlink(missing_ok=True)
        return {
            "path": str(self.path),
            "bytes": fetched.size,
            "sha256": fetched.sha256,
            "downloaded": True,
        }

    def write(self, blocks: Iterable[bytes]) -> dict[str, Any]:
        """Puts what comes to the file's name, whole; gives the same as :meth:`bring`."""
        from airflow_provider.tasks.export_target import room_at

        digest = hashlib.sha256()
        with tempfile.TemporaryFile() as part, room_at(self.path):
            for block in blocks:
                digest.update(block)
                part.write(block)
            size = part.tell()
            files.put(part, self.path)
        return {"path": str(self.path), "bytes": size, "sha256": digest.hexdigest(), "downloaded": True}
