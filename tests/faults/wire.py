"""The connections of worker and triggerer to the proxy: every attempt to send is counted, also one that is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import httpx

if TYPE_CHECKING:
    from tests.faults.proxy import Deed, Proxy

SILENT = ("silent before", "silent after")
SHORT = 0.05  # real seconds until a request that is to time out does so


@dataclass(slots=True)
class Wire:
    """What goes over the connections of one story: the way to a proxy, on which every attempt to send is counted.

    :param full: a port that takes no more connections.
    """

    proxy: Proxy
    full: int
    calls: list[tuple[str, str]] = field(default_factory=list)
    nth: int = 0
    times: int = 0
    network: str = ""
    deed: Callable[[], object] | None = None

    def anew(self) -> None:
        """Nothing was sent, and nothing is planned."""
        self.calls, self.nth, self.times, self.network, self.deed = [], 0, 0, "", None
        self.proxy.anew()

    def plan(self, network: Deed | Literal["full"], nth: int, times: int) -> None:
        """Spoils the nth request and so many in a row, as the proxy does; ``full``: no connection comes about."""
        self.nth, self.times, self.network = nth, times, network
        if network != "full" and network != "refuse":
            self.proxy.plan(network, nth, times)

    def at(self, nth: int, deed: Callable[[], object]) -> None:
        """Does this just before the nth request."""
        self.nth, self.times, self.deed = nth, 1, deed

    def given_up(self) -> None:
        """Nobody waits for the answer any more: what the service does about the request is done before it goes on."""
        if self.network in SILENT:
            self.proxy.await_done(len(self.calls))

    def sent(self, request: httpx.Request) -> None:
        """Counts a request; does what cannot be done by the proxy, which does not see who does not reach it."""
        self.calls.append((request.method, request.url.path))
        met = self.nth <= len(self.calls) < self.nth + self.times
        if self.network == "refuse":
            (self.proxy.down if met else self.proxy.up)()
        elif met and self.network == "full":
            request.url = request.url.copy_with(port=self.full)
            _hurry(request, "connect")
        elif met and self.network in SILENT:
            _hurry(request, "read")
        elif met and self.deed is not None:
            self.deed()


def _hurry(request: httpx.Request, what: str) -> None:
    """The time of the stage stands still, so a timeout has to be short in the real one."""
    request.extensions = {**request.extensions, "timeout": {**request.extensions["timeout"], what: SHORT}}


class Worker(httpx.BaseTransport):
    """The worker's connections."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx.HTTPTransport(verify=False, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._wire.sent(request)
        try:
            return self._http.handle_request(request)
        except httpx.ReadTimeout:
            self._wire.given_up()
            raise

    def close(self) -> None:
        self._http.close()  # at the end of each attempt; the next one opens it again


class Triggerer(httpx.AsyncBaseTransport):
    """The triggerer's connections."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx.AsyncHTTPTransport(verify=False, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._wire.sent(request)
        try:
            return await self._http.handle_async_request(request)
        except httpx.ReadTimeout:
            self._wire.given_up()
            raise

    async def aclose(self) -> None:
        await self._http.aclose()
