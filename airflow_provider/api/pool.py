"""Clients that all waits of an event loop share: few connections, one TLS context, no client a trigger.

    (loop, settings) ──► Pool ──► 16 small clients of 4 connections, used in turn, one of them for writes
                          └─► its keeper: a task that opens the pool, waits until nobody has used it for five minutes,
                              and closes it; the end of the loop cancels the task, which closes it too

Measured: a client for each request failed 139 of 500 deferred tasks; one for each trigger costs 0.85 MB and 26 ms of
loop; one big pool collapses when 1,000 triggers wake together, because its search for a connection is linear.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from airflow_provider.api import transport as wires
from airflow_provider.api.answers import Answer
from airflow_provider.api.client import AsyncClient
from airflow_provider.api.exchange import Observer
from airflow_provider.api.messages import Call
from airflow_provider.api.settings import Settings
from airflow_provider.contract import contract

SHARDS = 16  # one of them for writes, whose connections are not kept for long (transport.KEEPALIVE tells why)
CONNECTIONS = 4  # of each shard: 64 in all
KEEPALIVE = 120.0  # seconds; longer than the longest pause between two looks, or each look would pay a new handshake
IDLE = 300.0  # seconds that a pool outlives its last user
FRESH = 2.0  # seconds for which an answer to a look serves others who ask the same

_pools: dict[tuple[asyncio.AbstractEventLoop, Settings], Pool] = {}


@asynccontextmanager
async def lease(
    settings: Settings, *, observer: Observer | None = None, idle: float = IDLE, **options: Any
) -> AsyncIterator[AsyncClient]:
    """A client of the pool of this event loop and these settings.

    :param idle: seconds that the pool outlives its last user.
    :param options: as of :class:`AsyncClient` (sleep, clock, rng, tries).
    :raises InvalidCall: when the certificates that the settings name cannot be read.
    """
    pool = _pool_of(settings)
    pool.enter()
    try:
        await asyncio.shield(pool.ready)
        yield PooledClient(pool, observer=observer, **options)
    finally:
        pool.leave(idle)


class PooledClient(AsyncClient):
    """A client that borrows its connections; closing it closes nothing. Equal looks of all users are one request."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        super().__init__(pool.settings, **options)
        self._pool = pool

    async def get(self, path: str) -> Answer:
        """As :meth:`AsyncClient.get`, shared with everyone who asks the same now or has asked just before."""
        if self.settings != self._pool.settings:  # read anew after a 401: answers to the old token are not ours
            return await super().get(path)
        return await self._pool.shared(path, super().get)

    async def _http(self, call: Call) -> wires.AsyncHttp:
        return self._pool.writer if call.operation.writes else next(self._pool.turn)


class Pool:
    """The connections to one tenant in one event loop, with the count of who uses them."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.settings = settings
        self.ready: asyncio.Future[None] = loop.create_future()
        self.turn: Iterator[wires.AsyncHttp]
        self.writer: wires.AsyncHttp
        self.users = 0
        self._loop = loop
        self._idle = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._looks: dict[str, _Look] = {}
        # A context of its own: what a trigger has bound to its log lines does not stick to the pool.
        self._keeper = loop.create_task(self._keep(), name="datarobot-pool", context=Context())

    def enter(self) -> None:
        """One user more."""
        self.users += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave(self, idle: float) -> None:
        """One user less; after the last one the pool closes in ``idle`` seconds."""
        self.users -= 1
        if self.users == 0 and not self._loop.is_closed():
            self._timer = self._loop.call_later(idle, self._idle.set)

    async def shared(self, path: str, ask: Callable[[str], Awaitable[Answer]]) -> Answer:
        """The answer to a look: the one under way, one that is younger than ``FRESH``, or a new one."""
        look = self._looks.get(path)
        if look is None or self._loop.time() >= look.until:
            look = _Look(self._loop.create_task(_asked(ask, path), context=Context()))
            look.task.add_done_callback(lambda task: self._keep_fresh(path, task))
            self._looks[path] = look
        look.users += 1
        try:
            return await asyncio.shield(look.task)
        except Exception as error:
            raise copy.copy(error) from error  # one each: a traceback grows with every raise
        finally:
            look.users -= 1
            if look.users == 0 and not look.task.done():
                self._forget(path, look)  # at once: nobody must join a request that is being cancelled
                look.task.cancel()
            del look  # an error's traceback holds this frame, which would hold the task, which holds the error

    def _keep_fresh(self, path: str, task: asyncio.Task[Answer]) -> None:
        look = self._looks.get(path)
        if look is None or look.task is not task:
            return
        if task.cancelled() or task.exception() is not None:
            del self._looks[path]
        else:
            look.until = self._loop.time() + FRESH
            self._loop.call_later(FRESH, self._forget, path, look)

    def _forget(self, path: str, look: _Look) -> None:
        if self._looks.get(path) is look:
            del self._looks[path]

    async def _keep(self) -> None:
        clients: list[wires.AsyncHttp] = []
        try:
            tls = await asyncio.to_thread(wires.tls_context, self.settings)
            await asyncio.to_thread(contract)  # once a process, 0.2 s: the first look would take them of the loop
            self.writer = wires.open_async(self.settings, tls, connections=CONNECTIONS)
            clients.append(self.writer)
            clients += [
                wires.open_async(self.settings, tls, connections=CONNECTIONS, keepalive=KEEPALIVE)
                for _ in range(SHARDS - 1)
            ]
            self.turn = itertools.cycle(clients[1:])
            self.ready.set_result(None)
            while self.users or not self._idle.is_set():
                self._idle.clear()
                await self._idle.wait()
        except Exception as error:
            self.ready.set_exception(error)
            self.ready.exception()  # whoever waits gets it; nobody may be waiting any more
        finally:
            _pools.pop((self._loop, self.settings), None)
            self.ready.cancel()
            for client in clients:
                await client.aclose()


@dataclass(slots=True)
class _Look:
    """A GET that several users wait for, or have just seen the answer of (``until``, in loop time)."""

    task: asyncio.Task[Answer]
    users: int = 0
    until: float = math.inf


def _pool_of(settings: Settings) -> Pool:
    loop = asyncio.get_running_loop()
    for key in [key for key in _pools if key[0].is_closed()]:
        del _pools[key]  # a loop that ended without cancelling its tasks
    pool = _pools.get((loop, settings))
    if pool is None:
        pool = _pools[loop, settings] = Pool(settings, loop)
    return pool


async def _asked(ask: Callable[[str], Awaitable[Answer]], path: str) -> Answer:
    return await ask(path)
