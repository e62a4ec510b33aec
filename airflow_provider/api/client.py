"""The clients. Sync and async share all but sending and sleeping.

call(...) ──► prepare ──► send ──► [ attempt ──► wire ──► read ] as often as retry.py says ──► Answer, or an error
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, BinaryIO, Self

from airflow_provider.api import downloads
from airflow_provider.api import transport as wires
from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.exchange import Exchange, Observer, looked, tell_note
from airflow_provider.api.intake import areceive, receive
from airflow_provider.api.messages import Call, prepare, reading
from airflow_provider.api.pages import Pages
from airflow_provider.api.retry import TRIES, Rng
from airflow_provider.api.settings import Settings
from airflow_provider.api.uploads import Stream
from airflow_provider.api.waiting import End, Pacing, Poll, Refresh, Sleep, Waiting
from airflow_provider.api.waits import Wait


class Client(Exchange):
    """Speaks to one tenant of the service, from ordinary code. A context manager; made without I/O.

    :param observer: is told about every attempt.
    :param sleep: what waits; tests give one that moves their clock.
    :param clock: seconds since 1970.
    :param tries: how often a call that may be repeated is sent, at most.
    :param transport: an httpx transport in place of the network.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        observer: Observer | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        rng: Rng | None = None,
        tries: int = TRIES,
        transport: wires.Transport | None = None,
    ) -> None:
        super().__init__(settings, observer, clock, rng or random.Random(), tries)  # noqa: S311 - spreads requests
        self.sleep = sleep
        self._transport = transport
        self._open: wires.Http | None = None

    def call(
        self, operation_id: str, body: Any = None, *, extra_body: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Answer:
        """Calls one operation of the contract; ``messages.prepare`` tells about the arguments.

        Reads are repeated on transient errors, writes only when they provably did nothing. Gives 2xx answers, 303
        and documented redirects; raises the errors of ``errors.py`` for all else.
        """
        return self.send(prepare(operation_id, arguments, body, extra_body))

    def send(self, call: Call, *, tries: int | None = None) -> Answer:
        """Sends a prepared call, as :meth:`call` does; ``tries`` in place of the client's, for this call alone."""
        return self.retries(call, tries).run(lambda number: self._attempt(call, number), self.sleep)

    def get(self, path: str) -> Answer:
        """One GET of a path and query relative to the API root, sent once: waits have a patience of their own.

        Gives a 303, or a 2xx whose body is a JSON object.
        """
        return looked(self._attempt(reading(path), 0))

    def download(self, operation_id: str, into: BinaryIO | downloads.Growing, **arguments: Any) -> Answer:
        """Writes the file that an operation answers into a file, anew at each try, or a growing one; gives the rest."""
        call = prepare(operation_id, arguments)
        return self.retries(call).run(lambda n: downloads.fetch(self, self._http(), call, into, n), self.sleep)

    def iterate(self, operation_id: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """All objects of a paged list; the arguments are checked at once, pages are read as they are needed."""
        return self._pages(Pages(prepare(operation_id, arguments)))

    def wait(
        self,
        wait: Wait,
        *,
        deadline: float | None = None,
        pacing: Pacing | None = None,
        on_pending: Callable[[str], None] | None = None,
        refresh: Callable[[], Settings] | None = None,
    ) -> End:
        """Looks until the wait is over, sleeping in between.

        :param deadline: seconds since 1970, at which one last look is taken.
        :param on_pending: gets a line for the log when what is known has changed.
        :param refresh: reads the settings anew after a 401, once per incident.
        """
        waiting = Waiting(wait, pacing or Pacing(), self.clock(), deadline)
        while isinstance(step := self.drive(waiting, on_pending), Refresh):
            if refresh is not None:
                self.close()
                self.settings = refresh()
            waiting.refreshed()
        return step

    def drive(self, waiting: Waiting, on_pending: Callable[[str], None] | None = None) -> End | Refresh:
        """Drives a wait until it is over or wants new settings."""
        note = waiting.note
        while True:
            step = waiting.next_step(self.clock())
            if isinstance(step, Sleep):
                self.sleep(step.seconds)
            elif isinstance(step, Poll):
                try:
                    waiting.received(self.get(step.path), self.clock(), self.rng)
                except DataRobotError as error:
                    waiting.failed(error, self.clock(), self.rng)
                note = tell_note(note, waiting, on_pending)
            else:
                return step

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _pages(self, pages: Pages) -> Iterator[dict[str, Any]]:
        while pages.call is not None:
            yield from pages.receive(self.send(pages.call))

    def _attempt(self, call: Call, number: int) -> Answer:
        wire, started, status = self.wire(call), self.clock(), None
        headers: list[tuple[str, str]] = []
        try:
            with self._http().stream(**wire) as response:
                status, headers = response.status_code, response.headers.multi_items()
                content = receive(call, response)
            wires.let_go(response)
        except wires.TRANSPORT_ERRORS as error:
            raise self.named(call, wires.lost(error, call, self.settings), headers) from error
        except DataRobotError as error:  # head or body went beyond its bounds
            self.named(call, error, headers)
            raise
        finally:
            self.tell(call, status, started, number)
        return self.read(call, status, headers, content)

    def _http(self) -> wires.Http:
        if self._open is None:
            self._open = wires.open_sync(self.settings, self._transport)
        return self._open


class AsyncClient(Exchange):
    """The same in an event loop, to which it belongs. The triggers use the pool's, which all of them share."""

    def __init__(
        self,
        settings: Settings,
        *,
        observer: Observer | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        rng: Rng | None = None,
        tries: int = TRIES,
        transport: wires.AsyncTransport | None = None,
    ) -> None:
        super().__init__(settings, observer, clock, rng or random.Random(), tries)  # noqa: S311 - spreads requests
        self.sleep = sleep
        self._transport = transport
        self._open: wires.AsyncHttp | None = None
        self._opening = asyncio.Lock()

    async def call(
        self, operation_id: str, body: Any = None, *, extra_body: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Answer:
        """As :meth:`Client.call`."""
        return await self.send(prepare(operation_id, arguments, body, extra_body))

    async def send(self, call: Call) -> Answer:
        """As :meth:`Client.send`."""
        return await self.retries(call).arun(lambda number: self._attempt(call, number), self.sleep)

    async def get(self, path: str) -> Answer:
        """As :meth:`Client.get`."""
        return looked(await self._attempt(reading(path), 0))

    async def download(self, operation_id: str, into: BinaryIO | downloads.Growing, **arguments: Any) -> Answer:
        """As :meth:`Client.download`; blocks are written in the loop, so ``into`` shall be a file of this machine."""
        call = prepare(operation_id, arguments)
        http = await self._http(call)
        return await self.retries(call).arun(lambda n: downloads.afetch(self, http, call, into, n), self.sleep)

    def iterate(self, operation_id: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """As :meth:`Client.iterate`."""
        return self._pages(Pages(prepare(operation_id, arguments)))

    async def wait(
        self,
        wait: Wait,
        *,
        deadline: float | None = None,
        pacing: Pacing | None = None,
        on_pending: Callable[[str], None] | None = None,
        refresh: Callable[[], Awaitable[Settings]] | None = None,
    ) -> End:
        """As :meth:`Client.wait`."""
        waiting = Waiting(wait, pacing or Pacing(), self.clock(), deadline)
        while isinstance(step := await self.drive(waiting, on_pending), Refresh):
            if refresh is not None:
                await self.aclose()
                self.settings = await refresh()
            waiting.refreshed()
        return step

    async def drive(self, waiting: Waiting, on_pending: Callable[[str], None] | None = None) -> End | Refresh:
        """As :meth:`Client.drive`."""
        note = waiting.note
        while True:
            step = waiting.next_step(self.clock())
            if isinstance(step, Sleep):
                await self.sleep(step.seconds)
            elif isinstance(step, Poll):
                try:
                    waiting.received(await self.get(step.path), self.clock(), self.rng)
                except DataRobotError as error:
                    waiting.failed(error, self.clock(), self.rng)
                note = tell_note(note, waiting, on_pending)
            else:
                return step

    async def aclose(self) -> None:
        """As :meth:`Client.close`."""
        if self._open is not None:
            await self._open.aclose()
            self._open = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def _pages(self, pages: Pages) -> AsyncIterator[dict[str, Any]]:
        while pages.call is not None:
            for one in pages.receive(await self.send(pages.call)):
                yield one

    async def _attempt(self, call: Call, number: int) -> Answer:
        wire, started, status = self.wire(call), self.clock(), None
        headers: list[tuple[str, str]] = []
        if isinstance(call.body, Stream):
            wire["content"] = _in_threads(call.body.from_start(int(wire["headers"]["content-length"])))
        try:
            async with (await self._http(call)).stream(**wire) as response:
                status, headers = response.status_code, response.headers.multi_items()
                content = await areceive(call, response)
            wires.let_go(response)
        except wires.TRANSPORT_ERRORS as error:
            raise self.named(call, wires.lost(error, call, self.settings), headers) from error
        except DataRobotError as error:  # head or body went beyond its bounds
            self.named(call, error, headers)
            raise
        finally:
            self.tell(call, status, started, number)
        return self.read(call, status, headers, content)

    async def _http(self, _call: Call) -> wires.AsyncHttp:
        async with self._opening:
            if self._open is None:
                tls: wires.Tls = False
                if self._transport is None:  # else it does without our certificates
                    tls = await asyncio.to_thread(wires.tls_context, self.settings)
                self._open = wires.open_async(self.settings, tls, transport=self._transport)
            return self._open


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same blocks for an event loop, each read in a thread."""
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block
