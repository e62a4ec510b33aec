"""Sharing, erasing, runtime parameters, secondary datasets, monitoring data, reports, compute bundles."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, REQUESTER, REVIEWER, REVIEWERS, UNGOVERNED, taken

ROLES = f"deployments/{UNGOVERNED}/sharedRoles/"
PAGE = {"offset": 0, "limit": 100}
PARAMETERS = f"deployments/{UNGOVERNED}/runtimeParameters/"
SECONDARY = f"deployments/{UNGOVERNED}/model/secondaryDatasetConfiguration/"
JANUARY, FEBRUARY = (f"65600000000000000000000{n}" for n in (1, 2))
OUTSIDER = "64a000000000000000000005"


def share(client: httpx.Client, *roles: dict[str, Any]) -> httpx.Response:
    return client.patch(ROLES, json={"operation": "updateRoles", "roles": list(roles)})


def test_roles_are_listed_with_four_keys(requester: httpx.Client) -> None:
    """wire.md K.1: a real client takes exactly these."""
    page = taken(requester.get(ROLES, params=PAGE))
    assert page["totalCount"] == 3
    mine = {"id": REQUESTER, "name": "requester@example.com", "role": "OWNER", "shareRecipientType": "user"}
    assert mine in page["data"]
    assert taken(requester.get(ROLES, params={**PAGE, "id": REQUESTER}))["data"] == [mine]


def test_a_share_by_name_and_to_a_group_gives_access(
    requester: httpx.Client, outsider: httpx.Client, emulator: EmulatorDoor
) -> None:
    assert outsider.get(f"deployments/{UNGOVERNED}/").status_code == 404
    given = share(
        requester,
        {"username": "outsider@example.com", "role": "USER", "shareRecipientType": "user"},
        {"id": REVIEWERS, "role": "CONSUMER", "shareRecipientType": "group"},
    )
    assert (given.status_code, given.content) == (204, b"")
    assert outsider.get(f"deployments/{UNGOVERNED}/").status_code == 200
    held = {one["id"]: one["role"] for one in taken(requester.get(ROLES, params=PAGE))["data"]}
    assert (held[OUTSIDER], held[REVIEWERS], held[REQUESTER]) == ("USER", "CONSUMER", "OWNER")
    assert emulator.count("deploymentShared", UNGOVERNED) == 1


def test_a_role_of_a_group_is_a_role_of_its_members(requester: httpx.Client, reviewer: httpx.Client) -> None:
    share(requester, {"id": REVIEWER, "role": "NO_ROLE", "shareRecipientType": "user"})
    assert reviewer.get(f"deployments/{UNGOVERNED}/").status_code == 404
    share(requester, {"id": REVIEWERS, "role": "OWNER", "shareRecipientType": "group"})
    assert reviewer.patch(f"deployments/{UNGOVERNED}/", json={"label": "ours"}).status_code == 204


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ({"id": REQUESTER, "role": "USER", "shareRecipientType": "user"}, 409),  # wire.md I: no owner left
        ({"id": "64a000000000000000000099", "role": "USER", "shareRecipientType": "user"}, 422),
        ({"id": REVIEWER, "role": "KING", "shareRecipientType": "user"}, 422),
    ],
)
def test_a_share_that_cannot_be(requester: httpx.Client, role: dict[str, Any], status: int) -> None:
    assert share(requester, role).status_code == status


def test_those_who_do_not_own_cannot_share(reviewer: httpx.Client) -> None:
    assert share(reviewer, {"id": REVIEWER, "role": "OWNER", "shareRecipientType": "user"}).status_code == 403


def test_what_was_deleted_can_be_erased(
    requester: httpx.Client, admin: httpx.Client, emulator: EmulatorDoor, origin: str
) -> None:
    """Seed 002:52: 202 and a Location."""
    assert requester.delete(f"deployments/{UNGOVERNED}/").status_code == 204
    body = {"action": "PermanentlyErase", "deploymentIds": [UNGOVERNED]}
    assert requester.patch("deletedDeployments/", json=body).status_code == 403
    answer = admin.patch("deletedDeployments/", json=body)
    assert (answer.status_code, answer.content) == (202, b"")
    emulator.advance(6)
    assert admin.get(answer.headers["Location"]).headers["Location"] == f"{origin}/api/v2/deletedDeployments/"
    assert taken(admin.get("deletedDeployments/", params=PAGE))["data"] == []
    assert emulator.count("deploymentErased", UNGOVERNED) == 1


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_404", 404), ("ignores", 202)])
def test_switch_erase_unknown(admin: httpx.Client, emulator: EmulatorDoor, value: str, status: int) -> None:
    emulator.switches(erase_unknown=value)
    body = {"action": "PermanentlyErase", "deploymentIds": [UNGOVERNED]}
    assert admin.patch("deletedDeployments/", json=body).status_code == status
    emulator.advance(6)
    assert emulator.count("deploymentErased", UNGOVERNED) == 0


def put(client: httpx.Client, *values: dict[str, Any]) -> httpx.Response:
    return client.put(PARAMETERS, json={"runtimeParameterValues": json.dumps(values)})


def parameters(client: httpx.Client) -> dict[str, tuple[str, str]]:
    rows = taken(client.get(PARAMETERS, params={"orderBy": "name"}))["data"]
    return {one["fieldName"]: (one["currentValue"], one["overrideValue"]) for one in rows}


def test_runtime_parameters_are_set_while_inactive(requester: httpx.Client, emulator: EmulatorDoor) -> None:
    """wire.md E: one text with a JSON array; only when inactive."""
    assert parameters(requester) == {"EXPLAIN": ("false", ""), "REGION": ("eu", ""), "THRESHOLD": ("0.5", "")}
    wanted = {"fieldName": "THRESHOLD", "type": "numeric", "value": 0.25}
    assert put(requester, wanted).status_code == 422
    emulator.change("deployments", UNGOVERNED, status="inactive")
    answer = put(requester, wanted)
    assert taken(answer)["totalCount"] == 3
    assert parameters(requester)["THRESHOLD"] == ("0.25", "0.25")
    put(requester, {**wanted, "value": None})
    assert parameters(requester)["THRESHOLD"] == ("0.5", "")


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422), ("works", 200)])
def test_switch_runtime_parameters_while_active(
    requester: httpx.Client, emulator: EmulatorDoor, value: str, status: int
) -> None:
    emulator.switches(runtime_parameters_while_active=value)
    assert put(requester, {"fieldName": "EXPLAIN", "type": "boolean", "value": True}).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"fieldName": "NONE", "type": "string", "value": "x"},
        {"fieldName": "REGION", "type": "numeric", "value": 1},
        {"fieldName": "EXPLAIN", "type": "boolean", "value": "yes"},
        {"fieldName": "THRESHOLD", "type": "numeric", "value": 2},
        {"fieldName": "THRESHOLD", "type": "numeric", "value": True},
        {"fieldName": "THRESHOLD"},
    ],
)
def test_values_that_do_not_fit(requester: httpx.Client, emulator: EmulatorDoor, wrong: dict[str, Any]) -> None:
    emulator.switches(runtime_parameters_while_active="works")
    answer = put(requester, wrong)
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, ["runtimeParameterValues"])


def test_secondary_datasets_and_their_history(requester: httpx.Client) -> None:
    """Seed 002:3948-4080: 404 without one, 204 for a change, 403 for credentials that do not fit."""
    assert requester.get(SECONDARY).status_code == 404
    credentials = [{"catalogVersionId": "65a000000000000000000002", "credentialId": "c", "url": "https://x"}]
    body = {"secondaryDatasetConfigId": FEBRUARY, "credentialsIds": credentials}
    assert requester.patch(SECONDARY, json={"secondaryDatasetConfigId": JANUARY}).status_code == 204
    assert requester.patch(SECONDARY, json={**body, "secondaryDatasetConfigId": JANUARY}).status_code == 403
    assert requester.patch(SECONDARY, json=body).status_code == 204
    found = taken(requester.get(SECONDARY))
    assert (found["secondaryDatasetConfigId"], found["credentialIds"]) == (FEBRUARY, credentials)
    history = taken(requester.get(SECONDARY.replace("Configuration/", "ConfigurationHistory/"), params=PAGE))
    assert [one["configId"] for one in history["data"]] == [JANUARY, FEBRUARY]
    unknown = requester.patch(SECONDARY, json={"secondaryDatasetConfigId": "64a000000000000000000077"})
    assert [*unknown.json()["errors"]] == ["secondaryDatasetConfigId"]


def test_monitoring_data_of_a_window_is_deleted(requester: httpx.Client, emulator: EmulatorDoor) -> None:
    """Seed 002:4608; wire.md A.4: a real client reads the Location."""
    for day in ("2026-02-20", "2026-02-21"):
        emulator.predictions(UNGOVERNED, rows=10, start=f"{day}T00:00:00Z", end=f"{day}T10:00:00Z", prefix=day)
    body = {"start": "2026-02-20T00:00:00Z", "end": "2026-02-20T05:00:00Z"}
    answer = requester.post(f"deployments/{UNGOVERNED}/monitoringDataDeletions/", json=body)
    assert (answer.status_code, answer.content) == (200, b"")
    emulator.advance(6)
    assert requester.get(answer.headers["Location"]).status_code == 303
    assert emulator.predictions(UNGOVERNED)["rows"] == 15
    assert emulator.count("monitoringDataDeleted", UNGOVERNED) == 1


@pytest.mark.parametrize(("value", "told"), [("given", True), ("none", False)])
def test_switch_monitoring_deletion_location(
    requester: httpx.Client, emulator: EmulatorDoor, value: str, told: bool
) -> None:
    emulator.switches(monitoring_deletion_location=value)
    answer = requester.post(f"deployments/{UNGOVERNED}/monitoringDataDeletions/", json={})
    assert (answer.status_code, "Location" in answer.headers) == (200, told)


def test_deleting_monitoring_data_may_fall_under_a_policy(admin: httpx.Client, requester: httpx.Client) -> None:
    policy = {
        "name": "Clean-up",
        "active": True,
        "trigger": {
            "entityType": "deploymentMonitoringData",
            "intendedAction": {"action": "delete"},
        },
    }
    taken(admin.post("approvalPolicies/", json=policy))
    assert requester.post(f"deployments/{GOVERNED}/monitoringDataDeletions/", json={}).status_code == 403


def test_a_report_is_made_and_mailed(requester: httpx.Client, emulator: EmulatorDoor) -> None:
    """Seed 002:4655: 200 and a Location."""
    answer = requester.post(f"deployments/{UNGOVERNED}/onDemandReports/", json={"id": "64a000000000000000000077"})
    assert (answer.status_code, answer.content) == (200, b"")
    emulator.advance(11)
    assert requester.get(answer.headers["Location"]).status_code == 303
    assert emulator.count("reportMailed", UNGOVERNED) == 1


def test_compute_bundles(requester: httpx.Client) -> None:
    """Seed 003:2537."""
    page = taken(requester.get("mlops/compute/bundles/"))
    assert [one["id"] for one in page["data"]] == ["cpu.small", "gpu.medium"]
    jobs = taken(requester.get("mlops/compute/bundles/", params={"useCases": "customJob"}))
    assert [one["id"] for one in jobs["data"]] == ["cpu.small"]
    assert taken(requester.get("mlops/compute/bundles/gpu.medium/"))["gpuMaker"] == "nvidia"
    assert requester.get("mlops/compute/bundles/none/").status_code == 404


INPUTS = f"deployments/{UNGOVERNED}/predictionInputs/fromDataset/"


def external(emulator: EmulatorDoor) -> None:
    environment = {"id": "64a300000000000000000001", "name": "Elsewhere", "platform": "other"}
    emulator.change("deployments", UNGOVERNED, predictionEnvironment=environment)


def dataset(emulator: EmulatorDoor, client: httpx.Client, text: bytes) -> dict[str, str]:
    made = taken(client.post("datasets/fromFile/", files={"file": ("made.csv", text, "text/csv")}))
    emulator.advance(6)
    return {"datasetId": made["catalogId"]}


@pytest.mark.parametrize("location", ["none", "given"])
def test_predictions_made_elsewhere_are_taken_from_a_dataset(
    requester: httpx.Client, emulator: EmulatorDoor, location: str
) -> None:
    """Seed 002:4989; wire.md I: no Location since API 2.23."""
    emulator.switches(prediction_inputs_location=location)
    external(emulator)
    text = b'customer_id,churned,timestamp\na,"[0.9, 0.1]",2026-02-20T10:00:00Z\nb,"[0.2, 0.8]",\n'
    answer = requester.post(INPUTS, json=dataset(emulator, requester, text))
    assert (answer.status_code, answer.content, "Location" in answer.headers) == (202, b"", location == "given")
    emulator.advance(11)
    assert emulator.predictions(UNGOVERNED)["rows"] == 2
    assert emulator.count("predictionsAssigned", UNGOVERNED) == 1
    found = taken(requester.get(f"deployments/{UNGOVERNED}/predictionResults/"))["data"]
    assert {one["associationId"] for one in found} == {"a", "b"}


def test_predictions_that_nobody_can_take(requester: httpx.Client, emulator: EmulatorDoor) -> None:
    """The page: 405 for internal deployments, 422 for what cannot be processed."""
    body = dataset(emulator, requester, b"customer_id,other\na,1\n")
    assert requester.post(INPUTS, json=body).status_code == 405
    external(emulator)
    answer = requester.post(INPUTS, json=body)
    assert (answer.status_code, answer.json()) == (422, {"message": "The dataset has no column churned."})


def test_sharing_needs_a_body(requester: httpx.Client) -> None:
    assert requester.patch(f"deployments/{UNGOVERNED}/sharedRoles/").status_code == 422
