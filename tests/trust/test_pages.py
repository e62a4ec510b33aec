"""Real Airflow: every page of its web UI, its log files and its database, after journeys with secrets in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.processes import until
from demo.rest import Token
from demo.stack import Stack, clean_environment
from tests.trust import pages, scanning

pytestmark = pytest.mark.stack

DAGS = Path(__file__).parent / "dags"
PYTHON = os.environ.get("STACK_PYTHON", sys.executable)
DAG, PATIENCE = "journeys", 300.0
SECRET, HEADER = "s3cret-of-the-hook", "private-header-of-the-hook"
GATEWAY, PROXY, ENDPOINT = "k3y-of-the-gateway", "pw-of-the-proxy", "pw-in-the-endpoint"
WORDS = (*scanning.TOKENS, SECRET, HEADER, GATEWAY, PROXY, ENDPOINT)
ECHO = f"Authorization: Bearer requester-token; X-Key: {GATEWAY}; {SECRET}"
# What a page needs and this Airflow does not have: assets, backfills, partitions, people who are asked, tests of
# connections in workers.
ABSENT = ("asset", "backfill", "partition", "hitl", "enqueue-test", "variables/{variable_key}", "dagWarnings")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), clean_environment({}), speed=60) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    environment = {"BROKEN_ENDPOINT": f"https://me:{ENDPOINT}@127.0.0.1/api/v2", "DATAROBOT_API_TOKEN": "a b"}
    with Stack(tmp_path_factory.mktemp("airflow"), DAGS, environment=environment, python=PYTHON) as stack:
        for one in connections(emulator.endpoint):
            stack.airflow.ask("POST", "/connections", one)
        yield stack


def connections(endpoint: str) -> list[dict[str, Any]]:
    """As users keep them, in Airflow's database."""
    extra = f'{{"extra_headers": {{"X-Api-Key": "{GATEWAY}"}}}}'
    proxied = f'{{"proxy": "http://me:{PROXY}@127.0.0.1:9"}}'
    hook = f'{{"header_secret": "{HEADER}", "header": "{HEADER}"}}'
    ours = {"conn_type": "datarobot", "host": endpoint, "password": "requester-token"}
    return [
        {"connection_id": "datarobot_default", **ours, "extra": extra},
        {"connection_id": "proxied", **ours, "extra": proxied},
        {"connection_id": "hook", "conn_type": "generic", "password": SECRET, "extra": hook},
    ]


@pytest.fixture(scope="module")
def run_id(airflow: Stack, emulator: Emulator) -> str:
    """A run of which one task waits, one was refused with an echo, and two sent secrets."""
    door = EmulatorDoor(emulator.origin)
    door.reset()
    door.fault("stuck_job", times=0)
    said: dict[str, Any] = {"code": 401, "body": {"message": ECHO, "errors": {ECHO: [ECHO]}}, "times": 0}
    door.fault("status", operationId="updateDeploymentStatus", headers={"X-Request-ID": ECHO}, **said)
    run = airflow.airflow.trigger(DAG)
    ends = {"waits": "deferred", "refused": "failed", "channel": "success", "called": "success"}

    def there() -> bool:
        with suppress(httpx.ReadTimeout):  # a machine that has much to do
            return airflow.airflow.states(DAG, run) == ends
        return False

    until(there, f"the tasks {ends}", PATIENCE, airflow.children.values(), pause=1.0)
    return run


@pytest.fixture(scope="module")
def visit(airflow: Stack, run_id: str) -> pages.Visit:
    """All pages, as an admin sees them."""
    ask = airflow.airflow.ask
    tasks = [one["task_id"] for one in airflow.airflow.tasks(DAG, run_id)]
    errors = ask("GET", "/importErrors")["import_errors"]
    logs = ask("GET", "/eventLogs", limit=100)["event_logs"]
    known: dict[str, list[Any]] = {
        **{name: [run_id] for name in ("dag_run_id", "run_id", "run_ids")},
        **{name: [1, 2] for name in ("try_number", "task_try_number")},
        "connection_id": [one["connection_id"] for one in connections("")],
        "dag_id": [DAG],
        "task_id": tasks,
        "map_index": [-1],
        "version_number": [1],
        "pool_name": ["default_pool"],
        "interval": [0.1],
        "xcom_key": ["return_value", "web_link", "_link_DataRobotLink"],
        "key": ["datarobot_handle"],
        "event_log_id": [one["event_log_id"] for one in logs],
        "import_error_id": [one["import_error_id"] for one in errors],
        "section": ["core"],
        "option": ["parallelism"],
        "start_date": ["2026-01-01T00:00:00Z"],
    }
    assert len(errors) == 1, errors
    with httpx.Client(base_url=airflow.address, auth=Token(airflow.address), timeout=60, trust_env=False) as http:
        return pages.tour(http, known)


def test_no_page_shows_a_secret(visit: pages.Visit) -> None:
    shown = [f"{word}: {page}" for page, text in visit.answers.items() for word in scanning.in_text(text, WORDS)]
    assert shown == []
    # A control: what is none is there, on the pages where the secrets would be.
    seen = " ".join(page for page, text in visit.answers.items() if "http://127.0.0.1:9/a" in text)
    assert "renderedFields" in seen or "taskInstances/channel" in seen


def test_every_page_was_visited(visit: pages.Visit) -> None:
    assert visit.broken == []
    left = [one for one in visit.unfilled + visit.silent if not any(word in one.lower() for word in ABSENT)]
    assert left == []


def test_nothing_else_of_it_is_kept(airflow: Stack, run_id: str) -> None:
    assert scanning.in_database(airflow.home / "airflow.db", WORDS) == []
    assert scanning.in_files(airflow.home / "logs", WORDS) == []
    processes = "".join(child.log.read_text(errors="replace") for child in airflow.children.values())
    assert scanning.in_text(processes, WORDS) == []
    assert "Bearer ***" in airflow.airflow.log(DAG, run_id, "refused")
