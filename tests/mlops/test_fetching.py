"""Files that break off: gone on with where that is safe, begun anew where it is not, verified in the end."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api import Client, Settings
from airflow_provider.api.errors import AnswerLost, DataRobotError, NotUnderstood
from airflow_provider.mlops.fetching import ContentDiffers, Fetched, NoRoom, Unread, fetch

CONTENT = random.Random(7).randbytes(3_000_000)  # noqa: S311 - no secret
OPERATION = "downloadDatasetVersionFile"
NAMED: dict[str, Any] = {"datasetId": "64a" + "0" * 21, "datasetVersionId": "64b" + "0" * 21}


class Storage(httpx.BaseTransport):
    """A file at a service that keeps to RFC 9110, and breaks off after so many bytes of each answer.

    :param breaks: after how many bytes each answer ends; when the list is empty, answers are whole.
    """

    def __init__(self, content: bytes = CONTENT, tag: str | None = '"one"', breaks: list[int] | None = None) -> None:
        self.content, self.tag, self.breaks = content, tag, breaks or []
        self.ranges = True
        self.asked: list[str | None] = []
        self.odd: dict[str, str] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("range")
        self.asked.append(wanted)
        headers = {"content-type": "text/csv", **({"etag": self.tag} if self.tag else {})}
        start, status = 0, 200
        if wanted and self.ranges and request.headers.get("if-range") in (None, self.tag):
            start, status = int(wanted.removeprefix("bytes=").removesuffix("-")), 206
            if start >= len(self.content):
                return httpx.Response(416, headers={**headers, "content-range": f"bytes */{len(self.content)}"})
            headers["content-range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        body = self.content[start:]
        headers |= {"content-length": str(len(body)), **self.odd}
        end = self.breaks.pop(0) if self.breaks else None
        return httpx.Response(status, headers=headers, stream=Stream(body, end))


class Stream(httpx.SyncByteStream):
    def __init__(self, body: bytes, end: int | None) -> None:
        self.body, self.end = body, end

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.body), 65_536):
            block = self.body[at : at + 65_536]
            if self.end is not None and at + len(block) > self.end:
                yield block[: max(self.end - at, 0)]
                raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
            yield block


Get = Callable[..., Fetched[Unread]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "staging"


def get(storage: Storage, folder: Path, **options: Any) -> Fetched[Unread]:
    settings = Settings(endpoint="http://127.0.0.1:9/api/v2", token="t")
    with Client(settings, transport=storage, sleep=lambda seconds: None) as client:
        return fetch(client, OPERATION, folder / "part", reader=Unread, **NAMED, **options)


def check(found: Fetched[Unread], content: bytes = CONTENT) -> None:
    assert found.path.read_bytes() == content
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_whole_file(folder: Path) -> None:
    storage = Storage()
    found = get(storage, folder, size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest().upper())
    check(found)
    assert (storage.asked, found.resumed_at, found.media_type) == ([None], 0, "text/csv")


def test_an_empty_file(folder: Path) -> None:
    check(get(Storage(b""), folder), b"")


@given(breaks=st.lists(st.integers(0, 1_000_000), max_size=8), pinned=st.booleans(), tag=st.booleans())
def test_wherever_it_breaks_it_ends_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, breaks: list[int], pinned: bool, tag: bool
) -> None:
    """Every break brings at least something, or the fetch is given up; what is there is never wrong."""
    content = CONTENT[:1_000_000]
    folder, storage = tmp_path_factory.mktemp("fetch"), Storage(content, '"one"' if tag else None, list(breaks))
    try:
        found = get(storage, folder, pinned=pinned)
    except AnswerLost:
        found = get(storage, folder, pinned=pinned)  # another attempt of the task
    check(found, content)
    if not tag and not pinned:
        assert set(storage.asked) == {None}
    shutil.rmtree(folder)


def test_another_process_goes_on_where_the_first_died(folder: Path) -> None:
    class Killed(BaseException):
        pass

    class Dies(Unread):
        seen = 0

        def feed(self, block: bytes, /) -> None:
            self.seen += len(block)
            if self.seen > 1_000_000:
                raise Killed

    settings = Settings(endpoint="http://127.0.0.1:9/api/v2", token="t")
    with Client(settings, transport=Storage()) as client, pytest.raises(Killed):
        fetch(client, OPERATION, folder / "part", reader=Dies, **NAMED)
    held = (folder / "part").stat().st_size
    assert held > 1_000_000
    storage = Storage()
    found = get(storage, folder)
    check(found)
    assert (storage.asked, found.resumed_at) == ([f"bytes={held}-"], held)


def test_a_file_that_was_whole_is_not_sent_again(folder: Path) -> None:
    get(Storage(), folder)
    storage = Storage()
    check(get(storage, folder))
    assert storage.asked == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize(
    "change",
    [{"tag": '"two"'}, {"ranges": False}, {"odd": {"content-range": "bytes 7-8/9"}}],
    ids=["another file", "no ranges", "another part"],
)
def test_what_cannot_be_gone_on_with_begins_anew(folder: Path, change: dict[str, Any]) -> None:
    with pytest.raises(AnswerLost):
        get(Storage(CONTENT[::-1], breaks=[1_000_000] + [0] * 30), folder)
    storage = Storage()
    for name, value in change.items():
        setattr(storage, name, value)
    found = get(storage, folder)
    assert found.resumed_at == 0
    check(found)


def test_a_weak_validator_is_none(folder: Path) -> None:
    storage = Storage(tag='W/"one"', breaks=[1_000_000])
    check(get(storage, folder))
    assert storage.asked == [None, None]


def test_bytes_of_something_else_are_not_gone_on_with(folder: Path) -> None:
    get(Storage(), folder)
    (folder / "part.json").write_text(json.dumps({"name": "another file", "validator": '"one"'}))
    storage = Storage()
    check(get(storage, folder))
    assert storage.asked == [None]


@pytest.mark.parametrize("wrong", [{"size": 5}, {"sha256": "0" * 64}], ids=str)
def test_what_differs_is_told_and_removed(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ContentDiffers, match="should"):
        get(Storage(), folder, **wrong)
    assert list(folder.iterdir()) == []


def test_no_room_is_told_before_a_byte_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(0, 0, 65 << 20))
    with pytest.raises(NoRoom, match="no room for the 3,000,000 bytes of part"):
        get(Storage(), folder)
    assert list(folder.iterdir()) == []


def test_a_disk_that_gets_full(folder: Path) -> None:
    import errno

    class Full(Unread):
        def feed(self, block: bytes, /) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    settings = Settings(endpoint="http://127.0.0.1:9/api/v2", token="t")
    with Client(settings, transport=Storage()) as client, pytest.raises(NoRoom, match="No space left"):
        fetch(client, OPERATION, folder / "part", reader=Full, **NAMED)
    assert list(folder.iterdir()) == []


def test_a_login_page_is_no_file(folder: Path) -> None:
    storage = Storage()
    storage.odd = {"content-type": "text/html"}
    with pytest.raises(NotUnderstood):
        get(storage, folder)


def test_a_service_that_never_gets_on_is_given_up(folder: Path) -> None:
    storage = Storage(breaks=[0] * 50)
    with pytest.raises(DataRobotError):
        get(storage, folder)
    assert len(storage.asked) <= 15
