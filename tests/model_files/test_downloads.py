"""Scoring code, package files, logs and the image: whole, verified, and no token elsewhere."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task

UNGOVERNED = "64e000000000000000000002"
CUSTOM_DEPLOYMENT = "64e000000000000000000090"
IMAGE = "downloadPortablePredictionServerImage"
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])


def scoring_code(stage: Stage, folder: Path, **arguments: Any) -> Task:
    from airflow_provider.operators.model_files import DataRobotDownloadScoringCodeOperator

    given = {"deployment_id": UNGOVERNED, "path": f"{folder}/out/model.jar", "staging": str(folder), **arguments}
    return task(stage, DataRobotDownloadScoringCodeOperator, **given)


def logs(stage: Stage, folder: Path, **arguments: Any) -> Task:
    from airflow_provider.operators.model_files import DataRobotDownloadCustomModelLogsOperator

    given = {"deployment_id": CUSTOM_DEPLOYMENT, "path": f"{folder}/out/log.txt", "staging": str(folder), **arguments}
    return task(stage, DataRobotDownloadCustomModelLogsOperator, **given)


def image(stage: Stage, folder: Path, **arguments: Any) -> Task:
    from airflow_provider.operators.portable_prediction_server import (
        DataRobotDownloadPortablePredictionServerOperator,
    )

    given = {"path": f"{folder}/out/pps.tar.gz", "staging": str(folder), **arguments}
    return read_only(stage, DataRobotDownloadPortablePredictionServerOperator, **given)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if one.is_file()]


# --- what is built first ------------------------------------------------------------------------------------------


def test_scoring_code_comes_as_it_is(stage: Stage, tmp_path: Path) -> None:
    done = scoring_code(stage, tmp_path).run()
    assert done.state == "success", done
    jar = tmp_path / "out" / "model.jar"
    assert done.result == {
        "deployment_id": UNGOVERNED,
        "path": str(jar),
        "bytes": jar.stat().st_size,
        "sha256": sha256(jar),
        "downloaded": True,
    }
    assert zipfile.is_zipfile(jar)
    assert leftovers(tmp_path) == []
    assert [one.name for one in jar.parent.iterdir()] == ["model.jar"]
    assert "createDeploymentScoringCodeBuild" not in stage.service.accepted()


@BOTH
@pytest.mark.parametrize("answer", ["location_202", "location_200", "empty_200"])
@pytest.mark.parametrize("missing", ["refuse_404", "refuse_422"])
def test_extras_are_built_first(stage: Stage, tmp_path: Path, answer: str, missing: str, deferrable: bool) -> None:
    stage.service.switches(scoring_code_build_answer=answer, scoring_code_missing=missing)
    done = scoring_code(stage, tmp_path, include_agent="True", deferrable=deferrable).run()
    assert done.state == "success", done
    assert stage.service.accepted()["createDeploymentScoringCodeBuild"] == 1
    with zipfile.ZipFile(tmp_path / "out" / "model.jar") as archive:
        assert b'"includeAgent": true' in archive.read("model.json")


def test_a_build_that_fails_leaves_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.service.jobs("scoringCodeBuild", failsWith="no such blueprint")
    done = scoring_code(stage, tmp_path, include_agent=True).run()
    assert "ERROR: no such blueprint" in str(done.error)
    assert not (tmp_path / "out").exists()


def test_a_build_that_tells_nothing_and_never_ends(stage: Stage, tmp_path: Path) -> None:
    stage.service.switches(scoring_code_build_answer="empty_200")
    stage.service.jobs("scoringCodeBuild", stuck=True)
    done = scoring_code(stage, tmp_path, include_agent=True, poll_interval=600).run()
    assert "no such Scoring Code" in str(done.error)


@pytest.mark.parametrize("answer", ["reset", 504])
def test_a_lost_answer_to_a_build_is_harmless(stage: Stage, tmp_path: Path, answer: str | int) -> None:
    stage.service.fault("lost_answer", operationId="createDeploymentScoringCodeBuild", answer=answer)
    assert scoring_code(stage, tmp_path, include_agent=True).run().state == "success"


def test_sources_have_no_agent(stage: Stage, tmp_path: Path) -> None:
    done = scoring_code(stage, tmp_path, source_code=True, include_agent=True).run()
    assert "source_code and include_agent cannot be combined" in str(done.error)
    assert stage.service.log() == []
    assert scoring_code(stage, tmp_path, source_code=True).run().state == "success"


def test_a_login_page_is_no_file(stage: Stage, tmp_path: Path) -> None:
    stage.service.fault("html_page", operationId="downloadDeploymentScoringCode", code=200, times=0)
    done = scoring_code(stage, tmp_path).run()
    assert "NotUnderstood" in str(done.error)
    assert not (tmp_path / "out").exists()


@BOTH
def test_the_model_package_file(stage: Stage, tmp_path: Path, deferrable: bool) -> None:
    from airflow_provider.operators.model_files import DataRobotDownloadModelPackageFileOperator

    path = tmp_path / "model.mlpkg"
    done = task(
        stage, DataRobotDownloadModelPackageFileOperator, deployment_id=UNGOVERNED, path=str(path),
        deferrable=deferrable, staging=str(tmp_path / "parts"),
    ).run()  # fmt: skip
    assert done.state == "success", done
    assert zipfile.is_zipfile(path)


@BOTH
def test_logs_are_collected(stage: Stage, tmp_path: Path, deferrable: bool) -> None:
    done = logs(stage, tmp_path, deferrable=deferrable).run()
    assert done.state == "success", done
    assert "Churn rules is up" in (tmp_path / "out" / "log.txt").read_text()
    assert stage.service.log(operationId="downloadCustomModelDeploymentLogById")


def test_logs_that_were_collected_last(stage: Stage, tmp_path: Path) -> None:
    assert "No logs were collected" in str(logs(stage, tmp_path, collect=False).run().error)
    logs(stage, tmp_path).run()
    assert logs(stage, tmp_path, collect="False").run().state == "success"
    assert stage.service.accepted()["requestCustomModelDeploymentLogs"] == 1


def test_a_file_goes_to_an_object_store(stage: Stage, tmp_path: Path) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath
    from airflow.sdk.io import attach
    from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

    nowhere = scoring_code(stage, tmp_path, path="nowhere://models/model.jar").run()
    assert "InvalidCall" in str(nowhere.error)
    assert stage.service.log() == []
    attach("memory", fs=MemoryFileSystem())
    place = f"memory://models/{tmp_path.name}/model.jar"
    done = scoring_code(stage, tmp_path, path=place).run()
    assert done.state == "success", done
    content = ObjectStoragePath(place).read_bytes()
    assert hashlib.sha256(content).hexdigest() == done.result["sha256"]
    assert leftovers(tmp_path) == []


# --- what is there already ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "state", "kept"), [("overwrite", "success", False), ("skip", "success", True)])
def test_a_file_that_is_there(stage: Stage, tmp_path: Path, choice: str, state: str, kept: bool) -> None:
    target = tmp_path / "model.jar"
    target.write_text("old")
    done = scoring_code(stage, tmp_path, path=str(target), if_exists=choice).run()
    assert (done.state, done.result["downloaded"]) == (state, not kept)
    assert (target.read_bytes() == b"old") is kept


def test_a_file_that_must_not_be_there(stage: Stage, tmp_path: Path) -> None:
    target = tmp_path / "model.jar"
    target.write_text("old")
    done = scoring_code(stage, tmp_path, path=str(target), if_exists="error").run()
    assert "FileThere" in str(done.error)
    assert target.read_text() == "old"
    assert stage.service.log() == []


# --- the image ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delivery", ["direct", "redirect"])
def test_the_image_is_what_its_metadata_say(stage: Stage, tmp_path: Path, delivery: str) -> None:
    stage.service.switches(image_delivery=delivery)
    done = image(stage, tmp_path).run()
    assert done.state == "success", done
    path = tmp_path / "out" / "pps.tar.gz"
    assert (done.result["bytes"], done.result["sha256"]) == (path.stat().st_size, sha256(path))
    assert done.result["filename"].endswith(".tar.gz")
    assert done.result["image_id"] == f"sha256:{sha256(path)}"


def test_the_storage_never_sees_the_token(stage: Stage, tmp_path: Path) -> None:
    stage.service.switches(image_delivery="redirect")
    assert image(stage, tmp_path).run().state == "success"
    [asked] = stage.service.log(operationId="storage")
    assert (asked["status"], "authorization" in asked["headers"]) == (200, False)


def test_an_image_that_is_another_is_not_kept(stage: Stage, tmp_path: Path) -> None:
    stage.service.lie("image_differs")
    done = image(stage, tmp_path).run()
    assert "the SHA-256 of the file is" in str(done.error)
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


def test_without_an_image(stage: Stage, tmp_path: Path) -> None:
    stage.service.switches(image_there="no")
    assert "No PPS images found" in str(image(stage, tmp_path).run().error)


@pytest.mark.parametrize("ranges", ["served", "ignored"])
def test_a_broken_download_is_gone_on_with(stage: Stage, tmp_path: Path, ranges: str) -> None:
    values = stage.service.switches()
    stage.service.switches(file_ranges="ignored" if ranges == "ignored" else values["file_ranges"])
    stage.service.fault("truncated", operationId=IMAGE, times=2)
    done = image(stage, tmp_path).run()
    assert done.state == "success", done
    assert done.result["sha256"] == sha256(tmp_path / "out" / "pps.tar.gz")
    asked = [one for one in stage.service.log(operationId=IMAGE) if one["status"] == 206]
    assert bool(asked) is (ranges == "served")


@pytest.mark.parametrize("tag", ["strong", "weak", "none"])
def test_another_attempt_goes_on_with_what_is_there(stage: Stage, tmp_path: Path, tag: str) -> None:
    stage.service.switches(file_etag=tag)
    stage.service.fault("truncated", operationId=IMAGE)
    stage.service.fault("status", operationId=IMAGE, nth=2, times=0, code=503)
    attempt = image(stage, tmp_path)
    assert attempt.run().state == "retry"
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path)
    stage.service.remove_fault()
    done = attempt.run()
    assert done.state == "success", done
    assert done.result["sha256"] == sha256(tmp_path / "out" / "pps.tar.gz")
    assert [one["status"] for one in stage.service.log(operationId=IMAGE)][-1] == 206
    assert leftovers(tmp_path) == []


def test_a_part_of_an_older_image_is_found_out(stage: Stage, tmp_path: Path) -> None:
    stage.service.switches(file_etag="none")
    stage.service.fault("truncated", operationId=IMAGE)
    stage.service.fault("status", operationId=IMAGE, nth=2, times=0, code=503)
    attempt = image(stage, tmp_path)
    attempt.run()
    stage.service.remove_fault()
    [part] = [one for one in tmp_path.iterdir() if one.suffix == ".part"]
    part.write_bytes(b"x" * part.stat().st_size)
    assert "ContentDiffers" in str(attempt.run().error)
    done = attempt.run()
    assert (done.state, done.result["sha256"]) == ("success", sha256(tmp_path / "out" / "pps.tar.gz"))


# --- another origin -----------------------------------------------------------------------------------------------


class Store:
    """A tiny storage service that notes what it is sent."""

    def __init__(self, content: bytes) -> None:
        self.seen: list[dict[str, str]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                store.seen.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Type", "application/octet-stream")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/bucket/image?X-Signature=abc"


@pytest.fixture
def store(stage: Stage) -> Iterator[Store]:
    from tests.tasks import send

    told = send(stage.service, "requester", "GET", "mlops/portablePredictionServerImage/metadata/")
    import httpx

    token = stage.service.tokens["requester"]
    address = f"{stage.service.endpoint}/mlops/portablePredictionServerImage/"
    content = httpx.get(address, headers={"Authorization": f"Bearer {token}"}).content
    assert hashlib.sha256(content).hexdigest() == told["hash"]
    made = Store(content)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_a_redirect_to_another_server_takes_no_credentials_along(stage: Stage, tmp_path: Path, store: Store) -> None:
    stage.service.fault("status", operationId=IMAGE, code=302, headers={"Location": store.url})
    done: Ending = image(stage, tmp_path).run()
    assert done.state == "success", done
    [headers] = store.seen
    token = stage.service.tokens["requester"]
    assert "authorization" not in headers
    assert not any(token in value for value in headers.values())


def test_what_another_server_gives_is_held_against_the_metadata(stage: Stage, tmp_path: Path) -> None:
    other = Store(b"something else")
    thread = threading.Thread(target=other.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    stage.service.fault("status", operationId=IMAGE, code=302, headers={"Location": other.url})
    done = image(stage, tmp_path).run()
    other.server.shutdown()
    other.server.server_close()
    thread.join()
    assert "ContentDiffers" in str(done.error)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [({"path": ""}, "path must be the path or URL"), ({"if_exists": "maybe"}, "if_exists must be one of")],
    ids=str,
)
def test_bad_arguments(stage: Stage, tmp_path: Path, given: dict[str, str], told: str) -> None:
    for ending in (scoring_code(stage, tmp_path, **given).run(), image(stage, tmp_path, **given).run()):
        assert told in str(ending.error)
    assert stage.service.log() == []
