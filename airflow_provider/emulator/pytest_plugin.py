"""The fixture ``datarobot_emulator``: a fresh emulator for each test, on a free port of this machine.

Loaded in every pytest run of every user, so nothing but pytest is imported before a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


@pytest.fixture(scope="session")
def datarobot_emulator_server() -> Iterator[EmulatorDoor]:
    """One emulator for the whole run, in a thread of its own; prefer ``datarobot_emulator``."""
    from airflow_provider.emulator.door import EmulatorDoor
    from airflow_provider.emulator.server import running
    from airflow_provider.emulator.service import Service

    with running(Service(check_answers=True)) as origin:
        yield EmulatorDoor(origin)


@pytest.fixture
def datarobot_emulator(datarobot_emulator_server: EmulatorDoor) -> EmulatorDoor:
    """The emulator as at the start: world ``demo``, no faults, empty log, clock on real time."""
    datarobot_emulator_server.reset()
    return datarobot_emulator_server
