"""Scoring batches as tasks: created once, streamed both ways, taken up, aborted."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import harness
from tests.harness import UNGOVERNED, Crash, Crashing
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

CREATE, UPLOAD, ABORT = "createBatchPrediction", "uploadBatchPredictionCsv", "deleteBatchPrediction"
DOWNLOAD = "downloadBatchPrediction"
ROWS = b"id,age,city\n1,33,Bonn\n2,51,Lyon\n3,33,Bonn\n"
LOST = [{"answer": "reset"}, {"answer": 504}]
LINES = {
    CREATE: r"POST /api/v2/batchPredictions/",
    UPLOAD: r"PUT /api/v2/batchPredictions/\w+/csvUpload/",
    DOWNLOAD: r"GET /api/v2/batchPredictions/\w+/download/",
}


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, line in LINES.items():
        monkeypatch.setitem(harness.LINES, name, line)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_bytes(ROWS)
    return file


def score(stage: Stage, file: Path | None = None, /, **arguments: Any) -> Task:
    from airflow_provider.operators.batch_predictions import DataRobotScoreBatchOperator

    options = {name: arguments.pop(name) for name in ("store", "retries") if name in arguments}
    given: dict[str, Any] = {"deployment_id": UNGOVERNED}
    if file is not None:
        given |= {"source": str(file), "target": str(target_of(file)), "passthrough_columns": "id"}
    return task(stage, DataRobotScoreBatchOperator, **options, **{**given, **arguments})


def target_of(source: Path) -> Path:
    return source.parent / "out" / "scores.csv"


def jobs(stage: Stage) -> list[dict[str, Any]]:
    return list(stage.service.world("batchPredictions").values())


@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_a_file_is_scored(stage: Stage, source: Path, deferrable: bool) -> None:
    scoring = score(stage, source, deferrable=deferrable, prediction_threshold="0.9")
    done = scoring.run()
    assert done.state == "success", done
    assert bool(scoring.deferrals) == deferrable
    content = target_of(source).read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert [(one["id"], one["THRESHOLD"]) for one in rows] == [("1", "0.9"), ("2", "0.9"), ("3", "0.9")]
    [job] = jobs(stage)
    told = {name: done.result[name] for name in ("batch_prediction_id", "status", "scored_rows", "failed_rows")}
    assert told == {"batch_prediction_id": job["id"], "status": "COMPLETED", "scored_rows": 3, "failed_rows": 0}
    assert (done.result["path"], done.result["bytes"]) == (str(target_of(source)), len(content))
    assert done.result["sha256"] == hashlib.sha256(content).hexdigest()
    assert [file.name for file in target_of(source).parent.iterdir()] == ["scores.csv"]
    assert stage.service.predictions(UNGOVERNED)["rows"] == 3
    [sent] = stage.service.log(operationId=UPLOAD)
    assert sent["body"]["x-emulator-upload"]["size"] == len(ROWS)


def test_a_clear_after_the_end_scores_again(stage: Stage, source: Path) -> None:
    scoring = score(stage, source)
    first = scoring.run().result
    again = scoring.clear().result
    assert again["batch_prediction_id"] != first["batch_prediction_id"]
    assert again["sha256"] == first["sha256"]


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_to_the_creation_is_told(stage: Stage, source: Path, fault: Any) -> None:
    """Nothing tells one job from two: there is one, and somebody has to look."""
    stage.service.fault("lost_answer", operationId=CREATE, **fault)
    ending = score(stage, source, retries=3).run()
    assert ending.state == "failed"
    assert "OutcomeUnknown" in str(ending.error)
    assert "listBatchPredictions" in str(ending.error)
    assert len(jobs(stage)) == 1


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("told", ["at_upload", "at_end"])
@pytest.mark.parametrize("word", ["refuse_409", "refuse_422"])
@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
def test_a_lost_answer_to_the_upload_sends_no_second_file(
    stage: Stage, source: Path, fault: Any, store: bool, word: str, told: str
) -> None:
    """A second one is refused, also where the job looks as if it still waited for its rows."""
    stage.anew(second_upload=word, batch_intake_size=told)
    stage.service.jobs("batchPrediction", seconds=2000)
    stage.service.fault("lost_answer", operationId=UPLOAD, **fault)
    done = score(stage, source, store=store).run()
    assert done.state == "success", done
    assert stage.service.accepted()[UPLOAD] == 1
    assert len(jobs(stage)) == 1


def test_a_file_that_is_refused_at_once_is_told(stage: Stage, source: Path) -> None:
    stage.service.fault("status", operationId=UPLOAD, code=406, body={"message": "Not acceptable."})
    ending = score(stage, source, retries=2).run()
    assert (ending.state, "Not acceptable." in str(ending.error)) == ("failed", True)
    assert stage.service.count("batchPredictionUploaded") == 0
    assert [job["status"] for job in jobs(stage)] == ["ABORTED"]


def test_a_lost_upload_is_sent_once_more(stage: Stage, source: Path) -> None:
    stage.service.fault("reset", operationId=UPLOAD)
    assert score(stage, source).run().state == "success"
    assert stage.service.count("batchPredictionUploaded") == 1


@pytest.mark.parametrize("seconds", [30, 62])
@pytest.mark.parametrize("word", ["refuse_409", "refuse_422"])
def test_an_upload_that_arrives_late(stage: Stage, source: Path, seconds: float, word: str) -> None:
    stage.anew(second_upload=word)
    stage.service.fault("late_commit", operationId=UPLOAD, seconds=seconds, answer=504)
    done = score(stage, source, retries=2).run()
    assert done.state == "success", done
    assert stage.service.count("batchPredictionUploaded") == 1


@pytest.mark.parametrize("operation", [CREATE, UPLOAD, DOWNLOAD])
def test_a_call_that_is_turned_away_is_sent_later(stage: Stage, source: Path, operation: str) -> None:
    stage.service.fault("retry_after", operationId=operation, code=429, seconds=400, times=7)
    done = score(stage, source, retries=9).run()
    assert done.state == "success", done
    assert stage.service.predictions(UNGOVERNED)["rows"] == 3


@pytest.mark.parametrize("after", [False, True], ids=["before it is sent", "after it is sent"])
@pytest.mark.parametrize("operation", LINES)
def test_a_worker_that_dies(stage: Stage, source: Path, operation: str, after: bool) -> None:
    """The next attempt takes up the job; one of which nobody knows whether it is there is not made again."""
    stage.transport = Crashing(1, after=after, operation=operation)
    scoring = score(stage, source, retries=2)
    ending = scoring.run()
    assert isinstance(scoring.endings[0].error, Crash)
    if operation == CREATE:
        assert "OutcomeUnknown: " in str(ending.error)
        assert len(jobs(stage)) == int(after)
        return
    assert ending.state == "success", ending
    assert len(jobs(stage)) == 1
    assert stage.service.count("batchPredictionUploaded") == 1
    assert target_of(source).exists()


@pytest.mark.parametrize("kind", ["ERROR", "ABORTED"])
def test_a_job_that_does_not_end_well(stage: Stage, source: Path, kind: str) -> None:
    """What failed may be tried again; what somebody aborted is not begun anew by a retry."""
    stage.service.fault("failed_job", operationId=UPLOAD, message="No more memory.", ends=kind)
    scoring = score(stage, source, retries=1)
    ending = scoring.run()
    assert "No more memory." in str(scoring.endings[0].error)
    if kind == "ABORTED":
        assert str(ending.error).startswith("BatchPredictionAborted")
        assert len(jobs(stage)) == 1
    else:
        assert ending.state == "success"
        assert len(jobs(stage)) == 2


def test_results_that_are_missing_are_told(stage: Stage, source: Path) -> None:
    stage.service.lie("scored_nothing")
    ending = score(stage, source).run()
    assert str(ending.error).startswith("ResultsMissing")
    assert not target_of(source).exists()


def test_a_page_in_place_of_results_is_never_written(stage: Stage, source: Path) -> None:
    stage.service.fault("html_page", operationId=DOWNLOAD, code=200, times=0)
    ending = score(stage, source).run()
    assert "NotUnderstood" in str(ending.error)
    assert not target_of(source).exists()


@pytest.mark.parametrize("when", ["while the rows go up", "while it runs"])
def test_a_kill_aborts_the_job(stage: Stage, source: Path, when: str) -> None:
    scoring = score(stage, source, deferrable=False)

    def kill() -> None:
        scoring.operator.on_kill()
        raise Crash("the process is gone")

    if when == "while the rows go up":
        stage.before(UPLOAD, kill)
    else:
        stage.at(12, kill)
    scoring.attempt()
    [job] = jobs(stage)
    assert job["status"] == "ABORTED"
    assert stage.service.accepted()[ABORT] == 1


def test_a_deferred_task_carries_what_aborts_its_job(stage: Stage, source: Path) -> None:
    scoring = score(stage, source)
    scoring.run()
    [job] = jobs(stage)
    assert scoring.trigger["cancel"] == {
        "operation": ABORT,
        "arguments": {"batchPredictionId": job["id"]},
        "body": None,
    }


@pytest.mark.parametrize(("wish", "status"), [("cancel", "ABORTED"), ("leave", "RUNNING")])
def test_a_deadline(stage: Stage, source: Path, wish: str, status: str) -> None:
    stage.service.fault("stuck_job", operationId=UPLOAD)
    ending = score(stage, source, timeout=90, on_timeout=wish).run()
    assert "WaitTimedOut" in str(ending.error)
    [job] = jobs(stage)
    assert (job["status"] == "ABORTED") == (status == "ABORTED")


@pytest.mark.parametrize("content", [ROWS + b"4,4,Rom\n", ROWS[:20]], ids=["longer", "shorter"])
def test_a_file_that_changes_while_it_goes_up(stage: Stage, source: Path, content: bytes) -> None:
    stage.before(UPLOAD, lambda: source.write_bytes(content))
    ending = score(stage, source).run()
    assert "was changed while it was read" in str(ending.error)
    assert jobs(stage)[0]["status"] == "ABORTED"


@pytest.mark.parametrize("content", [None, b""])
def test_a_file_that_is_missing_or_empty(stage: Stage, source: Path, content: bytes | None) -> None:
    source.unlink() if content is None else source.write_bytes(content)
    ending = score(stage, source).run()
    assert "is empty" in str(ending.error) or "does not exist" in str(ending.error)
    assert jobs(stage) == []


def test_places_that_the_service_reaches_itself(stage: Stage) -> None:
    stage.anew(foreign_stores="pretended")
    places: dict[str, Any] = {
        "intake_settings": {"type": "s3", "url": "s3://rows/in.csv", "credentialId": "5" * 24},
        "output_settings": '{"type": "jdbc", "table": "scores", "dataStoreId": "6"}',
    }
    done = score(stage, **places, extra_body={"chunkSize": "auto"}, monitoring_batch_prefix="nightly").run()
    assert done.state == "success", done
    assert "path" not in done.result
    [sent] = stage.service.log(operationId=CREATE)
    assert sent["body"] == {
        "deploymentId": UNGOVERNED,
        "intakeSettings": places["intake_settings"],
        "outputSettings": {"type": "jdbc", "table": "scores", "dataStoreId": "6"},
        "monitoringBatchPrefix": "nightly",
        "chunkSize": "auto",
    }
    assert UPLOAD not in stage.service.accepted()


def test_a_dataset_is_scored_to_a_file(stage: Stage, source: Path, tmp_path: Path) -> None:
    from airflow_provider.operators.datasets import DataRobotUploadDatasetOperator

    key = task(stage, DataRobotUploadDatasetOperator, source=str(source)).run().result["dataset_id"]
    target = tmp_path / "scores.csv"
    given: dict[str, Any] = {
        "include_probabilities": False,
        "skip_drift_tracking": True,
        "csv_settings": {"delimiter": ","},
    }
    done = score(stage, dataset_id=key, target=str(target), passthrough_columns="all", **given).run()
    assert done.state == "success", done
    header = "id,age,city,churned_PREDICTION,THRESHOLD,POSITIVE_CLASS"
    assert target.read_text().splitlines()[0] == header
    assert stage.service.predictions(UNGOVERNED)["rows"] == 0


def test_a_monitoring_batch_of_the_rows(stage: Stage, source: Path) -> None:
    done = score(stage, source, monitoring_batch_prefix="March").run()
    [batch] = stage.service.world("monitoringBatches").values()
    assert done.result["monitoring_batch_id"] == batch["id"]
    assert batch["name"].startswith("March ")


def test_a_plan_sends_nothing(stage: Stage, source: Path) -> None:
    plan = score(stage, source, plan_only=True).run().result["plan"]
    assert (plan["operation"], plan["body"]["passthroughColumns"]) == (CREATE, ["id"])
    assert stage.service.accepted() == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "give exactly one of source, dataset_id and intake_settings"),
        (
            {"source": "a", "dataset_id": "b", "target": "c"},
            "give exactly one of source, dataset_id and intake_settings",
        ),
        ({"source": "a"}, "give exactly one of target and output_settings"),
        ({"source": "a", "output_settings": {"url": "x"}}, "output_settings must have a type"),
        ({"intake_settings": {"type": "localFile"}, "target": "a"}, "is what source and target are for"),
        ({"source": "a", "target": "b", "prediction_threshold": 2}, "prediction_threshold must be from 0 to 1"),
        ({"source": "a", "target": "b", "num_concurrent": 0}, "num_concurrent must be a whole number from 1 on"),
        ({"source": "a", "target": "b", "skip_drift_tracking": "x"}, "skip_drift_tracking must be true or false"),
        ({"source": "a", "target": "b", "csv_settings": {"comma": ","}}, "csv_settings has delimiter, encoding"),
        ({"deployment_id": "", "source": "a", "target": "b"}, "deployment_id must be an id"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(stage: Stage, arguments: Any, told: str) -> None:
    ending = score(stage, **arguments).run()
    assert ending.state == "failed"
    assert told in str(ending.error)
    assert stage.service.log(user="requester@example.com") == []


@pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferred"])
def test_a_sensor(stage: Stage, source: Path, deferrable: bool) -> None:
    from airflow_provider.sensors.batch_prediction import DataRobotBatchPredictionSensor

    key = score(stage, source).run().result["batch_prediction_id"]
    seen = task(stage, DataRobotBatchPredictionSensor, batch_prediction_id=key, deferrable=deferrable).run()
    assert (seen.result["status"], seen.result["scored_rows"]) == ("COMPLETED", 3)


def test_a_sensor_on_a_job_that_is_not_there(stage: Stage) -> None:
    from airflow_provider.sensors.batch_prediction import DataRobotBatchPredictionSensor

    assert task(stage, DataRobotBatchPredictionSensor, batch_prediction_id="0" * 24).run().state == "failed"
