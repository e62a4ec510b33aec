"""Every error about an answer names the service's id of that exchange, for its support."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest

from airflow_provider.api.answers import Answer
from airflow_provider.api.client import Client
from airflow_provider.api.errors import AnswerLost, AnswerTooLarge, DataRobotError, JobFailed, KeyMissing
from airflow_provider.api.results import Deployment
from airflow_provider.api.settings import Settings
from tests.harness import UNGOVERNED, Stage, replacing

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


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
def test_a_job_that_failed_names_the_exchange_that_began_it(stage: Stage, deferrable: bool) -> None:
    stage.service.jobs("modelReplacement", failsWith="out of memory")
    task = replacing(stage, UNGOVERNED, deferrable=deferrable, retries=0)
    ending = task.run()
    cause = ending.error.__cause__ if ending.error else None
    assert isinstance(cause, JobFailed), ending
    assert cause.request_id
    assert f"(request id {cause.request_id})" in str(ending.error)
