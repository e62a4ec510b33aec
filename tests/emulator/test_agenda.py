"""The agenda: in the order of time, at its own time, on a tick too, and one bad entry does not stop it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import httpx
import pytest

from airflow_provider.emulator import app, handlers
from airflow_provider.emulator.agenda import DOERS
from airflow_provider.emulator.behaviour.changes import start_replacement
from airflow_provider.emulator.service import Service
from tests.emulator.demo import CANDIDATE, UNGOVERNED


class Seconds:
    """Real time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def service(seconds: Seconds) -> Service:
    handlers.load()
    return Service(real=seconds)


@pytest.fixture
def noted() -> Iterator[list[tuple[str, float]]]:
    """An agenda entry ``note`` that writes down its name and time."""
    found: list[tuple[str, float]] = []
    DOERS["note"] = lambda service, name: found.append((name, service.clock.now()))
    yield found
    del DOERS["note"]


def test_entries_are_done_in_the_order_of_their_time_and_at_it(
    service: Service, seconds: Seconds, noted: list[tuple[str, float]]
) -> None:
    start = seconds.now
    for delay, name in ((30, "second"), (10, "first"), (90, "later")):
        service.store.plan(start + delay, "note", name=name)
    seconds.now += 60
    service.catch_up()
    assert noted == [("first", start + 10), ("second", start + 30)]


def test_an_entry_can_bring_up_another(service: Service, seconds: Seconds, noted: list[tuple[str, float]]) -> None:
    DOERS["again"] = lambda service: service.store.plan(service.clock.now() + 5, "note", name="follow-up")
    start = seconds.now
    service.store.plan(start + 10, "again")
    seconds.now += 20
    service.catch_up()
    del DOERS["again"]
    assert noted == [("follow-up", start + 15)]


async def test_a_tick_does_what_is_due_without_a_request(
    service: Service, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "TICK", 0)
    tables = service.store.tables
    start_replacement(service, tables["deployments"][UNGOVERNED], tables["packages"][CANDIDATE])
    ticking = asyncio.create_task(app._tick(service))
    await asyncio.sleep(0)
    assert service.store.counts() == {}
    seconds.now += 21
    for _ in range(4):
        await asyncio.sleep(0)
    ticking.cancel()
    assert service.store.counts() == {"modelReplaced": {UNGOVERNED: 1}}


async def test_a_bad_entry_is_told_and_the_next_tick_goes_on(
    service: Service,
    seconds: Seconds,
    noted: list[tuple[str, float]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(app, "TICK", 0)
    service.store.plan(seconds.now, "nobody knows this")
    service.store.plan(seconds.now, "note", name="after it")
    ticking = asyncio.create_task(app._tick(service))
    with caplog.at_level(logging.ERROR):
        for _ in range(6):
            await asyncio.sleep(0)
    ticking.cancel()
    assert [name for name, _ in noted] == ["after it"]
    assert "an entry of the agenda failed" in caplog.text


async def test_the_door_tells_what_is_due_by_now(service: Service, seconds: Seconds) -> None:
    package = service.store.tables["packages"][CANDIDATE]
    start_replacement(service, service.store.tables["deployments"][UNGOVERNED], package)
    seconds.now += 30
    transport = httpx.ASGITransport(app.build(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        shown = (await client.get("/__emulator__/world/deployments")).json()
    assert shown[UNGOVERNED]["modelPackageId"] == CANDIDATE
