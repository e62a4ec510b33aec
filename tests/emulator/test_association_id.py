"""The association id in the settings: set by a job, fixed once predictions have used it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, taken
from tests.emulator.rows import predict


def set_columns(client: httpx.Client, *names: str) -> httpx.Response:
    body = {"associationId": {"columnNames": list(names), "requiredInPredictionRequests": True}}
    return client.patch(f"deployments/{UNGOVERNED}/settings/", json=body)


def association(client: httpx.Client) -> Any:
    return taken(client.get(f"deployments/{UNGOVERNED}/settings/"))["associationId"]


def test_the_columns_are_set_by_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:7108: 202, no body, Location; wire.md A.4: 303 to the deployment."""
    answer = set_columns(requester, "order_id", "line")
    assert (answer.status_code, answer.content) == (202, b"")
    assert association(requester)["columnNames"] == ["customer_id"]
    emulator.advance(3)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.headers["Location"]) == (303, f"{origin}/api/v2/deployments/{UNGOVERNED}/")
    assert association(requester) == {"columnNames": ["order_id", "line"], "requiredInPredictionRequests": True}


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_409", 409)])
def test_columns_that_predictions_have_used_are_fixed(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    """wire.md D: 'cannot change once predictions used it'; which error is not documented."""
    emulator.switches(association_id_change=value)
    predict(emulator, "a")
    answer = set_columns(requester, "order_id")
    assert (answer.status_code, list(answer.json())) == (status, ["message"])
    assert set_columns(requester, "customer_id").status_code == 202, "the same columns again change nothing"


def test_switch_association_id_change_job_error(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(association_id_change="job_error")
    predict(emulator, "a")
    answer = set_columns(requester, "order_id")
    assert answer.status_code == 202
    emulator.advance(3)
    assert requester.get(answer.headers["Location"]).json()["status"] == "ERROR"
    assert association(requester)["columnNames"] == ["customer_id"]


def test_predictions_without_an_id_fix_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md D: only predictions that include the id make it lasting."""
    emulator.predictions(UNGOVERNED, data=[{"predicted": 0.5}])
    assert set_columns(requester, "order_id").status_code == 202


def test_columns_can_be_set_first_after_predictions(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    predict(emulator, "a")
    emulator.change("deployments", UNGOVERNED, settings={"associationId": {"columnNames": []}})
    assert set_columns(requester, "order_id").status_code == 202


@pytest.mark.parametrize("columns", ["customer_id", [1], [""]])
def test_columns_are_a_list_of_names(requester: httpx.Client, columns: Any) -> None:
    """Seed 002:7035: the sample's types."""
    body = {"associationId": {"columnNames": columns}}
    answer = requester.patch(f"deployments/{UNGOVERNED}/settings/", json=body)
    assert answer.status_code == 422
    assert "columnNames" in answer.json()["errors"]["associationId"]
