"""Many waits in one triggerer process: one pool for each tenant, a thread that is never blocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.waits import ThresholdWait, to_json
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.triggers.conftest import connect
from tests.triggers.runner import row, triggerer

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

ROOT = Path(__file__).parents[2]


def crowd(waits: int, seconds: float, *tenants: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.triggers.crowd", str(waits), str(seconds), *tenants]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(found)  # noqa: T201 - shown by pytest -s
    return found


def test_500_waits_share_64_connections_and_block_nobody(datarobot_emulator: EmulatorDoor) -> None:
    found = crowd(500, 4, f"requester-token@{datarobot_emulator.endpoint}")
    assert found["longest stretch"] < 0.2  # seconds; from there on Airflow warns
    assert found["complaints"] == [] or os.getloadavg()[0] > (os.cpu_count() or 1)  # then others stall us as well
    assert found["connections ever"] <= 64
    assert found["failures"] == 0
    assert found["looks after that"] > 0
    assert found["kB a wait"] <= 60


async def test_two_tenants_in_one_triggerer_hear_nothing_of_each_other(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(Service()) as origin:
        other = type(service)(origin)
        for name, door in (("mine", service), ("yours", other)):
            connect(monkeypatch, door, "requester" if name == "mine" else "reviewer", name)
        async with triggerer(monkeypatch) as process:
            await process.start(*[row(number, one) for number, one in enumerate(_alternating(40))])
            await process.until(lambda: len(service.log()) == 20 and len(other.log()) == 20)
        heard = [(service.log(), "requester"), (other.log(), "reviewer")]
    assert process.supervisor.failures == {}
    for number, (requests, user) in enumerate(heard):
        assert {one["user"] for one in requests} == {f"{user}@example.com"}
        assert {int(one["query"]["offset"]) % 2 for one in requests} == {number}


def _alternating(waits: int) -> list[DataRobotWaitTrigger]:
    paths = [f"deployments/?limit=1&offset={number}" for number in range(waits)]
    return [
        DataRobotWaitTrigger(
            "yours" if number % 2 else "mine",
            to_json(ThresholdWait(path, "totalCount", "<", -1)),
            pacing={"first": 0.01, "interval": 60},
        )
        for number, path in enumerate(paths)
    ]
