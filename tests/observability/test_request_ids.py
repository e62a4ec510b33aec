"""Every error about an answer names the service's id of that exchange, for its support."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest

from airflow_provider.api import readings
from airflow_provider.api.answers import Answer
from airflow_provider.api.client import Client
from airflow_provider.api.errors import AnswerLost, AnswerTooLarge, DataRobotError, JobFailed, KeyMissing
from airflow_provider.api.results import Deployment
from airflow_provider.api.settings import Settings
from airflow_provider.api.waits import GateWait
from tests.faults.case import CONNECTIONS, World, kind_of
from tests.faults.registry import all_cases
from tests.harness import UNGOVERNED, Stage, replacing
from tests.receiver import receiving
from tests.stages import task

HEADERS = pytest.mark.parametrize("name", ["X-Request-ID", "X-DataRobot-Request-ID"])


def client(status: int, headers: dict[str, str], content: bytes = b"{}") -> Client:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, content=content))
    return Client(Settings("http://localhost:1", "token-of-a-test"), tries=1, transport=transport)


@HEADERS
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 410, 413, 418, 422, 429, 500, 501, 503])
def test_each_status(name: str, status: int) -> None:
    with pytest.raises(DataRobotError, match=r"\(request id r-17\)") as caught:
        client(status, {name: "r-17", "Location": "https://elsewhere.example.com/"}).call(
            "getDeployment", deploymentId="1"
        )
    assert caught.value.request_id == "r-17"


@HEADERS
@pytest.mark.parametrize(
    ("content", "media_type"), [(b"<html>", "text/html"), (b"{", "application/json"), (b"[]", "application/json")]
)
def test_each_answer_that_is_not_understood(name: str, content: bytes, media_type: str) -> None:
    with (
        pytest.raises(DataRobotError, match="request id r-17"),
        client(200, {name: "r-17", "Content-Type": media_type}, content) as asking,
    ):
        asking.call("getDeployment", deploymentId="1").object()


def test_keys_that_are_missing_or_of_another_type() -> None:
    for body in ({"label": "no id"}, {"id": {"of": "another type"}}):
        answer = Answer(200, {"x-request-id": "r-17"}, json.dumps(body).encode(), "deployments/1/", "getDeployment")
        with pytest.raises(DataRobotError) as caught:
            Deployment.read(answer)
        assert caught.value.request_id == "r-17"
        assert str(caught.value).startswith("getDeployment answered 200: ")
    with pytest.raises(KeyMissing, match="Deployment: "):
        Deployment.read({"label": "an object of a list"})


@HEADERS
@pytest.mark.parametrize("reach", [lambda found: found["id"], lambda found: found["model"]["id"]])
def test_a_key_of_an_object_that_is_missing(name: str, reach: Callable[[Any], Any]) -> None:
    """Wherever an object of an answer goes, also one of a list within it."""
    found = client(200, {name: "r-17"}, b'{"model": {}, "label": "x"}').call("getDeployment", deploymentId="1").json()
    with pytest.raises(KeyMissing, match=r"getDeployment answered 200: the answer has no key 'id' \(request id r-17\)"):
        reach(found)
    assert found.get("id") is None
    assert {**found} == json.loads(json.dumps(found)) == copy.deepcopy(found)


@pytest.mark.parametrize("reader", readings.names())
def test_a_reading_that_is_not_as_documented(reader: str) -> None:
    """Readers see bodies only; what judges their answers knows the exchange."""
    answer = Answer(200, {"x-request-id": "r-17"}, b'{"driftScor": 1, "metrics": "{"}', "deployments/1/", "getX")
    of = {"metric": "AUC", "counted": "rows", "features": ["a"], "rule": None, "share": False}
    wait = GateWait("deployments/1/", reader, {**of, "end": "2026-03-02T00:00:00Z", "path": "p", "threshold": 1}, {})
    with pytest.raises(KeyMissing, match=r"\(request id r-17\)"):
        wait.judged(answer)


def test_a_list_that_leads_back() -> None:
    page: dict[str, Any] = {"data": [], "next": "http://localhost:1/api/v2/deployments/?offset=1"}
    headers = {"X-Request-ID": "r-17", "Content-Type": "application/json"}
    with pytest.raises(DataRobotError, match=r"leads back.*r-17"):
        list(client(200, headers, json.dumps(page).encode()).iterate("listDeployments"))


def test_a_download_that_is_no_file(tmp_path: Any) -> None:
    headers = {"X-Request-ID": "r-17", "Content-Type": "text/html"}
    with (tmp_path / "file").open("w+b") as into, pytest.raises(DataRobotError, match=r"a file was expected.*r-17"):
        client(200, headers, b"<html>").download("downloadDeploymentScoringCode", into, deploymentId="1")


class Broken(httpx.SyncByteStream):
    """A body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        raise httpx.ReadError("reset")


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        ("application/json", lambda asking, into: asking.call("getDeployment", deploymentId="1")),
        (
            "application/java-archive",
            lambda asking, into: asking.download("downloadDeploymentScoringCode", into, deploymentId="1"),
        ),
    ],
    ids=["an object", "a file"],
)
def test_a_body_that_breaks_off(kind: str, ask: Callable[[Client, BinaryIO], object], tmp_path: Path) -> None:
    headers = {"X-Request-ID": "r-17", "Content-Type": kind}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=headers, stream=Broken()))
    asking = Client(Settings("http://localhost:1", "token-of-a-test"), tries=1, transport=transport)
    with (tmp_path / "file").open("w+b") as into, pytest.raises(AnswerLost, match=r"reset \(request id r-17\)"):
        ask(asking, into)


def test_a_body_that_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider.api.intake.ANSWER_BYTES", 10)
    with pytest.raises(AnswerTooLarge, match=r"request id r-17"):
        client(200, {"X-Request-ID": "r-17"}, b"{" + b" " * 20 + b"}").call("getDeployment", deploymentId="1")


def test_an_id_that_repeats_the_token_is_masked() -> None:
    with pytest.raises(DataRobotError) as caught:
        client(200, {"X-Request-ID": "token-of-a-test", "Content-Encoding": "br"}).call(
            "getDeployment", deploymentId="1"
        )
    assert "token-of-a-test" not in str(caught.value)


def test_an_id_that_repeats_a_private_header_or_has_no_end_is_kept_short() -> None:
    """It goes into handles, lines and databases."""
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"X-Request-ID": request.headers["x-tenant"] + "r" * 60_000})
    )
    made = Settings("http://localhost:1", "token-of-a-test", extra_headers=(("X-Tenant", "tenant-of-a-test"),))
    with Client(made, tries=1, transport=transport) as asking:
        answer = asking.call("deleteDeployment", deploymentId="1")
    assert answer.request_id == "***" + "r" * 297


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
def test_a_job_that_failed_names_the_exchange_that_began_it(stage: Stage, deferrable: bool) -> None:
    stage.service.jobs("modelReplacement", failsWith="out of memory")
    task = replacing(stage, UNGOVERNED, deferrable=deferrable, retries=0)
    ending = task.run()
    cause = ending.error.__cause__ if ending.error else None
    assert isinstance(cause, JobFailed), ending
    assert cause.request_id
    assert f"(request id {cause.request_id})" in str(ending.error)


@pytest.mark.parametrize(
    ("name", "operation", "said"),
    [
        ("RequestModelReplacement", "createChangeRequest", "neither the answer nor the lists name the request"),
        ("ReviewChangeRequest", "createChangeRequestReview", "neither its answer nor a list has it"),
        ("RegisterModel", "createModelPackageFromLeaderboard", "neither the answer nor the lists name the package"),
        ("ReplayChallengers", "createDeploymentChallengerPredictions", "no Location names its job"),
    ],
)
def test_what_an_operator_finds_out_itself_names_the_exchange(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, operation: str, said: str
) -> None:
    """The service says that it has accepted the write, and nothing of it is there."""
    for user, connection in CONNECTIONS.items():
        given = {"conn_type": "datarobot", "host": stage.service.endpoint, "password": stage.service.tokens[user]}
        monkeypatch.setenv(f"AIRFLOW_CONN_{connection.upper()}", json.dumps(given))
    case = all_cases()[name]
    with receiving() as receiver:
        more = case.ready(World(stage, tmp_path, receiver))
    stage.service.fault("status", code=200, body={}, headers={"X-Request-ID": "r-17"}, operationId=operation, times=0)
    conn_id = CONNECTIONS[case.user]
    ending = task(stage, kind_of(case.operator), datarobot_conn_id=conn_id, **{**case.given, **more}).run()
    assert said in str(ending), ending
    assert "(request id r-17)" in str(ending), ending
