"""Everything that replays need, started and stopped: PostgreSQL, lanes with emulators and proxies, one Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.rest import Airflow
from demo.stack import Stack, clean_environment
from tests.faults.replays.gate import Gate
from tests.faults.replays.lane import Lane
from tests.faults.replays.pace import PATIENCE, SPEED
from tests.faults.replays.watch import Watch
from tests.receiver import receiving
from tests.servers.postgres import postgres

REST_PATIENCE = 180.0  # seconds


@contextmanager
def lanes(folder: Path, count: int) -> Iterator[list[Lane]]:
    """So many lanes, ready; all of them stop with the block."""
    dags = folder / "dags"
    dags.mkdir(parents=True)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patches:
        receiver = stack.enter_context(receiving())
        made, environment = [], {}
        for number in range(1, count + 1):
            home = folder / f"lane{number}"
            emulator = stack.enter_context(Emulator(home, clean_environment({}), speed=SPEED))
            service, gate = EmulatorDoor(emulator.origin), Gate(emulator.origin)
            stack.callback(gate.close)
            lane = Lane(number, home / "story", dags, service, gate, receiver)
            for user, name in lane.connections.items():
                token = service.tokens[user]
                environment[f"AIRFLOW_CONN_{name.upper()}"] = _connection(f"{gate.origin}/api/v2", token)
                patches.setenv(f"AIRFLOW_CONN_{name.upper()}", _connection(service.endpoint, token))
            made.append(lane)
        database = stack.enter_context(postgres(folder))
        home = folder / "airflow"
        airflow = stack.enter_context(Stack(home, dags, environment={**environment, **_settings(database, count)}))
        rest = Airflow(airflow.address, REST_PATIENCE)
        watch = Watch(database, rest, home / "logs")
        stack.callback(rest.close)
        stack.callback(watch.close)
        for lane in made:
            lane.airflow, lane.watch = rest, watch
        yield made


def _connection(endpoint: str, token: str) -> str:
    extra = {"read_timeout": PATIENCE, "connect_timeout": PATIENCE}
    return json.dumps({"conn_type": "datarobot", "host": endpoint, "password": token, "extra": extra})


def _settings(database: str, count: int) -> dict[str, str]:
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__PARALLELISM": str(count),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        # A file is read once: there is one for each schedule, and none of them changes.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "86400",
    }
