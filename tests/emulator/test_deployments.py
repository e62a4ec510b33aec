"""Deployments: lists with their filters, reading, updating, deleting, status and settings."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, NIGHTLY, UNGOVERNED, ask_for, champion, deployment, replace, taken


def ids(answer: httpx.Response) -> list[str]:
    return [one["id"] for one in taken(answer)["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=UNGOVERNED", [UNGOVERNED]),
        ("search=replaced directly", [UNGOVERNED]),
        ("importance=CRITICAL", [GOVERNED]),
        ("status=active", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("status=inactive,errored", []),
        ("role=OWNER", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("role=USER", []),
        ("serviceHealth=failing", [GOVERNED]),
        ("modelHealth=not_started", [GOVERNED]),
        ("accuracyHealth=passing&serviceHealth=passing", [UNGOVERNED]),
        ("createdBy=64a000000000000000000004", []),
        ("championModelExecutionType=dedicated", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("championModelTargetType=Regression", []),
        ("buildEnvironmentType=Python", []),
        ("executionEnvironmentType=datarobot", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("predictionEnvironmentPlatform=aws", []),
        ("predictionUsageDailyAvgGreaterThan=5000", []),
        ("predictionUsageDailyAvgLessThan=5000", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("lastPredictionTimestampStart=2025-06-01T12:00:00Z", []),
        ("lastPredictionTimestampStart=2025-05-01T12:00:00Z", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("lastPredictionTimestampEnd=2025-05-01T12:00:00Z", []),
        ("defaultPredictionServerId=64a000000000000000000009", []),
        ("tagKeys=team&tagKeys=colour", [GOVERNED, UNGOVERNED, NIGHTLY]),
        ("tagValues=sandbox", [UNGOVERNED]),
    ],
)
def test_filters_of_the_list(emulator: EmulatorDoor, requester: httpx.Client, query: str, found: list[str]) -> None:
    """Seed 002:104-146, one filter a row; health words of the query are spelled not_started there."""
    emulator.change("deployments", GOVERNED, health={"service": "failing", "model": "notStarted"})
    assert ids(requester.get(f"deployments/?{query}&orderBy=label")) == found


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("label", GOVERNED),
        ("-label", NIGHTLY),
        ("importance", UNGOVERNED),
        ("-importance", GOVERNED),
        ("serviceHealth", GOVERNED),
        ("currentModelDeployedTimestamp", GOVERNED),
        ("-currentModelDeployedTimestamp", NIGHTLY),
        ("recentPredictions", UNGOVERNED),
        ("-lastPredictionTimestamp", GOVERNED),
        ("createdAtTimestamp", GOVERNED),
        ("fairnessHealth", GOVERNED),
    ],
)
def test_orders_of_the_list(emulator: EmulatorDoor, requester: httpx.Client, order: str, first: str) -> None:
    """Seed 002:133: the documented orders."""
    usage = {"dailyRates": [1], "lastTimestamp": "2025-01-01T00:00:00.000000Z"}
    emulator.change("deployments", UNGOVERNED, predictionUsage=usage)
    emulator.change("deployments", GOVERNED, health={"service": "failing"})
    assert ids(requester.get(f"deployments/?orderBy={order}"))[0] == first


def test_by_default_the_latest_prediction_comes_first(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:106: 'Defaults to order by deployment last prediction timestamp in descending order.'"""
    emulator.change("deployments", UNGOVERNED, predictionUsage={"lastTimestamp": "2025-07-01T00:00:00.000000Z"})
    assert ids(requester.get("deployments/")) == [UNGOVERNED, GOVERNED, NIGHTLY]


def test_a_deployment_shows_its_champion_in_both_places(requester: httpx.Client) -> None:
    """Seed 002:480-500: model and modelPackage of the detail."""
    seen = deployment(requester, GOVERNED)
    assert seen["modelPackage"] == {
        "id": "64d000000000000000000001",
        "name": "Churn classifier v1",
        "registeredModelId": "64c000000000000000000001",
    }
    assert seen["model"]["id"] == "64a100000000000000000001"
    assert seen["model"]["targetName"] == "churned"


def test_open_change_requests_are_shown(requester: httpx.Client) -> None:
    """Seed 002:508, wire.md F: openedChangeRequests holds ids, governance says whether there are any."""
    assert deployment(requester, GOVERNED)["governance"] == {
        "approvalStatus": "APPROVED",
        "hasOpenedChangeRequests": False,
    }
    asked = taken(ask_for(requester))
    seen = deployment(requester, GOVERNED)
    assert seen["openedChangeRequests"] == [asked["id"]]
    assert seen["governance"]["hasOpenedChangeRequests"] is True


def test_health_is_what_the_control_door_sets(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("deployments", GOVERNED, health={"accuracy": "failing", "accuracyMessage": "AUC fell"})
    seen = deployment(requester, GOVERNED)
    assert (seen["accuracyHealth"]["status"], seen["accuracyHealth"]["message"]) == ("failing", "AUC fell")
    assert seen["serviceHealth"]["status"] == "passing"


def test_without_access_a_deployment_does_not_exist(outsider: httpx.Client) -> None:
    """Seed 000 for policies, applied alike: 404 'does not exist or the user doesn't have access to it'."""
    assert outsider.get(f"deployments/{GOVERNED}/").status_code == 404
    assert outsider.get("deployments/").json()["totalCount"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"label": "mine"}),
        ("DELETE", "", None),
        ("PATCH", "status/", {"status": "inactive"}),
        ("PATCH", "model/", {"modelPackageId": "64d000000000000000000003", "reason": "OTHER"}),
        ("PATCH", "settings/", {"targetDrift": {"enabled": False}}),
    ],
)
def test_only_an_owner_can_write(reviewer: httpx.Client, method: str, path: str, body: Any) -> None:
    """wire.md B: 403 with {"message"}."""
    answer = reviewer.request(method, f"deployments/{UNGOVERNED}/{path}", json=body)
    assert answer.status_code == 403
    assert list(answer.json()) == ["message"]


def test_update_changes_label_and_description_and_importance(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:555: 204, nothing in the body."""
    body = {"label": "New label", "description": None, "importance": "MODERATE"}
    answer = requester.patch(f"deployments/{UNGOVERNED}/", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    seen = deployment(requester)
    assert (seen["label"], seen["description"], seen["importance"]) == ("New label", None, "MODERATE")
    assert emulator.count("deploymentUpdated", UNGOVERNED) == 1
    assert emulator.count("importanceChanged", UNGOVERNED) == 1


def test_a_null_label_leaves_the_label(requester: httpx.Client) -> None:
    """The table allows null, but a deployment's label is a string (seed 003)."""
    assert requester.patch(f"deployments/{UNGOVERNED}/", json={"label": None}).status_code == 204
    assert deployment(requester)["label"] == "Churn, ungoverned"


def test_an_update_outside_the_table_is_422(requester: httpx.Client) -> None:
    answer = requester.patch(f"deployments/{UNGOVERNED}/", json={"importance": "HUGE", "label": "x" * 513})
    assert set(answer.json()["errors"]) == {"importance", "label"}


def test_deactivation_is_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:7303: 202 with Location; wire.md A.4: 303 to the deployment; wire.md I: stopping meanwhile."""
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert deployment(requester)["status"] == "stopping"
    emulator.advance(11)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.headers["Location"]) == (303, f"{origin}/api/v2/deployments/{UNGOVERNED}/")
    assert deployment(requester)["status"] == "inactive"
    assert emulator.count("statusChanged", UNGOVERNED) == 1


def test_activation_shows_launching(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("deployments", UNGOVERNED, status="inactive")
    requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "active"})
    assert deployment(requester)["status"] == "launching"


@pytest.mark.parametrize("running", [True, False], ids=["in progress", "already there"])
def test_a_status_that_cannot_be_changed_is_409(requester: httpx.Client, running: bool) -> None:
    """Seed 002:7330: 'already in process of status change or already in requested status'."""
    wanted = "inactive" if running else "active"
    if running:
        replace(requester)
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": wanted})
    assert answer.status_code == 409


@pytest.mark.parametrize(("value", "status"), [("before", "active"), ("errored", "errored")])
def test_switch_failed_change_status(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: str) -> None:
    emulator.switches(failed_change_status=value)
    emulator.jobs("deploymentStatus", failsWith="no")
    requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive"})
    emulator.advance(11)
    seen = deployment(requester)
    assert (seen["status"], seen["hasError"]) == (status, status == "errored")


@pytest.mark.parametrize(("value", "seen"), [("at_once", 404), ("lingers", 200)])
def test_switch_deployment_delete(emulator: EmulatorDoor, requester: httpx.Client, value: str, seen: int) -> None:
    """Seed 002:357: 204; wire.md I: a client polls until 404 because deletion is not instantaneous."""
    emulator.switches(deployment_delete=value)
    answer = requester.delete(f"deployments/{UNGOVERNED}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert requester.get(f"deployments/{UNGOVERNED}/").status_code == seen
    emulator.advance(6)
    assert requester.get(f"deployments/{UNGOVERNED}/").status_code == 404
    assert emulator.count("deploymentDeleted", UNGOVERNED) == 1


@pytest.mark.parametrize("value", ["404", "410"])
def test_switch_second_delete(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """wire.md I: 404 unknown, 410 already gone."""
    emulator.switches(second_delete=value)
    requester.delete(f"deployments/{UNGOVERNED}/")
    assert requester.delete(f"deployments/{UNGOVERNED}/").status_code == int(value)
    assert requester.get(f"deployments/{UNGOVERNED}/").status_code == 404


def test_deleted_deployments_are_for_administrators(requester: httpx.Client, admin: httpx.Client) -> None:
    """Seed 002:11: 'Requires a CAN_DELETE_APP_PROJECTS permission'."""
    requester.delete(f"deployments/{UNGOVERNED}/")
    assert requester.get("deletedDeployments/").status_code == 403
    row = taken(admin.get("deletedDeployments/"))["data"][0]
    assert (row["id"], row["label"]) == (UNGOVERNED, "Churn, ungoverned")


def test_settings_have_their_objects(requester: httpx.Client) -> None:
    """wire.md E: predictionIntervals must be an object with enabled and percentiles."""
    settings = taken(requester.get(f"deployments/{UNGOVERNED}/settings/"))
    assert settings["predictionIntervals"] == {"enabled": False, "percentiles": []}
    assert settings["associationId"]["columnNames"] == ["customer_id"]


def test_changed_settings_are_merged_by_a_job(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:7108: 202, no body, poll Location."""
    body = {"associationId": {"requiredInPredictionRequests": True}, "targetDrift": {"enabled": False}}
    answer = requester.patch(f"deployments/{UNGOVERNED}/settings/", json=body)
    assert (answer.status_code, answer.content) == (202, b"")
    emulator.advance(3)
    assert requester.get(answer.headers["Location"]).status_code == 303
    settings = taken(requester.get(f"deployments/{UNGOVERNED}/settings/"))
    assert settings["associationId"] == {"columnNames": ["customer_id"], "requiredInPredictionRequests": True}
    assert settings["targetDrift"] == {"enabled": False}


def test_settings_of_another_form_are_kept_as_they_came(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 1: their schema is guessed from a sample, so nothing in it is enforced."""
    body = {"humility": "on", "predictionIntervals": {"enabled": 1}, "predictionWarning": {"enabled": True}}
    assert requester.patch(f"deployments/{UNGOVERNED}/settings/", json=body).status_code == 202
    emulator.advance(3)
    assert taken(requester.get(f"deployments/{UNGOVERNED}/settings/"))["humility"] == "on"
    assert deployment(requester)["settings"] == {
        "batchMonitoringEnabled": False,
        "humbleAiEnabled": False,
        "predictionIntervalsEnabled": False,
        "predictionWarningEnabled": True,
    }


def test_capabilities_are_named(requester: httpx.Client) -> None:
    data = taken(requester.get(f"deployments/{UNGOVERNED}/capabilities/"))["data"]
    assert {"name": "supportsModelReplacement", "supported": True, "messages": []} in data


@pytest.mark.parametrize(
    ("value", "order"),
    [("by_id", sorted), ("oldest_first", list), ("newest_first", lambda ids: ids[::-1])],
)
def test_switch_list_order(emulator: EmulatorDoor, requester: httpx.Client, value: str, order: Any) -> None:
    """Rule 3: lists come in the order that the switch says, by default not by time."""
    emulator.switches(list_order=value)
    made = [taken(ask_for(requester))["id"] for _ in range(8)]
    assert ids(requester.get("changeRequests/?entityType=deployment")) == order(made)


@pytest.mark.parametrize("value", ["0", "1", "2", "3"])
def test_switch_lag(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """Rule 3: a new object may be missing from lists for N looks; it can be read by its id at once."""
    emulator.switches(lag=value)
    asked = taken(ask_for(requester))
    assert requester.get(f"changeRequests/{asked['id']}/").status_code == 200
    looks = [len(ids(requester.get("changeRequests/?entityType=deployment"))) for _ in range(4)]
    assert looks == [0] * int(value) + [1] * (4 - int(value))


@pytest.mark.parametrize("value", ["0", "1", "3"])
def test_switch_champion_lag(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """wire.md E: modelPackage.id in GET may lag behind status active."""
    emulator.switches(champion_lag=value)
    replace(requester)
    emulator.advance(21)
    old, new = "64d000000000000000000002", "64d000000000000000000003"
    assert [champion(requester) for _ in range(4)] == [old] * int(value) + [new] * (4 - int(value))
