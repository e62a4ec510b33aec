"""Real processes: an Airflow as a user's, with none of the settings that would make our life easier, and the emulator.

In particular ``[workers] min_heartbeat_interval`` keeps its default: see docs and ``FIRST_POLL``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.stack import Stack, clean_environment

DAGS = Path(__file__).parent / "dags"
# An interpreter of another Airflow line may be given; by default it is the one that runs the tests.
PYTHON = os.environ.get("STACK_PYTHON", sys.executable)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    with Emulator(folder, clean_environment({}), speed=60) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def airflow(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """API server, scheduler with LocalExecutor, DAG processor and triggerer."""
    connection = {"conn_type": "datarobot", "host": emulator.endpoint, "password": "requester-token"}
    environment = {
        "AIRFLOW_CONN_DATAROBOT_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "64",
    }
    home = tmp_path_factory.mktemp("airflow")
    with Stack(
        home, DAGS, environment=environment, quick_reaping=False, python=PYTHON, report=lambda line: None
    ) as stack:
        yield stack


@pytest.fixture
def service(emulator: Emulator) -> EmulatorDoor:
    """The service as at the start."""
    door = EmulatorDoor(emulator.origin)
    door.reset()
    return door
