"""A stage of its own for each test, with the emulator behind ``datarobot_default`` as the requester."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Stage, Store, Task, staged

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

LABELLED = "64e000000000000000000002"


@pytest.fixture
def stage(datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Nothing waits in real time; see ``tests/harness.py``."""
    token = datarobot_emulator.tokens["requester"]
    connection = {"conn_type": "datarobot", "host": datarobot_emulator.endpoint, "password": token}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
    with asyncio.Runner() as runner, staged(datarobot_emulator, monkeypatch, runner) as stage:
        yield stage


def task(stage: Stage, kind: Any, *, store: bool = True, retries: int = 0, **arguments: Any) -> Task:
    """A task of this operator or sensor, deferrable unless the arguments say otherwise."""
    given = {"task_id": "task", "deferrable": True, **arguments}
    return Task(stage, lambda: kind(**given), Store() if store else None, retries)


def read_only(stage: Stage, kind: Any, **arguments: Any) -> Task:
    """A task of an operator that only reads."""
    return Task(stage, lambda: kind(task_id="task", **arguments))
