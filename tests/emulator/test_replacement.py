"""Model replacement: the checks, the job, and what is not known about it (wire.md E)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import (
    CANDIDATE,
    DOUBTFUL,
    GOVERNED,
    MISFIT,
    MODEL_OF_CANDIDATE,
    OTHER_CHAMPION,
    SECOND_CANDIDATE,
    UNGOVERNED,
    champion,
    deployment,
    replace,
    taken,
)


def validation(client: httpx.Client, package: str) -> dict[str, Any]:
    return taken(client.post(f"deployments/{UNGOVERNED}/model/validation/", json={"modelPackageId": package}))


def failing(found: dict[str, Any], status: str = "failing") -> set[str]:
    return {name for name, check in found["checks"].items() if check["status"] == status}


def test_a_compatible_package_passes(requester: httpx.Client) -> None:
    """wire.md E: the recorded text; the check names are those of the page (seed 002:3840)."""
    found = validation(requester, CANDIDATE)
    assert found["status"] == "passing"
    assert found["message"] == "Model can be used to replace the current model of the deployment."
    assert found["checks"]["target"] == {"status": "passing", "message": "Target name matches."}
    assert len(found["checks"]) == 19


def test_another_target_fails(requester: httpx.Client) -> None:
    found = validation(requester, MISFIT)
    assert found["status"] == "failing"
    assert {"target", "targetType", "targetClasses"} <= failing(found)


def test_the_current_model_fails(requester: httpx.Client) -> None:
    assert failing(validation(requester, OTHER_CHAMPION)) == {"notCurrentModel"}


@pytest.mark.parametrize(
    ("change", "check", "status"),
    [
        ({"features": [{"name": "contract", "featureType": "Numeric"}]}, "featureDataTypes", "failing"),
        ({"buildStatus": "inProgress"}, "predictionReady", "failing"),
        ({"buildStatus": "failed"}, "modelCanBeDeployed", "failing"),
        ({"canBeDeployed": False}, "modelCanBeDeployed", "failing"),
        ({"isArchived": True}, "supported", "failing"),
        ({"isDeprecated": True}, "modelStatus", "warning"),
    ],
)
def test_checks_are_computed_from_the_package(
    emulator: EmulatorDoor, requester: httpx.Client, change: dict[str, Any], check: str, status: str
) -> None:
    emulator.change("packages", CANDIDATE, **change)
    found = validation(requester, CANDIDATE)
    assert found["checks"][check]["status"] == status
    assert found["status"] == status


@pytest.mark.parametrize("value", ["warning", "failing"])
def test_switch_new_features(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(new_features=value)
    found = validation(requester, DOUBTFUL)
    assert found["status"] == value
    assert failing(found, value) == {"features"}
    assert "support_calls" in found["checks"]["features"]["message"]
    assert replace(requester, package=DOUBTFUL).status_code == (202 if value == "warning" else 409)


def test_validation_takes_a_model_id_too(requester: httpx.Client) -> None:
    """wire.md E: modelPackageId, or the old modelId."""
    answer = requester.post(f"deployments/{UNGOVERNED}/model/validation/", json={"modelId": MODEL_OF_CANDIDATE})
    assert answer.json()["status"] == "passing"


@pytest.mark.parametrize(
    "body",
    [{}, {"modelPackageId": CANDIDATE, "modelId": MODEL_OF_CANDIDATE}, {"modelPackageId": ""}, {"modelPackageId": 7}],
    ids=["neither", "both", "empty", "number"],
)
def test_exactly_one_id_is_needed(requester: httpx.Client, body: dict[str, Any]) -> None:
    """Contract corrections 10 and 11."""
    assert requester.post(f"deployments/{UNGOVERNED}/model/validation/", json=body).status_code == 422
    answer = requester.patch(f"deployments/{UNGOVERNED}/model/", json=body | {"reason": "OTHER"})
    assert answer.status_code == 422


@pytest.mark.parametrize("reason", [None, "accuracy", "DEPRECATION"])
def test_a_reason_outside_the_words_is_422(requester: httpx.Client, reason: str | None) -> None:
    """wire.md E: ACCURACY, DATA_DRIFT, ERRORS, SCHEDULED_REFRESH, SCORING_SPEED, OTHER; rule 9: no DEPRECATION."""
    body = {"modelPackageId": CANDIDATE} | ({"reason": reason} if reason else {})
    answer = requester.patch(f"deployments/{UNGOVERNED}/model/", json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["reason"]


@pytest.mark.parametrize("body", [{"modelPackageId": "0" * 24}, {"modelId": "0" * 24}])
def test_an_unknown_package_is_404(requester: httpx.Client, body: dict[str, str]) -> None:
    assert requester.post(f"deployments/{UNGOVERNED}/model/validation/", json=body).status_code == 404
    answer = requester.patch(f"deployments/{UNGOVERNED}/model/", json=body | {"reason": "OTHER"})
    assert answer.status_code == 404


def test_a_failing_validation_is_409_with_the_validation_object(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """wire.md E: 409 with the validation object, the client reads checks; nothing is changed."""
    answer = replace(requester, package=MISFIT)
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == validation(requester, MISFIT)
    assert emulator.effects() == []


def test_a_replacement_changes_the_champion_at_the_end_of_its_job(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """wire.md E: 202 + Location, 303 to the deployment; wire.md I: status replacingModel meanwhile."""
    answer = replace(requester)
    assert answer.status_code == 202
    emulator.advance(19)
    seen = deployment(requester)
    assert (seen["status"], seen["modelPackage"]["id"]) == ("replacingModel", OTHER_CHAMPION)
    emulator.advance(2)
    seen = deployment(requester)
    assert (seen["status"], seen["modelPackage"]["id"]) == ("active", CANDIDATE)
    assert seen["model"]["id"] == MODEL_OF_CANDIDATE
    assert requester.get(answer.headers["Location"]).status_code == 303
    assert emulator.count("modelReplaced", UNGOVERNED) == 1


def test_the_champion_is_deployed_at_the_end_of_the_job_however_late_one_looks(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    emulator.clock(speed=0)
    started = emulator.clock()["epoch"]
    replace(requester)
    emulator.advance(86_400)
    deployed = [effect["at"] for effect in emulator.effects() if effect["effect"] == "modelReplaced"]
    assert deployed == [deployment(requester)["model"]["deployedAt"]]
    assert emulator.clock()["epoch"] == pytest.approx(started + 86_400)
    assert emulator.jobs()[0]["ended"] == pytest.approx(started + 20)


def test_replacing_by_model_id(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    body = {"modelId": MODEL_OF_CANDIDATE, "reason": "DATA_DRIFT", "runtimeParameterValues": "[]"}
    assert requester.patch(f"deployments/{UNGOVERNED}/model/", json=body).status_code == 202
    emulator.advance(21)
    assert champion(requester) == CANDIDATE


def test_the_champion_package_has_the_keys_that_clients_need(requester: httpx.Client) -> None:
    """wire.md K.1: championModelPackage needs registeredModelId and registeredModelVersion."""
    package = taken(requester.get(f"deployments/{GOVERNED}/championModelPackage/"))
    assert package["id"] == "64d000000000000000000001"
    assert (package["registeredModelId"], package["registeredModelVersion"]) == ("64c000000000000000000001", 1)


@pytest.mark.parametrize(("value", "body"), [("validation", b"{"), ("empty", b"")])
def test_switch_replacement_answer(emulator: EmulatorDoor, requester: httpx.Client, value: str, body: bytes) -> None:
    """Seed 002:3918 shows the validation object, wire.md A.4 a recorded call with an empty body."""
    emulator.switches(replacement_answer=value)
    answer = replace(requester)
    assert (answer.status_code, answer.content[:1]) == (202, body)
    assert "Location" in answer.headers


def test_a_failed_replacement_leaves_everything_as_before(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("modelReplacement", failsWith="No capacity.")
    location = replace(requester).headers["Location"]
    emulator.advance(21)
    assert requester.get(location).json()["message"] == "No capacity."
    seen = deployment(requester)
    assert (seen["status"], seen["modelPackage"]["id"]) == ("active", OTHER_CHAMPION)
    assert emulator.count("modelReplaced") == 0


@pytest.mark.parametrize(("value", "status"), [("accept", 202), ("refuse_409", 409), ("refuse_422", 422)])
def test_switch_replace_while_replacing(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    """Rule 3: no kindness, so by default a second one is a second job, and counted twice."""
    emulator.switches(replace_while_replacing=value)
    replace(requester)
    emulator.advance(5)
    assert replace(requester).status_code == status
    emulator.advance(30)
    assert emulator.count("modelReplaced", UNGOVERNED) == (2 if status == 202 else 1)
    assert deployment(requester)["status"] == "active"


@pytest.mark.parametrize(
    ("value", "status", "end"),
    [
        ("hangs", 202, "replacingModel"),
        ("works", 202, "inactive"),
        ("refuse_409", 409, "inactive"),
        ("refuse_422", 422, "inactive"),
    ],
)
def test_switch_replace_while_inactive(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, end: str
) -> None:
    """wire.md E: a client's change log says that a replacement hangs if the deployment is inactive."""
    emulator.switches(replace_while_inactive=value)
    emulator.change("deployments", UNGOVERNED, status="inactive")
    assert replace(requester).status_code == status
    emulator.advance(3_600)
    seen = deployment(requester)
    assert seen["status"] == end
    assert (seen["modelPackage"]["id"] == CANDIDATE) is (value == "works")


def test_a_replacement_of_a_deployment_that_goes_away_fails(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    location = replace(requester).headers["Location"]
    requester.delete(f"deployments/{UNGOVERNED}/")
    emulator.advance(21)
    assert requester.get(location).json()["status"] == "ERROR"


def test_two_replacements_to_different_packages_each_count(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    replace(requester)
    emulator.advance(21)
    replace(requester, package=SECOND_CANDIDATE)
    emulator.advance(21)
    assert champion(requester) == SECOND_CANDIDATE
    assert emulator.count("modelReplaced", UNGOVERNED) == 2
    assert emulator.accepted()["replaceDeploymentModel"] == 2
