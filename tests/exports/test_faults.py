"""Lost answers, broken downloads, dying workers: no second export without need, no byte wrong, no row lost."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.exports.exporting import CREATE, REQUESTER, bad, created, export, good, lines, manifest, predict
from tests.harness import share_of

if TYPE_CHECKING:
    from tests.harness import Stage

FILE = "downloadDatasetVersionFile"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


class Dies(httpx.BaseTransport):
    """The worker dies before or after it has sent a request whose line holds a text, or in the middle of its answer."""

    def __init__(self, text: str, when: str) -> None:
        self.wire, self.text, self.when, self.alive = httpx.HTTPTransport(), text, when, True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        from tests.harness import Crash

        met = self.alive and self.text in f"{request.method} {request.url.path}"
        if met and self.when == "before":
            self.alive = False
            raise Crash
        response = self.wire.handle_request(request)
        if met and self.when == "after":
            response.read()
            self.alive = False
            raise Crash
        if met:
            self.alive = False
            response.stream = Half(response.stream)  # type: ignore[arg-type]
        return response

    def close(self) -> None:
        self.wire.close()


class Half(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self.stream = stream

    def __iter__(self) -> Any:
        from tests.harness import Crash

        first = next(iter(self.stream))
        yield first[: len(first) // 2]
        raise Crash

    def close(self) -> None:
        self.stream.close()


# --- asking for an export -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
@pytest.mark.parametrize("answer", ["reset", 504])
def test_a_lost_answer_makes_no_second_export(stage: Stage, folder: Path, answer: Any, store: bool) -> None:
    predict(stage, 24)
    stage.service.fault("lost_answer", operationId=CREATE, answer=answer)
    assert good(export(stage, folder, store=store).run())["rows"] == 24
    assert created(stage) == 1


def test_a_commit_that_comes_late_is_found(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    stage.service.fault("late_commit", operationId=CREATE, seconds=30)
    assert good(export(stage, folder).run())["rows"] == 24
    assert created(stage) == 1


@pytest.mark.parametrize("seconds", [None, 400], ids=["never", "much later"])
def test_an_export_of_which_nothing_is_seen_is_not_asked_for_again(
    stage: Stage, folder: Path, seconds: int | None
) -> None:
    """Blind: nothing tells whether it will come. The error names what to check."""
    predict(stage, 24)
    if seconds is None:
        stage.service.fault("reset", operationId=CREATE)
    else:
        stage.service.fault("late_commit", operationId=CREATE, seconds=seconds)
    told = bad(export(stage, folder, retries=2).run(), "OutcomeUnknown")
    assert "listDeploymentPredictionDataExports" in told
    assert created(stage) == 0


@pytest.mark.parametrize("kind", ["missing_location", "empty_body", "relative_location", "truncated"])
def test_an_answer_that_lacks_something(stage: Stage, folder: Path, kind: str) -> None:
    predict(stage, 24)
    stage.service.fault(kind, operationId=CREATE)
    assert good(export(stage, folder).run())["rows"] == 24
    assert created(stage) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
def test_a_worker_that_dies_while_it_asks(stage: Stage, folder: Path, when: str, store: bool) -> None:
    predict(stage, 24)
    stage.transport = Dies("POST", when)
    assert good(export(stage, folder, retries=1, store=store, created_by=REQUESTER).run())["rows"] == 24
    assert created(stage) == 1


BUSY: list[dict[str, Any]] = [
    {"kind": "status", "code": 503},
    {"kind": "retry_after", "seconds": 5},
    {"kind": "html_page"},
]
READS = ("getDataset", "getDeploymentPredictionDataExport", FILE, "getStatus")


@pytest.mark.parametrize(("kind", "operation"), share_of(itertools.product(BUSY, READS), 0.4), ids=str)
def test_reads_are_repeated(stage: Stage, folder: Path, kind: dict[str, Any], operation: str) -> None:
    predict(stage, 24)
    stage.service.fault(**kind, operationId=operation, times=2)
    assert good(export(stage, folder).run())["rows"] == 24
    assert created(stage) == 1


# --- downloads ----------------------------------------------------------------------------------------------------


def ranges(stage: Stage) -> int:
    """How often the file was asked for."""
    return len(stage.service.log(operationId=FILE))


BREAKS = itertools.product(["truncated", "reset"], ["served", "ignored"], ["strong", "weak", "none"])


@pytest.mark.parametrize(("kind", "ranged", "tag"), share_of(BREAKS, 0.4))
def test_a_broken_download_ends_byte_for_byte(stage: Stage, folder: Path, kind: str, ranged: str, tag: str) -> None:
    predict(stage, 3000)
    stage.service.switches(file_ranges=ranged, file_etag=tag)
    stage.service.fault(kind, operationId=FILE, times=3)
    assert good(export(stage, folder).run())["rows"] == 3000
    assert len({row["customer_id"] for row in lines(folder)}) == 3000
    assert ranges(stage) == 4


@pytest.mark.parametrize("when", ["before", "middle", "after"])
def test_a_killed_download_resumes_on_the_same_worker(stage: Stage, folder: Path, when: str) -> None:
    predict(stage, 3000)
    seen: list[tuple[str | None, int]] = []

    class Watched(Dies):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.url.path.endswith("/file/"):
                seen.append((request.headers.get("range"), int(response.headers["content-length"])))
            return response

    stage.transport = Watched("/file/", when)
    task = export(stage, folder, retries=1)
    assert good(task.run())["rows"] == 3000
    assert [one.state for one in task.endings] == ["crashed", "success"]
    [file] = manifest(folder)["files"]
    [version] = stage.service.world("datasetVersions").values()
    whole = httpx.get(
        f"{stage.service.endpoint}/datasets/{file['dataset_id']}/file/",
        headers={"Authorization": "Bearer requester-token"},
        trust_env=False,
    ).content
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (version["size"], file["sha256"])
    assert created(stage) == 1
    if when == "middle":
        (first, size), (second, rest) = seen
        assert (first, second) == (None, f"bytes={size - rest}-")
        assert 0 < rest < size


def test_another_worker_goes_on_with_what_is_in_the_folder(stage: Stage, folder: Path) -> None:
    """The first of three windows is there; its worker, with all that was staged, is gone."""
    stage.service.switches(export_row_limit="1000")
    predict(stage, 2400)
    task = export(stage, folder, row_limit=1000, retries=1, store=False, reuse=False)
    stage.transport = Dies("/file/", "before")
    stage.transport.alive = False

    def second() -> None:
        assert isinstance(stage.transport, Dies)
        stage.transport.alive = len(list(folder.glob("*.csv"))) == 1 and len(task.endings) == 0

    for _ in range(6):
        stage.while_away(second)
    result = good(task.run())
    assert (result["rows"], result["files"]) == (2400, 3)
    assert created(stage) == 4
    assert len({row["customer_id"] for row in lines(folder)}) == 2400


@pytest.mark.parametrize(("nth", "after"), share_of(itertools.product(range(1, 9), [False, True]), 0.4))
def test_a_worker_that_dies_at_any_note(stage: Stage, folder: Path, nth: int, after: bool) -> None:
    from tests.harness import Crash, Store

    class DiesNoting(Store):
        notes = 0

        def set(self, key: str, value: Any) -> None:
            self.notes += 1
            if self.notes == nth and not after:
                raise Crash
            super().set(key, value)
            if self.notes == nth:
                raise Crash

    predict(stage, 24)
    task = export(stage, folder, retries=2)
    task.store = DiesNoting()
    assert good(task.run())["rows"] == 24
    assert created(stage) <= 2
    assert len(lines(folder)) == 24


def test_a_file_of_the_wrong_size_is_never_put_to_its_place(
    stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider.tasks import files

    predict(stage, 24)
    put = files.put

    def short(stream: Any, target: Any) -> None:
        put(stream, target)
        if target.name.endswith(".csv"):
            Path(target.path).write_bytes(b"short")

    monkeypatch.setattr(files, "put", short)
    bad(export(stage, folder).run(), "ContentDiffers", "retry")
    assert not list(folder.glob("*.csv"))
    assert not (folder / "manifest.json").exists()
