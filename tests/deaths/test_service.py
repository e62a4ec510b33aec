"""The service dies while it is written to, again and again: what it answered is kept, and nothing is there twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.processes import free_port, until
from demo.stack import clean_environment
from tests.deaths.stories import UNGOVERNED

pytestmark = pytest.mark.deaths

DEATHS, ROWS = 12, 100  # and rows of a request
CHANNEL = {"channelType": "Webhook", "payloadUrl": "http://127.0.0.1:9/"}  # nothing is told to it
METRICS = f"deployments/{UNGOVERNED}/customMetrics/"


class Writer:
    """Somebody who makes channels and sends values of a metric, one request after another, until none is answered."""

    def __init__(self, service: EmulatorDoor) -> None:
        headers = {"Authorization": f"Bearer {service.tokens['requester']}"}
        self._http = httpx.Client(base_url=f"{service.endpoint}/", headers=headers, trust_env=False)
        self.metric = self._made(METRICS, name="Savings", units="EUR", isModelSpecific=False, type="sum")
        self.now = service.clock()["now"]
        self.answered: list[str] = []  # ids of channels
        self.values = 0  # requests with values that were answered
        self.lost = 0  # requests without an answer

    def write(self) -> None:
        """Until the service is gone."""
        try:
            while True:
                self.answered.append(self._made("notificationChannels/", name="a channel", **CHANNEL))
                rows = [{"value": 1, "timestamp": self.now}] * ROWS
                self._http.post(f"{METRICS}{self.metric}/fromJSON/", json={"buckets": rows}).raise_for_status()
                self.values += 1
        except httpx.TransportError:
            self.lost += 1

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _made(self, path: str, **body: Any) -> str:
        return str(self._http.post(path, json=body).raise_for_status().json()["id"])

    def stored(self) -> int:
        """How many values the service counts."""
        window = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
        answer = self._http.get(f"{METRICS}{self.metric}/summary/", params=window).raise_for_status()
        told: dict[str, Any] = answer.json()["metric"]
        return int(told["sampleCount"] or 0)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path, clean_environment({}), port=free_port(), state=tmp_path / "state.json") as emulator:
        yield emulator


def test_what_was_answered_outlives_the_service(emulator: Emulator) -> None:
    chance = random.Random(20260302)  # noqa: S311 - draws moments, no secrets
    service = EmulatorDoor(emulator.origin)
    with closing(Writer(service)) as writer:
        for _ in range(DEATHS):
            enough = len(writer.answered) + chance.randint(1, 6)
            thread = Thread(target=writer.write)
            thread.start()
            until(lambda: len(writer.answered) >= enough, "some writes", 60, pause=0.001)  # noqa: B023
            emulator.kill()
            thread.join()
            emulator.start()
        until(lambda: all(job["state"] != "running" for job in service.jobs()), "all jobs are over", 60)
        made, batches = service.count("notificationChannelCreated"), service.count("metricValuesAccepted")
        assert set(writer.answered) <= set(service.world("notificationChannels"))
        assert writer.stored() == batches * ROWS
        assert len(service.world("notificationChannels")) == made
        assert 0 <= made + batches - len(writer.answered) - writer.values <= writer.lost == DEATHS
