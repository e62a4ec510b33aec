"""Waiting for any object that tells its own state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.waits import Done, Failed, Pending, WordWait
from tests.api.tools import answer
from tests.tasks import UNGOVERNED, Perform, refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

HEALTH = {"operation_id": "getDeployment", "arguments": {"deploymentId": UNGOVERNED}}


def sensor(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.sensors.api_state import DataRobotApiStateSensor

    return DataRobotApiStateSensor(task_id=task_id, **arguments)


def test_words_of_an_object(service: EmulatorDoor, perform: Perform) -> None:
    service.change("deployments", UNGOVERNED, health={"service": "failing"})
    done = perform(
        lambda: [
            sensor("status", done="active", **HEALTH),
            sensor("deferred", done=["inactive", "active"], deferrable=True, **HEALTH),
            sensor("nested", field="serviceHealth.status", done="failing,warning", **HEALTH),
            sensor("failed", field="serviceHealth.status", done="passing", failed="{{ 'failing' }}", **HEALTH),
            sensor("absent", operation_id="getStatus", arguments='{"statusId": "gone"}', done="COMPLETED"),
        ]
    )
    for task_id in ("status", "deferred", "nested"):
        assert done[task_id].result["id"] == UNGOVERNED, done[task_id].error
    assert done["failed"].error.startswith("serviceHealth.status is failing")
    assert "not found" in done["absent"].error


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({**HEALTH, "operation_id": "getDeploymentt"}, "did you mean getDeployment"),
        ({**HEALTH, "arguments": {}}, "required @ $.deploymentId"),
        ({**HEALTH, "operation_id": "deleteDeployment"}, "a sensor reads, and deleteDeployment writes"),
        ({**HEALTH, "done": []}, "done must name the word"),
        ({**HEALTH, "field": " "}, "field must be where the word stands"),
    ]
    refused(service, sensor, {"done": "active"}, bad)


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ({"ready": True}, Done({"word": "true"})),
        ({"ready": False, "why": {"text": "No capacity."}}, Failed("ready is false: No capacity.")),
        ({"ready": False}, Failed("ready is false")),
        ({"ready": None}, Pending("ready is None")),
        ({}, Pending("ready is None")),
    ],
)
def test_each_answer(body: dict[str, Any], end: Any) -> None:
    wait = WordWait("things/1/", "ready", ["true"], ["false"], "why.text")
    assert wait.receive(answer(200, body)) == end
