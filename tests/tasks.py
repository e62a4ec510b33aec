"""Our tasks in real Airflow against the emulator: the connection, waits that are short enough, what became of each."""

from __future__ import annotations

import functools
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from airflow_provider.emulator.door import DoorError

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
V1, V2, V3, V4, NEW_FEATURE, OTHER_TARGET = (f"64d00000000000000000000{number}" for number in range(1, 7))
REPLACEMENT = {"modelPackageId": V3, "replacementReason": "accuracy"}

_numbers = itertools.count()


@dataclass(frozen=True)
class Ended:
    """How a task instance ended; ``error`` is the text of its last exception, '' where there was none."""

    state: str
    result: Any
    error: str


@dataclass(frozen=True)
class Performed:
    """A finished run; ``performed["task_id"]`` is how that task ended."""

    run: DagRun
    read: ReadXcom
    ended: dict[str, Ended]

    def __getitem__(self, task_id: str) -> Ended:
        return self.ended[task_id]

    def xcom(self, task_id: str, key: str) -> Any:
        return self.read(self.run, task_id, key=key)


class Perform(Protocol):
    """Runs the tasks that ``make`` builds, one after another when it gives a list of them, whatever becomes of each."""

    def __call__(self, make: Callable[[], Sequence[Any] | None], **arguments: Any) -> Performed: ...


@pytest.fixture
def service(datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> EmulatorDoor:
    """The emulator behind ``datarobot_default``, as the requester; its jobs take a third of a second."""
    datarobot_emulator.clock(speed=60)
    connect(monkeypatch, datarobot_emulator, "requester")
    connect(monkeypatch, datarobot_emulator, "reviewer", "as_reviewer")
    connect(monkeypatch, datarobot_emulator, "admin", "as_admin")
    return datarobot_emulator


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses. The trigger looks at once: dag.test has no scheduler that it could outrun."""
    monkeypatch.setattr("airflow_provider.triggers.wait.FIRST_POLL", 0.05)
    monkeypatch.setattr("airflow_provider.tasks.serving.SEEN_PAUSE", 0.05)
    monkeypatch.setattr("airflow_provider.api.retry.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("airflow_provider.api.once.APART", 0.05)
    monkeypatch.setattr("airflow_provider.api.pool.FRESH", 0.0)


@pytest.fixture
def errors(airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What each task raised last, by task id; dag.test of 3.1 and 3.2 runs no callback that could tell."""
    from airflow.sdk.execution_time import task_runner

    execute, texts = task_runner._execute_task, dict[str, str]()

    def noted(context: Any, ti: Any, log: Any) -> Any:
        try:
            return execute(context, ti, log)
        except Exception as error:
            texts[ti.task_id] = str(error)
            raise

    monkeypatch.setattr(task_runner, "_execute_task", noted)
    return texts


@pytest.fixture
def perform(errors: dict[str, str], soon: None, run_dag: RunDag, xcoms: ReadXcom) -> Perform:
    """Builds a DAG of our tasks, with short intervals, and runs it."""
    from airflow.sdk import DAG, chain

    def perform(make: Callable[[], Sequence[Any] | None], **arguments: Any) -> Performed:
        errors.clear()
        short = {"poll_interval": 0.05, "poke_interval": 0.05, "settle": 0.1, "retry_delay": 0}
        with DAG(f"tasks_{next(_numbers)}", schedule=None, default_args=short) as dag:
            tasks = make()
        if tasks:
            for task in tasks:
                task.trigger_rule = "all_done"
            chain(*tasks)
        run = run_dag(dag, **arguments)
        ended = {
            one.task_id: Ended(str(one.state), xcoms(run, one.task_id), errors.get(one.task_id, ""))
            for one in run.get_task_instances()
        }
        return Performed(run, xcoms, ended)

    return perform


def connect(monkeypatch: pytest.MonkeyPatch, service: EmulatorDoor, user: str, name: str = "datarobot_default") -> None:
    """Puts a user's connection into the environment."""
    connection = {"conn_type": "datarobot", "host": service.endpoint, "password": service.tokens[user]}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def refused(
    service: EmulatorDoor,
    kind: Callable[..., Any],
    good: dict[str, Any],
    bad: Sequence[tuple[dict[str, Any], str]],
    kind_of_error: str = "InvalidCall",
) -> None:
    """Each of the bad arguments, laid over the good ones, fails with this text, and nothing at all is sent.

    Rendered and executed as a task runner does it, without the runner: that costs a hundredth.
    """
    from airflow.providers.common.compat.sdk import AirflowFailException
    from airflow.sdk import DAG
    from airflow.sdk.bases.operator import ExecutorSafeguard

    named = dict.fromkeys(("dag_id", "task_id", "run_id"), "bad")
    instance = SimpleNamespace(**named, map_index=-1, get_first_reschedule_date=lambda _: None)
    context: Any = {"ti": instance}
    for given, text in bad:
        with DAG("bad", schedule=None):
            task = kind(task_id="bad", **{**good, **given})
        task.render_template_fields(context)
        sentinel = {f"{type(task).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
        with pytest.raises(AirflowFailException) as caught:
            task.execute(context, **sentinel)
        told = str(caught.value)
        assert told.startswith(f"{kind_of_error}: "), told
        assert text in told, given
    assert service.log() == []


@contextmanager
def only_writes(service: EmulatorDoor, **expected: int) -> Iterator[None]:
    """Inside, exactly these operations are carried out, so many times each."""
    before = service.accepted()
    yield
    after = service.accepted()
    done = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    done.pop("validateDeploymentModelReplacement", None)  # a POST that changes nothing
    assert done == expected


@contextmanager
def meanwhile(service: EmulatorDoor, deed: Callable[[], object], **match: Any) -> Iterator[None]:
    """Does the deed while the request that fits (``operationId``, ``nth``) hangs; then it goes on."""
    hold, over = service.fault("hold", **match), threading.Event()

    def work() -> None:
        while not over.is_set():
            # The door answers after a while when nothing came: the first DAG of a process takes its time.
            with suppress(DoorError):
                service.await_held(hold)
                deed()
                service.release(hold)
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
        thread.join(timeout=5)  # it may be on its last step
        assert not thread.is_alive(), "no request fitted"
    finally:
        over.set()
        thread.join()


def send(service: EmulatorDoor, user: str, method: str, path: str, body: Any = None) -> Any:
    """What somebody else does meanwhile: raw HTTP with the token of a user; the JSON of the answer."""
    answer = _http().request(
        method,
        f"{service.endpoint}/{path}",
        json=body,
        headers={"Authorization": f"Bearer {service.tokens[user]}"},
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


@functools.cache
def _http() -> httpx.Client:
    """One for all tests: making one reads the certificates of the machine."""
    return httpx.Client()


def ask(
    service: EmulatorDoor,
    action: str = "replaceModelPackage",
    change: Any = None,
    *,
    user: str = "requester",
    deployment: str = GOVERNED,
) -> str:
    """Opens a change request, by default one that the demo world's policy gates; its id."""
    body = {"entityType": "deployment", "entityId": deployment, "action": action, "autoApply": False}
    if action != "delete":
        body["change"] = change or REPLACEMENT
    return str(send(service, user, "POST", "changeRequests/", body)["id"])


def review(
    service: EmulatorDoor, request: str, status: str = "approved", comment: str = "", version: str = "0"
) -> None:
    """A review by the reviewer."""
    body = {"changeVersionId": version, "status": status, "comment": comment}
    send(service, "reviewer", "POST", f"changeRequests/{request}/reviews/", body)


def edit(service: EmulatorDoor, request: str, package: str = V4) -> None:
    """The requester asks for another package: a new version."""
    body = {"change": {"modelPackageId": package, "replacementReason": "accuracy"}}
    send(service, "requester", "PATCH", f"changeRequests/{request}/", body)


def close(service: EmulatorDoor, request: str, status: str = "cancelled") -> None:
    """The requester cancels it, or resolves it."""
    send(service, "requester", "PATCH", f"changeRequests/{request}/status/", {"status": status})
