"""Where HTTP/1.1 messages begin and end: all that the proxy needs to know of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO


class Broken(Exception):
    """A connection ended within a message; ``part`` is what had come of it."""

    def __init__(self, part: bytes) -> None:
        super().__init__(f"the connection ended after {len(part)} bytes of a message")
        self.part = part


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer as it went over the connection.

    :param head: everything up to the empty line, with it.
    :param body: as it was sent, framing of chunks included.
    """

    head: bytes
    body: bytes

    @classmethod
    def read(cls, stream: BinaryIO) -> Message | None:
        """The next message, or None at the end. Without Content-Length or chunks there is no body."""
        head = _head(stream)
        if not head:
            return None
        fields = dict(_fields(head))
        chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        length = int(fields.get(b"content-length", b"0"))
        pieces = _chunks(stream) if chunked else _exactly(stream, length)
        body = b""
        try:
            for piece in pieces:
                body += piece
        except Broken as broken:
            raise Broken(head + body + broken.part) from None
        return cls(head, body)

    @property
    def line(self) -> tuple[str, str]:
        """Method and path of a request, without the query."""
        method, target, _ = self.head.split(b" ", 2)
        return method.decode(), target.partition(b"?")[0].decode()

    def last(self) -> Message:
        """The same answer, after which the client is to close the connection."""
        return Message(self.head[:-2] + b"Connection: close\r\n\r\n", self.body)

    @property
    def half_of_head(self) -> bytes:
        """Cut in the middle of its head."""
        return self.head[: len(self.head) // 2]

    @property
    def half_of_body(self) -> bytes:
        """Cut in the middle of its body."""
        return self.head + self.body[: len(self.body) // 2]

    def half_of_json(self) -> Message:
        """An answer of JSON with half of its body, whole by the rules of HTTP; any other answer as it is."""
        fields = dict(_fields(self.head))
        if not self.body or not fields.get(b"content-type", b"").startswith(b"application/json"):
            return self
        body = self.body[: len(self.body) // 2]
        kept = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return Message(b"\r\n".join([*kept[:-2], b"Content-Length: %d" % len(body), b"", b""]), body)

    def __bytes__(self) -> bytes:
        return self.head + self.body


def _head(stream: BinaryIO) -> bytes:
    head = b""
    while (line := stream.readline()) not in (b"\r\n", b""):
        head += line
    if head and not line:
        raise Broken(head)
    return head + line


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value.strip()


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    size = -1
    while size != 0:
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise Broken(line)
        size = int(line.partition(b";")[0], 16)
        yield line
        yield from _exactly(stream, size + 2)


def _exactly(stream: BinaryIO, size: int) -> Iterator[bytes]:
    content = stream.read(size)
    if len(content) < size:
        raise Broken(content)
    yield content
