"""Nights of the upload operator: what is sent, what is not, and what is said about it."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.actuals.uploading import LABELLED, REGRESSION, accepted, answers, counts, pairs, stored, upload, write

if TYPE_CHECKING:
    from tests.harness import Stage

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
ROWS = pairs(95)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "outcomes.csv", ROWS)


def ledger(file: Path) -> list[str]:
    return sorted(one.name for one in Path(f"{file}.ledger").iterdir())


# --- a normal night -------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
def test_a_normal_night(stage: Stage, file: Path, deferrable: bool, store: bool) -> None:
    night = upload(stage, file, deferrable=deferrable, store=store)
    done = night.run()
    assert counts(done) == (95, 95, 0, 0, 0, 0)
    assert done.result["rejects"] is None
    assert done.result["state"] == f"{file}.ledger"
    assert (done.result["share_rejected"], done.result["reasons"]) == (0.0, {})
    assert stored(stage.service) == dict(ROWS)
    assert set(accepted(stage.service).values()) == {1}
    assert answers(stage.service) == [202] * 10
    assert night.deferrals == (1 if deferrable else 0), "ten jobs are one wait, and the file is read once"
    assert ledger(file) == [
        "000001.intended.json",
        "000002.sent.json",
        "000003.intended.json",
        "000004.sent.json",
        "000005.over.json",
    ]


def test_a_rerun_sends_nothing(stage: Stage, file: Path) -> None:
    upload(stage, file).run()
    rerun = upload(stage, file, run_id="run-2")
    assert counts(rerun.run()) == (95, 0, 0, 95, 0, 0)
    assert (len(answers(stage.service)), rerun.deferrals) == (10, 0)


def test_a_cleared_task_tells_what_its_run_has_sent(stage: Stage, file: Path) -> None:
    night = upload(stage, file)
    night.run()
    assert counts(night.run()) == (95, 95, 0, 0, 0, 0)
    assert len(answers(stage.service)) == 10


def test_each_interval_has_its_own_file_and_ledger(stage: Stage, tmp_path: Path) -> None:
    """A backfill: nights in any order, each of them once."""
    for day in (3, 1, 2, 1):
        file = write(tmp_path / f"2026-03-0{day}.csv", pairs(30, 30 * day))
        upload(stage, file, run_id=f"backfill-{day}").run()
    assert len(answers(stage.service)) == 9
    assert stored(stage.service) == dict(pairs(90, 30))


@pytest.mark.parametrize("offset", [-600, 600], ids=["behind", "ahead"])
def test_the_clock_of_the_service_may_differ(stage: Stage, file: Path, offset: float) -> None:
    stage.service.clock(offset=offset)
    stage.service.switches(quota_rows="1000")
    assert counts(upload(stage, file, hourly_budget=1000).run()) == (95, 95, 0, 0, 0, 0)


def test_all_columns_arrive(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", "7", "yes", "2026-03-01T10:00:00+02:00", "true"), ("a", "8", "no", "2026-03-01 10:00", "")]
    file = write(tmp_path / "outcomes.csv", rows, "account,day,outcome,at,acted")
    done = upload(
        stage,
        file,
        association_id_column=["account", "day"],
        id_separator="/",
        timestamp_column="at",
        was_acted_on_column="acted",
        keep_actuals_without_predictions="True",
    ).run()
    assert counts(done) == (2, 2, 0, 0, 0, 0)
    stage.service.advance(60)
    assert stage.service.actuals(LABELLED, values=True)["values"] == {
        "a/7": {"actualValue": "yes", "wasActedOn": True, "timestamp": "2026-03-01T08:00:00.000000Z"},
        "a/8": {"actualValue": "no", "wasActedOn": None, "timestamp": "2026-03-01T10:00:00.000000Z"},
    }
    assert "1 timestamps had no zone and were taken as UTC" in capsys.readouterr().out


@pytest.mark.parametrize(("keep", "left"), [(True, 3), ("False", 2), (None, 3)])
def test_actuals_without_predictions_as_the_argument_says(stage: Stage, tmp_path: Path, keep: Any, left: int) -> None:
    stage.service.predictions(LABELLED, rows=2)
    file = write(tmp_path / "outcomes.csv", pairs(3))
    upload(stage, file, keep_actuals_without_predictions=keep).run()
    assert len(stored(stage.service)) == left


def test_numbers_for_regression(stage: Stage, tmp_path: Path) -> None:
    stage.service.change("deployments", LABELLED, modelPackageId=REGRESSION)
    file = write(tmp_path / "outcomes.csv", [("a", "1.5"), ("b", "yes"), ("c", "-2")])
    assert counts(upload(stage, file, max_rejected=1).run()) == (3, 2, 1, 0, 0, 0)
    assert stored(stage.service) == {"a": 1.5, "c": -2.0}


# --- sources --------------------------------------------------------------------------------------------------------


def yesterday() -> Iterator[dict[str, Any]]:
    yield from ({"id": key, "outcome": value} for key, value in ROWS)


@pytest.mark.parametrize("kind", ["list", "callable", "sql"])
def test_sources_without_a_place_need_a_state_path(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from airflow.providers.common.compat.sdk import BaseHook

    connection = Connection([{"id": key, "outcome": value} for key, value in ROWS])
    monkeypatch.setattr(BaseHook, "get_hook", lambda *arguments: SimpleNamespace(get_conn=lambda: connection))
    source: Any = {"list": list(yesterday()), "callable": yesterday, "sql": None}[kind]
    query: dict[str, Any] = (
        {"sql": "SELECT id, outcome ORDER BY id", "sql_conn_id": "warehouse"} if kind == "sql" else {}
    )
    refused = upload(stage, source, **query).run()
    assert refused.state == "failed"
    assert "state_path is needed" in str(refused.error)
    assert stage.service.log() == []
    state = tmp_path / "state"
    for run_id, sent in (("run-1", 95), ("run-2", 0)):
        done = upload(stage, source, run_id=run_id, state_path=str(state), **query).run()
        assert counts(done)[:2] == (95, sent)
    assert set(accepted(stage.service).values()) == {1}
    assert (tmp_path / "state").is_dir()


class Connection:
    """A database that knows one answer."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def cursor(self) -> Any:
        left = [tuple(row.values()) for row in self.rows]
        description = [(name,) for name in self.rows[0]]
        return SimpleNamespace(
            execute=lambda sql: None,
            fetchmany=lambda count: [left.pop(0) for _ in left[:count]],
            description=description,
        )

    def close(self) -> None:
        pass


@pytest.mark.parametrize("name", ["outcomes.jsonl", "outcomes.csv.gz", "outcomes.parquet"])
def test_files_of_other_kinds(stage: Stage, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
        import pyarrow
        import pyarrow.parquet

        columns = {"id": [key for key, _ in ROWS], "outcome": [value for _, value in ROWS]}
        pyarrow.parquet.write_table(pyarrow.table(columns), file)
    elif name.endswith("gz"):
        file.write_bytes(gzip.compress(write(tmp_path / "plain.csv", ROWS).read_bytes()))
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in yesterday()))
    assert counts(upload(stage, file).run()) == (95, 95, 0, 0, 0, 0)
    assert stored(stage.service) == dict(ROWS)


# --- duplicates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duplicates", "account", "value"),
    [
        ("last", (97, 96, 0, 1, 0, 0), "yes"),
        ("first", (97, 95, 0, 2, 0, 0), "no"),
        ("ignore", (97, 97, 0, 0, 0, 0), None),
    ],
)
def test_an_id_that_comes_back(
    stage: Stage, tmp_path: Path, duplicates: str, account: tuple[int, ...], value: str | None
) -> None:
    file = write(tmp_path / "outcomes.csv", [*ROWS, ("row-0", "no"), ("row-0", "yes")])
    assert counts(upload(stage, file, duplicates=duplicates).run()) == account
    found = stored(stage.service)
    assert len(found) == 95
    assert value is None or found["row-0"] == value


def test_an_id_that_comes_back_as_an_error(stage: Stage, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", [*pairs(5), ("row-0", "no")])
    done = upload(stage, file, duplicates="error").run()
    assert done.state == "failed"
    assert "DuplicateId: line 7: association id 'row-0' stands in the input before" in str(done.error)
    assert answers(stage.service) == []


# --- rejects --------------------------------------------------------------------------------------------------------

BAD = [*pairs(12), ("", "yes"), ("x" * 129, "no"), ("p", "perhaps"), ("q", ""), *pairs(12, 12)]


@pytest.mark.parametrize("most", [4, "4", 0.15, "0.15"])
def test_refused_rows_are_told_and_allowed(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], most: Any
) -> None:
    file = write(tmp_path / "outcomes.csv", BAD)
    done = upload(stage, file, max_rejected=most).run()
    assert counts(done) == (28, 24, 4, 0, 0, 0)
    assert done.result["share_rejected"] == pytest.approx(4 / 28)
    assert done.result["reasons"] == {
        "association id is empty": 1,
        "association id is longer than 128 characters": 1,
        "actual value is not one of yes, no": 1,
        "actual value is empty": 1,
    }
    assert done.result["rejects"] == f"{file}.rejects.jsonl"
    lines = [json.loads(line) for line in Path(f"{file}.rejects.jsonl").read_text().splitlines()]
    assert [(one["line"], one["row"][:2]) for one in lines] == [
        (line, list(row)) for line, row in enumerate(BAD[12:16], 14)
    ]
    assert "'rejected': 4" in capsys.readouterr().out
    assert stored(stage.service) == dict(pairs(24))


@pytest.mark.parametrize(("most", "sent"), [(0, 40), (3, 40), (0.05, 60)])
def test_too_many_refused_rows_fail_the_task_and_nothing_more_is_sent(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], most: float, sent: int
) -> None:
    """The rest is read all the same: every reject is in the file. Of a short input a share is judged at its end."""
    file = write(tmp_path / "outcomes.csv", [*pairs(40, 100), *BAD])
    done = upload(stage, file, max_rejected=most, in_flight=1).run()
    assert done.state == "failed"
    assert re.search(rf"TooManyRejected: 4 of .*68 rows.*; allowed are {most:g}", str(done.error))
    assert len(Path(f"{file}.rejects.jsonl").read_text().splitlines()) == 4
    assert len(accepted(stage.service)) == sent
    told = "Account so far: {'read': 68, 'sent': 0, 'rejected': 4, 'skipped': 0, 'pending': 64, 'repeated': 0}"
    assert told in capsys.readouterr().out


def test_rejects_go_where_the_user_says(stage: Stage, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", BAD)
    done = upload(stage, file, max_rejected=10, rejects_path=str(tmp_path / "bad" / "today.jsonl")).run()
    assert done.result["rejects"] == f"{tmp_path}/bad/today.jsonl"
    assert (tmp_path / "bad" / "today.jsonl").exists()


def test_rows_mended_after_a_failure_are_sent_and_the_others_are_not_sent_again(stage: Stage, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", [*pairs(25), ("row-25", "perhaps"), *pairs(9, 26)])
    assert upload(stage, file, in_flight=1).run().state == "failed"
    assert len(accepted(stage.service)) == 10
    write(file, pairs(35))
    assert counts(upload(stage, file, run_id="run-2").run()) == (35, 25, 0, 10, 0, 0)
    assert stored(stage.service) == dict(pairs(35))
    assert set(accepted(stage.service).values()) == {1}


# --- changed input --------------------------------------------------------------------------------------------------


def test_a_changed_input_is_noticed(stage: Stage, file: Path) -> None:
    upload(stage, file).run()
    write(file, [*ROWS[:50], ("row-50", "no"), *ROWS[51:]])
    changed = upload(stage, file, run_id="run-2").run()
    assert changed.state == "failed"
    assert "ChangedInput: chunk 5 (10 rows) is not what it was when the upload began" in str(changed.error)
    assert len(answers(stage.service)) == 10
    again = upload(stage, file, run_id="run-3", on_changed_input="resend").run()
    assert counts(again) == (95, 10, 0, 85, 0, 0)
    assert stored(stage.service) == dict(ROWS) | {"row-50": "no"}


def test_a_file_that_changes_while_it_is_read(stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider.tasks import files

    states = iter([files.FileState(1), files.FileState(2)])
    monkeypatch.setattr(files, "state_of", lambda path: next(states))
    done = upload(stage, file).run()
    assert done.state == "failed"
    assert "UnreadableSource: " in str(done.error)
    assert "was changed while it was read" in str(done.error)
    assert len(accepted(stage.service)) <= 80


# --- before anything is sent ----------------------------------------------------------------------------------------


def test_without_an_association_id_there_is_one_clear_error(stage: Stage, file: Path) -> None:
    stage.service.change("deployments", LABELLED, settings={"associationId": {"columnNames": []}})
    done = upload(stage, file).run()
    assert done.state == "failed"
    assert "AssociationIdMissing" in str(done.error)
    assert "DataRobotSetAssociationIdOperator" in str(done.error)
    assert answers(stage.service) == []


def test_a_plan_reads_and_sends_nothing(stage: Stage, tmp_path: Path) -> None:
    file = write(tmp_path / "outcomes.csv", BAD)
    done = upload(stage, file, plan_only="True", hourly_budget=10).run()
    plan = done.result["plan"]
    assert {name: plan[name] for name in ("read", "rejected", "requests", "seconds_of_quota")} == {
        "read": 28, "rejected": 4, "requests": 3, "seconds_of_quota": 7200.0
    }  # fmt: skip
    assert plan["reasons"]["actual value is empty"] == 1
    assert stage.service.accepted() == {}
    assert [one.name for one in tmp_path.iterdir()] == ["outcomes.csv"]


def test_a_source_that_is_not_there_is_worth_a_retry(stage: Stage, tmp_path: Path) -> None:
    night = upload(stage, tmp_path / "outcomes.csv", retries=2)
    ready = write(tmp_path / "ready.csv", ROWS)
    stage.at(400, lambda: os.rename(ready, tmp_path / "outcomes.csv"))
    assert counts(night.run())[1] == 95
    assert [ending.state for ending in night.endings] == ["retry", "retry", "success"]


def test_an_input_without_rows_is_told(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert counts(upload(stage, write(tmp_path / "outcomes.csv", [])).run()) == (0, 0, 0, 0, 0, 0)
    assert "has no rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the source is empty"),
        ("id;outcome\na;yes\n", "is the delimiter right?"),
        ("id,label\na,yes\n", "column 'outcome' is there 0 times"),
    ],
)
def test_a_source_that_cannot_be_read(stage: Stage, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(text)
    done = upload(stage, file).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert answers(stage.service) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deployment_id": "a b"}, "deployment_id must be an id"),
        ({"source": None}, "give exactly one of source and sql"),
        ({"sql": "SELECT"}, "give exactly one of source and sql"),
        ({"source": None, "sql": "SELECT"}, "sql_conn_id must be an id"),
        ({"source": 5}, "source must be a path, a list or a callable, not int"),
        ({"source": "s3://bucket/outcomes"}, "give format=csv|jsonl|parquet"),
        ({"association_id_column": []}, "association_id_column must name at least one column"),
        ({"actual_value_column": ""}, "actual_value_column must be a text"),
        ({"format": "xlsx"}, "format must be one of csv, jsonl, parquet"),
        ({"encoding": "utf-99"}, "encoding is 'utf-99', which Python does not know"),
        ({"delimiter": "||"}, "delimiter must be one character"),
        ({"quotechar": ""}, "quotechar must be one character"),
        ({"duplicates": "some"}, "duplicates must be one of last, first, error, ignore"),
        ({"max_rejected": -1}, "max_rejected must be a whole number, or a share below 1"),
        ({"max_rejected": 1.5}, "max_rejected must be a whole number, or a share below 1"),
        ({"max_rejected": "few"}, "max_rejected must be a whole number, or a share below 1"),
        ({"on_changed_input": "ask"}, "on_changed_input must be one of fail, resend"),
        ({"keep_actuals_without_predictions": "perhaps"}, "keep_actuals_without_predictions must be true or false"),
        ({"hourly_budget": 0}, "hourly_budget must be a whole number from 1 on"),
        ({"weight": "heavy"}, "weight must be a whole number from 1 on"),
        ({"in_flight": 0}, "in_flight must be a whole number from 1 on"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_arguments_are_refused_before_anything_is_asked(
    stage: Stage, file: Path, given: dict[str, Any], told: str
) -> None:
    done = upload(stage, given.pop("source", file), **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []


def test_a_row_that_counts_more_than_an_hour_has(stage: Stage, file: Path) -> None:
    done = upload(stage, file, weight=20, hourly_budget=10).run()
    assert done.state == "failed"
    assert "hourly_budget is 10, and one row alone counts 20 times" in str(done.error)
