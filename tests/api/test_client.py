"""Both clients on scripted answers: each story is told twice, and goes the same way."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from airflow_provider.api import errors
from airflow_provider.api.client import AsyncClient, Client
from airflow_provider.api.exchange import USER_AGENT
from airflow_provider.api.waiting import GaveUp, Pacing, TimedOut
from airflow_provider.api.waits import Done, EntityWait, Failed, JobWait
from tests.api.tools import ID, TOKEN, Even, Scripted, Teller, page, says, settings

READ: tuple[Any, ...] = ("getDeployment",)
WRITE: tuple[Any, ...] = ("updateDeploymentStatus", {"status": "inactive"})
IMAGE: tuple[Any, ...] = ("downloadPortablePredictionServerImage",)
VALIDATE: tuple[Any, ...] = ("validateDeploymentModelReplacement", {"modelPackageId": ID})
LOCATION = f"https://app.example.com/api/v2/status/{ID}/"
LOST = httpx.RemoteProtocolError("Server disconnected without sending a response.")


@dataclass
class Story:
    """What is called, what the service says each time, how it ends, and the pauses in between."""

    name: str
    call: tuple[Any, ...]
    answers: list[Scripted]
    end: int | type[Exception]
    naps: list[float] = field(default_factory=list)
    told: str = ""

    @property
    def sent(self) -> int:
        return len(self.naps) + 1


def file(kind: str) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": kind}, content=b"PK")


STORIES = [
    Story("a read", READ, [says(200, {"id": ID})], 200),
    Story("a write", WRITE, [says(202, None, Location=LOCATION)], 202),
    Story("a write answered by 204", WRITE, [httpx.Response(204)], 204),
    # Reads are repeated on whatever passes.
    Story("a read, not connected", READ, [httpx.ConnectError("refused"), says(200, {})], 200, [0.5]),
    Story("a read, answer lost", READ, [LOST, httpx.ReadTimeout("slow"), says(200, {})], 200, [0.5, 1.0]),
    Story("a read, gateways", READ, [says(502), says(503), page("", 504), says(200, {})], 200, [0.5, 1.0, 2.0]),
    Story("a read, 500", READ, [says(500, {"message": "oops"}), says(200, {})], 200, [0.5]),
    Story("a read, 408", READ, [says(408), says(200, {})], 200, [0.5]),
    Story("a read, told when", READ, [says(429, None, Retry_After="7"), says(200, {})], 200, [7.5]),
    Story("a read, told much later", READ, [says(503, None, Retry_After="900"), says(200, {})], 200, [60.0]),
    Story("a read, a web page", READ, [page("<title>Sign in</title>"), says(200, {})], 200, [0.5]),
    Story("a read, cut JSON", READ, [httpx.Response(200, content=b'{"id": '), says(200, {})], 200, [0.5]),
    Story("a read, never", READ, [LOST] * 5, errors.AnswerLost, [0.5, 1, 2, 4], "RemoteProtocolError at https://app"),
    # ... and not on what stays.
    *(
        Story(f"a read, {status}", READ, [says(status, {"message": "no"})], kind, told=f"answered {status}: no")
        for status, kind in {
            400: errors.BadRequest,
            401: errors.Unauthorized,
            403: errors.Forbidden,
            404: errors.NotFound,
            405: errors.Refused,
            409: errors.Conflict,
            410: errors.Gone,
            413: errors.TooLarge,
            422: errors.Unprocessable,
            501: errors.NotServed,
        }.items()
    ),
    Story("a read that answers nothing", READ, [says(200), says(200, {"id": "x"})], 200, [0.5]),
    # Writes go out again only when they provably did nothing.
    Story("a write, not connected", WRITE, [httpx.ConnectTimeout("x"), says(202)], 202, [0.5]),
    Story("a write, no connection free", WRITE, [httpx.PoolTimeout("x"), says(202)], 202, [0.5]),
    Story("a write, too many", WRITE, [says(429), says(202)], 202, [0.5]),
    Story("a write, running already", WRITE, [says(429, None, Location=LOCATION)], errors.TooManyRequests),
    Story("a write, reset", WRITE, [httpx.ReadError("reset")], errors.AnswerLost),
    Story("a write, reset while sending", WRITE, [httpx.WriteError("reset")], errors.AnswerLost),
    Story("a write, timeout", WRITE, [httpx.ReadTimeout("")], errors.AnswerLost, told="ReadTimeout at https://app"),
    Story("a write, disconnected", WRITE, [LOST], errors.AnswerLost),
    Story("a write, 500", WRITE, [says(500)], errors.ServiceFailed),
    *(Story(f"a write, {status}", WRITE, [says(status)], errors.GatewayFailed) for status in (408, 502, 503, 504)),
    Story("a write, a login page", WRITE, [page("<title>Sign in</title>")], errors.NotUnderstood),
    Story("a write that answers nothing", WRITE, [says(202)], 202),
    # A POST that changes nothing is a read.
    Story("a validation, lost", VALIDATE, [LOST, says(504), says(200, {"status": "passing"})], 200, [0.5, 1.0]),
    # API calls are not redirected.
    *(
        Story(
            f"a read, {status}",
            READ,
            [says(status, None, Location="https://evil.org/")],
            errors.Redirected,
            told="to https://evil.org/, which",
        )
        for status in (301, 302, 307, 308)
    ),
    Story("a write, 307", WRITE, [says(307, None, Location="https://app.example.com/api/v2/x/")], errors.Redirected),
    Story("a 303 is an answer", ("getStatus",), [httpx.Response(303, headers={"Location": LOCATION})], 303),
    Story("a documented redirect", IMAGE, [says(302, None, Location="https://s3/")], 302),
    Story("a file", ("downloadDeploymentScoringCode",), [file("application/java-archive")], 200),
    Story("a text", ("downloadCustomModelDeploymentLogs",), [file("text/plain")], 200),
]


def arguments(call: tuple[Any, ...]) -> dict[str, str]:
    if call == IMAGE:
        return {}
    return {"statusId": ID} if call[0] == "getStatus" else {"deploymentId": ID}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_story(both: Teller, story: Story) -> None:
    teller = both(story.answers)
    end: Any
    try:
        end = (await teller.run("call", *story.call, **arguments(story.call))).status
    except errors.DataRobotError as error:
        end = error
    assert end == story.end or type(end) is story.end
    assert story.told in str(end)
    assert TOKEN not in f"{end!s}{end!r}{getattr(end, '__dict__', '')}"
    assert teller.clock.naps == story.naps
    assert len(teller.script.requests) == story.sent
    assert [(seen[3], seen[5]) for seen in teller.told.seen] == [
        (getattr(one, "status_code", None), number) for number, one in enumerate(story.answers, 1)
    ]


async def test_what_goes_on_the_wire(both: Teller) -> None:
    made = settings(endpoint="https://gw.example.com/dr/api/v2", extra_headers=(("X-Gateway", "g"),))
    story = both([says(202)], settings=made)
    await story.run("call", *WRITE, extra_body={"novel": 1}, deploymentId=ID)
    (request,) = story.script.requests
    assert str(request.url) == f"https://gw.example.com/dr/api/v2/deployments/{ID}/status/"
    assert request.method == "PATCH"
    assert json.loads(request.content) == {"status": "inactive", "novel": 1}
    sent = {
        name: request.headers[name] for name in ("authorization", "content-type", "accept", "user-agent", "x-gateway")
    }
    assert sent == {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "accept": "application/json",
        "user-agent": USER_AGENT,
        "x-gateway": "g",
    }
    assert USER_AGENT.startswith("airflow-provider-datarobot-mlops/")


async def test_a_header_of_the_settings_replaces_ours_and_is_sent_once(both: Teller) -> None:
    story = both([says(200, {})], settings=settings(extra_headers=(("User-agent", "gateway"),)))
    await story.run("call", "getVersion")
    assert story.script.requests[0].headers.get_list("user-agent") == ["gateway"]


async def test_the_other_word_before_the_token(both: Teller) -> None:
    story = both([says(200, {})], settings=settings(scheme="Token"))
    await story.run("call", "getVersion")
    assert story.script.requests[0].headers["authorization"] == f"Token {TOKEN}"
    assert "content-type" not in story.script.requests[0].headers


async def test_a_header_argument_is_sent(both: Teller) -> None:
    story = both([httpx.Response(200, headers={"content-type": "text/csv"}, content=b"a,b\n")])
    answer = await story.run("call", "listDeploymentPredictionResults", deploymentId=ID, Accept="text/csv")
    assert story.script.requests[0].headers["accept"] == "text/csv"
    assert answer.content == b"a,b\n"


async def test_no_cookie_is_kept(both: Teller) -> None:
    story = both([says(503, None, Set_Cookie="session=1; Path=/"), says(200, {})])
    await story.run("call", "getVersion")
    assert "cookie" not in story.script.requests[1].headers


async def test_an_answer_is_handed_over_as_it_came(both: Teller) -> None:
    story = both([says(202, {"id": "x", "brandNew": 1}, Location=LOCATION, X_Request_ID="r")])
    answer = await story.run("call", *WRITE, deploymentId=ID)
    assert (answer.location, answer.request_id, answer.operation) == (LOCATION, "r", "updateDeploymentStatus")
    assert answer.json() == {"id": "x", "brandNew": 1}
    assert answer.url_path == f"deployments/{ID}/status/"


async def test_an_invalid_call_is_not_sent(both: Teller) -> None:
    story = both([])
    with pytest.raises(errors.InvalidCall, match=r"@ \$.status"):
        await story.run("call", "updateDeploymentStatus", {"status": "sleepy"}, deploymentId=ID)
    assert story.script.requests == []


async def test_an_observer_sees_each_attempt_and_no_secret(both: Teller) -> None:
    story = both([says(503), says(200, {"data": []})])
    await story.run("call", "listDeployments", search="private")
    assert story.told.seen == [
        ("listDeployments", "GET", "deployments/", 503, 0.0, 1),
        ("listDeployments", "GET", "deployments/", 200, 0.0, 2),
    ]


async def test_a_repeated_call_is_logged_without_secrets(both: Teller, caplog: pytest.LogCaptureFixture) -> None:
    story = both([says(503, {"message": f"bad token {TOKEN}"}), says(200, {})])
    with caplog.at_level(logging.DEBUG, logger="airflow_provider"):
        await story.run("call", "getVersion")
    (record,) = caplog.records
    assert record.getMessage() == "getVersion answered 503: bad token ***; sending it again in 0.5 s (2 of 5)"


async def test_fewer_tries_can_be_asked_for(both: Teller) -> None:
    story = both([says(503)], tries=1)
    with pytest.raises(errors.GatewayFailed):
        await story.run("call", "getVersion")


async def test_an_error_of_ours_names_no_query(both: Teller) -> None:
    story = both([httpx.ReadTimeout("")], tries=1)
    with pytest.raises(errors.AnswerLost) as caught:
        await story.run("call", "listDeployments", search="private")
    assert str(caught.value) == "listDeployments: ReadTimeout at https://app.example.com: no details"


# --- looks of waits


async def test_a_look_is_sent_once(both: Teller) -> None:
    story = both([says(503)])
    with pytest.raises(errors.GatewayFailed, match="getStatus answered 503"):
        await story.run("get", f"status/{ID}/")
    assert story.script.lines == [f"GET /api/v2/status/{ID}/"]


async def test_a_look_keeps_its_query(both: Teller) -> None:
    story = both([says(200, {"a": 1})])
    await story.run("get", "deployments/?limit=1&search=a%20b")
    assert story.script.lines == ["GET /api/v2/deployments/?limit=1&search=a%20b"]


@pytest.mark.parametrize("strange", [says(200), says(200, []), page("<html>")])
async def test_a_look_at_something_else_is_not_taken_for_an_end(both: Teller, strange: httpx.Response) -> None:
    with pytest.raises(errors.NotUnderstood):
        await both([strange]).run("get", f"status/{ID}/")


async def test_a_wait_ends_with_the_303(both: Teller) -> None:
    running = says(200, {"statusId": ID, "status": "RUNNING", "message": None})
    done = httpx.Response(303, headers={"Location": LOCATION})
    story = both([running, LOST, says(503, None, Retry_After="40"), running, done])
    notes: list[str] = []
    end = await story.run("wait", JobWait(f"status/{ID}/"), on_pending=notes.append)
    assert end == Done({"location": LOCATION})
    assert story.clock.naps == [5.0, 5.0, 40.0, 7.5]
    assert notes[0] == "status is RUNNING"
    assert notes[1].startswith("error 1 in a row: getStatus: RemoteProtocolError")
    assert notes[3] == "status is RUNNING"
    assert len(notes) == 4


async def test_a_wait_looks_once_more_at_its_deadline(both: Teller) -> None:
    story = both([says(200, {"status": "RUNNING"})] * 2)
    end = await story.run("wait", JobWait("status/x/"), deadline=story.clock() + 4, pacing=Pacing(interval=60))
    assert end == TimedOut("status is RUNNING")
    assert story.clock.naps == [4.0]


async def test_a_wait_fails_with_the_words_of_the_service(both: Teller) -> None:
    story = both([says(200, {"status": "ERROR", "message": "no memory"})])
    end = await story.run("wait", JobWait("status/x/"))
    assert isinstance(end, Failed)
    assert end.reason == "ERROR: no memory"


async def test_an_answer_that_is_none_does_not_end_a_wait(both: Teller) -> None:
    story = both([page("<title>maintenance</title>"), says(200, {"status": "active"})])
    end = await story.run("wait", EntityWait(f"deployments/{ID}/", "deployment", want=["active"]))
    assert isinstance(end, Done)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_wait_reads_the_settings_again_after_a_401(kind: str) -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return says(200, {"status": "COMPLETED"}) if seen[-1].endswith("fresh") else says(401)

    transport, fresh = httpx.MockTransport(handle), settings(token="a-token-that-is-fresh")

    async def arefresh() -> Any:
        return fresh

    if kind == "sync":
        end = Client(settings(), transport=transport).wait(JobWait("status/x/"), refresh=lambda: fresh)
    else:
        end = await AsyncClient(settings(), transport=transport).wait(JobWait("status/x/"), refresh=arefresh)
    assert end == Done({"location": None})
    assert seen == [f"Bearer {TOKEN}", "Bearer a-token-that-is-fresh"]


async def test_without_new_settings_a_second_401_ends_the_wait(both: Teller) -> None:
    end = await both([says(401, {"message": "expired"})] * 2).run("wait", JobWait("status/x/"))
    assert isinstance(end, GaveUp)
    assert end.refused
    assert "getStatus answered 401: expired" in end.reason


def test_making_a_client_needs_no_dice() -> None:
    assert Client(settings()).rng.uniform(1, 1) == 1
    assert Client(settings(), rng=Even()).rng.uniform(0, 1) == 0.5
