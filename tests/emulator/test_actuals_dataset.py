"""Actuals from a dataset: named by the post, read by its job."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, taken
from tests.emulator.rows import make_regression, predict, stored
from tests.emulator.test_datasets import upload, uploaded

CSV = b"customer,left,when,acted\na,yes,2025-01-01T00:00:00Z,true\nb,no,,\n"


def submit(client: httpx.Client, dataset: str, **more: Any) -> httpx.Response:
    body = {"datasetId": dataset, "associationIdColumn": "customer", "actualValueColumn": "left"} | more
    return client.post(f"deployments/{UNGOVERNED}/actuals/fromDataset/", json=body)


def ended(emulator: EmulatorDoor, client: httpx.Client, answer: httpx.Response) -> httpx.Response:
    emulator.advance(21)
    return client.get(answer.headers["Location"])


def test_a_dataset_is_read_by_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:918: 202, no body, Location; wire.md A.4: 303 to the deployment's accuracy."""
    answer = submit(requester, uploaded(emulator, requester, CSV))
    assert (answer.status_code, answer.content) == (202, b"")
    assert stored(emulator) == {}
    end = ended(emulator, requester, answer)
    assert (end.status_code, end.headers["Location"]) == (
        303,
        f"{origin}/api/v2/deployments/{UNGOVERNED}/accuracy/",
    )
    assert stored(emulator) == {"a": "yes", "b": "no"}
    account = emulator.actuals(UNGOVERNED, ids=True)
    assert (account["accepted"], account["charged"], account["acceptedPerId"]) == (2, 2, {"a": 1, "b": 1})


def test_optional_columns(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md D: wasActedOnColumn, timestampColumn."""
    key = uploaded(emulator, requester, CSV)
    ended(emulator, requester, submit(requester, key, wasActedOnColumn="acted", timestampColumn="when"))
    assert emulator.actuals(UNGOVERNED, values=True)["values"] == {
        "a": {"actualValue": "yes", "wasActedOn": True, "timestamp": "2025-01-01T00:00:00.000000Z"},
        "b": {"actualValue": "no", "wasActedOn": None, "timestamp": None},
    }


def test_numbers_for_a_regression(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    key = uploaded(emulator, requester, b"customer,left\na,1.5\nb,2e3\nc,nan\nd,1e999\n")
    emulator.switches(actual_misfit="dropped")
    ended(emulator, requester, submit(requester, key))
    assert stored(emulator) == {"a": 1.5, "b": 2000.0}


def test_the_named_version_is_read(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    key = uploaded(emulator, requester, CSV)
    first = taken(requester.get(f"datasets/{key}/"))["versionId"]
    upload(requester, b"customer,left\nc,yes\n", f"datasets/{key}/versions/fromFile/")
    emulator.advance(6)
    ended(emulator, requester, submit(requester, key, datasetVersionId=first))
    assert set(stored(emulator)) == {"a", "b"}
    ended(emulator, requester, submit(requester, key))
    assert set(stored(emulator)) == {"a", "b", "c"}


def test_unknown_ids_are_dropped_if_asked(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    predict(emulator, "b")
    key = uploaded(emulator, requester, CSV)
    ended(emulator, requester, submit(requester, key, keepActualsWithoutPredictions=False))
    assert stored(emulator) == {"b": "no"}


@pytest.mark.parametrize("missing", ["datasetId", "associationIdColumn", "actualValueColumn"])
def test_what_a_post_must_name(requester: httpx.Client, missing: str) -> None:
    """wire.md D: all other keys are optional."""
    body = {"datasetId": "0" * 24, "associationIdColumn": "customer", "actualValueColumn": "left"}
    del body[missing]
    answer = requester.post(f"deployments/{UNGOVERNED}/actuals/fromDataset/", json=body)
    assert answer.status_code == 422
    assert missing in answer.json()["errors"]


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_404", 404), ("job_error", 202)])
@pytest.mark.parametrize("which", ["unknown", "deleted", "of others", "version"])
def test_switch_actuals_dataset_missing(
    emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client, which: str, value: str, status: int
) -> None:
    emulator.switches(actuals_dataset_missing=value)
    key = uploaded(emulator, admin if which == "of others" else requester, CSV)
    if which == "deleted":
        requester.delete(f"datasets/{key}/")
    more = {"datasetVersionId": "0" * 24} if which == "version" else {}
    answer = submit(requester, "0" * 24 if which == "unknown" else key, **more)
    assert answer.status_code == status
    if status == 202:
        assert ended(emulator, requester, answer).json()["status"] == "ERROR"


@pytest.mark.parametrize(("value", "status"), [("job_error", 202), ("refuse_422", 422)])
@pytest.mark.parametrize("which", ["column", "state", "parquet"])
def test_switch_actuals_dataset_fault(
    emulator: EmulatorDoor, requester: httpx.Client, which: str, value: str, status: int
) -> None:
    emulator.switches(actuals_dataset_fault=value)
    content = {"column": b"customer,gone\na,yes\n", "state": b"\0", "parquet": b"PAR1"}[which]
    answer = submit(requester, uploaded(emulator, requester, content))
    assert answer.status_code == status
    if status == 202:
        end = ended(emulator, requester, answer).json()
        word = {"column": "no column left", "state": "processing state is ERROR", "parquet": "must be CSV"}[which]
        assert (end["status"], word in end["message"]) == ("ERROR", True)
    assert stored(emulator) == {}


@pytest.mark.parametrize(("seconds", "status"), [(1, 303), (300, 200)])
def test_a_dataset_may_become_ready_before_the_job_reads_it(
    emulator: EmulatorDoor, requester: httpx.Client, seconds: int, status: int
) -> None:
    emulator.jobs("datasetProcessing", seconds=seconds)
    answer = submit(requester, taken(upload(requester, CSV))["catalogId"])
    assert ended(emulator, requester, answer).status_code == status


def test_a_dataset_that_is_deleted_before_it_is_read(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    key = uploaded(emulator, requester, CSV)
    answer = submit(requester, key)
    requester.delete(f"datasets/{key}/")
    assert ended(emulator, requester, answer).json()["status"] == "ERROR"
    assert stored(emulator) == {}


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("job_error", 202)])
def test_switch_actuals_dataset_rows(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md D: at most 5,000,000 rows per call."""
    emulator.switches(actuals_dataset_rows=value, quota_rows="off")
    key = uploaded(emulator, requester, b"customer,left\n" + b",\n" * 5_000_001)
    answer = submit(requester, key)
    assert answer.status_code == status
    if status == 202:
        assert ended(emulator, requester, answer).json()["status"] == "ERROR"


def test_five_million_rows_are_counted_by_the_sink(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(sink="on")
    key = uploaded(emulator, requester, b"customer,left\n" + b",\n" * 5_000_000)
    assert ended(emulator, requester, submit(requester, key)).status_code == 303
    assert emulator.actuals(UNGOVERNED)["accepted"] == 5_000_000
    assert submit(requester, key).status_code == 202
    assert submit(requester, key).status_code == 429, "the hour is full"


@pytest.mark.parametrize(("value", "status"), [("skipped", 303), ("job_error", 200)])
@pytest.mark.parametrize("row", [b",yes", b"x,", b"x", b"x,yes,never"])
def test_switch_unreadable_rows(
    emulator: EmulatorDoor, requester: httpx.Client, row: bytes, value: str, status: int
) -> None:
    emulator.switches(unreadable_rows=value)
    key = uploaded(emulator, requester, b"customer,left,when\na,yes,\n" + row + b"\n\nb,no,\n")
    assert ended(emulator, requester, submit(requester, key, timestampColumn="when")).status_code == status
    assert set(stored(emulator)) == ({"a", "b"} if value == "skipped" else set())


@pytest.mark.parametrize(
    ("value", "status", "kept"),
    [("refuse_422", 200, set()), ("job_error", 200, set()), ("dropped", 303, {"a"}), ("stored", 303, {"a", "b"})],
)
def test_misfits_in_a_dataset(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, kept: set[str]
) -> None:
    emulator.switches(actual_misfit=value)
    key = uploaded(emulator, requester, b"customer,left\na,yes\nb,perhaps\n")
    assert ended(emulator, requester, submit(requester, key)).status_code == status
    assert set(stored(emulator)) == kept


def test_a_password_is_not_kept(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 27: bodies carry secrets too."""
    submit(requester, uploaded(emulator, requester, CSV), user="u", password="hush-hush")
    assert "hush-hush" not in str([emulator.log(), emulator.jobs(), emulator.world("jobs")])
