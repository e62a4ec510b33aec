"""Uploading a file as a dataset: once, whole, found again after a lost answer."""

from __future__ import annotations

import hashlib
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

ROWS = b"id,label\n1,yes\n2,no\n3,yes\n"
LOST = [{"answer": "reset"}, {"answer": 504}]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "outcomes.csv"
    file.write_bytes(ROWS)
    return file


def upload(stage: Stage, file: Path | str, **arguments: Any) -> Task:
    from airflow_provider.operators.datasets import DataRobotUploadDatasetOperator

    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    return task(stage, DataRobotUploadDatasetOperator, **options, **{"source": str(file), **arguments})


def download(stage: Stage, dataset_id: str, path: Path | str, **arguments: Any) -> Task:
    from airflow_provider.operators.datasets import DataRobotDownloadDatasetOperator

    return read_only(stage, DataRobotDownloadDatasetOperator, dataset_id=dataset_id, path=str(path), **arguments)


def delete(stage: Stage, dataset_id: str) -> Task:
    from airflow_provider.operators.datasets import DataRobotDeleteDatasetOperator

    return task(stage, DataRobotDeleteDatasetOperator, dataset_id=dataset_id)


@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_a_file_goes_up_and_comes_down_again(stage: Stage, source: Path, tmp_path: Path, deferrable: bool) -> None:
    up = upload(stage, source, name="Outcomes", categories="TRAINING", deferrable=deferrable)
    done = up.run()
    assert done.state == "success", done
    assert bool(up.deferrals) == deferrable
    result = done.result
    assert result["name"].startswith("Outcomes ")
    assert result["name"].endswith(".csv")
    assert (result["rows"], result["columns"], result["bytes"], result["adopted"]) == (3, 2, len(ROWS), False)
    [dataset] = stage.service.world("datasets").values()
    assert dataset["id"] == result["dataset_id"]
    assert dataset["categories"] == ["TRAINING"]
    target = tmp_path / "there" / "copy.csv"
    down = download(stage, result["dataset_id"], target).run()
    assert target.read_bytes() == ROWS
    assert down.result == {
        "dataset_id": result["dataset_id"],
        "version_id": result["version_id"],
        "path": str(target),
        "bytes": len(ROWS),
        "sha256": hashlib.sha256(ROWS).hexdigest(),
        "media_type": "text/csv",
    }
    assert [file.name for file in target.parent.iterdir()] == ["copy.csv"]


def test_a_new_version_of_a_dataset_keeps_its_name(stage: Stage, source: Path, tmp_path: Path) -> None:
    first = upload(stage, source, name="Outcomes").run().result
    source.write_bytes(ROWS + b"4,no\n")
    second = upload(stage, source, dataset_id=first["dataset_id"]).run().result
    assert second["dataset_id"] == first["dataset_id"]
    assert second["version_id"] != first["version_id"]
    assert (second["name"], second["rows"]) == (first["name"], 4)
    old = tmp_path / "old.csv"
    download(stage, first["dataset_id"], old, version_id=first["version_id"]).run()
    assert old.read_bytes() == ROWS
    assert stage.service.accepted() == {"createDatasetFromFile": 1, "createDatasetVersionFromFile": 1}


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_makes_no_second_dataset(stage: Stage, source: Path, fault: Any, store: bool) -> None:
    stage.service.fault("lost_answer", operationId="createDatasetFromFile", **fault)
    done = upload(stage, source, store=store).run()
    assert done.state == "success", done
    assert done.result["adopted"] is True
    assert done.result["rows"] == 3
    assert stage.service.count("datasetCreated") == 1
    assert stage.service.accepted() == {"createDatasetFromFile": 1}


def test_a_lost_request_is_sent_once_more(stage: Stage, source: Path) -> None:
    stage.service.fault("reset", operationId="createDatasetFromFile")
    done = upload(stage, source).run()
    assert done.state == "success", done
    assert done.result["adopted"] is False
    assert stage.service.count("datasetCreated") == 1


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("version", [False, True], ids=["without a mark", "a version"])
def test_what_has_no_mark_is_sent_at_most_once(stage: Stage, source: Path, fault: Any, version: bool) -> None:
    given: dict[str, Any] = {"marked": False}
    if version:
        given = {"dataset_id": upload(stage, source).run().result["dataset_id"]}
    stage.service.fault(
        "lost_answer", operationId="createDataset" + ("VersionFromFile" if version else "FromFile"), **fault
    )
    before = stage.service.count("datasetVersionCreated")
    done = upload(stage, source, retries=3, **given).run()
    assert done.state == "failed"
    assert "OutcomeUnknown" in str(done.error)
    assert "listDataset" in str(done.error)
    assert stage.service.count("datasetVersionCreated") == before + 1


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
def test_a_rerun_with_the_same_file_takes_the_dataset_that_is_there(stage: Stage, source: Path, store: bool) -> None:
    up = upload(stage, source, store=store)
    first = up.run().result
    unknown = {} if store else {"sent_before": "not known"}
    assert up.clear().result == {**first, "adopted": True, **unknown}
    assert stage.service.accepted() == {"createDatasetFromFile": 1}
    source.write_bytes(ROWS + b"4,no\n")
    other = up.clear().result
    assert other["dataset_id"] != first["dataset_id"]
    assert other["rows"] == 4


def test_an_exact_name_is_kept(stage: Stage, source: Path) -> None:
    done = upload(stage, source, name="outcomes of {{ 1 }}.csv", marked="False").run()
    assert done.result["name"] == "outcomes of {{ 1 }}.csv"


def test_a_dataset_that_failed_is_not_taken_again(stage: Stage, source: Path) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header", times=1)
    up = upload(stage, source)
    failed = up.run()
    assert failed.state == "retry"
    assert "no header" in str(failed.error)
    done = up.run()
    assert done.state == "success", done
    assert done.result["adopted"] is False
    assert stage.service.count("datasetCreated") == 2


@pytest.mark.parametrize("kind", ["expired_job", "job_404"])
def test_the_dataset_tells_where_the_record_of_its_job_is_lost(stage: Stage, source: Path, kind: str) -> None:
    stage.service.fault(kind, operationId="getStatus", times=0)
    done = upload(stage, source).run()
    assert done.state == "success", done
    assert done.result["rows"] == 3


def test_a_worker_that_dies_in_the_middle_leaves_one_dataset(stage: Stage, source: Path) -> None:
    import httpx

    from tests.harness import Crash

    class Dies(httpx.BaseTransport):
        def __init__(self) -> None:
            self.wire, self.alive = httpx.HTTPTransport(), True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = self.wire.handle_request(request)
            if self.alive and request.method == "POST":
                response.read()
                self.alive = False
                raise Crash("after the upload")
            return response

        def close(self) -> None:
            self.wire.close()

    stage.transport = Dies()
    done = upload(stage, source, retries=1).run()
    assert done.state == "success", done
    assert done.result["adopted"] is True
    assert stage.service.count("datasetCreated") == 1


@pytest.mark.parametrize("after", [False, True], ids=["before it is noted", "after"])
@pytest.mark.parametrize("nth", range(1, 6))
@pytest.mark.parametrize("version", [False, True], ids=["a dataset", "a version"])
def test_a_worker_that_dies_at_any_note_never_makes_a_second(
    stage: Stage, source: Path, version: bool, nth: int, after: bool
) -> None:
    from tests.harness import Crash, Store

    class Dies(Store):
        notes = 0

        def set(self, key: str, value: Any) -> None:
            self.notes += 1
            if self.notes == nth and not after:
                raise Crash
            super().set(key, value)
            if self.notes == nth:
                raise Crash

    given = {"dataset_id": upload(stage, source).run().result["dataset_id"]} if version else {}
    before = stage.service.count("datasetVersionCreated")
    up = upload(stage, source, retries=2, **given)
    up.store = Dies()
    done = up.run()
    made = stage.service.count("datasetVersionCreated") - before
    if done.state == "success":
        assert made == 1
    else:
        assert version, done
        assert made <= 1
        assert "OutcomeUnknown" in str(done.error)


@pytest.mark.parametrize(
    ("content", "told", "state"),
    [(None, "does not exist, or is no file", "retry"), (b"", "is empty", "failed")],
    ids=["no file", "an empty one"],
)
def test_without_content_nothing_is_sent(
    stage: Stage, source: Path, content: bytes | None, told: str, state: str
) -> None:
    """A file may come later, and retries are for that; an empty one stays empty."""
    source.unlink()
    if content is not None:
        source.write_bytes(content)
    done = upload(stage, source).run()
    assert done.state == state
    assert told in str(done.error)
    assert stage.service.log() == []


def test_a_file_that_changes_while_it_is_read_is_told(stage: Stage, source: Path) -> None:
    from airflow_provider.tasks import files

    states = [files.FileState(10, 1.0), files.FileState(20, 2.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "state_of", lambda path: states.pop(0))
        done = upload(stage, source).run()
    assert done.state == "failed"
    assert "was changed while it was read; dataset" in str(done.error)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"source": ""}, "source must be the path or URL of a file, not ''"),
        ({"source": "None"}, "source must be the path or URL of a file"),
        ({"name": "a/b"}, "name must be one line without slashes"),
        ({"name": "x" * 201}, "name must have at most 200 characters"),
        ({"dataset_id": "a b"}, "dataset_id must be an id"),
        ({"marked": "perhaps"}, "marked must be true or false"),
        ({"categories": 5}, "categories must be a word"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_arguments_are_refused_before_anything_is_sent(
    stage: Stage, source: Path, given: dict[str, Any], told: str
) -> None:
    done = upload(stage, source, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []


def test_a_plan_sends_nothing(stage: Stage, source: Path) -> None:
    done = upload(stage, source, plan_only=True, marked=False).run()
    plan = done.result["plan"]
    assert (plan["operation"], plan["body"]) == ("createDatasetFromFile", {"file": "outcomes.csv"})
    assert stage.service.accepted() == {}


def test_what_is_gone_is_deleted_already(stage: Stage, source: Path) -> None:
    dataset_id = upload(stage, source).run().result["dataset_id"]
    assert delete(stage, dataset_id).run().result == {"dataset_id": dataset_id, "deleted": True}
    assert delete(stage, dataset_id).run().result == {"dataset_id": dataset_id, "deleted": False}
    assert stage.service.count("datasetDeleted") == 1


@pytest.mark.parametrize("fault", [*LOST], ids=str)
def test_a_lost_answer_to_a_deletion(stage: Stage, source: Path, fault: Any) -> None:
    dataset_id = upload(stage, source).run().result["dataset_id"]
    stage.service.fault("lost_answer", operationId="deleteDataset", **fault)
    assert delete(stage, dataset_id).run().result["deleted"] is True
    assert stage.service.count("datasetDeleted") == 1


def test_a_dataset_in_error_is_not_downloaded(stage: Stage, source: Path, tmp_path: Path) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header")
    upload(stage, source).run()
    [dataset_id] = stage.service.world("datasets")
    done = download(stage, dataset_id, tmp_path / "copy.csv").run()
    assert done.state == "failed"
    assert "is in state ERROR: no header" in str(done.error)


def test_a_cut_download_is_repeated_and_never_seen(stage: Stage, source: Path, tmp_path: Path) -> None:
    dataset_id = upload(stage, source).run().result["dataset_id"]
    stage.service.fault("truncated", operationId="downloadDatasetFile")
    target = tmp_path / "copy.csv"
    target.write_bytes(b"an older one")
    os.utime(target, (0, 0))
    assert download(stage, dataset_id, target).run().state == "success"
    assert target.read_bytes() == ROWS


def test_a_file_of_an_object_store_goes_up_and_comes_down(stage: Stage) -> None:
    from airflow.sdk.io import attach

    memory = importlib.import_module("fsspec.implementations.memory").MemoryFileSystem()
    attach("memory", fs=memory)
    memory.pipe_file("/bucket/part.csv", ROWS * 20_000)
    done = upload(stage, "memory://bucket/part.csv").run()
    assert done.state == "success", done
    assert (done.result["bytes"], done.result["rows"]) == (len(ROWS) * 20_000, 80_000 - 1)
    target = "memory://bucket/there/copy.csv"
    assert download(stage, done.result["dataset_id"], target).run().state == "success"
    assert memory.cat_file("/bucket/there/copy.csv") == ROWS * 20_000
