"""Every example is imported as Airflow does it, and run on the emulator."""

from __future__ import annotations

import gc
import importlib.util
import re
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import example_dags
from tests.people import Deed, approve, ask_for_changes, person
from tests.tasks import GOVERNED, UNGOVERNED, V3, V4

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

FOLDER = Path(example_dags.__file__).parent
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
SECONDS = 0.2  # of processor time for a file, beyond Airflow itself


def dags(name: str) -> list[DAG]:
    """The DAGs of an example, imported anew."""
    from airflow.sdk import DAG

    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [value for value in vars(module).values() if isinstance(value, DAG)]


@pytest.mark.parametrize("name", FILES)
def test_an_example_parses_at_once_without_the_network(
    airflow_db: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an example asks the network while it is parsed")

    dags(name)  # what it imports is imported once
    gc.collect()  # what others left is not counted
    monkeypatch.setattr(socket.socket, "connect", refuse)
    began = time.process_time()
    found = dags(name)
    assert time.process_time() - began < SECONDS
    assert found
    for dag in found:
        assert dag.doc_md, "an example says what it shows"
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    marks = [re.findall(rf"# \[{word} (\w+)\]", text) for word in ("START", "END")]
    assert marks[0] == marks[1] != [], "the docs quote examples between marks"


def health(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert states == {"select": "success", "check": "success"}
    assert sorted(read("check", map_index=index)["deployment_id"] for index in (0, 1)) == [GOVERNED, UNGOVERNED]


def approved(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert states == dict.fromkeys(("ask", "decision", "apply", "after"), "success") | {"not_now": "skipped"}
    assert read("decision")["decided_by"] == ["reviewer@example.com"]
    assert read("after")["status"] == "inactive"


def not_approved(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    done = dict.fromkeys(("ask", "decision", "not_now"), "success")
    assert states == done | {"apply": "skipped", "after": "skipped"}
    assert read("decision")["reviews"][0]["comment"] == "not with this model"
    assert service.count("statusChanged") == 0


def called(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert set(states.values()) == {"success"}
    assert read("after")["body"]["targetDrift"]["enabled"] is True
    assert service.accepted() == {"updateDeploymentSettings": 1}


def set_up(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert set(states.values()) == {"success"}
    assert read("share")["changed"] == [
        {"username": "outsider@example.com", "role": "USER", "shareRecipientType": "user"}
    ]
    assert read("association")["changed"] == {}
    assert service.accepted() == {"updateDeploymentSettings": 2, "updateDeploymentSharedRoles": 1}


def promoted(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert states.pop("promotion.roll_back") == "skipped"
    assert set(states.values()) == {"success"}
    assert read("promotion.apply")["champion"]["model_package_id"] == V3
    assert read("promotion.record")["outcome"] == "promoted"


def rolled_back(service: EmulatorDoor, states: dict[str, str], read: Callable[..., Any]) -> None:
    assert states["promotion.watch"] == "failed"
    assert states["promotion.roll_back"] == "success"
    assert states["promotion.promoted"] == "upstream_failed"
    assert read("promotion.record")["outcome"] == "rolled_back"
    assert service.count("modelReplaced", UNGOVERNED) == 2


def gate_status(service: EmulatorDoor) -> None:
    trigger = {"entityType": "deploymentStatus", "filterGroups": None, "intendedAction": {"action": "update"}}
    service.change("policies", "64f000000000000000000001", trigger=trigger)


def make_important(service: EmulatorDoor) -> None:
    service.change("deployments", UNGOVERNED, importance="HIGH")


def make_ill(service: EmulatorDoor) -> None:
    service.change("deployments", UNGOVERNED, health={"service": "failing", "model": "passing", "accuracy": "passing"})


RUNS: list[tuple[str, dict[str, Any], Callable[[EmulatorDoor], None] | None, Deed | None, Callable[..., None]]] = [
    ("deployments", {}, make_important, None, health),
    ("change_requests", {"deployment_id": GOVERNED}, gate_status, approve, approved),
    ("change_requests", {"deployment_id": GOVERNED}, gate_status, ask_for_changes, not_approved),
    ("call_api", {"deployment_id": UNGOVERNED}, None, None, called),
    ("deployment_settings", {}, None, None, set_up),
    (
        "gated_promotion",
        {"deployment_id": GOVERNED, "model_package_id": V3, "watch_minutes": 0},
        None,
        approve,
        promoted,
    ),
    (
        "gated_promotion",
        {"deployment_id": UNGOVERNED, "model_package_id": V4, "watch_minutes": 0},
        make_ill,
        None,
        rolled_back,
    ),
]


@pytest.mark.parametrize(
    ("name", "params", "before", "deed", "verdict"), RUNS, ids=[f"{run[0]}-{run[-1].__name__}" for run in RUNS]
)
def test_an_example_runs(
    service: EmulatorDoor,
    soon: None,
    run_dag: RunDag,
    xcoms: ReadXcom,
    name: str,
    params: dict[str, Any],
    before: Callable[[EmulatorDoor], None] | None,
    deed: Deed | None,
    verdict: Callable[..., None],
) -> None:
    [dag] = dags(name)
    for task in dag.tasks:
        if not task.is_mapped:
            task.retries = 0  # a failure is told at once
        for interval in ("poll_interval", "poke_interval"):
            if hasattr(task, interval):
                setattr(task, interval, 0.05)
    if before is not None:
        before(service)
    somebody = person(service.endpoint, service.tokens["reviewer"], deed) if deed is not None else nullcontext()
    with somebody:
        run = run_dag(dag, run_conf=params)
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    verdict(service, states, lambda task_id, **which: xcoms(run, task_id, **which))


# Run beside the tests of their areas: tests/gates, tests/journeys, tests/challengers, tests/notifications
# (test_example.py or the like).
ELSEWHERE = {
    "accuracy_gate",
    "batch_predictions",
    "custom_metrics",
    "monitoring_batches",
    "challengers",
    "export_monitoring_data",
    "monitoring_gates",
    "nightly_actuals",
    "notifications",
    "register_and_deploy",
    "scheduled_retraining",
}


def test_every_example_is_run() -> None:
    assert {run[0] for run in RUNS} == set(FILES) - ELSEWHERE
