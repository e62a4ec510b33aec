"""One emulator for this folder, reset before each test, and its users as plain HTTP clients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.emulator import recording


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    with running(Service(check_answers=True)) as address:
        yield address


@pytest.fixture(scope="session")
def clients(origin: str) -> Iterator[dict[str, httpx.Client]]:
    people = {name: httpx.Client(base_url=f"{origin}/api/v2/", trust_env=False) for name in EmulatorDoor.tokens}
    for name, client in people.items():
        client.headers["Authorization"] = f"Bearer {EmulatorDoor.tokens[name]}"
    yield people
    for client in people.values():
        client.close()


@pytest.fixture(scope="module", autouse=True)
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``TESTED_BY=1``: which operations each file of tests asks for, and with which statuses they answer."""
    if os.environ.get("TESTED_BY"):
        with recording.of_file(Path(str(request.path)).name):
            yield
    else:
        yield


@pytest.fixture
def emulator(origin: str) -> EmulatorDoor:
    door = EmulatorDoor(origin)
    door.reset()
    return door


@pytest.fixture
def requester(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["requester"]


@pytest.fixture
def reviewer(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["reviewer"]


@pytest.fixture
def second_reviewer(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["second_reviewer"]


@pytest.fixture
def admin(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["admin"]


@pytest.fixture
def outsider(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["outsider"]
