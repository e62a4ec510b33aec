"""The emulator behind ``datarobot_default``, and a hook on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider.emulator.door import EmulatorDoor

Connect = Callable[..., None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, airflow_db: None) -> Connect:
    """Puts ``datarobot_default`` into the environment."""

    def connect(host: str, token: str | None = None, **extra: Any) -> None:
        password = token or EmulatorDoor.tokens["requester"]
        connection = {"conn_type": "datarobot", "host": host, "password": password, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))

    return connect


@pytest.fixture
def service(datarobot_emulator: EmulatorDoor, connect: Connect) -> EmulatorDoor:
    """The emulator behind ``datarobot_default``, as the requester."""
    connect(datarobot_emulator.endpoint)
    return datarobot_emulator
