"""Answers that mean harm: each ends in one clear error, soon, in little memory, and with the token kept."""

from __future__ import annotations

import asyncio
import functools
import gzip
import io
import itertools
import json
import logging
import zlib
from collections import namedtuple
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.api import answers, errors, intake, pages, trickling
from airflow_provider.api.answers import DEPTH
from airflow_provider.api.client import Client
from airflow_provider.api.messages import prepare, reading
from airflow_provider.api.uploads import Upload
from airflow_provider.mlops import fetching
from tests.api.server import Server, Visit
from tests.api.tools import HERE, ID, TOKEN, Teller, answer, ask, says, settings
from tests.trust.scanning import told

KINDS = pytest.mark.parametrize("kind", ["sync", "async"])
WRITE = ("updateDeploymentStatus", {"status": "inactive"})
STORAGE = "https://storage.example.net/bucket/rows.csv"
SIGNATURE = "X-Signature=5ign3d"


@pytest.fixture
def both() -> Any:
    """As of the tests of the client, without the parameter."""
    from tests.api.tools import Both

    return lambda answers, **options: Both("sync", answers, **options)


# --- too much, and without an end


async def never_ends(visit: Visit) -> None:
    """A body without a length; it ends only because the other side has gone."""
    status = "500 Oh" if "PATCH" in visit.line else "200 OK"
    await visit.raw(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n".encode() + b'{"message": "')
    while not visit.writer.is_closing():
        await visit.raw(b"x" * (1 << 16))


async def announces_much(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while not visit.writer.is_closing():
        await visit.raw(b" " * (1 << 16))


@KINDS
@pytest.mark.parametrize("behaviour", [never_ends, announces_much], ids=lambda one: one.__name__)
async def test_an_answer_without_an_end(kind: str, behaviour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "ANSWER_BYTES", 1 << 20)
    async with Server(behaviour).running() as server:
        with pytest.raises(errors.AnswerTooLarge, match="getVersion answered 200: the answer is larger than 1 MiB"):
            await ask(kind, settings(endpoint=server.endpoint), "getVersion")
    assert not errors.AnswerTooLarge("").retryable


@KINDS
async def test_an_error_without_an_end_keeps_its_status(kind: str) -> None:
    async with Server(never_ends).running() as server:
        with pytest.raises(errors.ServiceFailed) as caught:
            await ask(kind, settings(endpoint=server.endpoint), *WRITE, deploymentId=ID)
    assert str(caught.value) == "updateDeploymentStatus answered 500: a JSON body that is cut"


@KINDS
async def test_an_answer_that_trickles(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    over = asyncio.Event()
    monkeypatch.setattr(intake, "BODY_SECONDS", -1.0)  # is over as soon as a byte has come

    async def trickles(visit: Visit) -> None:
        await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n ")
        await over.wait()

    async with Server(trickles).running() as server:
        with pytest.raises(errors.AnswerLost, match="was not complete after"):
            await ask(kind, settings(endpoint=server.endpoint), "getVersion")
        over.set()


@KINDS
@pytest.mark.parametrize("said", [b"H", b"HTTP/1.1 200 OK\r\nX-A: b", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 1"])
async def test_a_head_that_trickles(kind: str, said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each byte within the read timeout, HTTP libraries make no end."""
    over = asyncio.Event()
    monkeypatch.setattr(trickling, "HEAD_SECONDS", -1.0)  # is over as soon as a byte has come

    async def trickles(visit: Visit) -> None:
        await visit.raw(said)
        await over.wait()

    async with Server(trickles).running() as server:
        with pytest.raises(errors.AnswerLost, match="getVersion: the head of the answer was not complete after"):
            await ask(kind, settings(endpoint=server.endpoint), "getVersion")
        over.set()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_head_is_over_where_it_ends(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    """However it comes in pieces, a body after it has a time of its own, and so has the head of the next answer."""
    head = trickling.Head()
    monkeypatch.setattr(trickling, "HEAD_SECONDS", 60.0)
    whole = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    for part in (whole[:cut], whole[cut:]):
        head.came(part)
    monkeypatch.setattr(trickling, "HEAD_SECONDS", -1.0)
    assert head.came(b"a body") == b"a body"
    head.sent()
    with pytest.raises(errors.AnswerLost):
        head.came(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("bytes_of_a_block", [10, intake.FILE_BYTES])
def test_a_file_that_trickles(bytes_of_a_block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_SECONDS", -1.0)  # each block is one time
    blocks = [bytes(bytes_of_a_block)] * 3

    class Trickling(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from blocks

    headers = {"content-type": "text/csv", "x-request-id": "r-17"}
    wire = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Trickling()))
    into = io.BytesIO()
    with Client(settings(), tries=1, transport=wire) as client:
        if bytes_of_a_block == 10:
            with pytest.raises(errors.AnswerLost, match=r"the file trickles: less than 64 KiB in .*r-17"):
                client.download("downloadDatasetFile", into, datasetId=ID)
        else:
            client.download("downloadDatasetFile", into, datasetId=ID)
            assert into.getvalue() == b"".join(blocks)


@functools.cache
def bomb(times: int = 1) -> bytes:
    """Many zeros, packed so many times."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packed.compress(bytes(1 << 20)) for _ in range(32)) + packed.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_what_was_not_asked_for_is_not_unpacked(coding: str, file: bool) -> None:
    wire = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"content-encoding": coding}, stream=httpx.ByteStream(bomb(2)))
    )
    with Client(settings(), tries=1, transport=wire) as client:
        take = partial(client.download, into=io.BytesIO()) if file else client.call
        with pytest.raises(errors.NotUnderstood, match=f"packed as '{coding}', which was not asked for"):
            take("downloadDatasetFile", datasetId=ID)


@KINDS
async def test_a_bomb_is_not_unpacked_to_its_end(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "ANSWER_BYTES", 1 << 20)
    data = bomb()
    assert len(data) < 40_000

    async def explodes(visit: Visit) -> None:
        await visit.say("200 OK", data, "Content-Encoding: gzip")

    async with Server(explodes).running() as server:
        with pytest.raises(errors.AnswerTooLarge):
            await ask(kind, settings(endpoint=server.endpoint), "getVersion")
        assert "accept-encoding: gzip, deflate" in server.heads[0].lower()


@pytest.mark.parametrize("levels", [DEPTH + 1, 5000, 200_000])
@pytest.mark.parametrize("sign", ["[]", '{"a":}'])
def test_json_without_a_bottom(levels: int, sign: str) -> None:
    begin, end = sign[:-1], sign[-1]
    body = (begin * levels + "1" * (begin != "[") + end * levels).encode()
    for status in (200, 422):
        found = httpx.Response(status, headers={"content-type": "application/json"}, content=body)
        wire = httpx.MockTransport(lambda _, found=found: found)
        with Client(settings(), tries=1, transport=wire) as client, pytest.raises(errors.DataRobotError) as caught:
            client.call("getVersion")
        told = "nested more than 100 levels deep" if status == 200 else "answered 422: a JSON body that is cut"
        assert told in str(caught.value)


@pytest.mark.parametrize("body", ['{"secretToken": "s3cret"', "[" * 200_000])
def test_an_error_about_json_has_no_other_behind_it(body: str) -> None:
    """The parser's own holds the whole text, and whoever collects errors sends it along."""
    found = answers.Answer(200, {}, body.encode(), "version/")
    with pytest.raises(errors.NotUnderstood) as caught:
        found.json()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_json_of_a_usual_depth_is_read() -> None:
    value: Any = []
    for _ in range(DEPTH - 1):
        value = {"a": value}
    assert answer(200, value).json() == value


def test_a_message_without_an_end_is_cut(both: Teller) -> None:
    body = {"message": "no" * 10_000, "errors": {f"field{number}": "bad" * 50 for number in range(500)}}
    with (
        Client(settings(), transport=both([says(422, body)]).script.transport) as client,
        pytest.raises(errors.Unprocessable) as caught,
    ):
        client.call("getVersion")
    assert len(str(caught.value)) < errors.SHOWN + 100


# --- elsewhere


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://app.example.com/api/v2/status/a/", "http://app.example.com, which is not https://app.example.com"),
        ("https://evil.org/api/v2/status/a/", "https://evil.org, which is not https://app.example.com"),
        ("https://me:pw@app.example.com/api/v2/status/a/", "https://app.example.com with a user or password"),
        ("../../../etc/passwd", "which is not below /api/v2/"),
        ("/api/v2/%2e%2e/%2e%2e/admin/", "which is not below /api/v2/"),
    ],
)
def test_a_location_that_leads_away_is_not_asked(location: str, told: str) -> None:
    from airflow_provider.api.locations import local_path

    with pytest.raises(errors.ForeignLocation) as caught:
        local_path(location, settings())
    assert told in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_call_is_redirected_nowhere(both: Teller, status: int) -> None:
    target = f"https://evil.org/{TOKEN}/?{SIGNATURE}"
    story = both([httpx.Response(status, headers={"location": target})])
    with Client(settings(), transport=story.script.transport) as client, pytest.raises(errors.Redirected) as caught:
        client.call("getVersion")
    assert len(story.script.requests) == 1
    assert "redirected to https://evil.org/***/" in str(caught.value)
    assert SIGNATURE not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://storage.example.net/rows.csv", "to http://storage.example.net, not encrypted"),
        ("http://app.example.com/api/v2/rows.csv", "to http://app.example.com, not encrypted"),
        ("https://me:pw@storage.example.net/rows.csv", "to storage.example.net with a user or password in the URL"),
        ("https://me:pw@app.example.com/rows.csv", "to app.example.com with a user or password in the URL"),
        ("file:///etc/passwd", "to file://None, not encrypted"),
    ],
)
def test_a_download_is_not_led_anywhere(both: Teller, location: str, told: str) -> None:
    story = both([httpx.Response(302, headers={"location": location})])
    with (
        Client(settings(), transport=story.script.transport) as client,
        pytest.raises(errors.ForeignLocation) as caught,
    ):
        client.download("downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert told in str(caught.value)
    assert "pw" not in str(caught.value)
    assert len(story.script.requests) == 1


def test_a_list_that_points_elsewhere_is_read_here(both: Teller) -> None:
    first = {"data": [{"id": "a"}], "next": f"https://me:pw@evil.org/{TOKEN}/?offset=1"}
    story = both([says(200, first), says(200, {"data": [], "next": None})])
    with Client(settings(), transport=story.script.transport) as client:
        assert list(client.iterate("listDeployments")) == [{"id": "a"}]
    assert [str(one.url) for one in story.script.requests] == [f"{HERE}/deployments/", f"{HERE}/deployments/?offset=1"]


def test_signed_addresses_are_in_no_log(both: Teller, caplog: pytest.LogCaptureFixture) -> None:
    """httpx tells every URL with its query at level INFO, httpcore the headers of every answer at level DEBUG."""
    caplog.set_level(logging.INFO, logger="httpx")
    moved = httpx.Response(302, headers={"location": f"{STORAGE}?{SIGNATURE}"})
    rows = httpx.Response(200, headers={"content-type": "text/csv"}, content=b"a\n1\n")
    with Client(settings(), transport=both([moved, rows]).script.transport) as client:
        client.download("downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert STORAGE in caplog.text
    assert SIGNATURE not in caplog.text


async def test_headers_of_answers_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="httpcore.http11")

    async def echoes(visit: Visit) -> None:
        await visit.say("200 OK", b"{}", f"X-Echo: Bearer {TOKEN}", f"Location: {STORAGE}?{SIGNATURE}")

    async with Server(echoes).running() as server:
        found = await ask("sync", settings(endpoint=server.endpoint), "getVersion")
    assert "receive_response_headers" in caplog.text
    assert TOKEN not in caplog.text + str(found.headers)
    assert SIGNATURE not in caplog.text


# --- echoes


ECHOES: dict[str, Callable[[], httpx.Response | Exception]] = {
    "401": lambda: httpx.Response(401, json={"message": f"Invalid Authorization header: Bearer {TOKEN}"}),
    "422": lambda: httpx.Response(422, json={"errors": {TOKEN: f"got {TOKEN}"}, "request": {"h": [TOKEN]}}),
    "page": lambda: httpx.Response(502, html=f"<html><title>Bearer {TOKEN}</title><pre>{TOKEN}</pre></html>"),
    "text": lambda: httpx.Response(400, text=f"{'x' * 290}{TOKEN}"),
    "headers": lambda: httpx.Response(404, headers={"x-request-id": TOKEN, "location": f"/api/v2/{TOKEN}/"}),
    "kind": lambda: httpx.Response(200, headers={"content-type": TOKEN, "x-request-id": TOKEN}, content=b"hi"),
    "redirect": lambda: httpx.Response(302, headers={"location": f"https://evil.org/{TOKEN}/"}),
    "lost": lambda: httpx.RemoteProtocolError(f"illegal header line: bytearray(b'Authorization: Bearer {TOKEN}')"),
    "proxy": lambda: httpx.ProxyError("407 for bWU6cHc6b2YgcHJveHk= and pw%3Aof%20proxy and pw:of proxy"),
}


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("echo", ECHOES)
def test_an_echo_is_heard_nowhere(echo: str, write: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    header = "k3y-of-the-gateway"
    made = settings(proxy="http://me:pw%3Aof%20proxy@127.0.0.1:9", extra_headers=(("X-Key", header),))

    def handle(_request: httpx.Request) -> httpx.Response:
        answered = ECHOES[echo]()
        if isinstance(answered, Exception):
            raise answered from ValueError(f"the cause: {TOKEN} {header}")
        return answered

    with (
        Client(made, sleep=lambda _: None, transport=httpx.MockTransport(handle)) as client,
        pytest.raises(errors.DataRobotError) as caught,
    ):
        client.call(*WRITE, deploymentId=ID) if write else client.call("getVersion")
    shown = told(caught.value) + caplog.text + repr(client) + repr(made)
    for secret in (TOKEN, header, "pw%3Aof%20proxy", "pw:of proxy", "bWU6cHc6b2YgcHJveHk="):
        assert secret not in shown


def test_a_server_that_speaks_in_tongues_is_quoted_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """The parser of HTTP quotes a line that it does not understand; that line may be ours."""

    async def mirrors(visit: Visit) -> None:
        await visit.raw(f"HTTP/1.1 200 OK\r\n({visit.headers})\r\n\r\n".encode())
        visit.writer.close()

    with Server(mirrors).in_thread() as server, Client(settings(endpoint=server.endpoint), tries=1) as client:  # noqa: SIM117
        with pytest.raises(errors.AnswerLost) as caught:
            client.call("getVersion")
    assert "RemoteProtocolError" in str(caught.value)
    assert TOKEN not in told(caught.value) + caplog.text


def test_bodies_are_not_in_a_repr() -> None:
    channel = {"channelType": "Webhook", "name": "ops", "payloadUrl": "https://x.example.com", "secretToken": "s3cret"}
    call = prepare("createNotificationChannel", {}, channel)
    assert "s3cret" not in repr(call)
    assert "s3cret" not in repr(answer(200, channel, x_echo="s3cret"))


# --- what goes into requests


@pytest.mark.parametrize("bad", ["..", ".", "a/../../b", "a\r\nX-Evil: 1", "a b", "a\x00"])
def test_an_id_goes_nowhere_else(both: Teller, bad: str) -> None:
    story = both([says(200, {})])
    with Client(settings(), transport=story.script.transport) as client:
        try:
            client.call("getDeployment", deploymentId=bad)
        except errors.InvalidCall:
            assert story.script.requests == []
        else:  # encoded, it is one part of the path
            [line] = story.script.lines
            assert line.startswith("GET /api/v2/deployments/a%")
            assert len(line.split("/")) == 6


@pytest.mark.parametrize("bad", ["deployments/../", "deployments/%2e%2E/admin/", "../", "status/./"])
def test_a_path_that_climbs_is_not_sent(both: Teller, bad: str) -> None:
    """The id in it may come of an answer."""
    story = both([])
    with (
        Client(settings(), transport=story.script.transport) as client,
        pytest.raises(errors.InvalidCall, match="leads out of the API"),
    ):
        client.get(bad)
    assert reading(bad).path == bad


@pytest.mark.parametrize("bad", ["..", ".", "a\\b", "a%2fb", "a\rb", "a\x00b", "../../x", "a?b", "a#b", ""])
def test_an_argument_that_is_no_id_is_refused(bad: str) -> None:
    from airflow_provider.tasks.arguments import identifier

    with pytest.raises(errors.InvalidCall, match="deployment_id must be an id"):
        identifier("deployment_id", bad)


@pytest.mark.parametrize("bad", ["text/csv\r\nX-Evil: 1", "text/csv\nAuthorization: Bearer mine", "text/\x00csv"])
def test_an_argument_makes_no_header(both: Teller, bad: str) -> None:
    story = both([says(200, {"data": []})])
    with (
        Client(settings(), transport=story.script.transport) as client,
        pytest.raises(errors.InvalidCall, match="Accept"),
    ):
        client.call("listDeploymentPredictionResults", deploymentId=ID, Accept=bad)
    assert story.script.requests == []


@pytest.mark.parametrize("name", ["a\r\nX: 1.csv", "../a.csv", "..\\a.csv", 'a"; filename="b.csv', "a\x0b.csv"])
def test_the_name_of_a_file_stays_a_name(name: str) -> None:
    sent: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.read())
        return says(202, {})

    with Client(settings(), transport=httpx.MockTransport(handle)) as client:
        try:
            client.call("createDatasetFromFile", Upload(io.BytesIO(b"a\n1\n"), name))
        except errors.InvalidCall:
            assert sent == []
            return
    head = sent[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line.partition(b":")[0] for line in head[1:]] == [b"Content-Disposition", b"Content-Type"]
    assert head[1].count(b'"') == 4


def test_the_kind_of_a_file_makes_no_header() -> None:
    with pytest.raises(errors.InvalidCall, match="media type"):
        Upload(io.BytesIO(), "a.csv", "text/csv\r\nX-Evil: 1")


def test_json_carries_anything() -> None:
    call = prepare("updateDeployment", {"deploymentId": ID}, {"label": "a\r\nX-Evil: 1\x00"})
    assert b"\r\n" not in (call.content() or b"")
    assert json.loads(call.content() or b"") == {"label": "a\r\nX-Evil: 1\x00"}


# --- lists and files


def test_a_list_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGES", 50)
    numbers = itertools.count(1)

    def handle(_request: httpx.Request) -> httpx.Response:
        return says(200, {"data": [], "next": f"{HERE}/deployments/?offset={next(numbers)}"})

    with Client(settings(), transport=httpx.MockTransport(handle), sleep=lambda _: None) as client:
        listed = client.iterate("listDeployments")
        with pytest.raises(errors.NotUnderstood, match="the list has no end after 50 pages"):
            list(listed)
    assert next(numbers) == 51


class Endless(httpx.SyncByteStream):
    """A file whose size nobody tells, and that has none."""

    sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.sent < 1 << 30:
            self.sent += 1 << 20
            yield bytes(1 << 20)


def test_a_file_without_an_end_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, disk = Endless(), 80 << 20
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(disk, 0, disk - stream.sent))
    monkeypatch.setattr(fetching.Part, "_fed", lambda *_: None)
    wire = httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-type": "text/csv"}, stream=stream))
    with Client(settings(), transport=wire) as client, pytest.raises(fetching.NoRoom, match="no room for more of rows"):
        fetching.fetch(client, "downloadDatasetFile", tmp_path / "rows", reader=fetching.Unread, datasetId=ID)
    assert stream.sent < disk
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil.sh", "/etc/cron.d/evil", "..\\evil", "CON", "a\x00b"])
def test_the_name_that_a_server_gives_a_file_counts_nowhere(tmp_path: Path, name: str) -> None:
    headers = {"content-type": "text/csv", "content-disposition": f'attachment; filename="{name}"'}
    wire = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=b"a\n1\n"))
    with Client(settings(), transport=wire) as client:
        found = fetching.fetch(
            client, "downloadDatasetFile", tmp_path / "in" / "rows", reader=fetching.Unread, datasetId=ID
        )
    assert found.path == tmp_path / "in" / "rows"
    assert {one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*")} == {"in", "in/rows", "in/rows.json"}
