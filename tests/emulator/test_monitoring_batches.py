"""Monitoring batches over raw HTTP: what they are, their limits, the models in them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED, taken

LIST = f"deployments/{UNGOVERNED}/monitoringBatches/"
CHAMPION_MODEL = "64a100000000000000000002"


def create(client: httpx.Client, name: str = "March", **fields: Any) -> dict[str, Any]:
    return taken(client.post(LIST, json={"batchName": name, **fields}))


def predict(emulator: EmulatorDoor, batch: dict[str, Any], rows: int = 3, **more: Any) -> None:
    data = [{"associationId": f"{batch['id']}-{n}", "predicted": 0.5, "batchId": batch["id"]} for n in range(rows)]
    emulator.predictions(UNGOVERNED, data=data, **more)


def test_a_batch_comes_and_goes(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I: POST {"batchName"} 200 with the id; seed 002:4291-4430."""
    answer = requester.post(LIST, json={"batchName": "March", "description": "all of it"})
    made = answer.json()
    assert answer.status_code == 200
    assert (made["name"], made["description"], made["isLocked"], made["predictionsCount"]) == (
        "March",
        "all of it",
        False,
        0,
    )
    assert made["createdBy"] == {"id": "64a000000000000000000001", "name": "requester@example.com"}
    path = f"{LIST}{made['id']}/"
    assert taken(requester.get(path)) == made
    changed = requester.patch(path, json={"isLocked": True, "batchName": "March, final"})
    assert (changed.status_code, changed.json()["isLocked"], changed.json()["name"]) == (200, True, "March, final")
    assert taken(requester.patch(path, json={"isLocked": False}))["description"] == "all of it"
    gone = requester.delete(path)
    assert (gone.status_code, gone.content) == (200, b"")
    assert requester.get(path).status_code == 404
    assert taken(requester.get(LIST))["data"] == []


def test_a_batch_needs_a_name(requester: httpx.Client) -> None:
    assert requester.post(LIST, json={"description": "x"}).json()["errors"] == {"batchName": "required"}
    assert requester.post(LIST, json={"batchName": ""}).status_code == 422


def test_who_may(requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client) -> None:
    made = create(requester)
    assert reviewer.post(LIST, json={"batchName": "x"}).status_code == 403
    assert reviewer.delete(f"{LIST}{made['id']}/").status_code == 403
    assert outsider.get(LIST).status_code == 404
    assert requester.get(f"deployments/{GOVERNED}/monitoringBatches/{made['id']}/").status_code == 404


@pytest.mark.parametrize(("value", "empty"), [("shown", False), ("empty", True)])
def test_switch_batch_limits_answer(emulator: EmulatorDoor, requester: httpx.Client, value: str, empty: bool) -> None:
    emulator.switches(batch_limits_answer=value)
    create(requester)
    answer = requester.get(f"deployments/{UNGOVERNED}/monitoringBatchLimits/")
    assert answer.status_code == 200
    if empty:
        assert answer.content == b""
    else:
        assert answer.json() == {"batchesPerDay": 100, "batchesCreatedToday": 1}


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_429", 429), ("refuse_403", 403)])
def test_switch_batch_limit(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md I: 100 new ones a day; deleting one makes no room."""
    emulator.switches(batch_limit=value)
    made = [create(requester, f"batch {number}") for number in range(100)]
    requester.delete(f"{LIST}{made[0]['id']}/")
    assert requester.post(LIST, json={"batchName": "one more"}).status_code == status
    emulator.advance(86_400)
    assert requester.post(LIST, json={"batchName": "one more"}).status_code == 200


@pytest.mark.parametrize(("value", "status"), [("allowed", 200), ("refuse_422", 422), ("refuse_409", 409)])
def test_switch_batch_name_taken(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(batch_name_taken=value)
    create(requester)
    assert requester.post(LIST, json={"batchName": "March"}).status_code == status
    other = create(requester, "April")
    assert requester.patch(f"{LIST}{other['id']}/", json={"batchName": "March"}).status_code == status


def test_what_is_in_a_batch(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:4495-4620: the models with their counts and times."""
    made = create(requester)
    predict(emulator, made)
    found = taken(requester.get(f"{LIST}{made['id']}/"))
    assert (found["predictionsCount"], found["serviceHealth"]["status"]) == (3, "passing")
    [model] = taken(requester.get(f"{LIST}{made['id']}/models/"))["data"]
    assert (model["modelId"], model["batchId"], model["predictionsCount"]) == (CHAMPION_MODEL, made["id"], 3)
    path = f"{LIST}{made['id']}/models/{CHAMPION_MODEL}/"
    assert taken(requester.get(path)) == model
    answer = requester.patch(path, json={"startTime": "2026-01-01T00:00:00Z"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert taken(requester.get(path))["startTime"] == "2026-01-01T00:00:00.000000Z"
    assert taken(requester.get(path))["endTime"] == model["endTime"]
    assert taken(requester.get(f"{LIST}{made['id']}/"))["earliestPredictionTimestamp"].startswith("2026-01-01T")
    assert requester.patch(path, json={"startTime": "2999-01-01T00:00:00Z"}).status_code == 422
    assert requester.get(f"{LIST}{made['id']}/models/{'0' * 24}/").status_code == 404
    assert taken(requester.get(f"{LIST}{made['id']}/models/?modelId={'0' * 24}"))["data"] == []


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("deletes", 200)])
def test_switch_delete_locked_batch(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(delete_locked_batch=value)
    made = create(requester, isLocked=True)
    assert requester.delete(f"{LIST}{made['id']}/").status_code == status


@pytest.mark.parametrize(("value", "left"), [("keeps_predictions", 3), ("deletes_predictions", 0)])
def test_switch_deleted_batch(emulator: EmulatorDoor, requester: httpx.Client, value: str, left: int) -> None:
    emulator.switches(deleted_batch=value)
    made = create(requester)
    predict(emulator, made)
    requester.delete(f"{LIST}{made['id']}/")
    assert emulator.predictions(UNGOVERNED)["rows"] == left


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=MAR", {"March", "mar del plata"}),
        ("createdBy=64a000000000000000000001", {"March", "mar del plata", "April"}),
        ("createdBy=64a000000000000000000002", set()),
        ("createdAfter=2000-01-01T00:00:00Z", {"March", "mar del plata", "April"}),
        ("createdBefore=2000-01-01T00:00:00Z", set()),
        ("startAfter=2000-01-01T00:00:00Z", {"April"}),
        ("endBefore=2999-01-01T00:00:00Z", {"April"}),
        ("endBefore=2000-01-01T00:00:00Z", set()),
    ],
)
def test_batches_are_filtered(emulator: EmulatorDoor, requester: httpx.Client, query: str, names: set[str]) -> None:
    """Seed 002:4232-4240."""
    for name in ("March", "mar del plata"):
        create(requester, name)
    predict(emulator, create(requester, "April"))
    assert {one["name"] for one in taken(requester.get(f"{LIST}?{query}"))["data"]} == names


def test_batches_are_ordered_and_paged(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    for name in ("b", "c", "a"):
        create(requester, name)
    assert [one["name"] for one in taken(requester.get(f"{LIST}?orderBy=name"))["data"]] == ["a", "b", "c"]
    assert [one["name"] for one in taken(requester.get(f"{LIST}?orderBy=-name&limit=2"))["data"]] == ["c", "b"]
    assert requester.get(f"{LIST}?orderBy=size").status_code == 422
