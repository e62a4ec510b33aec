"""That a gate fails so many connections, counted by whoever tries, and then opens again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

from demo.processes import until
from tests.faults.replays.gate import Gate

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


@pytest.fixture
def gate(datarobot_emulator: EmulatorDoor) -> Iterator[Gate]:
    with closing(Gate(datarobot_emulator.url)) as gate:
        yield gate


@pytest.mark.parametrize(("mute", "error"), [(False, httpx.ConnectError), (True, httpx.ConnectTimeout)])
def test_it_fails_so_many_connections_from_the_nth_request_on(gate: Gate, mute: bool, error: type[Exception]) -> None:
    failed: list[Exception] = []
    gate.refuse(2, 2, mute, lambda: len(failed))

    def ask(client: httpx.Client) -> bool:
        try:
            return client.get(f"{gate.origin}/__emulator__/clock").is_success
        except httpx.TransportError as found:
            failed.append(found)
            return False

    with httpx.Client(timeout=0.3) as client:
        assert ask(client)
        until(lambda: ask(client), "an answer", 10, pause=0.1)
    assert len(failed) >= 2
    assert {type(one) for one in failed} == {error}
    assert len(gate.calls) == 2


def test_another_story_finds_it_open(gate: Gate) -> None:
    gate.refuse(1, 1, True, lambda: 0)
    with httpx.Client(timeout=0.3) as client, pytest.raises(httpx.ConnectTimeout):
        client.get(gate.origin)
    gate.anew()
    with httpx.Client(timeout=5) as client:
        assert client.get(f"{gate.origin}/__emulator__/clock").is_success


def test_nothing_is_left_of_one_that_is_closed(gate: Gate) -> None:
    gate.refuse(1, 1, True, lambda: 0)
    gate.close()
    with httpx.Client(timeout=0.3) as client, pytest.raises(httpx.ConnectError):
        client.get(gate.origin)
