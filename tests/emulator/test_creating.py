"""Creating deployments (wire.md A.4, F and I), prediction servers and environments."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import (
    CANDIDATE,
    CHURN,
    MODEL_OF_CANDIDATE,
    deployment,
    policy,
    request,
    review,
    set_status,
    taken,
)
from tests.emulator.visit_registry import ENVIRONMENT, NEW_MODEL, NOT_DEPLOYABLE, SERVER


def create(client: httpx.Client, **more: Any) -> httpx.Response:
    body = {"modelPackageId": CANDIDATE, "label": "Churn, new", **more}
    return client.post("deployments/fromModelPackage/", json=body)


def test_a_deployment_is_launched_on_the_clock(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4: 202 with the id, then 303 to the deployment."""
    answer = create(requester, description="by hand", importance="HIGH", predictionEnvironmentId=ENVIRONMENT)
    assert answer.status_code == 202
    key = answer.json()["id"]
    assert deployment(requester, key)["status"] == "launching"
    emulator.advance(21)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.headers["Location"].endswith(f"/deployments/{key}/")) == (303, True)
    made = deployment(requester, key)
    assert (made["status"], made["label"], made["importance"]) == ("active", "Churn, new", "HIGH")
    assert made["modelPackage"]["id"] == CANDIDATE
    assert made["predictionEnvironment"]["name"] == "Kubernetes in the data centre"
    assert made["governance"] == {"approvalStatus": "APPROVED", "hasOpenedChangeRequests": False}
    assert (emulator.count("deploymentCreated", key), emulator.count("deploymentLaunched", key)) == (1, 1)


def test_a_second_equal_post_makes_a_second_deployment(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert create(requester).json()["id"] != create(requester).json()["id"]
    assert taken(requester.get("deployments/?search=churn,+new"))["totalCount"] == 2


@pytest.mark.parametrize("value", ["at_once", "at_end"])
def test_when_a_new_deployment_can_be_read(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(deployment_appears=value)
    key = create(requester).json()["id"]
    assert requester.get(f"deployments/{key}/").status_code == (200 if value == "at_once" else 404)
    emulator.advance(21)
    assert deployment(requester, key)["status"] == "active"


@pytest.mark.parametrize(("value", "status"), [("off", 202), ("reached", 409)])
def test_the_quota_of_the_organisation(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(deployment_quota=value)
    assert create(requester).status_code == status


@pytest.mark.parametrize(
    ("value", "without", "with_server"), [("optional", 202, 202), ("required", 422, 202), ("forbidden", 202, 422)]
)
def test_the_prediction_server(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, without: int, with_server: int
) -> None:
    emulator.switches(default_prediction_server=value)
    assert create(requester).status_code == without
    made = create(requester, defaultPredictionServerId=SERVER)
    assert made.status_code == with_server
    assert create(requester, predictionEnvironmentId=ENVIRONMENT).status_code == 202
    if with_server == 202:
        shown = deployment(requester, made.json()["id"])["defaultPredictionServer"]
        assert shown["url"] == "https://predictions-one.example.com"
        found = taken(requester.get(f"deployments/?defaultPredictionServerId={SERVER}"))["data"]
        assert [one["id"] for one in found] == [made.json()["id"]]


@pytest.mark.parametrize("place", [{"defaultPredictionServerId": "0" * 24}, {"predictionEnvironmentId": "0" * 24}])
def test_a_place_that_is_not_there(requester: httpx.Client, place: dict[str, str]) -> None:
    assert create(requester, **place).status_code == 422


def test_what_cannot_be_deployed(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert create(requester, modelPackageId="0" * 24).status_code == 404
    body = {"modelId": NOT_DEPLOYABLE, "label": "Blender"}
    assert requester.post("deployments/fromLeaderboard/", json=body).status_code == 422
    emulator.change("packages", CANDIDATE, isArchived=True)
    assert create(requester).status_code == 422


@pytest.mark.parametrize(
    ("value", "status"), [("refuse_422", 422), ("refuse_409", 409), ("waits", 202), ("job_error", 202)]
)
def test_a_package_that_is_still_built(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(deploy_unbuilt=value)
    made = taken(requester.post("modelPackages/fromLeaderboard/", json={"modelId": NEW_MODEL}))
    answer = create(requester, modelPackageId=made["id"])
    assert answer.status_code == status
    if status == 202:
        emulator.advance(21)
        shown = deployment(requester, answer.json()["id"])["status"]
        assert shown == ("launching" if value == "waits" else "errored")
        emulator.advance(12)
        shown = deployment(requester, answer.json()["id"])["status"]
        assert shown == ("active" if value == "waits" else "errored")


def test_a_build_that_failed_is_never_launched(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(deploy_unbuilt="waits")
    emulator.change("packages", CANDIDATE, buildStatus="failed")
    key = create(requester).json()["id"]
    emulator.advance(21)
    assert deployment(requester, key)["status"] == "errored"


@pytest.mark.parametrize("value", ["errored", "gone"])
def test_a_launch_that_fails(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(failed_launch=value)
    emulator.jobs("deploymentCreation", failsWith="no capacity")
    answer = create(requester)
    emulator.advance(21)
    assert taken(requester.get(answer.headers["Location"]))["message"] == "no capacity"
    seen = requester.get(f"deployments/{answer.json()['id']}/")
    assert seen.status_code == (404 if value == "gone" else 200)
    assert value == "gone" or seen.json()["status"] == "errored"


def test_from_a_learning_model(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002: status inactive is possible; the package of the model is used, or made."""
    body = {"modelId": MODEL_OF_CANDIDATE, "label": "Learned", "description": None, "status": "inactive"}
    answer = requester.post("deployments/fromLearningModel/", json=body)
    emulator.advance(21)
    made = deployment(requester, answer.json()["id"])
    assert (made["status"], made["modelPackage"]["id"]) == ("inactive", CANDIDATE)
    other = requester.post("deployments/fromLearningModel/", json={**body, "modelId": NEW_MODEL, "label": "Other"})
    emulator.advance(21)
    assert deployment(requester, other.json()["id"])["model"]["id"] == NEW_MODEL


@pytest.mark.parametrize(("value", "body"), [("id", True), ("empty", False)])
def test_from_the_leaderboard(emulator: EmulatorDoor, requester: httpx.Client, value: str, body: bool) -> None:
    emulator.switches(from_leaderboard_answer=value)
    answer = requester.post("deployments/fromLeaderboard/", json={"modelId": NEW_MODEL, "label": "Leader"})
    assert (answer.status_code, bool(answer.content)) == (202, body)
    emulator.advance(21)
    ended = requester.get(answer.headers["Location"])
    assert ended.status_code == 303
    assert taken(requester.get(ended.headers["Location"]))["label"] == "Leader"


# --- under a policy -----------------------------------------------------------------------------------------------


def guarded(admin: httpx.Client) -> None:
    """A policy on the creation of important deployments."""
    taken(admin.post("approvalPolicies/", json=policy("deployment", "create")))


@pytest.mark.parametrize("value", ["at_once", "at_launch"])
def test_the_service_opens_an_approve_request(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, admin: httpx.Client, value: str
) -> None:
    """wire.md F: action approve, autoApply, approvalStatus APPROVED over PENDING; it can be used all the same."""
    guarded(admin)
    emulator.switches(approve_request_opened=value)
    key = create(requester, importance="CRITICAL").json()["id"]
    assert bool(deployment(requester, key)["openedChangeRequests"]) is (value == "at_once")
    emulator.advance(21)
    made = deployment(requester, key)
    assert (made["status"], made["governance"]["approvalStatus"]) == ("active", "PENDING")
    [opened] = made["openedChangeRequests"]
    asked = request(requester, opened)
    assert (asked["action"], asked["autoApply"], asked["comment"]) == ("approve", True, "")
    assert asked["change"] == {"approvalStatus": "APPROVED"}
    assert asked["diff"]["changesTo"] == ["New deployment was created"]
    assert review(requester, asked).status_code >= 400
    review(reviewer, asked)
    emulator.advance(3)
    assert deployment(requester, key)["governance"]["approvalStatus"] == "APPROVED"


@pytest.mark.parametrize(("value", "itself"), [("yes", True), ("no", False)])
def test_who_applies_the_approval(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    reviewer: httpx.Client,
    admin: httpx.Client,
    value: str,
    itself: bool,
) -> None:
    guarded(admin)
    emulator.switches(approve_request_auto_apply=value)
    key = create(requester, importance="CRITICAL").json()["id"]
    asked = request(requester, deployment(requester, key)["openedChangeRequests"][0])
    review(reviewer, asked)
    emulator.advance(21)
    approved = deployment(requester, key)["governance"]["approvalStatus"] == "APPROVED"
    assert approved is itself
    if not itself:
        assert set_status(requester, asked, "resolving").status_code == 202
        emulator.advance(3)
        assert deployment(requester, key)["governance"]["approvalStatus"] == "APPROVED"


def test_what_the_policy_does_not_mean_needs_no_approval(
    emulator: EmulatorDoor, requester: httpx.Client, admin: httpx.Client
) -> None:
    taken(admin.post("approvalPolicies/", json=policy("deployment", "delete")))
    key = create(requester, importance="CRITICAL").json()["id"]
    assert deployment(requester, key)["openedChangeRequests"] == []


# --- places -------------------------------------------------------------------------------------------------------


def test_prediction_servers(requester: httpx.Client) -> None:
    data = taken(requester.get("predictionServers/?limit=1&offset=1"))["data"]
    assert [(one["id"], one["url"]) for one in data] == [
        ("64a500000000000000000002", "https://predictions-two.example.com")
    ]


@pytest.mark.parametrize(("value", "status"), [("listed", 200), ("refuse_404", 404)])
def test_prediction_environments(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(prediction_environments=value)
    answer = requester.get("predictionEnvironments/?supportedModelFormats=customModel")
    assert answer.status_code == status
    if status == 200:
        assert [one["name"] for one in answer.json()["data"]] == ["DataRobot Serverless", "AWS, Frankfurt"]


def test_deployments_of_a_registered_model_name_the_new_one(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    create(requester)
    data = taken(requester.get(f"registeredModels/{CHURN}/deployments/?search=new"))["data"]
    assert [(one["label"], one["status"]) for one in data] == [("Churn, new", "launching")]
