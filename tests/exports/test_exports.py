"""An export from the plan to the manifest: whole, once, and what fails fails loudly."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.exports.exporting import (
    CREATE,
    DEPLOYMENT,
    END,
    MODEL,
    REQUESTER,
    START,
    bad,
    created,
    export,
    good,
    lines,
    manifest,
    of_kind,
    predict,
    times,
)

if TYPE_CHECKING:
    from tests.harness import Stage

NEXT_MODEL = "64a100000000000000000003"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


def actuals(stage: Stage, folder: Path, **arguments: Any) -> Any:
    from airflow_provider.operators.exports import DataRobotExportActualsDataOperator

    return of_kind(stage, DataRobotExportActualsDataOperator, folder, **arguments)


def training(stage: Stage, folder: Path, **arguments: Any) -> Any:
    from airflow_provider.operators.exports import DataRobotExportTrainingDataOperator

    return of_kind(stage, DataRobotExportTrainingDataOperator, folder, **arguments)


def give_actuals(stage: Stage, count: int) -> None:
    import httpx

    data = [{"associationId": f"row-{n}", "actualValue": "yes"} for n in range(count)]
    head = {"Authorization": "Bearer requester-token"}
    url = f"{stage.service.endpoint}/deployments/{DEPLOYMENT}/actuals/fromJSON/"
    assert httpx.post(url, json={"data": data}, headers=head, trust_env=False).status_code == 202
    stage.service.advance(6)


def call(stage: Stage, path: str, **body: Any) -> Any:
    """What somebody asks for besides the task."""
    import httpx

    head = {"Authorization": f"Bearer {body.pop('token', 'requester-token')}"}
    url = f"{stage.service.endpoint}/deployments/{DEPLOYMENT}/{path}"
    return httpx.post(url, json=body, headers=head, trust_env=False).json()


@pytest.mark.parametrize(("deferrable", "store"), [(False, True), (True, False), (True, True)])
def test_predictions_of_a_day(stage: Stage, folder: Path, deferrable: bool, store: bool) -> None:
    predict(stage, 240)
    task = export(stage, folder, deferrable=deferrable, store=store)
    result = good(task.run())
    assert bool(task.deferrals) == deferrable
    assert result == {
        "deployment_id": DEPLOYMENT,
        "path": str(folder),
        "manifest": str(folder / "manifest.json"),
        "format": "csv",
        "rows": 240,
        "planned_rows": 240,
        "bytes": result["bytes"],
        "files": 1,
        "skipped": False,
    }
    told = manifest(folder)
    [file] = told["files"]
    assert (file["model_id"], file["start"], file["end"]) == (MODEL, START, END)
    assert (file["planned_rows"], file["rows"], file["reused"]) == (240, 240, False)
    assert file["export_id"] in stage.service.world("dataExports")
    columns = told["schemas"][file["schema"]]
    assert [one["name"] for one in columns][-1] == "DR_RESERVED_PREDICTION_no"
    assert [one["type"] for one in columns] == ["timestamp", "text", "number", "number"]
    assert times(folder)[0] == "2026-03-01T00:00:00.000000Z"
    assert created(stage) == 1
    assert not list((folder.parent / "staging").iterdir())


def test_many_windows_hold_each_row_once(stage: Stage, folder: Path) -> None:
    """Limits of 1,000 rows: 2,400 rows are three windows and more, and their union is the one export."""
    stage.service.switches(export_row_limit="1000")
    predict(stage, 2400)
    result = good(export(stage, folder, row_limit=1000).run())
    assert (result["rows"], result["files"]) == (2400, 3)
    found = times(folder)
    assert len(set(found)) == 2400
    files = manifest(folder)["files"]
    assert [one["start"] for one in files[1:]] == [one["end"] for one in files[:-1]]
    assert all(one["rows"] < 1000 for one in files)


@pytest.mark.parametrize("beyond", ["cuts", "fails"])
def test_an_export_that_is_cut_is_asked_for_again_as_two(stage: Stage, folder: Path, beyond: str) -> None:
    """The service allows fewer rows than anybody thought, or rows came after the plan."""
    stage.service.switches(export_row_limit="1000", export_beyond_limit=beyond)
    predict(stage, 900)
    stage.before(CREATE, lambda: predict(stage, 900, prefix="late-", seed=2))
    result = good(export(stage, folder, row_limit=1000).run())
    assert (result["rows"], result["files"]) == (1800, 2)
    assert len(times(folder)) == 1800
    assert created(stage) == 3


def test_an_hour_that_may_be_cut_is_never_a_success(stage: Stage, folder: Path) -> None:
    stage.service.switches(export_row_limit="10")
    predict(stage, 11, end="2026-03-01T01:00:00Z")
    told = bad(export(stage, folder).run(), "PossiblyCut")
    assert "10 rows, and 11 were counted before" in told
    assert not (folder / "manifest.json").exists()
    assert not list(folder.glob("*.csv"))


def test_an_hour_with_too_many_rows_is_told_before_anything_is_sent(stage: Stage, folder: Path) -> None:
    predict(stage, 50, end="2026-03-01T01:00:00Z")
    assert "50 rows in the hour from 2026-03-01T00:00:00Z" in bad(
        export(stage, folder, row_limit=50).run(), "PossiblyCut"
    )
    assert created(stage) == 0


@pytest.mark.parametrize("lie", ["export_loses_rows", "export_without_data"])
def test_an_export_that_lacks_rows_is_never_taken_for_whole(stage: Stage, folder: Path, lie: str) -> None:
    stage.service.lie(lie)
    predict(stage, 240)
    bad(export(stage, folder).run(), "PossiblyCut")
    assert not (folder / "manifest.json").exists()


@pytest.mark.parametrize("switch", ["fails", "no_data", "empty_file"])
def test_an_empty_window(stage: Stage, folder: Path, switch: str) -> None:
    stage.service.switches(empty_export=switch)
    assert "nothing to export" in bad(export(stage, folder).run(), "NoRows")
    assert export(stage, folder, if_empty="skip").run().state == "skipped"
    assert created(stage) == 0
    assert not folder.exists()


# --- models and windows -------------------------------------------------------------------------------------------


def replace(stage: Stage, at: str) -> None:
    stage.service.change("deployments", DEPLOYMENT, modelPackageId="64d000000000000000000003", deployedAt=at)


@pytest.mark.parametrize("at", ["2026-03-01T12:00:00Z", "2026-03-02T06:00:00Z"], ids=["inside", "after"])
def test_a_window_across_a_champion_change(stage: Stage, folder: Path, at: str) -> None:
    """Rule 12: an export holds one model; the other's rows would be lost silently."""
    predict(stage, 24)
    replace(stage, at)
    predict(stage, 12, start="2026-03-01T12:00:00Z", prefix="new-", modelId=NEXT_MODEL)
    told = bad(export(stage, folder).run(), "ChampionChanged")
    assert "model_ids" in told
    assert created(stage) == 0
    result = good(export(stage, folder, model_ids=[MODEL, NEXT_MODEL]).run())
    assert (result["rows"], result["files"]) == (36, 2)
    assert {file["model_id"]: file["rows"] for file in manifest(folder)["files"]} == {MODEL: 24, NEXT_MODEL: 12}


def test_a_champion_of_the_first_minute_is_fine(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    stage.service.change("deployments", DEPLOYMENT, deployedAt=START)
    assert good(export(stage, folder).run())["rows"] == 24


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-02-28T00:00:00+01:00", "2026-03-01T00:00:00+01:00", 24),
        ("2025-10-26T00:00:00+02:00", "2025-10-27T00:00:00+01:00", 25),
        ("2026-02-28T00:00:00", "2026-02-28T02:00:00", 2),
    ],
    ids=["a zone", "a day of 25 hours", "naive is UTC"],
)
def test_windows_are_moments(stage: Stage, folder: Path, start: str, end: str, hours: int) -> None:
    from datetime import datetime

    from airflow_provider.mlops.export_windows import whole_hours

    window = whole_hours(start, end)
    assert window.hours == hours
    first = window.start
    predict(stage, hours, start=first.isoformat(), end=window.end.isoformat())
    predict(stage, 5, start=window.end.isoformat(), end=END, prefix="after-")
    assert good(export(stage, folder, window_start=start, window_end=end).run())["rows"] == hours
    assert datetime.fromisoformat(times(folder)[0]) == first


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"window_start": "2026-03-01T00:30:00Z"}, "on the hour"),
        ({"window_start": "2026-03-01T00:00:00+05:30"}, "on the hour"),
        ({"window_start": "yesterday"}, "2026-03-01T00:00:00Z, not 'yesterday'"),
        ({"window_start": END, "window_end": START}, "before it begins"),
        ({"window_end": "2026-03-02T09:00:00Z"}, "not over yet"),
        ({"format": "xlsx"}, "format must be one of csv, parquet"),
        ({"if_exists": "append"}, "if_exists must be one of overwrite, error, skip"),
        ({"path": ""}, "path"),
        ({"row_limit": 0}, "row_limit"),
        ({"model_ids": ["a/b"]}, "model_ids"),
    ],
    ids=str,
)
def test_bad_input_is_told_before_anything_is_written(
    stage: Stage, folder: Path, given: dict[str, Any], told: str
) -> None:
    ending = export(stage, folder, **given).run()
    assert told in bad(ending, "InvalidCall")
    assert stage.service.accepted() == {}
    assert not folder.exists()


def test_batches(stage: Stage, folder: Path) -> None:
    batch = call(stage, "monitoringBatches/", batchName="March")["id"]
    row = {"predicted": 0.5, "timestamp": "2026-03-01T10:00:00Z", "batchId": batch}
    stage.service.predictions(DEPLOYMENT, data=[row] * 3)
    predict(stage, 5)
    result = good(export(stage, folder, batch_ids=batch).run())
    assert (result["rows"], result["planned_rows"]) == (3, None)
    stage.service.lie("export_without_data")
    bad(export(stage, folder, batch_ids=[batch]).run(), "NoRows")


# --- actuals and training data ------------------------------------------------------------------------------------


def test_actuals(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    give_actuals(stage, 10)
    task = actuals(stage, folder)
    result = good(task.run())
    assert (result["rows"], result["planned_rows"]) == (10, 10)
    assert {row["association_id"] for row in lines(folder)} == {f"row-{n}" for n in range(10)}
    give_actuals(stage, 12)  # late labels
    assert good(actuals(stage, folder).run())["rows"] == 12
    assert created(stage) == 2


@pytest.mark.parametrize("ends", ["303", "200_completed", "200_completed_with_location"])
def test_training_data(stage: Stage, folder: Path, ends: str) -> None:
    """wire.md H: the job ends at the dataset, and the export shows up in the list."""
    stage.service.switches(job_end=ends)
    assert good(training(stage, folder).run())["rows"] == 50
    [file] = manifest(folder)["files"]
    assert (file["model_id"], file["export_id"] is not None) == (MODEL, True)
    assert good(training(stage, folder, model_id=MODEL).run())["rows"] == 50
    assert manifest(folder)["files"][0]["reused"] is True
    assert created(stage) == 1
    good(training(stage, folder, reuse=False).run())
    assert created(stage) == 2


@pytest.mark.parametrize(
    ("ends", "dataset", "words"),
    [
        ("303", "processing", "documented"),
        ("200_completed", "ready", "running"),
        ("200_completed_with_location", "processing", "running"),
    ],
)
def test_whatever_the_service_says_at_the_end(stage: Stage, folder: Path, ends: str, dataset: str, words: str) -> None:
    stage.service.switches(job_end=ends, export_dataset=dataset, export_words=words, lag=2, page_size=2)
    predict(stage, 24)
    assert good(export(stage, folder).run())["rows"] == 24


# --- the same again -----------------------------------------------------------------------------------------------


def test_an_equal_export_is_reused_when_it_is_not_stale(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    good(export(stage, folder).run())
    result = good(export(stage, folder.parent / "other").run())
    assert result["rows"] == 24
    assert manifest(folder.parent / "other")["files"][0]["reused"] is True
    assert created(stage) == 1
    predict(stage, 3, prefix="late-")  # rows that came after the first export
    assert good(export(stage, folder).run())["rows"] == 27
    assert good(export(stage, folder, reuse=False).run())["rows"] == 27
    assert created(stage) == 3


def test_an_export_made_before_its_window_was_closed_is_stale(stage: Stage, folder: Path) -> None:
    predict(stage, 24, start="2026-03-02T07:00:00Z", end="2026-03-02T08:00:00Z")
    times = {"window_start": "2026-03-02T07:00:00Z", "window_end": "2026-03-02T08:00:00Z"}
    good(export(stage, folder, **times, settle=600).run())  # the stage begins at eight
    good(export(stage, folder, **times, settle=600).run())
    assert created(stage) == 2
    stage.sleep(700)
    good(export(stage, folder, **times, settle=600).run())
    assert created(stage) == 3
    good(export(stage, folder, **times, settle=600).run())
    assert created(stage) == 3


def test_an_equal_one_of_ours_under_way_is_adopted_and_never_cancelled(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    call(stage, "predictionDataExports/", start=START, end=END, modelId=MODEL)
    task = export(stage, folder, created_by=REQUESTER, reuse=False)
    assert good(task.run())["rows"] == 24
    assert created(stage) == 1
    assert task.trigger.get("cancel") is None


@pytest.mark.parametrize(
    "other",
    [
        {"end": "2026-03-01T23:00:00Z"},
        {"modelId": NEXT_MODEL},
        {"augmentationType": "ACTUALS"},
        {"token": "admin-token"},
    ],
    ids=str,
)
def test_another_one_under_way_is_not(stage: Stage, folder: Path, other: dict[str, Any]) -> None:
    predict(stage, 24)
    call(stage, "predictionDataExports/", **{"start": START, "end": END, "modelId": MODEL, **other})
    good(export(stage, folder, created_by=REQUESTER, reuse=False).run())
    assert created(stage) == 2


def test_without_knowing_who_we_are_nothing_is_adopted(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    call(stage, "predictionDataExports/", start=START, end=END, modelId=MODEL)
    good(export(stage, folder, reuse=False).run())
    assert created(stage) == 2


# --- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "deferrable"), [("entity", False), ("entity", True), ("job", True)])
def test_failed_after_its_job_ended_well_is_a_failure(stage: Stage, folder: Path, where: str, deferrable: bool) -> None:
    stage.service.switches(export_failure=where)
    predict(stage, 24)
    stage.service.jobs("dataExport", failsWith="Out of memory.", times=1)
    task = export(stage, folder, deferrable=deferrable, retries=1)
    assert good(task.run())["rows"] == 24
    assert "Out of memory." in bad(task.endings[0], "JobFailed", "retry")
    assert created(stage) == 2


@pytest.mark.parametrize("kind", ["expired_job", "job_404"])
def test_the_export_tells_where_its_status_object_is_lost(stage: Stage, folder: Path, kind: str) -> None:
    predict(stage, 24)
    stage.service.fault(kind, operationId="getStatus", times=0)
    assert good(export(stage, folder).run())["rows"] == 24


@pytest.mark.parametrize("expired", [True, False], ids=["expired", "deleted"])
def test_a_dataset_that_goes_under_us(stage: Stage, folder: Path, expired: bool) -> None:
    predict(stage, 24)

    def goes() -> None:
        import httpx

        stage.service.advance(31)
        if expired:
            stage.service.advance(86_500)
            stage.service.switches(export_expiry="never")
            return
        [dataset] = stage.service.world("datasets")
        head = {"Authorization": "Bearer requester-token"}
        httpx.delete(f"{stage.service.endpoint}/datasets/{dataset}/", headers=head, trust_env=False)

    stage.service.switches(export_expiry="a_day")
    stage.while_away(goes)
    task = export(stage, folder, retries=1)
    assert good(task.run())["rows"] == 24
    assert "DatasetGone" in str(task.endings[0].error)
    assert created(stage) == 2


@pytest.mark.parametrize("switch", ["refuse_422", "refuse_409", "oldest_goes"])
def test_a_full_catalog(stage: Stage, folder: Path, switch: str) -> None:
    stage.service.switches(export_row_limit="1000", export_places="2", export_places_full=switch)
    predict(stage, 2400)
    task = export(stage, folder, row_limit=1000)
    ending = task.run()
    assert (ending.state == "success") is (switch == "oldest_goes")
    if switch != "oldest_goes":
        assert "delete old ones" in str(ending.error)
    stage.anew(export_row_limit="1000", export_places="2", export_places_full=switch)
    predict(stage, 2400)
    assert good(export(stage, folder, row_limit=1000, delete_datasets=True).run())["files"] == 3
    assert all(one["deleted"] for one in stage.service.world("datasets").values())


def test_a_deadline_cancels_the_export(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    stage.service.jobs("dataExport", stuck=True)
    bad(export(stage, folder, timeout=600).run(), "WaitTimedOut")
    assert stage.service.count("exportCancelled") == 1
    bad(export(stage, folder, timeout=600, on_timeout="leave").run(), "WaitTimedOut")
    assert stage.service.count("exportCancelled") == 1


def test_a_kill_cancels_the_export(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    task = export(stage, folder)
    good(task.run())
    assert task.trigger["cancel"]["operation"] == "updateDeploymentPredictionDataExport"
    stage.service.jobs("dataExport", stuck=True)
    waiting = export(stage, folder, deferrable=False, reuse=False)
    stage.at(20, lambda: waiting.operator.on_kill())
    assert "CANCELLED" in bad(waiting.run(), "JobFailed", "retry")
    assert stage.service.count("exportCancelled") == 1


def test_an_object_store(stage: Stage, tmp_path: Path) -> None:
    """Nothing is appended or renamed there; progress goes, and so do the files of the former export."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath
    from airflow.sdk.io import attach
    from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

    predict(stage, 24)
    given = {"staging": str(tmp_path)}
    assert "nowhere" in bad(export(stage, "nowhere://bucket/out", **given).run(), "InvalidCall")
    attach("memory", fs=MemoryFileSystem())
    place = ObjectStoragePath(f"memory://bucket/{tmp_path.name}")
    assert good(export(stage, str(place), row_limit=20, **given).run())["files"] == 2
    assert good(export(stage, str(place), **given).run())["files"] == 1
    names = sorted(one.name for one in place.iterdir())
    told = json.loads((place / "manifest.json").read_bytes())
    assert names == ["manifest.json", told["files"][0]["name"]]


def test_a_plan_sends_and_writes_nothing(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    plan = good(export(stage, folder, plan_only=True).run())["plan"]
    assert (plan["operation"], plan["body"]) == (CREATE, {"modelId": MODEL, "start": START, "end": END})
    assert created(stage) == 0
    assert not folder.exists()


# --- the folder ---------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_an_export_already(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    first = good(export(stage, folder, row_limit=20).run())
    assert first["files"] == 2
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bad(export(stage, folder, if_exists="error").run(), "TargetExists")
    skipped = good(export(stage, folder, if_exists="skip").run())
    assert skipped == {**first, "skipped": True}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    good(export(stage, folder).run())
    assert manifest(folder)["files"][0]["name"] not in before


def test_a_rerun_that_fails_leaves_the_former_export(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    good(export(stage, folder).run())
    before = manifest(folder)
    stage.service.jobs("dataExport", failsWith="Out of memory.")
    bad(export(stage, folder, reuse=False).run(), "JobFailed", "retry")
    assert json.loads((folder / "manifest.json").read_text()) == before
    stage.service.jobs("dataExport", seconds=5)
    again = good(export(stage, folder, reuse=False).run())
    assert manifest(folder)["files"][0]["export_id"] != before["files"][0]["export_id"]
    assert again["rows"] == 24


def test_progress_of_somebody_else_is_begun_anew(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    (folder / "_progress").mkdir(parents=True)
    (folder / "_progress" / "plan.json").write_text('{"key": "another", "pieces": []}')
    (folder / "_progress" / "notes.json").write_text("no JSON")
    assert good(export(stage, folder).run())["rows"] == 24
    manifest(folder)


def test_what_is_in_the_folder_besides_stays(stage: Stage, folder: Path) -> None:
    predict(stage, 24)
    folder.mkdir()
    (folder / "README").write_text("mine")
    good(export(stage, folder).run())
    good(export(stage, folder).run())
    assert (folder / "README").read_text() == "mine"


def test_parquet(stage: Stage, folder: Path) -> None:
    from pyarrow import parquet

    predict(stage, 24)
    stage.service.predictions(DEPLOYMENT, data=[{"predicted": 0.25, "timestamp": START, "associationId": "00042"}])
    good(export(stage, folder, format="parquet").run())
    told = manifest(folder)
    [file] = told["files"]
    table = parquet.read_table(folder / file["name"])
    assert (table.num_rows, file["rows"]) == (25, 25)
    assert "00042" in table.column("customer_id").to_pylist()
    assert [one["type"] for one in told["schemas"][0]] == ["timestamp", "text", "number", "number"]
    assert file["source_sha256"] != file["sha256"]
    assert not list((folder.parent / "staging").iterdir())


def test_parquet_without_pyarrow(stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs pyarrow" in bad(export(stage, folder, format="parquet").run(), "InvalidCall")
    assert stage.service.log() == []


def test_no_room_at_the_target(stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from airflow_provider.tasks import files

    predict(stage, 24)
    put = files.put

    def full(stream: Any, target: Any) -> None:
        if target.name.endswith(".csv"):
            raise OSError(errno.ENOSPC, "No space left on device")
        put(stream, target)

    monkeypatch.setattr(files, "put", full)
    assert "no room left" in bad(export(stage, folder).run(), "NoRoom", "retry")
    assert not list(folder.glob("*.csv"))
    assert not (folder / "manifest.json").exists()
    monkeypatch.setattr(files, "put", put)
    assert good(export(stage, folder).run())["rows"] == 24
    assert json.loads((folder / "manifest.json").read_text())["rows"] == 24
