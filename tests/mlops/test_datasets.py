"""Datasets without Airflow: names, marks, looks, and what ends a wait."""

from __future__ import annotations

import io
import re
from typing import Any

import httpx
import pytest

from airflow_provider.api.client import Client
from airflow_provider.api.errors import JobFailed, OutcomeUnknown, PollBudgetSpent, WaitTimedOut
from airflow_provider.mlops import datasets
from airflow_provider.mlops.datasets import Created, DatasetNotUsable
from tests.api.tools import HERE, ID, Clock, Even, Script, Scripted, says, settings

VERSION = "5e1b6d1c2f8a4b0087654321"
ACCEPTED = {"catalogId": ID, "catalogVersionId": VERSION, "statusId": "5e1b6d1c2f8a4b0011111111"}
JOB = "status/5e1b6d1c2f8a4b0011111111/"
LOST = httpx.ReadTimeout("slow")


def one(state: str = "COMPLETED", **given: Any) -> dict[str, Any]:
    known = {"datasetId": ID, "versionId": VERSION, "name": "rows.csv", "processingState": state, "isSnapshot": True}
    return {**known, "rowCount": 3, **given}


def listed(*found: dict[str, Any], following: str | None = None) -> Scripted:
    return says(200, {"count": len(found), "next": following, "previous": None, "data": list(found)})


def done() -> Scripted:
    return httpx.Response(303, headers={"location": f"{HERE}/datasets/{ID}/"})


def asking(*answers: Scripted) -> tuple[Client, Script, Clock]:
    script, clock = Script(answers), Clock()
    return Client(settings(), sleep=clock.sleep, clock=clock, rng=Even(), transport=script.transport), script, clock


def rows() -> io.BytesIO:
    return io.BytesIO(b"id,label\n1,yes\n")


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mark", "like", "made"),
    [
        ("outcomes.csv", "ab12", "outcomes.csv", "outcomes ab12.csv"),
        ("Outcomes of March", "ab12", "s3://bucket/x/part-0.csv.gz", "Outcomes of March ab12.csv.gz"),
        ("outcomes", None, "x.parquet", "outcomes.parquet"),
        ("model v1.2", "ab12", "data.2026.csv", "model v1.2 ab12.csv"),
        ("outcomes", "ab12", "part-00000", "outcomes ab12"),
        ("a.csv", None, "b.csv", "a.csv"),
    ],
)
def test_names_carry_the_mark_and_the_endings_of_the_source(name: str, mark: str | None, like: str, made: str) -> None:
    assert datasets.file_name(name, mark, like) == made


def test_the_same_parts_make_the_same_mark() -> None:
    mark = datasets.mark_of("dag", "task", 1.5, None)
    assert re.fullmatch("[0-9a-f]{10}", mark)
    assert mark == datasets.mark_of("dag", "task", 1.5, None)
    assert mark != datasets.mark_of("dag", "task", 1.5, 0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", "text/csv"), ("a.CSV", "text/csv"), ("a.csv.gz", "application/gzip"), ("a", "application/octet-stream")],
)
def test_media_types(name: str, kind: str) -> None:
    assert datasets.media_type(name) == kind


# --- looks --------------------------------------------------------------------------------------------------------


def test_a_dataset_is_found_by_its_name_with_or_without_its_endings() -> None:
    for told in ("rows ab12.csv", "rows ab12"):
        client, script, _ = asking(listed(one(name="rows.csv"), one(name=told)))
        found = datasets.find(client, "rows ab12.csv")
        assert found is not None
        assert found["name"] == told
        assert script.lines == ["GET /api/v2/datasets/?offset=0&limit=100&orderBy=-created"]


def test_one_in_error_is_found_only_when_it_counts() -> None:
    client, _, _ = asking(listed(one("ERROR")), listed(one("ERROR")))
    assert datasets.find(client, "rows.csv") is not None
    assert datasets.find(client, "rows.csv", failed=False) is None


def test_a_look_ends_after_a_thousand() -> None:
    others = [one(name="other")] * 500
    client, script, _ = asking(*(listed(*others, following=f"?offset={n}") for n in (500, 1000, 1500)))
    assert datasets.find(client, "rows.csv") is None
    assert len(script.requests) <= 3


# --- uploads ------------------------------------------------------------------------------------------------------


def test_an_upload_tells_its_ids_and_its_job() -> None:
    client, script, _ = asking(says(202, ACCEPTED, Location=f"{HERE}/{JOB}"))
    assert datasets.upload(client, rows(), "rows.csv") == Created(ID, VERSION, JOB)
    assert b'filename="rows.csv"' in script.requests[0].content


def test_a_lost_upload_is_looked_for_and_taken_up() -> None:
    client, script, clock = asking(LOST, listed(), listed(), listed(one()))
    assert datasets.upload(client, rows(), "rows.csv", settle=30) == Created(ID, VERSION, adopted=True)
    assert clock.naps == [30, 5]
    assert [line.split()[0] for line in script.lines] == ["POST", "GET", "GET", "GET"]


def test_a_lost_upload_that_never_shows_is_sent_once_more() -> None:
    answers = [LOST, listed(), listed(), listed(), says(202, ACCEPTED, Location=f"{HERE}/{JOB}")]
    client, script, _ = asking(*answers)
    assert datasets.upload(client, rows(), "rows.csv").adopted is False
    assert [line.split()[0] for line in script.lines].count("POST") == 2


def test_a_lost_version_is_not_sent_again() -> None:
    client, script, _ = asking(LOST)
    with pytest.raises(OutcomeUnknown, match="check with listDatasetVersions"):
        datasets.upload(client, rows(), "rows.csv", dataset_id=ID)
    assert script.lines == [f"POST /api/v2/datasets/{ID}/versions/fromFile/"]


# --- waits --------------------------------------------------------------------------------------------------------


def test_a_job_and_then_the_processing_are_waited_for() -> None:
    running, ready = says(200, one("RUNNING")), says(200, one())
    client, script, _ = asking(says(200, {"status": "RUNNING"}), done(), running, ready)
    assert datasets.wait_processed(client, Created(ID, VERSION, JOB)) == one()
    assert [line.split("/", 3)[3] for line in script.lines] == [
        JOB,
        JOB,
        *[f"datasets/{ID}/versions/{VERSION}/"] * 2,
    ]


@pytest.mark.parametrize(
    "lost", [says(200, {"status": "EXPIRED"}), *[says(404, {"message": "gone"})]], ids=["EXPIRED", "404"]
)
def test_a_lost_record_of_the_job_leaves_it_to_the_dataset(lost: httpx.Response) -> None:
    count = 1 if lost.status_code == 200 else 3
    client, _, _ = asking(*[lost] * count, says(200, one()))
    assert datasets.wait_processed(client, Created(ID, VERSION, JOB)) == one()


def test_what_ends_a_wait_badly() -> None:
    client, _, _ = asking(says(200, {"status": "ERROR", "message": "no header"}))
    with pytest.raises(JobFailed, match="ERROR: no header"):
        datasets.wait_processed(client, Created(ID, VERSION, JOB))
    client, _, _ = asking(says(200, one("ERROR", error="no header")))
    with pytest.raises(JobFailed, match="ERROR: no header"):
        datasets.wait_processed(client, Created(ID, None))
    client, _, clock = asking(*[says(200, one("RUNNING"))] * 9)
    with pytest.raises(WaitTimedOut, match="processingState is RUNNING"):
        datasets.wait_processed(client, Created(ID, VERSION), deadline=clock.now + 20)
    client, _, _ = asking(*[LOST] * 99)
    with pytest.raises(PollBudgetSpent, match="errors in a row"):
        datasets.wait_processed(client, Created(ID, VERSION))


# --- deletion, use ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "deleted"),
    [
        ([httpx.Response(204)], True),
        ([says(404, {"message": "no"})], False),
        ([says(410, {"message": "deleted"})], False),
        ([LOST, says(410, {"message": "deleted"})], True),
    ],
    ids=["204", "404", "410", "lost"],
)
def test_deletion(answers: list[Scripted], deleted: bool) -> None:
    client, _, _ = asking(*answers)
    assert datasets.delete(client, ID) is deleted


def test_a_download() -> None:
    file = httpx.Response(200, headers={"content-type": "text/csv"}, content=b"id\n")
    client, script, _ = asking(file, file)
    for version, path in ((None, "file/"), (VERSION, f"versions/{VERSION}/file/")):
        into = io.BytesIO()
        assert datasets.download(client, into, ID, version) == "text/csv"
        assert into.getvalue() == b"id\n"
        assert script.lines[-1] == f"GET /api/v2/datasets/{ID}/{path}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"processingState": "ERROR", "error": "no header"}, "is in state ERROR: no header"),
        ({"processingState": "ERROR"}, "the service gave no reason"),
        ({"isSnapshot": False}, "is no snapshot"),
        ({"rowCount": 5_000_001}, "has 5,000,001 rows, and the service takes 5,000,000 actuals a call"),
        ({"rowCount": 0}, "has no rows"),
    ],
    ids=str,
)
def test_what_gives_no_actuals(given: dict[str, Any], told: str) -> None:
    with pytest.raises(DatasetNotUsable, match=told):
        datasets.refuse_unusable(one(**given))


@pytest.mark.parametrize("given", [{}, {"rowCount": None}, {"rowCount": 5_000_000}, {"processingState": "RUNNING"}])
def test_what_may_give_actuals(given: dict[str, Any]) -> None:
    datasets.refuse_unusable({**one(), **given})
