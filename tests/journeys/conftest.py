"""The connection to the emulator, and waits that are short enough for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Stage, staged

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


@pytest.fixture(scope="session")
def triggerer() -> Iterator[asyncio.Runner]:
    """One event loop for all triggers of the run."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def stage(
    datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, triggerer: asyncio.Runner
) -> Iterator[Stage]:
    """The emulator behind ``datarobot_default``, as the requester, in a time that moves only when somebody sleeps."""
    connect(monkeypatch, datarobot_emulator, "requester")
    with staged(datarobot_emulator, monkeypatch, triggerer) as stage:
        yield stage


@pytest.fixture
def impatient(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The same, with a client that waits a third of a (real) second for an answer."""
    connect(monkeypatch, stage.service, "requester", read_timeout=0.3)
    return stage


@pytest.fixture
def service(datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, soon: None) -> EmulatorDoor:
    """The emulator behind ``datarobot_default``, as the requester; its jobs take a third of a second."""
    datarobot_emulator.clock(speed=60)
    connect(monkeypatch, datarobot_emulator, "requester")
    return datarobot_emulator


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch, airflow_db: None) -> None:
    """The first look of the trigger comes at once: dag.test has no scheduler that it could outrun."""
    monkeypatch.setattr("airflow_provider.triggers.wait.FIRST_POLL", 0.05)
    monkeypatch.setattr("airflow_provider.tasks.serving.SEEN_PAUSE", 0.05)


def connect(monkeypatch: pytest.MonkeyPatch, service: EmulatorDoor, user: str, **extra: Any) -> None:
    """Puts a user's connection into the environment."""
    connection = {"conn_type": "datarobot", "host": service.endpoint, "password": service.tokens[user], "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
