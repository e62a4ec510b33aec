"""The connections of worker and triggerer: every request is counted, and one of them (or some in a row) meets a fault.

What the service does wrong is a fault of the emulator. What happens before a service is reached happens here, with
real sockets: a port where nobody listens, one whose queue is full, a patience that is over before the answer comes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

SHORT = 0.05  # real seconds until a request that is to time out does so


@dataclass(slots=True)
class Ports:
    """Ports of this machine that do not answer."""

    closed: int
    full: int


@contextmanager
def ports() -> Iterator[Ports]:
    """A port where nobody listens, and one that takes no more connections."""
    with socket.socket() as closed, socket.socket() as full:
        closed.bind(("127.0.0.1", 0))  # kept, so that nobody else gets it, and never listened on
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        try:
            yield Ports(closed.getsockname()[1], full.getsockname()[1])
        finally:
            for one in waiting:
                one.close()


@dataclass(slots=True)
class Wire:
    """What goes over the connections of one story.

    :param nth: the first request that meets ``spoil``, so many of them do.
    """

    ports: Ports
    calls: list[tuple[str, str]] = field(default_factory=list)
    nth: int = 0
    times: int = 0
    spoil: Callable[[httpx.Request], None] | None = None

    def anew(self) -> None:
        """Nothing was sent, and nothing is planned."""
        self.calls, self.nth, self.times, self.spoil = [], 0, 0, None

    def sent(self, request: httpx.Request) -> None:
        """Counts a request, and spoils it where that is planned."""
        self.calls.append((request.method, request.url.path))
        if self.spoil is not None and self.nth <= len(self.calls) < self.nth + self.times:
            self.spoil(request)

    def refused(self, request: httpx.Request) -> None:
        """Nobody listens."""
        request.url = request.url.copy_with(port=self.ports.closed)

    def unanswered(self, request: httpx.Request) -> None:
        """No connection comes about in time."""
        request.url = request.url.copy_with(port=self.ports.full)
        self._hurry(request, "connect")

    def impatient(self, request: httpx.Request) -> None:
        """The answer does not come in time; what holds it is a fault of the emulator."""
        self._hurry(request, "read")

    @staticmethod
    def _hurry(request: httpx.Request, what: str) -> None:
        request.extensions = {**request.extensions, "timeout": {**request.extensions["timeout"], what: SHORT}}


class Worker(httpx.BaseTransport):
    """The worker's connections."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx.HTTPTransport(verify=False, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._wire.sent(request)
        return self._http.handle_request(request)

    def close(self) -> None:
        self._http.close()  # at the end of each attempt; the next one opens it again


class Triggerer(httpx.AsyncBaseTransport):
    """The triggerer's connections."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx.AsyncHTTPTransport(verify=False, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._wire.sent(request)
        return await self._http.handle_async_request(request)

    async def aclose(self) -> None:
        await self._http.aclose()
