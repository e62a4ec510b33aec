"""Values of custom metrics as tasks: checked before, sent in chunks, each at most once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.custom_metrics.metrics import create, rows, stored, submit
from tests.harness import Crash, Crashing

if TYPE_CHECKING:
    from tests.harness import Stage

SUBMIT = "submitDeploymentCustomMetricValuesFromJson"
CHUNK = 3  # values of a call in these tests
LOST = [{"answer": "reset"}, {"answer": 504}]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider.mlops import metric_values

    monkeypatch.setattr(metric_values, "CHUNK", CHUNK)


@pytest.fixture
def metric(stage: Stage) -> str:
    return str(create(stage).run().result["custom_metric_id"])


@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_values_go_in_chunks(stage: Stage, metric: str, deferrable: bool) -> None:
    task = submit(stage, source=rows(stage, 7), deferrable=deferrable)
    done = task.run()
    assert done.state == "success", done
    assert done.result == {
        "custom_metric_id": metric,
        "rows": 7,
        "sent": 7,
        "skipped": 0,
        "rejected": 0,
        "naive": 0,
    }
    assert stored(stage) == (7, 7)
    assert stage.service.accepted()[SUBMIT] == 3
    assert task.deferrals == (3 if deferrable else 0)


def test_a_clear_after_the_end_sends_nothing_again(stage: Stage, metric: str) -> None:
    task = submit(stage, source=rows(stage, 4))
    task.run()
    again = task.clear()
    assert (again.result["sent"], again.result["skipped"]) == (0, 4)
    assert stored(stage) == (4, 4)


def test_a_source_that_has_grown_gives_the_rest(stage: Stage, metric: str) -> None:
    given = rows(stage, 4)
    task = submit(stage, source=lambda: given)
    task.run()
    given += rows(stage, 2)
    again = task.clear()
    assert (again.result["rows"], again.result["sent"], again.result["skipped"]) == (6, 2, 4)
    assert stored(stage) == (6, 6)


def test_a_source_that_has_changed_is_told(stage: Stage, metric: str) -> None:
    given = rows(stage, 4)
    task = submit(stage, source=lambda: given)
    task.run()
    given[0]["value"] = 9
    again = task.clear()
    assert again.state == "failed"
    assert str(again.error).startswith("ChangedValues")
    assert stored(stage) == (4, 4)


def test_resend_is_a_wish(stage: Stage, metric: str) -> None:
    task = submit(stage, source=rows(stage, 4), resend=True)
    task.run()
    assert task.clear().result["sent"] == 4
    assert stored(stage) == (8, 8)


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_is_told_and_nothing_is_sent_twice(stage: Stage, metric: str, fault: Any, nth: int) -> None:
    """The values arrived, and nobody can know: the task fails. Somebody looks, and clears it or does not."""
    stage.service.fault("lost_answer", operationId=SUBMIT, nth=nth, **fault)
    task = submit(stage, source=rows(stage, 7), retries=3)
    ending = task.run()
    assert ending.state == "failed"
    assert "OutcomeUnknown" in str(ending.error)
    assert "getDeploymentCustomMetricValuesOverTime" in str(ending.error)
    assert stage.service.accepted()[SUBMIT] == nth
    again = task.clear()  # they want it again: only what is not known to be there
    assert again.state == "success", again
    twice = min(CHUNK, 7 - (nth - 1) * CHUNK)
    assert stored(stage) == (7 + twice, 7 + twice)
    assert stage.service.accepted()[SUBMIT] == 3 + 1


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_request_that_was_turned_away_is_sent_by_the_next_attempt(stage: Stage, metric: str, nth: int) -> None:
    stage.service.fault("retry_after", operationId=SUBMIT, nth=nth, times=5, code=429, seconds=400)
    done = submit(stage, source=rows(stage, 7), retries=9).run()
    assert done.state == "success", done
    assert stored(stage) == (7, 7)
    assert stage.service.accepted()[SUBMIT] == 3


@pytest.mark.parametrize("after", [False, True], ids=["before it is sent", "after it is sent"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_worker_that_dies(stage: Stage, metric: str, monkeypatch: pytest.MonkeyPatch, nth: int, after: bool) -> None:
    """Nobody knows whether the call went out: the next attempt sends nothing, and says so."""
    from tests import harness

    monkeypatch.setitem(harness.LINES, SUBMIT, r"POST /api/v2/deployments/\w+/customMetrics/\w+/fromJSON/")
    stage.transport = Crashing(nth, after=after, operation=SUBMIT)
    task = submit(stage, source=rows(stage, 7), retries=3)
    ending = task.run()
    assert [one.state for one in task.endings] == ["crashed", "failed"]
    assert isinstance(task.endings[0].error, Crash)
    assert "OutcomeUnknown" in str(ending.error)
    assert f"values {(nth - 1) * CHUNK + 1} to {min(nth * CHUNK, 7)} of the source" in str(ending.error)
    assert stage.service.accepted().get(SUBMIT, 0) == nth - 1 + after
    again = task.clear()
    assert again.state == "success", again
    twice = min(CHUNK, 7 - (nth - 1) * CHUNK) if after else 0
    assert stored(stage) == (7 + twice, 7 + twice)  # a person wanted it


@pytest.mark.parametrize("nth", [1, 2])
def test_a_worker_that_dies_between_answer_and_note_goes_on_behind_it(
    stage: Stage, metric: str, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    from airflow_provider.tasks.run import Run

    counted, remember = [0], Run.remember

    def dies(run: Run, step: Any) -> Any:
        counted[0] += 1
        if counted[0] == nth:
            raise Crash("before the wait is noted")
        return remember(run, step)

    monkeypatch.setattr(Run, "remember", dies)
    done = submit(stage, source=rows(stage, 7), retries=1).run()
    assert done.state == "success", done
    assert stored(stage) == (7, 7)
    assert stage.service.accepted()[SUBMIT] == 3


@pytest.mark.parametrize("lasting", [False, True], ids=["nothing", "a file"])
def test_before_airflow_3_3_a_file_remembers(stage: Stage, metric: str, tmp_path: Path, lasting: bool) -> None:
    given: dict[str, Any] = {"state_path": str(tmp_path / "state.json")} if lasting else {}
    stage.service.fault("status", operationId=SUBMIT, nth=2, code=429, times=0)
    task = submit(stage, source=rows(stage, 7), store=False, retries=1, **given)
    ending = task.run()
    if not lasting:
        assert "an earlier attempt may have sent values, and nothing remembers which" in str(ending.error)
        assert stored(stage) == (3, 3)
        return
    assert ending.state == "retry"
    stage.service.remove_fault()
    done = task.clear()
    assert (done.state, done.result["skipped"]) == ("success", 0)
    assert stored(stage) == (7, 7)
    assert (tmp_path / "state.json").exists()


@pytest.mark.parametrize("half", ["nothing_stored", "half_stored"])
def test_a_job_that_fails_is_told(stage: Stage, half: str) -> None:
    stage.anew(failed_metric_values=half)
    create(stage).run()
    stage.service.fault("failed_job", operationId=SUBMIT, nth=2, message="No room.")
    task = submit(stage, source=rows(stage, 7), retries=2)
    ending = task.run()
    assert ending.state == "failed"
    assert ": values 4 to 6 of the source were accepted" in str(ending.error)
    assert "No room." in str(ending.error)
    assert stage.service.accepted()[SUBMIT] == 2
    assert task.clear().result["sent"] == 4
    assert stored(stage)[1] == (7 if half == "nothing_stored" else 8)


def test_a_job_whose_record_is_gone_is_told(stage: Stage, metric: str) -> None:
    stage.service.fault("job_404", operationId=SUBMIT)
    ending = submit(stage, source=rows(stage, 2)).run()
    assert "ValuesNotTaken" in str(ending.error)


def test_what_an_answer_does_not_point_to_counts_as_sent(stage: Stage, metric: str) -> None:
    stage.service.fault("missing_location", operationId=SUBMIT, times=2)
    done = submit(stage, source=rows(stage, 4)).run()
    assert (done.state, done.result["sent"]) == ("success", 4)
    assert stage.service.accepted()[SUBMIT] == 2


def test_the_service_checks_and_keeps_nothing(stage: Stage, metric: str) -> None:
    done = submit(stage, source=rows(stage, 7), validate_only="True").run()
    assert (done.result["validated"], stored(stage)) == (7, (None, 0))
    assert all(one["body"]["dryRun"] for one in stage.service.log(operationId=SUBMIT))
    assert stage.service.count("metricValuesAccepted") == 0


def test_a_plan_tells_how_much(stage: Stage, metric: str) -> None:
    done = submit(stage, source=rows(stage, 7), plan_only=True).run()
    assert (done.result["values"], done.result["calls"], len(done.result["plan"]["first"])) == (7, 3, 3)
    assert SUBMIT not in stage.service.accepted()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"value": "much", "timestamp": "2026-03-01T00:00:00Z"}, "value is no finite number: 'much'"),
    ({"value": True, "timestamp": "2026-03-01T00:00:00Z"}, "value is no finite number: True"),
    ({"value": float("nan"), "timestamp": "2026-03-01T00:00:00Z"}, "value is no finite number: nan"),
    ({"value": 1, "timestamp": "soon"}, "timestamp is no ISO 8601 time: 'soon'"),
    ({"value": 1, "timestamp": None}, "neither timestamp nor batch"),
    ({"timestamp": "2026-03-01T00:00:00Z"}, "without a column: value"),
]


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_rows_that_are_no_values(stage: Stage, metric: str, row: dict[str, Any], reason: str) -> None:
    given = [*rows(stage, 2), row]
    ending = submit(stage, source=given).run()
    assert ending.state == "failed"
    assert f"ValuesRejected: 1 of 3 rows are no buckets, and 0 may be: line 3: {reason}" in str(ending.error)
    assert SUBMIT not in stage.service.accepted()
    done = submit(stage, source=given, max_rejected=1).run()
    assert (done.result["sent"], done.result["rejected"]) == (2, 1)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "csv.gz", "sql"])
def test_any_source(stage: Stage, metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    given = rows(stage, 4, 2.5)
    columns: dict[str, Any] = {"sample_size_column": "n", "segment_columns": {"country": "c"}}
    if kind == "sql":
        import sqlite3

        file = tmp_path / "values.db"
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE v(value, timestamp, n, c)")
        db.executemany("INSERT INTO v VALUES (?, ?, 2, 'de')", [(one["value"], one["timestamp"]) for one in given])
        db.commit()
        db.close()
        from airflow.providers.common.compat.sdk import BaseHook

        hook = type("Hook", (), {"get_conn": lambda self: sqlite3.connect(file)})
        monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id: hook())
        sql = "SELECT * FROM v ORDER BY timestamp"
        done = submit(stage, sql=sql, sql_conn_id="db", timestamp_column="timestamp", **columns).run()
    else:
        file = tmp_path / f"values.{kind}"
        text = "value,timestamp,n,c\n" + "".join(f"{one['value']},{one['timestamp']},2,de\n" for one in given)
        if kind == "jsonl":
            text = "".join(json.dumps({**one, "n": 2, "c": "de"}) + "\n" for one in given)
        file.write_bytes(gzip.compress(text.encode()) if kind == "csv.gz" else text.encode())
        done = submit(stage, source=str(file), **columns).run()
    assert done.state == "success", done
    assert stored(stage) == (10, 8)
    sent = stage.service.log(operationId=SUBMIT)[0]["body"]["buckets"]["first"]
    assert sent["segments"] == [{"name": "country", "value": "de"}]


def test_a_list_that_a_template_wrote(stage: Stage, metric: str) -> None:
    done = submit(stage, source=" " + json.dumps(rows(stage, 3))).run()
    assert done.result["sent"] == 3
    assert stored(stage) == (3, 3)
    broken = submit(stage, source="[{'value': 1}]").run()
    assert "source begins like a JSON list, and is none" in str(broken.error)


def test_values_of_a_batch_and_of_one_moment(stage: Stage, metric: str) -> None:
    done = submit(stage, source=[{"value": 1}], timestamp="{{ ts }}").run()
    assert "timestamp must be a time like" in str(done.error)
    done = submit(stage, source=[{"value": 1}, {"value": 2}], timestamp="2026-03-02T07:00:00").run()
    assert done.result["sent"] == 2
    assert stored(stage) == (3, 2)
    refused = submit(stage, source=[{"value": 1}], timestamp_column=None, batch_id="5" * 24).run()
    assert "Batch 555555555555555555555555 not found" in str(refused.error)


def test_a_metric_that_is_specific_to_models(stage: Stage) -> None:
    create(stage, model_specific=True).run()
    refused = submit(stage, source=rows(stage, 1)).run()
    assert "give modelId or modelPackageId" in str(refused.error)
    done = submit(stage, source=rows(stage, 1), model_package_id="64d000000000000000000002").run()
    assert done.state == "success", done
    assert stored(stage) == (1, 1)


def dataset(stage: Stage, tmp_path: Path) -> str:
    from airflow_provider.operators.datasets import DataRobotUploadDatasetOperator
    from tests.stages import task

    file = tmp_path / "values.csv"
    given = rows(stage, 5)
    file.write_text("timestamp,value\n" + "".join(f"{one['timestamp']},{one['value']}\n" for one in given))
    result = task(stage, DataRobotUploadDatasetOperator, source=str(file)).run().result
    return str(result["dataset_id"])


FROM_DATASET = "submitDeploymentCustomMetricValuesFromDataset"


def test_values_from_a_dataset(stage: Stage, metric: str, tmp_path: Path) -> None:
    key = dataset(stage, tmp_path)
    task = submit(stage, dataset_id=key, timestamp_column="timestamp")
    done = task.run()
    assert done.result == {"custom_metric_id": metric, "dataset_id": key, "sent": None, "skipped": False}
    assert stored(stage) == (5, 5)
    assert task.clear().result["skipped"] is True
    assert stage.service.accepted()[FROM_DATASET] == 1


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_dataset_is_submitted_at_most_once(stage: Stage, metric: str, tmp_path: Path, fault: Any) -> None:
    key = dataset(stage, tmp_path)
    stage.service.fault("lost_answer", operationId=FROM_DATASET, **fault)
    ending = submit(stage, dataset_id=key, timestamp_column="timestamp", retries=2).run()
    assert "OutcomeUnknown" in str(ending.error)
    assert stage.service.accepted()[FROM_DATASET] == 1


def test_a_dataset_that_lacks_a_column(stage: Stage, metric: str, tmp_path: Path) -> None:
    ending = submit(stage, dataset_id=dataset(stage, tmp_path), value_column="v", timestamp_column="timestamp").run()
    assert "The dataset has no column v." in str(ending.error)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "give exactly one of source, sql and dataset_id"),
        ({"source": [], "dataset_id": "a"}, "give exactly one of source, sql and dataset_id"),
        ({"source": [], "timestamp_column": None}, "values need a time or a monitoring batch"),
        ({"source": [], "timestamp": "2026-03-01", "timestamp_column": "t"}, "timestamp or timestamp_column, not both"),
        ({"source": [], "batch_id": "a", "batch_column": "b"}, "batch_id or batch_column, not both"),
        ({"source": [], "model_id": "a", "model_package_id": "b"}, "model_id or model_package_id, not both"),
        ({"source": [], "timestamp_format": "%Y"}, "timestamp_format is for a dataset"),
        ({"source": [], "segment_columns": {"a": 1}}, "segment_columns must map names of segments to columns"),
        ({"source": 7}, "source must be a path, a list or a callable, not int"),
        ({"dataset_id": "a", "validate_only": True}, "are for rows, not for a dataset"),
        ({"source": [], "max_rejected": "some"}, "max_rejected must be a whole number from 0 on"),
        ({"source": [], "name": None}, "give exactly one of custom_metric_id and name"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(stage: Stage, arguments: Any, told: str) -> None:
    ending = submit(stage, **arguments).run()
    assert ending.state == "failed"
    assert told in str(ending.error)
    assert stage.service.log(user="requester@example.com") == []


def test_a_source_that_changes_while_it_is_sent(stage: Stage, metric: str) -> None:
    given = rows(stage, 7)
    stage.while_away(lambda: given[4].update(value=9))
    ending = submit(stage, source=lambda: given).run()
    assert "ChangedValues: " in str(ending.error)
    assert stored(stage) == (3, 3)
