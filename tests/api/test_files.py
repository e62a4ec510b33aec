"""Files as bodies and as answers: streamed, repeated from the start, and without the token on other origins."""

from __future__ import annotations

import io
import re
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.api import errors
from airflow_provider.api.client import Client
from airflow_provider.api.messages import prepare
from airflow_provider.api.uploads import ANSWER_SECONDS, Stream, Upload
from tests.api.tools import HERE, ID, TOKEN, Scripted, Teller, page, says, settings

CREATED = {"catalogId": ID, "catalogVersionId": ID, "statusId": ID}
STORAGE = "https://storage.example.net/bucket/file?signature=s3cr3t"
ROWS = b"id,label\n1,yes\n"


def upload(content: bytes = ROWS, **options: Any) -> Upload:
    return Upload(io.BytesIO(content), "rows.csv", **options)


def csv(content: bytes = ROWS, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "text/csv", **headers}, content=content)


def parts_of(request: httpx.Request) -> list[tuple[str, bytes]]:
    """Head and content of each part, read by hand."""
    boundary = re.fullmatch("multipart/form-data; boundary=(.+)", request.headers["content-type"])
    assert boundary
    first, *parts, last = request.content.split(b"--" + boundary[1].encode())
    assert (first, last) == (b"", b"--\r\n")
    split = (part.removeprefix(b"\r\n").removesuffix(b"\r\n").split(b"\r\n\r\n", 1) for part in parts)
    return [(head.decode(), content) for head, content in split]


# --- uploads ------------------------------------------------------------------------------------------------------


async def test_a_file_goes_out_as_one_part_after_its_fields(both: Teller) -> None:
    told = both([says(202, CREATED, Location=f"{HERE}/status/{ID}/")])
    answer = await told.run("call", "createDatasetFromFile", upload(fields=(("categories", "TRAINING"),)))
    assert answer.status == 202
    [request] = told.script.requests
    (category, training), (file, rows) = parts_of(request)
    assert category == 'Content-Disposition: form-data; name="categories"'
    assert training == b"TRAINING"
    assert file == 'Content-Disposition: form-data; name="file"; filename="rows.csv"\r\nContent-Type: text/csv'
    assert rows == ROWS
    assert request.headers["content-length"] == str(len(request.content))
    assert "transfer-encoding" not in request.headers
    assert request.extensions["timeout"]["read"] == ANSWER_SECONDS


async def test_an_upload_that_was_turned_away_goes_out_again_from_its_start(both: Teller) -> None:
    told = both([httpx.ConnectError("refused"), says(429, None, Retry_After="3"), says(202, CREATED)])
    await told.run("call", "createDatasetFromFile", upload())
    assert [parts_of(one)[0][1] for one in told.script.requests] == [ROWS, ROWS, ROWS]
    assert told.clock.naps == [0.5, 3.5]


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), says(504)], ids=["no answer", "gateway"])
async def test_an_upload_that_may_have_arrived_does_not(both: Teller, lost: Scripted) -> None:
    told = both([lost])
    with pytest.raises(errors.DataRobotError) as raised:
        await told.run("call", "createDatasetFromFile", upload())
    assert raised.value.sent == "maybe"


def test_an_upload_is_checked_and_shown_by_its_name() -> None:
    call = prepare("createDatasetFromFile", {}, upload(), {"categories": "SAMPLE"})
    assert call.shown == {"file": "rows.csv", "categories": "SAMPLE"}
    assert call.content() is None
    with pytest.raises(errors.InvalidCall, match="needs a body"):
        prepare("createDatasetFromFile")
    with pytest.raises(errors.InvalidCall, match=r"createDatasetFromFile takes a file \(.*Upload\) @ \$"):
        prepare("createDatasetFromFile", {}, {"file": "rows"})
    with pytest.raises(errors.InvalidCall, match=r"updateDeployment takes no file @ \$"):
        prepare("updateDeployment", {"deploymentId": ID}, upload())


async def test_a_file_that_is_the_whole_body_goes_out_with_its_length(both: Teller) -> None:
    told = both([httpx.ConnectError("refused"), says(202)])
    await told.run("call", "uploadBatchPredictionCsv", Stream(io.BytesIO(ROWS), "rows.csv"), batchPredictionId=ID)
    request = told.script.requests[1]
    assert (request.content, request.headers["content-length"]) == (ROWS, str(len(ROWS)))
    assert request.headers["content-type"] == "text/csv"
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize("name", ["", " ", "a/b.csv", "a\nb", "a\\b"])
def test_a_file_needs_a_name_of_one_line(name: str) -> None:
    with pytest.raises(errors.InvalidCall, match="must be one line without slashes"):
        Upload(io.BytesIO(b""), name)


def test_a_file_that_can_be_read_once_only_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(errors.InvalidCall, match="can be read only once"):
        Upload(Pipe(), "rows.csv")


class Zeros(io.RawIOBase):
    """A large file that takes no memory."""

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (self._size if whence == 2 else self._at if whence == 1 else 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._at
        size = left if size < 0 else min(size, left)
        self._at += size
        return bytes(size)


class Sink(httpx.BaseTransport):
    """Takes a body in and keeps nothing of it but its length."""

    def __init__(self) -> None:
        self.received = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.received = sum(len(block) for block in request.stream)
        return says(202, CREATED)


def test_memory_does_not_grow_with_the_file() -> None:
    size, sink = 64 << 20, Sink()
    with Client(settings(), transport=sink) as client:
        client.call("createDatasetFromFile", upload())  # what is loaded once
        tracemalloc.start()
        client.call("createDatasetFromFile", Upload(Zeros(size), "zeros.csv"))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert sink.received > size
    assert peak < 1 << 20


# --- downloads ----------------------------------------------------------------------------------------------------


async def test_a_file_is_written_and_the_answer_told(both: Teller) -> None:
    told = both([csv()])
    into = io.BytesIO(b"something longer that stood there before")
    answer = await told.run("download", "downloadDatasetFile", into, datasetId=ID)
    assert (answer.status, answer.content_type, answer.content) == (200, "text/csv", b"")
    assert into.getvalue() == ROWS
    assert told.script.lines == [f"GET /api/v2/datasets/{ID}/file/"]
    assert told.script.requests[0].headers["accept"] == "*/*"


class Breaks(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"id,la"
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self:
            yield block


async def test_a_download_that_breaks_off_is_repeated_from_its_start(both: Teller) -> None:
    answers = iter([httpx.Response(200, headers={"content-type": "text/csv"}, stream=Breaks()), csv()])
    told, into = both([], transport=httpx.MockTransport(lambda request: next(answers))), io.BytesIO()
    await told.run("download", "downloadDatasetFile", into, datasetId=ID)
    assert into.getvalue() == ROWS
    assert told.clock.naps == [0.5]


async def test_a_login_page_is_no_file(both: Teller) -> None:
    told = both([*[page("<title>Sign in</title>")] * 5])
    into = io.BytesIO()
    with pytest.raises(errors.NotUnderstood, match="a file was expected, not text/html"):
        await told.run("download", "downloadDatasetFile", into, datasetId=ID)
    assert into.getvalue() == b""


@pytest.mark.parametrize(("status", "kind"), [(404, errors.NotFound), (410, errors.Gone), (422, errors.Unprocessable)])
async def test_a_refused_download_says_why(both: Teller, status: int, kind: type[Exception]) -> None:
    told = both([says(status, {"message": "not yours"})])
    with pytest.raises(kind, match="not yours"):
        await told.run("download", "downloadDatasetFile", io.BytesIO(), datasetId=ID)


async def test_a_redirect_to_storage_is_followed_without_the_token(both: Teller) -> None:
    moved = httpx.Response(302, headers={"location": STORAGE})
    told = both([moved, csv()], settings=settings(extra_headers=(("X-Tenant", "t1"),)))
    into = io.BytesIO()
    await told.run("download", "downloadDatasetFile", into, datasetId=ID)
    ours, theirs = told.script.requests
    assert into.getvalue() == ROWS
    assert TOKEN in ours.headers["authorization"]
    assert str(theirs.url) == STORAGE
    assert "authorization" not in theirs.headers
    assert "x-tenant" not in theirs.headers
    assert TOKEN not in str(theirs.headers)


async def test_a_redirect_on_the_endpoint_keeps_the_token(both: Teller) -> None:
    moved = httpx.Response(307, headers={"location": f"/api/v2/datasets/{ID}/versions/{ID}/file/"})
    told = both([moved, csv()])
    await told.run("download", "downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert told.script.lines[1] == f"GET /api/v2/datasets/{ID}/versions/{ID}/file/"
    assert TOKEN in told.script.requests[1].headers["authorization"]


async def test_a_redirect_must_not_leave_encryption_or_go_in_circles(both: Teller) -> None:
    told = both([httpx.Response(302, headers={"location": "http://storage.example.net/file"})])
    with pytest.raises(errors.ForeignLocation, match="not encrypted"):
        await told.run("download", "downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert len(told.script.requests) == 1
    told = both([*[httpx.Response(302, headers={"location": STORAGE})] * 9])
    with pytest.raises(errors.ForeignLocation, match="more than 4 times"):
        await told.run("download", "downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert len(told.script.requests) == 4


async def test_the_observer_is_told_of_every_hop_and_of_no_query(both: Teller) -> None:
    told = both([httpx.Response(302, headers={"location": STORAGE}), csv()])
    await told.run("download", "downloadDatasetFile", io.BytesIO(), datasetId=ID)
    assert [(one[0], one[2], one[3]) for one in told.told.seen] == [
        ("downloadDatasetFile", f"datasets/{ID}/file/", 302),
        ("downloadDatasetFile", f"datasets/{ID}/file/", 200),
    ]


class Long(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A large answer that takes no memory."""

    blocks = 1024

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.blocks):
            yield bytes(1 << 16)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self:
            yield block


async def test_memory_does_not_grow_with_a_download(both: Teller, tmp_path: Path) -> None:
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"content-type": "text/csv"}, stream=Long())
    )
    told = both([], transport=transport)
    with (tmp_path / "rows.csv").open("w+b") as into:
        tracemalloc.start()
        await told.run("download", "downloadDatasetFile", into, datasetId=ID)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert into.tell() == Long.blocks << 16
    assert peak < 4 << 20
