"""One Airflow on PostgreSQL for all deaths, and the account of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.emulator import Emulator
from demo.processes import free_port
from demo.stack import Stack, clean_environment
from tests.deaths.account import Account
from tests.deaths.scene import Scene
from tests.servers.postgres import postgres

DAGS = Path(__file__).parent / "dags"
# Deaths of workers and schedulers are noticed after minutes by default; see docs/parts/deaths.py.
SETTINGS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """It keeps its state in a file, and comes back on the same port."""
    folder = tmp_path_factory.mktemp("emulator")
    with Emulator(folder, clean_environment({}), port=free_port(), state=folder / "state.json") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def airflow(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """API server, scheduler with LocalExecutor, DAG processor and triggerer, with PostgreSQL."""
    connection = {"conn_type": "datarobot", "host": emulator.endpoint, "password": "requester-token"}
    home = tmp_path_factory.mktemp("airflow")
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        environment = {
            **SETTINGS,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW_CONN_DATAROBOT_DEFAULT": json.dumps(connection),
        }
        with Stack(home, DAGS, environment=environment, quick_reaping=False) as stack:
            yield stack


@pytest.fixture
def scene(airflow: Stack, emulator: Emulator, tmp_path: Path) -> Scene:
    """Where deaths are played."""
    return Scene(airflow, emulator, tmp_path / "files")


@pytest.fixture(scope="session")
def account() -> Account:
    """What came of each; kept for the docs when all were played."""
    return Account()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table."""
    for line in Account.lines:
        terminalreporter.write_line(line)
