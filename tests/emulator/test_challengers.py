"""Challengers: how they are made, what they predict in a replay, and what the service refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.behaviour.replay_schedule import next_moment
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, DOUBTFUL, MISFIT, NIGHTLY, SECOND_CANDIDATE, UNGOVERNED, taken
from tests.emulator.rows import make_multiclass, make_regression, send

ENVIRONMENT = "64a300000000000000000001"
PATH = f"deployments/{UNGOVERNED}/challengers/"
REPLAY = f"deployments/{UNGOVERNED}/challengerPredictions/"
SETTINGS = f"deployments/{UNGOVERNED}/settings/"
FORMER = "64d000000000000000000001"  # the champion of the other churn deployment
BETTER, WORSE = "64d000000000000000000011", "64d000000000000000000012"
MODEL_OF_BETTER, MODEL_OF_WORSE = "64a100000000000000000011", "64a100000000000000000012"
CHAMPION_MODEL, MODEL_OF_CANDIDATE = "64a100000000000000000002", "64a100000000000000000003"


def create(client: httpx.Client, package: str = CANDIDATE, name: str = "v3", to: str = UNGOVERNED) -> httpx.Response:
    body = {"modelPackageId": package, "name": name, "predictionEnvironmentId": ENVIRONMENT}
    return client.post(f"deployments/{to}/challengers/", json=body)


def made(emulator: EmulatorDoor, client: httpx.Client, package: str = CANDIDATE, to: str = UNGOVERNED) -> str:
    """The id of a challenger that is ready."""
    answer = create(client, package, to=to)
    assert answer.status_code == 202, answer.text
    emulator.advance(11)
    return client.get(answer.headers["Location"]).headers["Location"].split("/")[-2]


def listed(client: httpx.Client, to: str = UNGOVERNED) -> list[str]:
    return [one["id"] for one in taken(client.get(f"deployments/{to}/challengers/"))["data"]]


def five(emulator: EmulatorDoor, client: httpx.Client) -> None:
    """Five challengers; the fifth is of a model that the world gets for it."""
    target = {"name": "churned", "type": "Binary", "classNames": ["yes", "no"]}
    for package in (BETTER, MISFIT):
        emulator.change("packages", package, target=target)
    for package in (SECOND_CANDIDATE, DOUBTFUL, FORMER, BETTER, MISFIT):
        made(emulator, client, package)


def refused(emulator: EmulatorDoor, client: httpx.Client, package: str = CANDIDATE) -> str:
    """The message of a refused creation, or of a job that failed; either way there is nothing new."""
    before = sorted(listed(client))
    answer = create(client, package)
    if answer.status_code == 202:
        emulator.advance(11)
        answer = client.get(answer.headers["Location"])
        assert answer.json()["status"] == "ERROR"
    assert sorted(listed(client)) == before
    return str(answer.json()["message"])


def test_a_challenger_is_made_by_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:1579: 202, no body, Location; wire.md A.4: 303 to the challenger; wire.md I: exactly five keys."""
    answer = create(requester)
    assert (answer.status_code, answer.content) == (202, b"")
    assert taken(requester.get(PATH)) == {"data": []}
    emulator.advance(11)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.content) == (303, b"")
    assert ended.headers["Location"].startswith(f"{origin}/api/v2/{PATH}")
    seen = taken(requester.get(ended.headers["Location"]))
    assert set(seen) == {"id", "name", "model", "modelPackage", "predictionEnvironment"}
    assert seen["name"] == "v3"
    assert seen["modelPackage"] == {
        "id": CANDIDATE,
        "name": "Churn classifier v3",
        "registeredModelId": "64c000000000000000000001",
    }
    assert seen["predictionEnvironment"] == {"id": ENVIRONMENT, "name": "DataRobot Serverless"}
    assert (seen["model"]["id"], seen["model"]["projectName"]) == (MODEL_OF_CANDIDATE, "Churn")
    assert taken(requester.get(PATH)) == {"data": [seen]}
    assert emulator.count("challengerCreated", seen["id"]) == 1


def test_a_version_tells_where_it_is_a_challenger(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 004:2146: true if the version is a challenger in the deployment."""
    path = f"registeredModels/64c000000000000000000001/versions/{CANDIDATE}/deployments/"
    assert taken(requester.get(path))["data"] == []
    made(emulator, requester)
    [found] = taken(requester.get(path))["data"]
    assert (found["id"], found["isChallenger"], found["currentlyDeployed"]) == (UNGOVERNED, True, False)
    everywhere = taken(requester.get("registeredModels/64c000000000000000000001/deployments/"))["data"]
    assert sorted(one["isChallenger"] for one in everywhere) == [False, False, True]


@pytest.mark.parametrize(("value", "count"), [("at_end", 0), ("at_once", 1)])
def test_switch_challenger_appears(emulator: EmulatorDoor, requester: httpx.Client, value: str, count: int) -> None:
    emulator.switches(challenger_appears=value)
    create(requester)
    assert len(listed(requester)) == count
    emulator.advance(11)
    assert len(listed(requester)) == 1


def test_a_creation_that_fails_leaves_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("failed_job", message="No workers.", operationId="createDeploymentChallenger")
    assert refused(emulator, requester) == "No workers."
    assert made(emulator, requester) in listed(requester)


@pytest.mark.parametrize("missing", ["modelPackageId", "name", "predictionEnvironmentId"])
def test_all_of_the_body_is_needed(requester: httpx.Client, missing: str) -> None:
    """The Python client demands all three."""
    body = {"modelPackageId": CANDIDATE, "name": "v3", "predictionEnvironmentId": ENVIRONMENT}
    answer = requester.post(PATH, json={name: value for name, value in body.items() if name != missing})
    assert (answer.status_code, missing in answer.text) == (422, True)


def test_unknown_ids_are_refused(requester: httpx.Client) -> None:
    assert create(requester, "0" * 24).status_code == 404
    body = {"modelPackageId": CANDIDATE, "name": "v3", "predictionEnvironmentId": "0" * 24}
    assert requester.post(PATH, json=body).status_code == 422
    assert requester.get(f"{PATH}{'0' * 24}/").status_code == 404
    assert requester.patch(f"{PATH}{'0' * 24}/", json={"name": "x"}).status_code == 404
    assert requester.delete(f"{PATH}{'0' * 24}/").status_code == 404


def test_only_owners_change_challengers(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client
) -> None:
    key = made(emulator, requester)
    assert listed(reviewer) == [key]
    assert create(reviewer, SECOND_CANDIDATE).status_code == 403
    assert reviewer.delete(f"{PATH}{key}/").status_code == 403
    assert reviewer.post(REPLAY, json={}).status_code == 403
    assert outsider.get(PATH).status_code == 404


def test_another_name_and_deletion(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:1699: 200 with the challenger; 002:1620: 204."""
    key = made(emulator, requester)
    changed = taken(requester.patch(f"{PATH}{key}/", json={"name": "v3, again"}))
    assert changed == taken(requester.get(f"{PATH}{key}/"))
    assert (changed["name"], changed["id"]) == ("v3, again", key)
    assert taken(requester.patch(f"{PATH}{key}/", json={"predictionEnvironmentId": ENVIRONMENT})) == changed
    gone = requester.delete(f"{PATH}{key}/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert requester.get(f"{PATH}{key}/").status_code == 404
    assert requester.delete(f"{PATH}{key}/").status_code == 404


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_409", 409), ("job_error", 202)])
def test_a_sixth_challenger(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md I: up to five a deployment; those being made count."""
    emulator.switches(challenger_misfit=value)
    five(emulator, requester)
    assert create(requester).status_code == status
    emulator.advance(11)
    assert refused(emulator, requester) == "A deployment can have at most 5 challengers."
    requester.delete(f"{PATH}{listed(requester)[0]}/")
    assert len(listed(requester)) == 4
    made(emulator, requester)


def test_models_that_cannot_challenge(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Help page: the same target type; no model that is the champion or a challenger already."""
    assert refused(emulator, requester, MISFIT) == "Target type Regression does not match Binary."
    champion = "64d000000000000000000002"
    assert refused(emulator, requester, champion) == "The model is the champion or a challenger already."
    made(emulator, requester)
    assert refused(emulator, requester) == "The model is the champion or a challenger already."
    emulator.change("packages", SECOND_CANDIDATE, buildStatus="inProgress")
    assert refused(emulator, requester, SECOND_CANDIDATE) == "Model package is not ready: build is inProgress."
    emulator.change("packages", SECOND_CANDIDATE, buildStatus="complete", isArchived=True)
    assert refused(emulator, requester, SECOND_CANDIDATE) == "Model package is archived."


@pytest.mark.parametrize(("value", "status"), [("same_name", 422), ("any_name", 202)])
def test_switch_challenger_target(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(challenger_target=value)
    assert create(requester, BETTER).status_code == status


def test_target_drift_must_be_tracked(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Help page: target monitoring must be on; that it could not be turned off is not said."""
    assert set_settings(emulator, requester, targetDrift=False).status_code == 303
    assert refused(emulator, requester) == "Target drift tracking must be enabled for this deployment."


def set_settings(emulator: EmulatorDoor, client: httpx.Client, **areas: bool) -> httpx.Response:
    answer = client.patch(SETTINGS, json={area: {"enabled": on} for area, on in areas.items()})
    emulator.advance(3)
    return client.get(answer.headers["Location"]) if answer.status_code == 202 else answer


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_403", 403), ("job_error", 202)])
def test_challengers_that_are_off(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(challengers_off=value)
    assert set_settings(emulator, requester, challengerModels=False).status_code == 303
    assert create(requester).status_code == status
    emulator.advance(11)
    assert refused(emulator, requester) == "Challenger models must be enabled for this deployment."
    replay = requester.post(REPLAY, json={})
    assert replay.status_code == status
    emulator.advance(31)
    if status == 202:
        assert requester.get(replay.headers["Location"]).json()["status"] == "ERROR"


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_409", 409), ("job_error", 200)])
def test_switch_challenger_settings(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """Help page: row storage cannot be turned off while challengers are on, and they need target monitoring."""
    emulator.switches(challenger_settings=value)
    assert set_settings(emulator, requester, predictionsDataCollection=False).status_code == status
    assert set_settings(emulator, requester, challengerModels=False, targetDrift=False).status_code == 303
    assert set_settings(emulator, requester, challengerModels=True).status_code == status
    assert taken(requester.get(SETTINGS))["challengerModels"] == {"enabled": False}
    assert set_settings(emulator, requester, predictionsDataCollection=False).status_code == 303
    assert set_settings(emulator, requester, challengerModels=True, targetDrift=True).status_code == 303
    assert taken(requester.get(SETTINGS))["predictionsDataCollection"] == {"enabled": True}  # by itself


def fill(emulator: EmulatorDoor, client: httpx.Client, count: int = 120) -> None:
    """Predictions of the champion over a day, and an actual for each."""
    emulator.switches(quota_rows="off", post_rate="off")
    emulator.predictions(UNGOVERNED, rows=count)
    send(client, *((f"row-{n}", "yes" if n % 3 else "no") for n in range(count)))
    emulator.advance(6)


def replayed(emulator: EmulatorDoor, client: httpx.Client, path: str = REPLAY, **body: Any) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 202, answer.text
    emulator.advance(31)
    assert client.get(answer.headers["Location"]).status_code == 303


def accuracy(client: httpx.Client, model: str, to: str = UNGOVERNED) -> dict[str, Any]:
    """The metrics of a model over the default period."""
    found = taken(client.get(f"deployments/{to}/accuracy/?modelId={model}"))
    return {line["metricName"]: (line["value"], line["sampleSize"]) for line in found["data"]}


def test_a_replay_gives_the_challenger_an_accuracy_of_its_own(
    origin: str, emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """Seed 002:1382: 202, no body, Location."""
    fill(emulator, requester)
    emulator.change("packages", CANDIDATE, skill=0.5)
    made(emulator, requester)
    before = accuracy(requester, CHAMPION_MODEL)
    assert accuracy(requester, MODEL_OF_CANDIDATE)["LogLoss"] == (None, 0)
    answer = requester.post(REPLAY, json={})
    assert (answer.status_code, answer.content) == (202, b"")
    emulator.advance(31)
    assert requester.get(answer.headers["Location"]).headers["Location"] == f"{origin}/api/v2/{PATH}"
    champion, challenger = accuracy(requester, CHAMPION_MODEL), accuracy(requester, MODEL_OF_CANDIDATE)
    assert champion == before
    assert challenger["LogLoss"][1] == champion["LogLoss"][1] == 120
    assert challenger["LogLoss"][0] < champion["LogLoss"][0]
    assert emulator.count("challengersReplayed", UNGOVERNED) == 1


def test_a_row_is_scored_once_and_always_alike(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    fill(emulator, requester)
    key = made(emulator, requester)
    replayed(emulator, requester)
    first = accuracy(requester, MODEL_OF_CANDIDATE)
    replayed(emulator, requester)
    assert accuracy(requester, MODEL_OF_CANDIDATE) == first
    assert emulator.predictions(UNGOVERNED)["rows"] == 240
    requester.delete(f"{PATH}{key}/")
    assert accuracy(requester, MODEL_OF_CANDIDATE) == first


def test_a_replay_goes_until_a_timestamp(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Public API page: from the creation of the deployment until timestamp, default now."""
    rows = [{"predicted": 0.5, "timestamp": f"2025-05-0{day}T10:00:00Z"} for day in (1, 2, 3)]
    emulator.predictions(UNGOVERNED, data=rows)
    made(emulator, requester)
    replayed(emulator, requester, timestamp="2025-05-02T10:00:01Z")
    assert emulator.predictions(UNGOVERNED)["rows"] == 3 + 2
    replayed(emulator, requester)
    assert emulator.predictions(UNGOVERNED)["rows"] == 3 + 3
    assert requester.post(REPLAY, json={"timestamp": "yesterday"}).status_code == 422


def test_the_first_rows_of_each_hour_are_scored(
    emulator: EmulatorDoor, requester: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wire.md I: the first 10,000 rows of each hour."""
    monkeypatch.setattr("airflow_provider.emulator.behaviour.challenger_scores.AN_HOUR", 4)
    hours = [("10", 6), ("11", 3)]
    rows = [{"predicted": 0.5, "timestamp": f"2025-05-01T{h}:{n:02}:00Z"} for h, count in hours for n in range(count)]
    emulator.predictions(UNGOVERNED, data=rows)
    made(emulator, requester)
    replayed(emulator, requester)
    assert emulator.predictions(UNGOVERNED)["rows"] == 9 + 4 + 3
    replayed(emulator, requester)
    assert emulator.predictions(UNGOVERNED)["rows"] == 9 + 4 + 3


@pytest.mark.parametrize(("value", "told"), [("location", True), ("no_location", False)])
def test_one_replay_at_a_time(emulator: EmulatorDoor, requester: httpx.Client, value: str, told: bool) -> None:
    """Seed 002:1411: 429, and the Location header tracks the running job."""
    emulator.switches(replay_running=value)
    made(emulator, requester)
    location = requester.post(REPLAY, json={}).headers["Location"]
    second = requester.post(REPLAY, json={})
    assert second.status_code == 429
    assert second.headers.get("Location") == (location if told else None)
    assert int(second.headers["Retry-After"]) >= 1
    emulator.advance(31)
    replayed(emulator, requester)
    assert emulator.count("challengersReplayed", UNGOVERNED) == 2


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("accepted", 202)])
def test_switch_replay_nothing(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(replay_nothing=value)
    assert requester.post(REPLAY, json={}).status_code == status


def test_a_replay_without_a_body(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    made(emulator, requester)
    assert requester.post(REPLAY).status_code == 202


def test_models_of_the_world_are_better_and_worse(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Before an actual has come: the outcomes of the world are what the better model is nearer to."""
    for package in (BETTER, WORSE):
        made(emulator, requester, package, NIGHTLY)
    replayed(emulator, requester, f"deployments/{NIGHTLY}/challengerPredictions/")
    emulator.switches(quota_rows="off", post_rate="off")
    pairs = [(one["associationId"], one["actualValue"]) for one in emulator.outcomes(NIGHTLY)]
    send(requester, *pairs, to=NIGHTLY)
    emulator.advance(6)
    models = (MODEL_OF_BETTER, "64a100000000000000000007", MODEL_OF_WORSE)
    better, champion, worse = (accuracy(requester, model, NIGHTLY)["AUC"][0] for model in models)
    assert better > champion > worse


def test_other_targets_are_scored_too(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    other = {"name": "price", "type": "Regression", "classNames": []}
    emulator.change("packages", CANDIDATE, target=other, skill=1)
    emulator.predictions(UNGOVERNED, rows=100, prefix="price-")
    send(requester, *((f"price-{n}", 100 + n) for n in range(100)))
    emulator.advance(6)
    made(emulator, requester)
    replayed(emulator, requester)
    assert accuracy(requester, MODEL_OF_CANDIDATE)["RMSE"] == (0.0, 100)


def test_classes_are_scored_too(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_multiclass(emulator, "red", "green", "blue")
    target = {"name": "colour", "type": "Multiclass", "classNames": ["red", "green", "blue"]}
    emulator.change("packages", CANDIDATE, target=target, skill=0.9)
    emulator.predictions(UNGOVERNED, rows=100, prefix="colour-")
    send(requester, *((f"colour-{n}", "red") for n in range(100)))
    emulator.advance(6)
    made(emulator, requester)
    replayed(emulator, requester)
    assert accuracy(requester, MODEL_OF_CANDIDATE)["Accuracy"] == (1.0, 100)


def test_replay_settings(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:1422, 1472: 200 with the settings; 200 without a body."""
    path = f"deployments/{UNGOVERNED}/challengerReplaySettings/"
    before = taken(requester.get(path))
    assert (before["enabled"], set(before)) == (False, {"enabled", "schedule"})
    answer = requester.patch(path, json={"enabled": True})
    assert (answer.status_code, answer.content) == (200, b"")
    assert taken(requester.get(path)) == {**before, "enabled": True}
    schedule = {"minute": [30], "hour": [2], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": [1]}
    requester.patch(path, json={"schedule": schedule})
    assert taken(requester.get(path)) == {"enabled": True, "schedule": schedule}


def test_a_scheduled_replay_starts_by_itself(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Help page: a recurring replay at a time in UTC; one that meets a running one is left out."""
    path = f"deployments/{UNGOVERNED}/challengerReplaySettings/"
    emulator.predictions(UNGOVERNED, rows=10)
    made(emulator, requester)
    every = {"minute": ["*"], "hour": ["*"], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"]}
    daily = {**every, "minute": [30], "hour": ["2"]}
    requester.patch(path, json={"enabled": True, "schedule": daily})
    assert emulator.count("challengersReplayed", UNGOVERNED) == 0
    emulator.advance(3 * 86_400)
    assert emulator.count("challengersReplayed", UNGOVERNED) == 3
    assert emulator.predictions(UNGOVERNED)["rows"] == 20
    emulator.jobs("challengerReplay", seconds=90)
    requester.patch(path, json={"schedule": every})
    emulator.advance(600)
    assert emulator.count("challengersReplayed", UNGOVERNED) in (3 + 4, 3 + 5)
    requester.patch(path, json={"enabled": False})
    before = emulator.count("challengersReplayed", UNGOVERNED)
    emulator.advance(86_400)
    assert emulator.count("challengersReplayed", UNGOVERNED) <= before + 1


def test_a_schedule_that_cannot_be_kept_is_no_fault(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    path = f"deployments/{UNGOVERNED}/challengerReplaySettings/"
    requester.patch(path, json={"enabled": True})  # there are no challengers
    emulator.advance(2 * 86_400)
    requester.patch(path, json={"schedule": {"month": ["never"]}})
    emulator.advance(2 * 86_400)
    assert emulator.count("challengersReplayed", UNGOVERNED) == 0


@pytest.mark.parametrize(
    ("schedule", "moment"),
    [
        ({"minute": [0], "hour": [0]}, "2025-03-02T00:00:00+00:00"),
        ({"minute": [45], "hour": ["*"]}, "2025-03-01T10:45:00+00:00"),
        ({"minute": [30], "hour": ["*"]}, "2025-03-01T11:30:00+00:00"),  # not the minute that has begun
        ({"minute": [0], "hour": [6], "dayOfWeek": [7]}, "2025-03-02T06:00:00+00:00"),
        ({"minute": [0], "hour": [6], "dayOfWeek": [1]}, "2025-03-03T06:00:00+00:00"),
        ({"minute": [0], "hour": [0], "dayOfMonth": [29], "month": [2]}, "2028-02-29T00:00:00+00:00"),
        ({"minute": [0], "hour": [0], "dayOfMonth": [31], "month": [2]}, None),
        ("daily", None),
    ],
    ids=str,
)
def test_the_next_moment_of_a_schedule(schedule: Any, moment: str | None) -> None:
    after = datetime.fromisoformat("2025-03-01T10:30:20+00:00").timestamp()  # a Saturday
    found = next_moment(schedule, after)
    assert (None if found is None else datetime.fromtimestamp(found, UTC).isoformat()) == moment
