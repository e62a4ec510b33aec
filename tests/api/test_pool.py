"""The pool on a real loopback server: few connections, shared looks, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from airflow_provider.api import errors, pool, transport
from airflow_provider.api.pool import CONNECTIONS, SHARDS, lease
from airflow_provider.api.waiting import Pacing
from airflow_provider.api.waits import Done, JobWait
from airflow_provider.contract import load
from tests.api.server import Server, Visit
from tests.api.tools import ID, settings

COMPLETED = b'{"status": "COMPLETED"}'
NOW = Pacing(first=0, interval=0, cap=0)


class Gate:
    """A behaviour that lets requests through when it is opened."""

    def __init__(self, open_at: int | None = None) -> None:
        self.opened = asyncio.Event()
        self.arrived = asyncio.Event()
        self.open_at = open_at
        self.held = 0

    async def __call__(self, visit: Visit) -> None:
        self.held += 1
        self.arrived.set()
        if self.held == self.open_at:
            self.opened.set()
        await self.opened.wait()
        await visit.say("200 OK", COMPLETED)


async def completes(visit: Visit) -> None:
    await visit.say("200 OK", COMPLETED)


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    pool._pools.clear()  # what other tests of this process left belongs to loops that ended
    yield
    for kept in list(pool._pools.values()):
        kept._keeper.cancel()
        await asyncio.wait([kept._keeper])
    assert not pool._pools


async def settled(condition: Any) -> None:
    """Lets the loop run until something that needs no time has happened."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the conditions are those of a server and a pool, which have no event
            await asyncio.sleep(0)


async def test_200_waits_at_once_need_no_more_than_64_connections() -> None:
    reading = (SHARDS - 1) * CONNECTIONS  # one shard is for writes
    gate = Gate(open_at=reading)  # opens when all connections that there may be are in use
    async with Server(gate).running() as server:

        async def wait(number: int) -> Any:
            async with lease(settings(endpoint=server.endpoint)) as client:
                return await client.wait(JobWait(f"status/{number}/"))

        ends = await asyncio.gather(*(wait(number) for number in range(200)))
        assert ends == [Done({"location": None})] * 200
        assert server.connections == reading <= 64
        assert len(server.seen) == 200
        await asyncio.gather(*(wait(number) for number in range(200, 400)))
        assert server.connections == reading


async def test_equal_looks_are_one_request() -> None:
    gate = Gate()
    async with Server(gate).running() as server:

        async def look() -> Any:
            async with lease(settings(endpoint=server.endpoint)) as client:
                return await client.get("status/same/")

        looks = [asyncio.create_task(look()) for _ in range(50)]
        await gate.arrived.wait()
        gate.opened.set()
        answers = await asyncio.gather(*looks)
        assert {id(one) for one in answers} == {id(answers[0])}
        assert len(server.seen) == 1
        assert await look() is answers[0]  # it is younger than two seconds


async def test_an_old_answer_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "FRESH", 0.0)
    async with Server(completes).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        await client.get("status/same/")
        await client.get("status/same/")
        await client.get("status/same/?other=query")
        assert len(server.seen) == 3
        await settled(lambda: not pool._pools[next(iter(pool._pools))]._looks)


async def test_calls_are_not_shared() -> None:
    async with Server(completes).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        await asyncio.gather(*(client.call("getStatus", statusId="same") for _ in range(3)))
        assert len(server.seen) == 3


async def test_an_error_reaches_everyone_and_is_not_kept() -> None:
    async def fails(visit: Visit) -> None:
        await visit.say("503 Service Unavailable", b'{"message": "down"}')

    async with Server(fails).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        looks = [client.get("status/same/") for _ in range(3)]
        found = await asyncio.gather(*looks, return_exceptions=True)
        assert [type(one) for one in found] == [errors.GatewayFailed] * 3
        assert len({id(one) for one in found}) == 3
        assert len(server.seen) == 1
        with pytest.raises(errors.GatewayFailed, match="down"):
            await client.get("status/same/")
        assert len(server.seen) == 2


async def test_a_look_goes_on_as_long_as_somebody_waits_for_it() -> None:
    gate = Gate()
    async with Server(gate).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        first, second = (asyncio.create_task(client.get("status/same/")) for _ in range(2))
        await gate.arrived.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.opened.set()
        assert (await second).status == 200
        assert len(server.seen) == 1


async def test_a_look_that_nobody_waits_for_is_given_up() -> None:
    gate = Gate()
    async with Server(gate).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        only = asyncio.create_task(client.get("status/same/"))
        await gate.arrived.wait()
        only.cancel()
        again = asyncio.create_task(client.get("status/same/"))  # must not join the one that is being cancelled
        with pytest.raises(asyncio.CancelledError):
            await only
        gate.opened.set()
        assert (await again).status == 200
        assert len(server.seen) == 2


async def test_two_tenants_share_nothing() -> None:
    async def echoes(visit: Visit) -> None:
        token = visit.headers.partition("Bearer ")[2].partition("\r\n")[0]
        await visit.say("200 OK", f'{{"status": "{token}"}}'.encode())

    async with Server(echoes).running() as server:

        async def look(token: str) -> Any:
            async with lease(settings(endpoint=server.endpoint, token=token)) as client:
                return (await client.get("status/same/")).json()["status"]

        tokens = ["token-one", "token-two"] * 10
        assert await asyncio.gather(*(look(token) for token in tokens)) == tokens
        assert len(pool._pools) == 2
        assert len(server.seen) == 2


async def test_new_settings_after_a_401_do_not_see_answers_to_the_old_ones() -> None:
    async def wants_the_new_one(visit: Visit) -> None:
        if "Bearer token-new" in visit.headers:
            await visit.say("200 OK", COMPLETED)
        else:
            await visit.say("401 Unauthorized", b'{"message": "expired"}')

    async with Server(wants_the_new_one).running() as server:
        new = settings(endpoint=server.endpoint, token="token-new")

        async def refresh() -> Any:
            return new

        async with lease(settings(endpoint=server.endpoint, token="token-old")) as client:
            assert await client.wait(JobWait("status/a/"), refresh=refresh, pacing=NOW) == Done({"location": None})
        assert len(server.seen) == 2


async def test_a_write_takes_the_shard_whose_connections_are_not_kept_for_long() -> None:
    async def accepts(visit: Visit) -> None:
        await visit.say("202 Accepted", b"{}")

    async with Server(accepts).running() as server, lease(settings(endpoint=server.endpoint)) as client:
        for _ in range(20):
            await client.call("updateDeploymentStatus", {"status": "active"}, deploymentId=ID)
        assert server.connections == 1
        for number in range(20):
            await client.get(f"status/{number}/")
        assert server.connections == SHARDS


async def test_the_pool_outlives_its_users_for_a_while_and_no_longer() -> None:
    async with Server(completes).running() as server:
        made = settings(endpoint=server.endpoint)
        async with lease(made) as client:
            await client.get("status/1/")
        (kept,) = pool._pools.values()
        timer = kept._timer
        assert timer is not None
        assert timer.when() - asyncio.get_running_loop().time() == pytest.approx(pool.IDLE, abs=2)
        async with lease(made, idle=0) as client:  # came back in time: the same pool
            assert timer.cancelled()
            await client.get("status/2/")
            assert list(pool._pools.values()) == [kept]
        await settled(lambda: not pool._pools and server.open == 0)


async def test_a_user_that_comes_while_the_pool_is_closing_keeps_it() -> None:
    async with Server(completes).running() as server:
        made = settings(endpoint=server.endpoint)
        async with lease(made, idle=0) as client:
            await client.get("status/1/")
        (kept,) = pool._pools.values()
        kept._idle.set()  # the timer rings, and before the keeper wakes ...
        async with lease(made, idle=0) as client:
            assert (await client.get("status/2/")).status == 200
            await asyncio.sleep(0)
            assert (await client.get("status/3/")).status == 200
            assert list(pool._pools.values()) == [kept]
        await settled(lambda: not pool._pools)


async def test_certificates_are_read_once_and_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    real = transport.tls_context

    def recorded(made: Any) -> Any:
        threads.append(threading.get_ident())
        return real(made)

    monkeypatch.setattr(transport, "tls_context", recorded)

    async def use() -> None:
        async with lease(settings()):
            pass

    await asyncio.gather(*(use() for _ in range(20)))
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


@pytest.mark.parametrize("line", ["200 OK", "404 Not Found"])
async def test_a_look_leaves_nothing_to_pythons_collector(line: str) -> None:
    """Its full walk holds up a triggerer for a third of a second, and comes the sooner the more it is left."""

    async def says(visit: Visit) -> None:
        await visit.say(line, COMPLETED)

    async with Server(says).running() as server, lease(settings(endpoint=server.endpoint), idle=0) as client:
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for number in range(3):
                with suppress(errors.NotFound):
                    await client.get(f"status/{number}/")
            gc.collect()
            left = [one for one in gc.garbage if isinstance(one, (httpx.Response, errors.DataRobotError))]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert left == []


async def test_the_contract_is_read_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 0.2 s, once: Airflow would complain of a blocked thread at the first look."""
    threads: list[int] = []

    def recorded() -> Any:
        threads.append(threading.get_ident())
        return real()

    real = load.document
    monkeypatch.setattr(load, "document", recorded)
    load.contract.cache_clear()
    async with lease(settings()):
        assert load.contract.cache_info().currsize == 1
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_certificates_that_cannot_be_read_are_told_to_every_user() -> None:
    made = settings(verify="/does/not/exist.pem")

    async def use() -> None:
        async with lease(made):
            raise AssertionError("unreachable")

    for _ in range(2):
        found = await asyncio.gather(use(), use(), return_exceptions=True)
        assert [type(one) for one in found] == [errors.InvalidCall] * 2
        await settled(lambda: not pool._pools)


@pytest.fixture
def threaded() -> Iterator[Server]:
    server = Server(completes)
    with server.in_thread():
        yield server


async def use_once(endpoint: str) -> int:
    async with lease(settings(endpoint=endpoint)) as client:
        return (await client.get("status/1/")).status


def test_the_end_of_a_loop_closes_its_pools(threaded: Server) -> None:
    for _ in range(3):
        assert asyncio.run(use_once(threaded.endpoint)) == 200
        assert not pool._pools
    gc.collect()  # an open socket would warn here, and warnings are errors


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_just_stops_is_forgotten(threaded: Server) -> None:
    rude = asyncio.new_event_loop()
    assert rude.run_until_complete(use_once(threaded.endpoint)) == 200
    rude.close()
    assert len(pool._pools) == 1
    assert asyncio.run(use_once(threaded.endpoint)) == 200
    assert not pool._pools
    gc.collect()
