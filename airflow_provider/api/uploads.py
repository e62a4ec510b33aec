"""A file as the body of a call, or in it. The transport reads it while it sends: memory is the same for any size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from airflow_provider.api.errors import InvalidCall

FILE_FIELD = "file"  # wire.md J: the field that holds the file
BLOCK = 1 << 20  # bytes that are held at a time
ANSWER_SECONDS = 600.0  # for the answer to an upload: the service works after the last byte (wire.md B: 600)


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """A multipart body with one file.

    :param stream: open for reading bytes, and able to go back to its start: a call that was turned away is sent again.
    :param name: the name of the file; the service calls the dataset after it.
    :param media_type: of the file.
    :param fields: further form fields.
    """

    stream: BinaryIO
    name: str
    media_type: str = "text/csv"
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.stream.seekable():
            raise InvalidCall(f"{self.name} can be read only once: an upload needs a file that can be read again")
        if not self.name.strip() or any(sign in self.name for sign in "/\\\r\n"):
            raise InvalidCall(f"the name of an uploaded file must be one line without slashes, not {self.name!r}")
        if not self.media_type.isprintable():
            raise InvalidCall(f"the media type of an uploaded file must be one line, not {self.media_type!r}")

    def plain(self) -> dict[str, Any]:
        """The body in plain JSON, for checks, plans and logs: the file by its name."""
        return {FILE_FIELD: self.name, **dict(self.fields)}

    def parts(self) -> dict[str, tuple[str, BinaryIO, str]]:
        """The file as the transport takes it, from its start."""
        self.stream.seek(0)
        return {FILE_FIELD: (self.name, self.stream, self.media_type)}


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A body that is a file and nothing else; its media type is the operation's.

    :param stream: open for reading bytes, and able to go back to its start: a call that was turned away is sent again.
    :param name: for messages.
    """

    stream: BinaryIO
    name: str

    def __post_init__(self) -> None:
        if not self.stream.seekable():
            raise InvalidCall(f"{self.name} can be read only once: an upload needs a file that can be read again")

    def plain(self) -> dict[str, Any]:
        """The body in plain JSON, for plans and logs: the file by its name."""
        return {FILE_FIELD: self.name}

    def size(self) -> int:
        """Its bytes, as of now."""
        return self.stream.seek(0, os.SEEK_END)

    def from_start(self, size: int) -> Iterator[bytes]:
        """So many bytes, as the transport takes them. A file that grows meanwhile is sent as it was before.

        :raises InvalidCall: it has become shorter: what was announced cannot be sent.
        """
        self.stream.seek(0)
        while size:
            block = self.stream.read(min(BLOCK, size))
            if not block:
                raise InvalidCall(f"{self.name} became shorter while it was sent")
            size -= len(block)
            yield block
