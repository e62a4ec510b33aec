"""The parts of one service, without HTTP: the check of our own answers, the state file, the way to an operation."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from airflow_provider.contract import contract
from airflow_provider.emulator import calls, handlers
from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.changes import start_replacement
from airflow_provider.emulator.clock import Clock
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.guard import faults_of_answer
from airflow_provider.emulator.routing import find
from airflow_provider.emulator.server import open_socket, url_of
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import UnknownWorld
from tests.emulator.demo import CANDIDATE, UNGOVERNED


def test_an_answer_of_ours_that_breaks_the_contract_is_told(
    emulator: EmulatorDoor, requester: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(calls.SERVED, "getVersion", lambda call: Answer(200, {"major": "two"}))
    answer = requester.get("version/")
    assert answer.status_code == 500
    assert "The emulator broke the contract of getVersion" in answer.json()["message"]


def test_a_mistake_of_the_emulator_is_a_500_as_json_and_is_logged(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(calls.SERVED, "getVersion", lambda call: Answer(200, call.arguments["nothing"]))
    answer = requester.get("version/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/json")
    assert answer.json() == {"message": "The emulator has a fault of its own: KeyError('nothing')"}
    assert "GET /api/v2/version/ failed" in caplog.text
    assert emulator.log()[0]["status"] == 500


@pytest.mark.parametrize(
    ("operation_id", "answer", "fault"),
    [
        ("getVersion", Answer(202, {}), "202 is not documented for getVersion @ $"),
        ("getVersion", Answer(200), "a body is documented @ $"),
        ("getStatus", Answer(303), "header required @ $.Location"),
        ("deleteStatus", Answer(204, {}), "no body is documented @ $"),
        ("replaceDeploymentModel", Answer(202, None, {"Location": "x"}), None),
        ("getVersion", Answer(404, {"text": "none"}), "required @ $.message"),
    ],
)
def test_what_is_held_against_the_contract(operation_id: str, answer: Answer, fault: str | None) -> None:
    found = faults_of_answer(contract().operation(operation_id), answer)
    assert found == ([] if fault is None else [fault])


def test_a_service_goes_on_from_its_file(tmp_path: Path) -> None:
    handlers.load()
    file = tmp_path / "state.json"
    first = Service(speed=0, state=file)
    first.paces["deploymentStatus"] = {"seconds": 3}
    tables = first.store.tables
    start_replacement(first, tables["deployments"][UNGOVERNED], tables["packages"][CANDIDATE])
    first.clock.advance(5)
    first.save()
    second = Service(speed=0, state=file)
    assert second.clock.now() == first.clock.now()
    assert second.paces == first.paces
    second.clock.advance(20)
    second.catch_up()
    assert second.store.counts() == {"modelReplaced": {UNGOVERNED: 1}}
    assert Service(speed=0, state=file).store.counts() == second.store.counts()


def test_service_time_runs_on_while_no_process_is_there(tmp_path: Path) -> None:
    moment = 1_000_000.0
    file = tmp_path / "state.json"
    Service(speed=60, state=file, real=lambda: moment)
    assert Service(speed=60, state=file, real=lambda: moment + 10).clock.now() == moment + 600


def test_an_unknown_world_is_told() -> None:
    with pytest.raises(UnknownWorld, match="there is no world 'mars'; there are demo"):
        Service("mars")


def test_a_clock_that_stands_still_moves_by_hand_only() -> None:
    moments = iter(range(100))
    clock = Clock(speed=0, real=lambda: float(next(moments)))
    assert clock.now() == clock.now() == 0
    clock.advance(10)
    assert clock.now() == 10
    assert clock.real_seconds(30) == 30


@pytest.mark.parametrize(
    ("method", "path", "operation_id"),
    [
        ("GET", "deployments/", "listDeployments"),
        ("GET", "deployments", "listDeployments"),
        ("GET", "deployments/abc/", "getDeployment"),
        ("GET", "deployments/a%2Fb/", "getDeployment"),
        ("POST", "deployments/fromModelPackage/", "createDeploymentFromModelPackage"),
        ("GET", "modelPackages/abc/features/", "listModelPackageFeatures"),
    ],
)
def test_paths_lead_to_operations(method: str, path: str, operation_id: str) -> None:
    found = find(method, path)
    assert found is not None
    assert found.operation is not None
    assert found.operation.id == operation_id


def test_every_operation_of_the_contract_is_found() -> None:
    for operation in contract().operations.values():
        found = find(operation.method, operation.path.replace("{", "").replace("}", ""))
        assert found is not None
        assert found.operation is operation


def test_the_socket_names_its_protocol() -> None:
    """asyncio sends small answers at once only on such a socket: else each one takes 40 ms."""
    with open_socket("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
        assert url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_an_address_of_six_parts_is_put_in_brackets() -> None:
    try:
        bound = open_socket("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with bound:
        assert url_of(bound) == f"http://[::1]:{bound.getsockname()[1]}"
