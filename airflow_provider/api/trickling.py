"""The head of an answer within a time: a server may send it byte by byte, each of them within the read timeout.

    bound(client) ──► the streams of its connections count from the first byte of a head to its end

HTTP libraries time a read, not an answer, so the bound stands below them, at the stream. Bodies have theirs elsewhere
(``intake.py``). The transport is given the bound by attributes that are not public; a test proves that it holds.
"""

from __future__ import annotations

import re
import time
from typing import Any

from airflow_provider.api.errors import AnswerLost

HEAD_SECONDS = 300.0  # from the first byte of a head to its end, provisional answers (1xx) included
END = re.compile(rb"\n\r?\n")
PROVISIONAL = re.compile(rb"HTTP/\d\.\d 1")


def bound(client: Any, streams: type[Streams | AsyncStreams]) -> None:
    """Bounds the heads of all answers to an httpx client; a transport of one's own is left alone."""
    for transport in {client._transport, *client._mounts.values()}:
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = streams(pool._network_backend)


class Head:
    """How far the head of an answer has come since something was sent."""

    def __init__(self) -> None:
        self._came = b""
        self._until: float | None = None
        self._over = False

    def sent(self) -> None:
        """Another request: another head."""
        self._came, self._until, self._over = b"", None, False

    def came(self, data: bytes) -> bytes:
        """The data; raises :class:`AnswerLost` when the head takes too long."""
        if self._over:
            return data
        now = time.monotonic()
        if self._until is None:
            self._until = now + HEAD_SECONDS
        self._came += data
        while (end := END.search(self._came)) and PROVISIONAL.match(self._came):
            self._came = self._came[end.end() :]
        if end:
            self._came, self._over = b"", True
        elif now > self._until:
            raise AnswerLost(f"the head of the answer was not complete after {HEAD_SECONDS:.0f} s")
        return data


class _Wrapped:
    """What is not told here is of the wrapped one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Streams(_Wrapped):
    """What opens connections, in ordinary code."""

    def connect_tcp(self, *given: Any, **named: Any) -> Stream:
        """A connection that counts."""
        return Stream(self._inner.connect_tcp(*given, **named))


class Stream(_Wrapped):
    """A connection."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._head = Head()

    def read(self, *given: Any, **named: Any) -> bytes:
        """What has come."""
        return self._head.came(self._inner.read(*given, **named))

    def write(self, *given: Any, **named: Any) -> None:
        """Sends."""
        self._head.sent()
        self._inner.write(*given, **named)

    def start_tls(self, *given: Any, **named: Any) -> Stream:
        """The same, encrypted."""
        return Stream(self._inner.start_tls(*given, **named))


class AsyncStreams(_Wrapped):
    """What opens connections, in an event loop."""

    async def connect_tcp(self, *given: Any, **named: Any) -> AsyncStream:
        """As :meth:`Streams.connect_tcp`."""
        return AsyncStream(await self._inner.connect_tcp(*given, **named))


class AsyncStream(_Wrapped):
    """As :class:`Stream`."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._head = Head()

    async def read(self, *given: Any, **named: Any) -> bytes:
        """As :meth:`Stream.read`."""
        return self._head.came(await self._inner.read(*given, **named))

    async def write(self, *given: Any, **named: Any) -> None:
        """As :meth:`Stream.write`."""
        self._head.sent()
        await self._inner.write(*given, **named)

    async def start_tls(self, *given: Any, **named: Any) -> AsyncStream:
        """As :meth:`Stream.start_tls`."""
        return AsyncStream(await self._inner.start_tls(*given, **named))
