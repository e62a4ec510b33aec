"""Each kind of fault, seen from outside: what the client gets, what was done, what the log says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import DoorError, EmulatorDoor
from airflow_provider.emulator.faults import KINDS
from tests.emulator.demo import CANDIDATE, OTHER_CHAMPION, UNGOVERNED, ask_for, champion, deployment, replace, taken

REPLACING = {"operationId": "replaceDeploymentModel"}


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """A thread for a request that hangs."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def done(emulator: EmulatorDoor) -> int:
    """How often the champion was replaced once all jobs are over."""
    emulator.advance(21)
    return emulator.count("modelReplaced")


def test_every_kind_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in text and kind != "lie"] == []


def test_status(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("status", code=503, body={"message": "busy"}, headers={"X-Reason": "test"}, **REPLACING)
    answer = replace(requester)
    assert (answer.status_code, answer.json(), answer.headers["X-Reason"]) == (503, {"message": "busy"}, "test")
    assert answer.headers["Content-Type"] == "application/json"
    assert done(emulator) == 0
    assert replace(requester).status_code == 202


def test_status_with_text_and_without_content_type(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("status", code=500, body="oops", content_type=None, operationId="getVersion")
    answer = requester.get("version/")
    assert (answer.status_code, answer.text) == (500, "oops")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(("speed", "seconds"), [(1, "30"), (60, "1"), (0, "30")])
def test_retry_after_in_real_seconds(
    emulator: EmulatorDoor, requester: httpx.Client, speed: float, seconds: str
) -> None:
    """Rule 25: Retry-After is in real seconds; wire.md B: honoured for 413, 429 and 503."""
    emulator.clock(speed=speed)
    emulator.fault("retry_after", seconds=30, operationId="getVersion")
    answer = requester.get("version/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, seconds)
    assert list(answer.json()) == ["message"]


def test_retry_after_as_a_date(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.clock(speed=0)
    emulator.fault("retry_after", code=503, seconds=120, as_date=True, operationId="getVersion")
    answer = requester.get("version/")
    until = parsedate_to_datetime(answer.headers["Retry-After"]) - parsedate_to_datetime(answer.headers["Date"])
    assert (answer.status_code, until.total_seconds()) == (503, 120)


def test_html_page(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("html_page", code=504, operationId="getVersion")
    answer = requester.get("version/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")


def test_reset(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("reset", **REPLACING)
    with pytest.raises(httpx.ReadError):
        replace(requester)
    assert done(emulator) == 0
    (seen,) = emulator.log(**REPLACING)
    assert (seen["status"], seen["accepted"], seen["faults"]) == ("reset", False, ["reset"])


def test_delay(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("delay", seconds=0.05, operationId="getVersion")
    assert requester.get("version/").elapsed.total_seconds() >= 0.05
    emulator.fault("delay", seconds=5, operationId="getVersion")
    with pytest.raises(httpx.ReadTimeout):
        requester.get("version/", timeout=0.05)


def replace_aside(aside: ThreadPoolExecutor, client: httpx.Client) -> Future[httpx.Response]:
    return aside.submit(replace, client)


def test_hold_before_the_commit(emulator: EmulatorDoor, requester: httpx.Client, aside: ThreadPoolExecutor) -> None:
    held = emulator.fault("hold", where="before", **REPLACING)
    hanging = replace_aside(aside, requester)
    emulator.await_held(held)
    assert [fault["holding"] for fault in emulator.faults()] == [1]
    assert (emulator.log(**REPLACING)[0]["accepted"], emulator.jobs()) == (False, [])
    emulator.release(held)
    assert hanging.result(10).status_code == 202
    assert done(emulator) == 1


def test_hold_after_the_commit(emulator: EmulatorDoor, requester: httpx.Client, aside: ThreadPoolExecutor) -> None:
    held = emulator.fault("hold", where="after", **REPLACING)
    hanging = replace_aside(aside, requester)
    emulator.await_held(held)
    assert (emulator.log(**REPLACING)[0]["accepted"], len(emulator.jobs())) == (True, 1)
    emulator.remove_fault(held)
    assert hanging.result(10).status_code == 202


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_reset_of_the_emulator_drops_what_is_held(
    emulator: EmulatorDoor, requester: httpx.Client, aside: ThreadPoolExecutor, where: str
) -> None:
    held = emulator.fault("hold", where=where, **REPLACING)
    hanging = replace_aside(aside, requester)
    emulator.await_held(held)
    emulator.reset()
    with pytest.raises(httpx.ReadError):
        hanging.result(10)
    assert (emulator.jobs(), done(emulator)) == ([], 0)


def test_lost_answer_by_reset(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("lost_answer", **REPLACING)
    with pytest.raises(httpx.ReadError):
        replace(requester)
    assert emulator.log(**REPLACING)[0]["accepted"] is True
    assert done(emulator) == 1


def test_lost_answer_by_a_gateway(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("lost_answer", answer=504, **REPLACING)
    answer = replace(requester)
    assert (answer.status_code, "Location" in answer.headers) == (504, False)
    assert done(emulator) == 1


@pytest.mark.parametrize("gateway", [504, "reset"])
def test_late_commit(emulator: EmulatorDoor, requester: httpx.Client, gateway: Any) -> None:
    """Rule 2: the client is told 504 or nothing, the change is committed N seconds afterwards."""
    emulator.clock(speed=0)
    emulator.fault("late_commit", answer=gateway, seconds=30, operationId="createChangeRequest")
    if gateway == "reset":
        with pytest.raises(httpx.ReadError):
            ask_for(requester)
    else:
        assert ask_for(requester).status_code == 504
    emulator.advance(29)
    assert emulator.count("changeRequestCreated") == 0
    assert taken(requester.get("changeRequests/?entityType=deployment"))["totalCount"] == 0
    emulator.advance(1)
    assert emulator.count("changeRequestCreated") == 1
    (row,) = taken(requester.get("changeRequests/?entityType=deployment"))["data"]
    assert row["userName"] == "requester@example.com"
    seen = emulator.log(operationId="createChangeRequest")
    assert [(one.get("late", False), one["accepted"]) for one in seen] == [(False, False), (True, True)]


def test_a_late_commit_that_is_refused_by_then_does_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("late_commit", seconds=30, **REPLACING)
    replace(requester)
    requester.delete(f"deployments/{UNGOVERNED}/")
    emulator.advance(31)
    late = emulator.log(**REPLACING)[-1]
    assert (late["status"], late["accepted"]) == (404, False)


def test_a_late_commit_can_start_a_job_that_fails(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("late_commit", seconds=30, **REPLACING)
    emulator.fault("failed_job", message="Too late.", **REPLACING)
    replace(requester)
    emulator.advance(60)
    assert [(job["status"], job["message"]) for job in emulator.jobs()] == [("ERROR", "Too late.")]


def test_a_wrong_request_is_refused_at_once_even_under_late_commit(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    emulator.fault("late_commit", **REPLACING)
    assert requester.patch(f"deployments/{UNGOVERNED}/model/", json={}).status_code == 422


def test_truncated(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("truncated", **REPLACING)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        replace(requester)
    assert done(emulator) == 1


def test_empty_body(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("empty_body", operationId="getVersion")
    answer = requester.get("version/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "application/json"


def test_content_type(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("content_type", value="text/plain; charset=utf-8", operationId="getVersion")
    answer = requester.get("version/")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.json()["major"] == 2


def test_missing_location(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("missing_location", **REPLACING)
    answer = replace(requester)
    assert (answer.status_code, "Location" in answer.headers) == (202, False)
    assert done(emulator) == 1


def test_relative_location(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.2: a relative Location breaks a public client."""
    emulator.fault("relative_location", **REPLACING)
    assert replace(requester).headers["Location"].startswith("/api/v2/status/")


def test_foreign_location(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 35: installations behind a proxy return internal hosts."""
    emulator.fault("foreign_location", origin="http://10.0.0.7:8080", **REPLACING)
    assert replace(requester).headers["Location"].startswith("http://10.0.0.7:8080/api/v2/status/")


def test_a_location_fault_leaves_an_answer_without_location_alone(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    for kind in ("relative_location", "foreign_location", "missing_location"):
        emulator.fault(kind, operationId="getVersion", times=0)
    assert requester.get("version/").json()["major"] == 2


def ended(emulator: EmulatorDoor, client: httpx.Client) -> httpx.Response:
    location = replace(client).headers["Location"]
    emulator.advance(3_600)
    return client.get(location)


def test_stuck_job(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("stuck_job", **REPLACING)
    assert ended(emulator, requester).json()["status"] == "RUNNING"
    assert deployment(requester)["status"] == "replacingModel"


@pytest.mark.parametrize("word", ["ERROR", "ABORTED"])
def test_failed_job(emulator: EmulatorDoor, requester: httpx.Client, word: str) -> None:
    emulator.fault("failed_job", message="Broken.", ends=word, **REPLACING)
    body = ended(emulator, requester).json()
    assert (body["status"], body["message"]) == (word, "Broken.")
    assert champion(requester) == OTHER_CHAMPION


def test_expired_job(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("expired_job", **REPLACING)
    answer = ended(emulator, requester)
    assert (answer.status_code, answer.json()["status"]) == (200, "EXPIRED")
    assert champion(requester) == OTHER_CHAMPION


def test_job_404(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The work goes on although its status object cannot be found."""
    emulator.fault("job_404", **REPLACING)
    assert ended(emulator, requester).status_code == 404
    assert champion(requester) == CANDIDATE


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({}, True),
        ({"operationId": "getVersion"}, True),
        ({"operationId": "getDeployment"}, False),
        ({"method": "GET"}, True),
        ({"method": "POST"}, False),
        ({"path": "/version"}, True),
        ({"path": "/deployments"}, False),
        ({"user": "requester@example.com"}, True),
        ({"user": "admin@example.com"}, False),
        ({"user": "requester@example.com", "method": "POST"}, False),
    ],
)
def test_what_a_fault_meets(emulator: EmulatorDoor, requester: httpx.Client, match: dict[str, str], met: bool) -> None:
    emulator.fault("status", code=500, **match)
    assert (requester.get("version/").status_code == 500) is met


@pytest.mark.parametrize(
    ("counts", "codes"),
    [
        ({}, [500, 200, 200, 200]),
        ({"nth": 2}, [200, 500, 200, 200]),
        ({"times": 2}, [500, 500, 200, 200]),
        ({"nth": 2, "times": 2}, [200, 500, 500, 200]),
        ({"nth": 3, "times": 0}, [200, 200, 500, 500]),
    ],
)
def test_nth_and_times(
    emulator: EmulatorDoor, requester: httpx.Client, counts: dict[str, int], codes: list[int]
) -> None:
    emulator.fault("status", code=500, operationId="getVersion", **counts)
    assert [requester.get("version/").status_code for _ in range(4)] == codes


def test_a_fault_comes_before_the_token_is_looked_at(origin: str, emulator: EmulatorDoor) -> None:
    """A gateway does not know tokens."""
    emulator.fault("status", code=503)
    assert httpx.get(f"{origin}/api/v2/version/", trust_env=False).status_code == 503


def test_faults_add_up(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("missing_location", **REPLACING)
    emulator.fault("empty_body", **REPLACING)
    answer = replace(requester)
    assert (answer.status_code, answer.content, "Location" in answer.headers) == (202, b"", False)


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ({"kind": "explosion"}, "kind must be one of"),
        ({"kind": "status", "colour": "red"}, "unknown key colour"),
        ({"kind": "status", "code": 99}, "code must be"),
        ({"kind": "status", "headers": "none"}, "headers must be"),
        ({"kind": "delay", "seconds": -1}, "seconds must be"),
        ({"kind": "delay", "seconds": True}, "seconds must be"),
        ({"kind": "lost_answer", "answer": "maybe"}, "answer must be"),
        ({"kind": "hold", "where": "beside"}, "where must be"),
        ({"kind": "failed_job", "ends": "WELL"}, "ends must be"),
        ({"kind": "lie", "name": "fib"}, "name must be one of"),
        ({"kind": "status", "nth": 0}, "nth must be"),
        ({"kind": "status", "times": -1}, "times must be"),
        ({"kind": "status", "operationId": "getNothing"}, "no operation 'getNothing'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(emulator: EmulatorDoor, wanted: dict[str, Any], part: str) -> None:
    kind = wanted.pop("kind")
    with pytest.raises(DoorError, match=part) as refused:
        emulator.fault(kind, **wanted)
    assert refused.value.status == 400
    assert emulator.faults() == []


def test_an_unknown_fault_is_404(emulator: EmulatorDoor) -> None:
    for act in (emulator.remove_fault, emulator.release, emulator.await_held):
        with pytest.raises(DoorError, match="no such fault") as refused:
            act("nothing")
        assert refused.value.status == 404
