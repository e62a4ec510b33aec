"""Exports of predictions, actuals and training data, and files asked for in part: raw HTTP, literal JSON."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED, replace, taken

MODEL = "64a100000000000000000002"
REQUESTER = "64a000000000000000000001"
DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
PATH = f"deployments/{UNGOVERNED}"
KINDS = {"prediction": f"{PATH}/predictionDataExports/", "actuals": f"{PATH}/actualsDataExports/"}


@pytest.fixture(autouse=True)
def rows(emulator: EmulatorDoor) -> None:
    """24 predictions, one at each full hour of the day."""
    emulator.predictions(UNGOVERNED, rows=24, start=DAY["start"], end=DAY["end"])


def ask(client: httpx.Client, kind: str = "prediction", **more: Any) -> httpx.Response:
    return client.post(KINDS[kind], json={**DAY, **more})


def made(emulator: EmulatorDoor, client: httpx.Client, kind: str = "prediction", **more: Any) -> dict[str, Any]:
    """An export that is over."""
    key = taken(ask(client, kind, **more))["id"]
    emulator.advance(31)
    return taken(client.get(f"{KINDS[kind]}{key}/"))


def lines(client: httpx.Client, export: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of its dataset."""
    assert len(export["data"]) == 1, (export["status"], export["error"])
    [dataset] = export["data"]
    return list(csv.DictReader(io.StringIO(client.get(f"datasets/{dataset['id']}/file/").text)))


def give_actuals(client: httpx.Client, emulator: EmulatorDoor, *ids: str) -> None:
    data = [{"associationId": one, "actualValue": "yes"} for one in ids]
    taken_or_empty = client.post(f"{PATH}/actuals/fromJSON/", json={"data": data})
    assert taken_or_empty.status_code == 202
    emulator.advance(6)


def test_an_export_is_a_job_with_an_entity(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4, H: 202 with the entity and Location; words on the way; 303 to the entity."""
    answer = ask(requester)
    export = answer.json()
    assert answer.status_code == 202
    assert set(export) == {
        "id", "modelId", "createdAt", "createdBy", "data", "error", "period", "status", "associationIds",
        "augmentationType", "batches",
    }  # fmt: skip
    assert (export["status"], export["modelId"], export["data"]) == ("CREATED", MODEL, [])
    assert (export["createdBy"], export["augmentationType"]) == (REQUESTER, "NO_AUGMENTATION")
    assert not export["batches"]
    assert export["period"] == {"start": "2026-03-01T00:00:00.000000Z", "end": "2026-03-02T00:00:00.000000Z"}
    path = f"{KINDS['prediction']}{export['id']}/"
    for seconds, word in ((4, "SCHEDULED"), (15, "RUNNING"), (12, "SUCCEEDED")):
        emulator.advance(seconds)
        assert taken(requester.get(path))["status"] == word
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.content) == (303, b"")
    assert ended.headers["Location"] == f"{origin}/api/v2/{path}"
    [dataset] = taken(requester.get(path))["data"]
    assert taken(requester.get(f"datasets/{dataset['id']}/"))["rowCount"] == 24
    assert emulator.count("exportCreated") == emulator.count("exportSucceeded") == 1


def test_an_export_holds_exactly_the_rows_of_its_time(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md H: start inclusive, end exclusive; reserved columns; naive times are taken."""
    export = made(emulator, requester, start="2026-03-01T03:00:00", end="2026-03-01T05:00:00Z")
    found = sorted(lines(requester, export), key=lambda row: row["DR_RESERVED_PREDICTION_TIMESTAMP"])
    assert [row["DR_RESERVED_PREDICTION_TIMESTAMP"] for row in found] == [
        "2026-03-01T03:00:00.000000Z",
        "2026-03-01T04:00:00.000000Z",
    ]
    for row in found:
        shares = [float(row[f"DR_RESERVED_PREDICTION_{name}"]) for name in ("yes", "no")]
        assert sum(shares) == pytest.approx(1)


def test_an_export_is_of_one_model(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 12: body and entity hold one modelId; a replaced champion's rows need its own export."""
    assert replace(requester).status_code == 202
    emulator.advance(21)
    emulator.predictions(UNGOVERNED, data=[{"predicted": 0.5, "timestamp": "2026-03-01T12:30:00Z"}])
    now = made(emulator, requester)
    before = made(emulator, requester, modelId=MODEL)
    assert (len(lines(requester, now)), len(lines(requester, before))) == (1, 24)
    assert now["modelId"] != before["modelId"] == MODEL


@pytest.mark.parametrize(("value", "sorted_by_time"), [("mixed", False), ("by_time", True)])
def test_switch_export_order(emulator: EmulatorDoor, requester: httpx.Client, value: str, sorted_by_time: bool) -> None:
    emulator.switches(export_order=value)
    times = [row["DR_RESERVED_PREDICTION_TIMESTAMP"] for row in lines(requester, made(emulator, requester))]
    assert len(times) == 24
    assert (times == sorted(times)) is sorted_by_time


@pytest.mark.parametrize("matched", [True, False])
def test_actuals(emulator: EmulatorDoor, requester: httpx.Client, matched: bool) -> None:
    give_actuals(requester, emulator, "row-3", "row-4", "nobody")
    export = made(emulator, requester, "actuals", onlyMatchedPredictions=matched)
    assert (export["onlyMatchedPredictions"], export["createdBy"]) == (matched, {"id": REQUESTER})
    found = lines(requester, export)
    assert len(found) == 2
    assert {row["association_id"] for row in found} == {"row-3", "row-4"}
    assert {row["actuals"] for row in found} == {"yes"}


def test_actuals_without_a_prediction(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    now = emulator.clock()["epoch"]
    hour = datetime.fromtimestamp(now // 3600 * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    give_actuals(requester, emulator, "nobody")
    wanted = {"start": hour, "end": "2100-01-01T00:00:00Z"}
    export = made(emulator, requester, "actuals", onlyMatchedPredictions=False, **wanted)
    assert [(row["association_id"], row["predictions"]) for row in lines(requester, export)] == [("nobody", "")]
    assert made(emulator, requester, "actuals", **wanted)["status"] == "FAILED"


def test_training_data(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4, H: 202 empty; 303 to datasets/{id}/; the export shows up in the list with one object as data."""
    path = f"{PATH}/trainingDataExports/"
    answer = requester.post(path, json={"modelId": None})
    assert (answer.status_code, answer.content) == (202, b"")
    assert taken(requester.get(path))["data"] == []
    emulator.advance(31)
    [export] = taken(requester.get(path))["data"]
    assert set(export) == {"id", "modelId", "createdAt", "createdBy", "data", "modelPackageId"}
    ended = requester.get(answer.headers["Location"])
    assert ended.headers["Location"] == f"{origin}/api/v2/datasets/{export['data']['id']}/"
    assert taken(requester.get(f"{path}{export['id']}/")) == export
    assert "churned" in requester.get(f"datasets/{export['data']['id']}/file/").text.splitlines()[0]
    assert taken(requester.get(path, params={"modelId": "0" * 24}))["data"] == []


def test_a_second_equal_post_makes_a_second_export(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert ask(requester).json()["id"] != ask(requester).json()["id"]
    assert emulator.count("exportCreated") == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("value", "code", "shown"), [("303", 303, None), ("aborted", 200, "ABORTED")])
def test_cancelling(
    emulator: EmulatorDoor, requester: httpx.Client, kind: str, value: str, code: int, shown: str | None
) -> None:
    emulator.switches(cancelled_export_job=value)
    answer = ask(requester, kind)
    path = f"{KINDS[kind]}{answer.json()['id']}/"
    assert requester.patch(path, json={"status": "SUCCEEDED"}).status_code == 422
    assert requester.patch(path, json={"status": "CANCELLED"}).status_code == 204
    emulator.advance(60)
    assert (taken(requester.get(path))["status"], taken(requester.get(path))["data"]) == ("CANCELLED", [])
    ended = requester.get(answer.headers["Location"])
    assert ended.status_code == code
    assert shown is None or ended.json()["status"] == shown
    assert requester.patch(path, json={"status": "CANCELLED"}).status_code == 422
    assert emulator.count("exportCancelled") == 1


@pytest.mark.parametrize(("value", "code"), [("entity", 303), ("job", 200)])
def test_a_failure_stands_in_the_entity(emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int) -> None:
    """wire.md H: 303 is reached also if the export failed."""
    emulator.switches(export_failure=value)
    emulator.jobs("dataExport", failsWith="Out of memory.")
    answer = ask(requester)
    emulator.advance(31)
    ended = requester.get(answer.headers["Location"])
    assert ended.status_code == code
    assert code == 303 or ended.json()["message"] == "Out of memory."
    export = taken(requester.get(f"{KINDS['prediction']}{answer.json()['id']}/"))
    assert (export["status"], export["error"], export["data"]) == ("FAILED", {"message": "Out of memory."}, [])


@pytest.mark.parametrize(("value", "most"), [("documented", 24), ("1000", 24), ("10", 10)])
def test_switch_export_row_limit(emulator: EmulatorDoor, requester: httpx.Client, value: str, most: int) -> None:
    emulator.switches(export_row_limit=value)
    assert len(lines(requester, made(emulator, requester))) == most


@pytest.mark.parametrize(("value", "ends"), [("cuts", "SUCCEEDED"), ("fails", "FAILED")])
def test_switch_export_beyond_limit(emulator: EmulatorDoor, requester: httpx.Client, value: str, ends: str) -> None:
    emulator.switches(export_row_limit="10", export_beyond_limit=value)
    export = made(emulator, requester)
    assert export["status"] == ends
    assert export["error"] is None or "24 rows, more than 10" in export["error"]["message"]


@pytest.mark.parametrize(
    ("value", "ends", "data"), [("fails", "FAILED", 0), ("no_data", "SUCCEEDED", 0), ("empty_file", "SUCCEEDED", 1)]
)
def test_switch_empty_export(emulator: EmulatorDoor, requester: httpx.Client, value: str, ends: str, data: int) -> None:
    emulator.switches(empty_export=value)
    export = made(emulator, requester, start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z")
    assert (export["status"], len(export["data"])) == (ends, data)
    assert not data or lines(requester, export) == []


@pytest.mark.parametrize(("value", "code"), [("refuse_422", 422), ("refuse_409", 409), ("oldest_goes", 202)])
def test_switch_export_places_full(emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int) -> None:
    """wire.md H: the catalog keeps a number of exports of each kind; deleted datasets make room."""
    emulator.switches(export_places="2", export_places_full=value)
    give_actuals(requester, emulator, "row-3")
    first = made(emulator, requester)
    made(emulator, requester)
    third = ask(requester)
    assert third.status_code == code
    gone = requester.get(f"datasets/{first['data'][0]['id']}/").status_code == 410
    assert gone is (value == "oldest_goes")
    if value != "oldest_goes":
        assert ask(requester, "actuals").status_code == 202
        requester.delete(f"datasets/{first['data'][0]['id']}/")
        assert ask(requester).status_code == 202


def test_switch_export_places(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(export_places="100")
    assert [ask(requester).status_code for _ in range(3)] == [202] * 3
    emulator.switches(export_places="2")
    assert ask(requester).status_code == 422


@pytest.mark.parametrize(("value", "word"), [("running", "RUNNING"), ("documented", "SCHEDULED")])
def test_switch_export_words(emulator: EmulatorDoor, requester: httpx.Client, value: str, word: str) -> None:
    emulator.switches(export_words=value)
    key = ask(requester).json()["id"]
    emulator.advance(29)
    assert taken(requester.get(f"{KINDS['prediction']}{key}/"))["status"] == word


@pytest.mark.parametrize(("value", "state"), [("ready", "COMPLETED"), ("processing", "RUNNING")])
def test_switch_export_dataset(emulator: EmulatorDoor, requester: httpx.Client, value: str, state: str) -> None:
    emulator.switches(export_dataset=value)
    [dataset] = made(emulator, requester)["data"]
    assert taken(requester.get(f"datasets/{dataset['id']}/"))["processingState"] == state
    emulator.advance(6)
    assert taken(requester.get(f"datasets/{dataset['id']}/"))["processingState"] == "COMPLETED"


@pytest.mark.parametrize(("value", "code"), [("never", 200), ("a_day", 410)])
def test_switch_export_expiry(emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int) -> None:
    emulator.switches(export_expiry=value)
    [dataset] = made(emulator, requester)["data"]
    emulator.advance(86_500)
    assert requester.get(f"datasets/{dataset['id']}/file/").status_code == code


@pytest.mark.parametrize(("value", "code"), [("refuse_422", 422), ("refuse_404", 404)])
def test_switch_export_of_unknown_model(emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int) -> None:
    emulator.switches(export_of_unknown_model=value)
    assert ask(requester, modelId="0" * 24).status_code == code


@pytest.mark.parametrize(("value", "code"), [("keeps_dataset", 200), ("deletes_dataset", 410)])
def test_switch_deleted_export(emulator: EmulatorDoor, requester: httpx.Client, value: str, code: int) -> None:
    """Only exports of actuals can be deleted (wire.md H)."""
    emulator.switches(deleted_export=value)
    give_actuals(requester, emulator, "row-3")
    export = made(emulator, requester, "actuals")
    path = f"{KINDS['actuals']}{export['id']}/"
    assert [requester.delete(path).status_code for _ in range(2)] == [204, 404]
    assert requester.get(f"datasets/{export['data'][0]['id']}/").status_code == code
    assert requester.delete(f"{KINDS['prediction']}{made(emulator, requester)['id']}/").status_code == 405


def test_lists_are_filtered(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    done, under_way = made(emulator, requester), taken(ask(requester))
    batch = taken(requester.post(f"{PATH}/monitoringBatches/", json={"batchName": "March"}))
    batched = taken(requester.post(KINDS["prediction"], json={"batchIds": [batch["id"]]}))
    assert batched["batches"] == [{"batchId": batch["id"], "batchName": "March"}]

    def ids(**query: str) -> set[str]:
        return {one["id"] for one in taken(requester.get(KINDS["prediction"], params=query))["data"]}

    assert ids() == {done["id"], under_way["id"], batched["id"]}
    assert ids(status="SUCCEEDED") == {done["id"]}
    assert ids(batch="true") == {batched["id"]}
    assert ids(batch="False", status="CREATED") == {under_way["id"]}
    assert ids(modelId="0" * 24) == set()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start": DAY["end"], "end": DAY["start"]},
        {"start": DAY["start"], "end": DAY["start"]},
        {"start": "yesterday", "end": DAY["end"]},
        {"batchIds": ["0" * 24]},
        {"batchIds": []},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(requester: httpx.Client, body: dict[str, Any]) -> None:
    assert requester.post(KINDS["prediction"], json=body).status_code == 422
    assert requester.post(KINDS["actuals"], json=body).status_code == 422


def test_without_stored_rows_there_is_no_export(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md H: needs prediction row storage on."""
    emulator.change("deployments", UNGOVERNED, settings={"predictionsDataCollection": {"enabled": False}})
    assert ask(requester).status_code == 422


def test_strangers_see_nothing(emulator: EmulatorDoor, requester: httpx.Client, outsider: httpx.Client) -> None:
    export = made(emulator, requester)
    assert outsider.get(KINDS["prediction"]).status_code == 404
    assert outsider.get(f"datasets/{export['data'][0]['id']}/").status_code == 404
    assert requester.get(f"deployments/{GOVERNED}/predictionDataExports/{export['id']}/").status_code == 404


# --- files in part ------------------------------------------------------------------------------------------------

CSV = b"id,outcome\n1,yes\n2,no\n"


@pytest.fixture
def file(emulator: EmulatorDoor, requester: httpx.Client) -> str:
    made = taken(requester.post("datasets/fromFile/", files={"file": ("visits.csv", CSV, "text/csv")}))
    emulator.advance(6)
    return f"datasets/{made['catalogId']}/file/"


@pytest.mark.parametrize(
    ("wanted", "part", "shown"),
    [
        ("bytes=3-", CSV[3:], "bytes 3-21/22"),
        ("bytes=3-5", CSV[3:6], "bytes 3-5/22"),
        ("bytes=0-999", CSV, "bytes 0-21/22"),
        ("bytes=-4", CSV[-4:], "bytes 18-21/22"),
    ],
)
def test_a_part_of_a_file(requester: httpx.Client, file: str, wanted: str, part: bytes, shown: str) -> None:
    """RFC 9110, 14.2, 15.3.7."""
    answer = requester.get(file, headers={"Range": wanted})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, part, shown)
    assert answer.headers["Content-Length"] == str(len(part))
    assert answer.headers["Content-Type"] == "text/csv"


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=x-"])
def test_what_is_no_single_range_of_bytes_is_ignored(requester: httpx.Client, file: str, wanted: str) -> None:
    answer = requester.get(file, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, CSV)


@pytest.mark.parametrize("wanted", ["bytes=22-", "bytes=30-40"])
def test_a_range_beyond_the_end(requester: httpx.Client, file: str, wanted: str) -> None:
    answer = requester.get(file, headers={"Range": wanted})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */22")


def test_a_part_only_of_the_same_file(requester: httpx.Client, file: str) -> None:
    """RFC 9110, 13.1.5: If-Range that does not fit gives the whole file."""
    tag = requester.get(file).headers["ETag"]
    fits = requester.get(file, headers={"Range": "bytes=3-", "If-Range": tag})
    other = requester.get(file, headers={"Range": "bytes=3-", "If-Range": '"other"'})
    assert (fits.status_code, other.status_code, other.content) == (206, 200, CSV)


@pytest.mark.parametrize(("value", "code"), [("served", 206), ("ignored", 200)])
def test_switch_file_ranges(emulator: EmulatorDoor, requester: httpx.Client, file: str, value: str, code: int) -> None:
    emulator.switches(file_ranges=value)
    answer = requester.get(file, headers={"Range": "bytes=3-"})
    assert (answer.status_code, "Accept-Ranges" in answer.headers) == (code, code == 206)


@pytest.mark.parametrize(("value", "starts"), [("strong", '"'), ("weak", "W/"), ("none", None)])
def test_switch_file_etag(
    emulator: EmulatorDoor, requester: httpx.Client, file: str, value: str, starts: str | None
) -> None:
    emulator.switches(file_etag=value)
    tag = requester.get(file).headers.get("ETag")
    assert (tag is None) if starts is None else tag.startswith(starts)
    if value == "weak":
        assert requester.get(file, headers={"Range": "bytes=3-", "If-Range": tag}).status_code == 200


def test_a_part_that_breaks_off(emulator: EmulatorDoor, requester: httpx.Client, file: str) -> None:
    emulator.fault("truncated", operationId="downloadDatasetFile")
    with pytest.raises(httpx.RemoteProtocolError):
        requester.get(file, headers={"Range": "bytes=2-"})
    assert requester.get(file, headers={"Range": "bytes=2-"}).content == CSV[2:]


# --- lies ---------------------------------------------------------------------------------------------------------


def test_lie_export_without_data(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("export_without_data")
    export = made(emulator, requester)
    assert (export["status"], export["data"]) == ("SUCCEEDED", [])


def test_lie_export_loses_rows(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("export_loses_rows")
    export = made(emulator, requester)
    assert (export["status"], len(lines(requester, export))) == ("SUCCEEDED", 12)
