"""Batch predictions over raw HTTP: create, upload, look, download, abort."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import NIGHTLY, UNGOVERNED, replace, taken

ROWS = b"id,age,city\n1,33,Bonn\n2,51,Lyon\n3,33,Bonn\n"


def create(client: httpx.Client, deployment: str = UNGOVERNED, **spec: Any) -> dict[str, Any]:
    return taken(client.post("batchPredictions/", json={"deploymentId": deployment, **spec}))


def upload(client: httpx.Client, job: dict[str, Any], content: bytes = ROWS) -> httpx.Response:
    return client.put(job["links"]["csvUpload"], content=content, headers={"Content-Type": "text/csv"})


def scored(emulator: EmulatorDoor, client: httpx.Client, content: bytes = ROWS, **spec: Any) -> list[dict[str, str]]:
    job = create(client, **spec)
    assert upload(client, job, content).status_code == 202
    emulator.advance(31)
    found = taken(client.get(job["links"]["self"]))
    assert found["status"] == "COMPLETED", found["statusDetails"]
    return list(csv.DictReader(io.StringIO(client.get(found["links"]["download"]).text)))


def test_the_life_of_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md J: 202 with links and Location; PUT csvUpload 202; statuses by plain 200; download from its link."""
    answer = requester.post("batchPredictions/", json={"deploymentId": UNGOVERNED})
    job = answer.json()
    path = f"{origin}/api/v2/batchPredictions/{job['id']}/"
    assert (answer.status_code, answer.headers["Location"]) == (202, path)
    assert job["links"] == {"self": path, "csvUpload": f"{path}csvUpload/"}
    assert (job["status"], job["percentageCompleted"], job["elapsedTimeSec"]) == ("INITIALIZING", 0, 0)
    assert job["jobSpec"]["intakeSettings"] == {"type": "localFile"}
    emulator.advance(100)
    assert taken(requester.get(path))["status"] == "INITIALIZING"  # it waits for its rows
    assert requester.get(f"{path}download/").status_code == 404
    sent = upload(requester, job)
    assert (sent.status_code, sent.content) == (202, b"")
    assert taken(requester.get(path))["status"] == "INITIALIZING"
    emulator.advance(10)
    assert taken(requester.get(path))["status"] == "RUNNING"
    emulator.advance(21)
    done = requester.get(path)
    assert (done.status_code, done.json()["status"], done.json()["scoredRows"]) == (200, "COMPLETED", 3)
    assert done.json()["jobIntakeSize"] == len(ROWS)
    results = requester.get(done.json()["links"]["download"])
    assert (results.status_code, results.headers["Content-Type"]) == (200, "text/csv")
    assert results.headers["Content-Length"] == str(done.json()["jobOutputSize"])
    assert requester.get("status/?offset=0&limit=0").json()["data"] == []


def test_scores_are_made_of_model_and_row(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    first = scored(emulator, requester, b"a\n1\n2\n")
    assert list(first[0]) == ["churned_yes_PREDICTION", "churned_no_PREDICTION", "churned_PREDICTION", "THRESHOLD",
                              "POSITIVE_CLASS"]  # fmt: skip
    assert scored(emulator, requester, b"a\n2\n1\n") == first[::-1]
    assert all(float(one["churned_yes_PREDICTION"]) + float(one["churned_no_PREDICTION"]) == 1 for one in first)
    assert all((float(one["churned_yes_PREDICTION"]) >= 0.5) == (one["churned_PREDICTION"] == "yes") for one in first)
    replace(requester)
    emulator.advance(21)
    assert scored(emulator, requester, b"a\n1\n2\n") != first


def test_what_the_results_hold(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    [one, *_] = scored(emulator, requester, passthroughColumns=["id"], includeProbabilities=False,
                       includePredictionStatus=True, predictionThreshold=0)  # fmt: skip
    assert list(one) == ["id", "churned_PREDICTION", "THRESHOLD", "POSITIVE_CLASS", "prediction_status"]
    assert one["churned_PREDICTION"] == "yes"
    [one, *_] = scored(emulator, requester, passthroughColumnsSet="all")
    assert list(one)[:3] == ["id", "age", "city"]
    settings = {"delimiter": ";", "quotechar": "'"}
    rows = scored(emulator, requester, b"id;text\n1;'a;b'\n", passthroughColumnsSet="all", csvSettings=settings)
    assert next(iter(rows[0])).startswith("id;text;")


@pytest.mark.parametrize("skip", [False, True])
def test_rows_become_predictions_of_the_deployment(emulator: EmulatorDoor, requester: httpx.Client, skip: bool) -> None:
    before = emulator.predictions(NIGHTLY)
    content = b"id,age\nperson-1,33\nperson-2,51\n"
    scored(emulator, requester, content, deployment=NIGHTLY, skipDriftTracking=skip, monitoringBatchPrefix="nightly")
    after = emulator.predictions(NIGHTLY)
    assert after["rows"] - before["rows"] == (0 if skip else 2)
    assert after["withAssociationId"] - before["withAssociationId"] == (0 if skip else 2)
    [batch] = taken(requester.get(f"deployments/{NIGHTLY}/monitoringBatches/"))["data"]
    assert batch["name"].startswith("nightly ")
    assert (batch["batchPredictionJobStatus"], batch["predictionsCount"]) == ("COMPLETED", 0 if skip else 2)
    [job] = taken(requester.get("batchPredictions/"))["data"]
    assert (job["monitoringBatchId"], batch["batchPredictionJobId"]) == (batch["id"], job["id"])


@pytest.mark.parametrize("kind", ["FAILED", "ABORTED"])
def test_a_job_that_does_not_end_well(emulator: EmulatorDoor, requester: httpx.Client, kind: str) -> None:
    ends = "ABORTED" if kind == "ABORTED" else "ERROR"
    emulator.fault("failed_job", operationId="uploadBatchPredictionCsv", message="No more memory.", ends=ends)
    job = create(requester)
    upload(requester, job)
    emulator.advance(31)
    found = taken(requester.get(job["links"]["self"]))
    assert (found["status"], found["statusDetails"]) == (kind, "No more memory.")
    assert "download" not in found["links"]
    assert requester.get(f"{job['links']['self']}download/").status_code == 404


@pytest.mark.parametrize(
    ("content", "spec", "text"),
    [
        (b"\xff\xfe\x00", {}, "no CSV"),
        (b"a,b\n1\n", {}, "Line 2 has another number of fields than the header."),
        (b"a\n1\n", {"passthroughColumns": ["z"]}, "The rows have no column z."),
        (ROWS, {"outputSettings": {"type": "s3", "url": "s3://x/y"}}, "The emulator cannot reach s3."),
    ],
)
def test_rows_that_cannot_be_scored(
    emulator: EmulatorDoor, requester: httpx.Client, content: bytes, spec: dict[str, Any], text: str
) -> None:
    job = create(requester, **spec)
    upload(requester, job, content)
    emulator.advance(31)
    found = taken(requester.get(job["links"]["self"]))
    assert found["status"] == "FAILED"
    assert text in found["statusDetails"]


@pytest.mark.parametrize(("value", "status"), [("fail", "FAILED"), ("pretended", "COMPLETED")])
def test_switch_foreign_stores(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: str) -> None:
    emulator.switches(foreign_stores=value)
    places: dict[str, Any] = {
        "intakeSettings": {"type": "s3", "url": "s3://x/in"},
        "outputSettings": {"type": "s3", "url": "s3://x/y"},
    }
    job = create(requester, **places)
    assert "csvUpload" not in job["links"]
    assert requester.put(f"{job['links']['self']}csvUpload/", content=ROWS, headers={"Content-Type": "text/csv"}
                         ).status_code == 422  # fmt: skip
    emulator.advance(31)
    assert taken(requester.get(job["links"]["self"]))["status"] == status


def test_rows_of_a_dataset(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    made = taken(requester.post("datasets/fromFile/", files={"file": ("rows.csv", ROWS, "text/csv")}))
    emulator.advance(6)
    job = create(requester, intakeSettings={"type": "dataset", "datasetId": made["catalogId"]})
    emulator.advance(31)
    found = taken(requester.get(job["links"]["self"]))
    assert (found["status"], found["scoredRows"]) == ("COMPLETED", 3)
    lost = create(requester, intakeSettings={"type": "dataset", "datasetId": "0" * 24})
    emulator.advance(31)
    assert taken(requester.get(lost["links"]["self"]))["statusDetails"] == f"Dataset {'0' * 24} not found."


@pytest.mark.parametrize(("value", "status"), [("202", 202), ("204", 204)])
@pytest.mark.parametrize("when", ["before the rows", "while it runs"])
def test_switch_batch_delete_answer(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, when: str
) -> None:
    """wire.md J: DELETE aborts."""
    emulator.switches(batch_delete_answer=value)
    job = create(requester)
    if when == "while it runs":
        upload(requester, job)
    assert requester.delete(job["links"]["self"]).status_code == status
    emulator.advance(31)
    assert taken(requester.get(job["links"]["self"]))["status"] == "ABORTED"
    assert upload(requester, job).status_code == 409
    assert emulator.predictions(UNGOVERNED)["rows"] == 0


@pytest.mark.parametrize(("value", "status"), [("shown_aborted", 200), ("gone", 404)])
def test_switch_deleted_batch_prediction(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(deleted_batch_prediction=value)
    job = create(requester)
    requester.delete(job["links"]["self"])
    assert requester.get(job["links"]["self"]).status_code == status


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("accepted", 202)])
def test_switch_batch_delete_finished(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(batch_delete_finished=value)
    job = create(requester)
    upload(requester, job)
    emulator.advance(31)
    assert requester.delete(job["links"]["self"]).status_code == status
    assert taken(requester.get(job["links"]["self"]))["status"] == "COMPLETED"


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422)])
def test_switch_second_upload(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(second_upload=value)
    job = create(requester)
    upload(requester, job)
    assert upload(requester, job).status_code == status
    assert emulator.count("batchPredictionUploaded") == 1


@pytest.mark.parametrize(("value", "size"), [("at_upload", len(ROWS)), ("at_end", None)])
def test_switch_batch_intake_size(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, size: int | None
) -> None:
    emulator.switches(batch_intake_size=value)
    job = create(requester)
    assert job["jobIntakeSize"] is None
    upload(requester, job)
    assert taken(requester.get(job["links"]["self"]))["jobIntakeSize"] == size
    emulator.advance(31)
    assert taken(requester.get(job["links"]["self"]))["jobIntakeSize"] == len(ROWS)


def test_the_same_twice_makes_two_jobs(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert create(requester)["id"] != create(requester)["id"]
    listed = taken(requester.get(f"batchPredictions/?deploymentId={UNGOVERNED}&status=INITIALIZING&orderBy=-created"))
    assert listed["totalCount"] == 2
    assert taken(requester.get(f"batchPredictions/?deploymentId={NIGHTLY}"))["data"] == []


def test_bad_requests(requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client) -> None:
    assert requester.post("batchPredictions/", json={}).json()["errors"] == {"deploymentId": "required"}
    assert outsider.post("batchPredictions/", json={"deploymentId": UNGOVERNED}).status_code == 404
    job = create(requester)
    assert requester.put(job["links"]["csvUpload"], json={}).status_code == 415
    assert requester.put(job["links"]["csvUpload"], content=b"").status_code == 422
    assert requester.post("batchPredictions/", content=ROWS, headers={"Content-Type": "text/csv"}).status_code == 415
    assert reviewer.get(job["links"]["self"]).status_code == 404
    assert requester.get(f"batchPredictions/{'0' * 24}/").status_code == 404
