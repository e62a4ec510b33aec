"""Making, changing, sharing and archiving packages and registered models (wire.md I, seed 004)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, CHAMPION, CHURN, REVIEWER, REVIEWERS, taken
from tests.emulator.visit_registry import CUSTOM_VERSION, NEW_MODEL

LEADERBOARD = "modelPackages/fromLeaderboard/"


def register(client: httpx.Client, **more: Any) -> httpx.Response:
    return client.post(LEADERBOARD, json={"modelId": NEW_MODEL, **more})


def version(client: httpx.Client, made: dict[str, Any]) -> dict[str, Any]:
    return taken(client.get(f"registeredModels/{made['registeredModelId']}/versions/{made['id']}/"))


def test_a_package_is_built_on_the_clock(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I: clients parse a complete version from the answer and look for buildStatus."""
    answer = register(requester, name="v6", description="monthly", registeredModelId=CHURN, predictionThreshold=0.7)
    assert answer.status_code == 202
    made = answer.json()
    shown = (made["registeredModelId"], made["registeredModelVersion"], made["buildStatus"], made["name"])
    assert shown == (CHURN, 6, "inProgress", "v6")
    assert made["target"]["predictionThreshold"] == 0.7
    emulator.advance(29)
    assert version(requester, made)["buildStatus"] == "inProgress"
    emulator.advance(2)
    assert version(requester, made)["buildStatus"] == "complete"
    logs = taken(requester.get(f"modelPackages/{made['id']}/modelLogs/"))["data"]
    assert [one["message"] for one in logs] == ["Build began.", "Build is complete."]
    assert (emulator.count("packageCreated"), emulator.count("packageBuilt")) == (1, 1)


def test_a_build_can_fail(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("packageBuild", failsWith="no blueprint")
    made = register(requester).json()
    emulator.advance(31)
    assert version(requester, made)["buildStatus"] == "failed"
    logs = taken(requester.get(f"modelPackages/{made['id']}/modelLogs/"))["data"]
    assert logs[-1]["message"] == "no blueprint"


def test_a_second_equal_post_makes_a_second_package(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    first, second = (register(requester, registeredModelId=CHURN).json() for _ in range(2))
    assert (first["registeredModelVersion"], second["registeredModelVersion"]) == (6, 7)
    assert emulator.count("packageCreated") == 2


@pytest.mark.parametrize(
    ("value", "body", "location"),
    [
        ("version", True, False),
        ("version_and_location", True, True),
        ("location", False, True),
        ("empty", False, False),
    ],
)
def test_what_a_new_package_is_answered_with(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, body: bool, location: bool
) -> None:
    emulator.switches(package_created_answer=value)
    answer = register(requester)
    assert (answer.status_code, bool(answer.content), "Location" in answer.headers) == (202, body, location)
    if location:
        emulator.advance(31)
        ended = requester.get(answer.headers["Location"])
        assert ended.status_code == 303
        assert "/registeredModels/" in ended.headers["Location"]


@pytest.mark.parametrize(("value", "word"), [("tracked", "inProgress"), ("null", None)])
def test_the_word_of_a_build(emulator: EmulatorDoor, requester: httpx.Client, value: str, word: str | None) -> None:
    emulator.switches(package_build_status=value)
    assert register(requester).json()["buildStatus"] == word


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_404", 404)])
def test_a_model_that_is_not_there(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(unknown_model=value)
    assert requester.post(LEADERBOARD, json={"modelId": "0" * 24}).status_code == status
    body = {"customModelVersionId": "0" * 24}
    assert requester.post("modelPackages/fromCustomModelVersion/", json=body).status_code == status


def test_a_new_registered_model_is_called_after_its_first_version(requester: httpx.Client) -> None:
    """The vendor's client: without id and name it defaults to the name of the package."""
    made = register(requester, name="Churn, blended").json()
    model = taken(requester.get(f"registeredModels/{made['registeredModelId']}/"))
    assert (model["name"], model["lastVersionNum"], made["registeredModelVersion"]) == ("Churn, blended", 1, 1)
    named = register(requester, registeredModelName="Another").json()
    assert taken(requester.get(f"registeredModels/{named['registeredModelId']}/"))["name"] == "Another"


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422), ("repeated", 202)])
def test_a_name_that_is_taken(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(registered_model_name=value)
    assert register(requester, registeredModelName="Churn classifier").status_code == status


def test_id_and_name_of_the_registered_model_exclude_each_other(requester: httpx.Client) -> None:
    answer = register(requester, registeredModelName="Another", registeredModelId=CHURN)
    assert answer.status_code == 422
    assert "registeredModelId" in answer.json()["errors"]


def test_custom_and_external_models(requester: httpx.Client) -> None:
    """wire.md I: 201 with a body."""
    custom = requester.post("modelPackages/fromCustomModelVersion/", json={"customModelVersionId": CUSTOM_VERSION})
    assert (custom.status_code, custom.json()["modelExecutionType"]) == (201, "custom_inference_model")
    body = {"name": "Elsewhere", "target": {"name": "price", "type": "Regression"}}
    external = requester.post("modelPackages/fromJSON/", json=body)
    assert (external.status_code, external.json()["modelExecutionType"]) == (201, "external")
    learning = requester.post("modelPackages/fromLearningModel/", json={"modelId": NEW_MODEL})
    assert learning.status_code == 201


def test_only_owners_change_a_registered_model(requester: httpx.Client, reviewer: httpx.Client) -> None:
    path = f"registeredModels/{CHURN}/"
    assert reviewer.patch(path, json={"name": "Mine"}).status_code == 403
    assert register(reviewer, registeredModelId=CHURN).status_code == 403
    assert requester.patch(path, json={"name": "Churn", "description": "who leaves"}).status_code == 200
    model = taken(requester.get(path))
    assert (model["name"], model["description"]) == ("Churn", "who leaves")


@pytest.mark.parametrize(("value", "body"), [("model", True), ("empty", False)])
def test_what_a_change_is_answered_with(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, body: bool
) -> None:
    emulator.switches(registered_model_updated_answer=value)
    assert bool(requester.patch(f"registeredModels/{CHURN}/", json={"isGlobal": True}).content) is body


def test_versions_are_renamed_and_found_by_their_stage(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    path = f"registeredModels/{CHURN}/versions/"
    assert requester.patch(f"{path}{CANDIDATE}/", json={"name": "Third"}).status_code == 200
    emulator.change("packages", CANDIDATE, stage="Production")
    found = taken(requester.get(f"{path}?stage=Production"))["data"]
    assert [one["name"] for one in found] == ["Third"]
    assert taken(requester.get("registeredModels/?stage=Production"))["totalCount"] == 1
    assert taken(requester.get(f"{path}?stage=Registered"))["totalCount"] == 4


@pytest.mark.parametrize(("value", "there"), [("hidden", False), ("shown", True)])
def test_the_stage_of_a_version(emulator: EmulatorDoor, requester: httpx.Client, value: str, there: bool) -> None:
    emulator.switches(version_stage=value)
    assert ("stage" in taken(requester.get(f"modelPackages/{CANDIDATE}/"))) is there


# --- roles --------------------------------------------------------------------------------------------------------


def share(client: httpx.Client, *roles: dict[str, Any]) -> httpx.Response:
    body = {"operation": "updateRoles", "roles": list(roles)}
    return client.patch(f"registeredModels/{CHURN}/sharedRoles/", json=body)


def held(client: httpx.Client, query: str = "") -> dict[str, str]:
    data = taken(client.get(f"registeredModels/{CHURN}/sharedRoles/{query}"))["data"]
    return {one["name"]: one["role"] for one in data}


def test_roles_are_given_to_people_and_groups(requester: httpx.Client, reviewer: httpx.Client) -> None:
    user = {"shareRecipientType": "user", "role": "OWNER", "username": "reviewer@example.com"}
    group = {"shareRecipientType": "group", "role": "USER", "id": REVIEWERS}
    assert share(requester, user, group).status_code == 204
    expected = {"requester@example.com": "OWNER", "reviewer@example.com": "OWNER", "Model reviewers": "USER"}
    assert held(requester) == expected
    assert held(requester, "?shareRecipientType=group") == {"Model reviewers": "USER"}
    assert held(requester, f"?id={REVIEWER}&name=reviewer@example.com") == {"reviewer@example.com": "OWNER"}
    assert reviewer.patch(f"registeredModels/{CHURN}/", json={"name": "Ours"}).status_code == 200
    assert taken(requester.get(f"modelPackages/{CANDIDATE}/sharedRoles/"))["totalCount"] == 3


def test_somebody_must_own_it(requester: httpx.Client) -> None:
    """The page: 409 when no owner would remain."""
    alone = {"shareRecipientType": "user", "role": "USER", "username": "requester@example.com"}
    assert share(requester, alone).status_code == 409


@pytest.mark.parametrize(
    "role",
    [
        {"shareRecipientType": "user", "role": "USER", "username": "nobody@example.com"},
        {"shareRecipientType": "organization", "role": "USER", "id": "0" * 24},
        {"shareRecipientType": "user", "role": "KING", "username": "reviewer@example.com"},
    ],
)
def test_roles_that_cannot_be_given(requester: httpx.Client, role: dict[str, str]) -> None:
    assert share(requester, role).status_code == 422


@pytest.mark.parametrize(("value", "status", "left"), [("removes", 204, 1), ("refuse_422", 422, 2)])
def test_taking_a_role_away(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, left: int
) -> None:
    emulator.switches(no_role=value)
    share(requester, {"shareRecipientType": "user", "role": "USER", "username": "reviewer@example.com"})
    answer = share(requester, {"shareRecipientType": "user", "role": "NO_ROLE", "id": REVIEWER})
    assert (answer.status_code, len(held(requester))) == (status, left)


# --- the end ------------------------------------------------------------------------------------------------------


def test_an_archived_version_leaves_the_lists_and_stays_readable(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    path = f"modelPackages/{CANDIDATE}/"
    assert requester.post(f"{path}archive/").status_code == 204
    assert requester.post(f"{path}archive/").status_code == 204
    assert taken(requester.get(path))["isArchived"] is True
    assert taken(requester.get(f"registeredModels/{CHURN}/versions/"))["totalCount"] == 4
    assert emulator.count("packageArchived", CANDIDATE) == 1


@pytest.mark.parametrize(("value", "status"), [("allow", 204), ("refuse_409", 409), ("refuse_422", 422)])
def test_archiving_a_version_that_serves(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(archive_deployed_package=value)
    assert requester.post(f"modelPackages/{CHAMPION}/archive/").status_code == status


@pytest.mark.parametrize(("value", "status"), [("refuse_409", 409), ("refuse_422", 422), ("allow", 204)])
def test_deleting_a_model_that_serves(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(delete_deployed_model=value)
    assert requester.delete(f"registeredModels/{CHURN}/").status_code == status


def test_deleting_archives_the_model_and_its_versions(requester: httpx.Client) -> None:
    made = register(requester).json()
    path = f"registeredModels/{made['registeredModelId']}/"
    assert requester.delete(path).status_code == 204
    assert taken(requester.get(path))["isArchived"] is True
    assert taken(requester.get(f"modelPackages/{made['id']}/"))["isArchived"] is True
    assert taken(requester.get("registeredModels/?limit=100"))["totalCount"] == 3
    assert register(requester, registeredModelId=made["registeredModelId"]).status_code == 422


def test_features_of_a_package(requester: httpx.Client) -> None:
    path = f"modelPackages/{CANDIDATE}/features/"
    assert taken(requester.get(path))["totalCount"] == 4
    names = [one["name"] for one in taken(requester.get(f"{path}?search=MONTH&orderBy=-name"))["data"]]
    assert names == ["tenure_months", "monthly_charges"]
