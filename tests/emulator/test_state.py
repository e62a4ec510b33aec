"""A state file: what was answered survives a killed process, what is due later too."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.service import Service
from tests.emulator.demo import CANDIDATE, NIGHTLY, UNGOVERNED, ask_for, champion, replace, request, taken
from tests.emulator.rows import send


class Process:
    """The emulator in a process of its own, by its command line."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "airflow_provider.emulator", "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.endpoint = self.process.stdout.readline().strip()
        self.greeting = self.process.stdout.readline().strip()
        self.door = EmulatorDoor(self.endpoint.removesuffix("/api/v2"))
        headers = {"Authorization": "Bearer requester-token"}
        self.client = httpx.Client(base_url=f"{self.endpoint}/", headers=headers, trust_env=False)

    def end(self, how: signal.Signals) -> int:
        self.client.close()
        self.process.send_signal(how)
        self.process.communicate(timeout=20)
        return self.process.returncode


@contextmanager
def started(*options: str) -> Iterator[Process]:
    process = Process(*options)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_what_was_answered_survives_a_kill(file: Path) -> None:
    options = ("--state", str(file), "--speed", "0")
    with started(*options) as first:
        first.door.switches(change_version_ids="objectid")
        asked = taken(ask_for(first.client))
        location = replace(first.client).headers["Location"].removeprefix(f"{first.endpoint}/")
        first.door.fault("late_commit", seconds=60, operationId="createChangeRequest")
        assert ask_for(first.client, "delete").status_code == 504
        first.door.advance(10)
        first.door.jobs("deploymentStatus", seconds=3)
        before = first.door.clock()["epoch"]
        first.end(signal.SIGKILL)
    with started(*options) as second:
        assert second.door.clock()["epoch"] == before
        assert second.door.switches()["change_version_ids"] == "objectid"
        assert request(second.client, asked["id"]) == asked
        assert second.client.get(location).json()["status"] == "RUNNING"
        second.door.advance(60)
        assert second.client.get(location).status_code == 303
        assert champion(second.client, UNGOVERNED) == CANDIDATE
        assert second.door.count("changeRequestCreated") == 2
        assert second.door.count("modelReplaced", UNGOVERNED) == 1


def test_the_file_is_whole_after_each_answer(file: Path) -> None:
    with started("--state", str(file)) as emulator:
        taken(ask_for(emulator.client))
        saved: dict[str, Any] = json.loads(file.read_text())
        assert [effect["effect"] for effect in saved["effects"]] == ["changeRequestCreated"]
        assert list(file.parent.iterdir()) == [file]


def test_reads_do_not_write_the_file(file: Path) -> None:
    with started("--state", str(file)) as emulator:
        before = file.stat().st_mtime_ns
        taken(emulator.client.get("deployments/"))
        assert file.stat().st_mtime_ns == before


def test_a_reset_is_kept_too(file: Path) -> None:
    with started("--state", str(file)) as first:
        asked = taken(ask_for(first.client))
        first.door.reset()
        first.end(signal.SIGKILL)
    with started("--state", str(file)) as second:
        assert second.client.get(f"changeRequests/{asked['id']}/").status_code == 404


def test_rows_and_files_survive_too(file: Path) -> None:
    """Accepted and stored actuals, what is spent of the hour, predictions of the world, an upload."""
    options = ("--state", str(file), "--speed", "0", "--switch", "quota_rows=1000")
    with started(*options) as first:
        for pairs in ([("a", "yes")], [(f"row-{n}", "no") for n in range(900)]):
            assert send(first.client, *pairs, to=NIGHTLY).status_code == 202
        first.door.advance(3)
        made = taken(first.client.post("datasets/fromFile/", files={"file": ("a.csv", b"id\n1\n", "text/csv")}))
        first.door.advance(3)
        seen = first.door.predictions(NIGHTLY)
        first.end(signal.SIGKILL)
    with started(*options) as second:
        assert second.door.predictions(NIGHTLY) == seen
        account = second.door.actuals(NIGHTLY, ids=True)
        assert (account["stored"], account["accepted"], account["acceptedPerId"]["a"]) == (901, 901, 1)
        assert send(second.client, *((f"more-{n}", "yes") for n in range(100)), to=NIGHTLY).status_code == 429
        second.door.advance(3)
        assert second.client.get(f"datasets/{made['catalogId']}/file/").content == b"id\n1\n"
        second.door.reset()
        assert second.door.actuals(NIGHTLY)["accepted"] == 0
        assert second.door.predictions(NIGHTLY)["rows"] == 3_500


def test_a_batch_whose_post_was_never_answered_is_forgotten(file: Path) -> None:
    """Rows are written before the state file: a kill between the two leaves a batch that no job knows."""
    service = Service(state=file)
    assert service.rows.db.execute("SELECT COUNT(*) FROM batches").fetchone() == (0,)
    service.save()
    service.rows.db.execute("INSERT INTO batches(deployment, rows, charged, state) VALUES (1, 5, 5, 'accepted')")
    service.rows.commit()
    service.close()
    again = Service(state=file)
    assert again.rows.db.execute("SELECT COUNT(*) FROM batches").fetchone() == (0,)
    again.close()


def test_without_a_file_a_restart_begins_afresh(tmp_path: Path) -> None:
    with started() as emulator:
        taken(ask_for(emulator.client))
        assert emulator.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []
