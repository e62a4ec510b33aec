"""Retraining: policies, settings, and runs whose end depends on the policy's action."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CHAMPION, CHURN, GOVERNED, OTHER_CHAMPION, REQUESTER, UNGOVERNED, champion, taken
from tests.emulator.test_datasets import uploaded

HOUR = 3600


def policies(deployment: str = UNGOVERNED) -> str:
    return f"deployments/{deployment}/retrainingPolicies/"


def new_policy(
    client: httpx.Client, action: str = "create_challenger", deployment: str = UNGOVERNED, **more: Any
) -> str:
    """The path of a new policy."""
    made = taken(client.post(policies(deployment), json={"name": "Monthly", "action": action, **more}))
    return f"{policies(deployment)}{made['id']}/"


def configured(emulator: EmulatorDoor, client: httpx.Client, deployment: str = UNGOVERNED) -> str:
    """A retraining dataset is set; its id."""
    dataset = uploaded(emulator, client)
    taken_empty(client.patch(f"deployments/{deployment}/retrainingSettings/", json={"datasetId": dataset}))
    return dataset


def taken_empty(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (200, b""), answer.text


def started(client: httpx.Client, policy: str) -> str:
    """The path of the run that a POST has started."""
    before = {one["id"] for one in taken(client.get(f"{policy}runs/?limit=100"))["data"]}
    taken_empty(client.post(f"{policy}runs/"))
    [run] = [one for one in taken(client.get(f"{policy}runs/?limit=100"))["data"] if one["id"] not in before]
    return f"{policy}runs/{run['id']}/"


@pytest.fixture
def ready(emulator: EmulatorDoor, requester: httpx.Client) -> httpx.Client:
    """Both deployments have a retraining dataset."""
    for deployment in (UNGOVERNED, GOVERNED):
        configured(emulator, requester, deployment)
    return requester


# --- policies -----------------------------------------------------------------------------------------------------


def test_a_policy_is_made_read_changed_and_deleted(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5796 (200 with the policy), 5956, 5963 (delete: 200 without a body); wire.md G."""
    trigger = {"type": "schedule", "schedule": {"minute": ["0"], "hour": ["3"], "dayOfMonth": ["1"]}}
    answer = requester.post(policies(), json={"name": "Monthly", "action": "create_challenger", "trigger": trigger})
    made = taken(answer)
    assert answer.status_code == 200
    assert set(made) == {
        "action", "autopilotOptions", "description", "featureListStrategy", "id", "latestRun",
        "modelSelectionStrategy", "name", "projectOptions", "projectOptionsStrategy", "timeSeriesOptions", "trigger",
    }  # fmt: skip
    assert (made["name"], made["trigger"], made["latestRun"]) == ("Monthly", trigger, None)
    path = f"{policies()}{made['id']}/"
    assert taken(requester.patch(path, json={"description": "new"})) == {**made, "description": "new"}
    assert taken(requester.get(path))["description"] == "new"
    assert [one["id"] for one in taken(requester.get(policies()))["data"]] == [made["id"]]
    taken_empty(requester.delete(path))
    assert requester.get(path).status_code == 404
    assert [emulator.count(f"retrainingPolicy{what}") for what in ("Created", "Updated", "Deleted")] == [1, 1, 1]


def test_what_no_page_knows_of_a_policy_is_refused(requester: httpx.Client) -> None:
    """Wire.md G: the words that a public client validates; a name is needed."""
    for body in ({}, {"name": "x", "action": "promote"}, {"name": "x", "trigger": "monthly"}):
        assert requester.post(policies(), json=body).status_code == 422
    assert requester.post(policies()).status_code == 422


@pytest.mark.parametrize("value", ["refuse_422", "refuse_409", "refuse_400"])
def test_a_sixth_policy_is_refused(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(retraining_sixth_policy=value)
    for number in range(5):
        new_policy(requester, name=f"Policy {number}")
    answer = requester.post(policies(), json={"name": "One more"})
    assert answer.status_code == int(value.removeprefix("refuse_"))
    assert taken(requester.get(policies()))["totalCount"] == 5
    assert requester.post(policies(GOVERNED), json={"name": "Elsewhere"}).status_code == 200


@pytest.mark.parametrize(("value", "left"), [("replaces", {"type": "schedule"}), ("merges", None)])
def test_an_object_of_a_policy_is_patched(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, left: dict[str, Any] | None
) -> None:
    emulator.switches(retraining_policy_patch=value)
    path = new_policy(requester)
    before = taken(requester.get(path))["trigger"]
    after = taken(requester.patch(path, json={"trigger": {"type": "schedule"}}))["trigger"]
    assert after == (left or {**before, "type": "schedule"})


def test_others_do_not_see_a_policy_and_users_do_not_change_it(
    requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client
) -> None:
    """Help page: owners edit, users view."""
    path = new_policy(requester)
    assert outsider.get(path).status_code == 404
    assert reviewer.get(path).status_code == 200
    for answer in (reviewer.patch(path, json={}), reviewer.delete(path), reviewer.post(f"{path}runs/")):
        assert answer.status_code == 403


def test_a_policy_of_another_deployment_is_not_found(requester: httpx.Client) -> None:
    elsewhere = new_policy(requester).replace(UNGOVERNED, GOVERNED)
    assert requester.get(elsewhere).status_code == 404
    assert requester.post(f"{elsewhere}runs/").status_code == 404


def test_a_run_of_another_policy_is_not_found(ready: httpx.Client) -> None:
    run = started(ready, new_policy(ready)).rsplit("/", 2)[1]
    assert ready.get(f"{new_policy(ready, name='Other')}runs/{run}/").status_code == 404


@pytest.mark.parametrize("value", ["refuse_409", "refuse_422"])
def test_a_running_policy_is_not_deleted(emulator: EmulatorDoor, ready: httpx.Client, value: str) -> None:
    emulator.switches(retraining_delete_running=value)
    path = new_policy(ready)
    run = started(ready, path)
    assert ready.delete(path).status_code == int(value.removeprefix("refuse_"))
    emulator.advance(HOUR)
    taken_empty(ready.delete(path))
    assert ready.get(run).status_code == 404


@pytest.mark.parametrize("value", ["200", "204"])
def test_a_deleted_policy_is_answered(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(retraining_delete_answer=value)
    answer = requester.delete(new_policy(requester))
    assert (str(answer.status_code), answer.content) == (value, b"")


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_are_set_and_read(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    """Seed 002:6474-6506: the answer to PATCH is 200 without a body; the credential is never shown."""
    path = f"deployments/{UNGOVERNED}/retrainingSettings/"
    assert taken(requester.get(path)) == {"dataset": None, "predictionEnvironment": None, "retrainingUser": None}
    environment = taken(requester.get(f"deployments/{UNGOVERNED}/"))["predictionEnvironment"]
    dataset = configured(emulator, requester)
    body = {
        "retrainingUserId": REQUESTER,
        "predictionEnvironmentId": environment["id"],
        "credentialId": "64a900000000000000000001",
    }
    taken_empty(requester.patch(path, json=body))
    assert taken(reviewer.get(path)) == {
        "dataset": {"id": dataset, "name": "visits.csv"},
        "predictionEnvironment": {"id": environment["id"], "name": environment["name"]},
        "retrainingUser": {"id": REQUESTER, "username": "requester@example.com"},
    }
    assert emulator.count("retrainingSettingsUpdated") == 2


@pytest.mark.parametrize(
    "body",
    [
        {"retrainingUserId": "64a000000000000000000002"},  # no owner (wire.md G)
        {"datasetId": "0" * 24},
        {"predictionEnvironmentId": "0" * 24},
        {"datasetId": 5},
    ],
)
def test_settings_that_name_nothing_are_refused(requester: httpx.Client, body: dict[str, Any]) -> None:
    assert requester.patch(f"deployments/{UNGOVERNED}/retrainingSettings/", json=body).status_code == 422


# --- runs ---------------------------------------------------------------------------------------------------------


def test_a_start_answers_nothing_and_the_run_is_in_the_list(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    """Seed 002:6313: 200 without body and Location; 6306, 6376: a run and its keys."""
    path = new_policy(ready)
    answer = ready.post(f"{path}runs/")
    taken_empty(answer)
    assert "Location" not in answer.headers
    listed = taken(ready.get(f"{path}runs/"))
    [run] = listed["data"]
    assert set(run) == {
        "challengerId", "errorMessage", "finishTime", "id", "modelPackageId", "projectId", "registeredModelId",
        "startTime", "status",
    }  # fmt: skip
    assert (run["finishTime"], run["errorMessage"], run["modelPackageId"]) == (None, None, None)
    assert taken(ready.get(path))["latestRun"] == taken(ready.get(f"{path}runs/{run['id']}/")) == run
    assert emulator.count("retrainingRunStarted") == 1


def ended(emulator: EmulatorDoor, client: httpx.Client, path: str) -> dict[str, Any]:
    run = started(client, path)
    emulator.advance(HOUR)
    return taken(client.get(run))


def test_a_challenger_is_made(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    run = ended(emulator, ready, new_policy(ready))
    assert run["finishTime"]
    assert run["errorMessage"] is None
    [challenger] = taken(ready.get(f"deployments/{UNGOVERNED}/challengers/"))["data"]
    assert (challenger["id"], challenger["modelPackage"]["id"]) == (run["challengerId"], run["modelPackageId"])
    assert champion(ready) == OTHER_CHAMPION


def test_a_package_is_made(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    run = ended(emulator, ready, new_policy(ready, "create_model_package"))
    package = taken(ready.get(f"modelPackages/{run['modelPackageId']}/"))
    assert (package["registeredModelId"], run["registeredModelId"], run["challengerId"]) == (CHURN, CHURN, None)
    assert package["buildStatus"] == "complete"
    assert package["sourceMeta"]["projectId"] == run["projectId"]
    versions = taken(ready.get(f"registeredModels/{CHURN}/versions/?limit=100"))["data"]
    assert run["modelPackageId"] in {one["id"] for one in versions}
    assert champion(ready) == OTHER_CHAMPION


@pytest.mark.parametrize(("value", "seconds"), [("with_replacement", 0), ("before_replacement", 22)])
def test_the_champion_is_replaced(emulator: EmulatorDoor, ready: httpx.Client, value: str, seconds: int) -> None:
    emulator.switches(retraining_ends=value)
    run = started(ready, new_policy(ready, "model_replacement"))
    emulator.advance(HOUR)
    over = bool(taken(ready.get(run))["finishTime"])
    assert over == (value == "before_replacement")
    assert champion(ready) == OTHER_CHAMPION
    emulator.advance(22)
    found = taken(ready.get(run))
    assert found["finishTime"]
    assert champion(ready) == found["modelPackageId"]
    assert emulator.count("modelReplaced", UNGOVERNED) == 1


def test_a_replacement_that_fails_fails_the_run(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    emulator.jobs("modelReplacement", failsWith="No room left.")
    run = started(ready, new_policy(ready, "model_replacement"))
    emulator.advance(HOUR + 22)
    found = taken(ready.get(run))
    assert (found["errorMessage"], bool(found["finishTime"])) == ("No room left.", True)
    assert champion(ready) == OTHER_CHAMPION


def test_under_a_policy_a_change_request_is_opened(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    """Help page: the replacement is subject to approval policies; wire.md E."""
    run = ended(emulator, ready, new_policy(ready, "model_replacement", GOVERNED))
    assert run["finishTime"]
    assert run["errorMessage"] is None
    [asked] = taken(ready.get(f"changeRequests/?entityType=deployment&entityId={GOVERNED}"))["data"]
    assert (asked["action"], asked["status"]) == ("replaceModelPackage", "pending")
    assert asked["change"]["modelPackageId"] == run["modelPackageId"]
    assert champion(ready, GOVERNED) == CHAMPION


def test_a_run_fails_with_the_message_of_the_service(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    emulator.jobs("retrainingRun", seconds=60, failsWith="Not enough rows.", times=1)
    path = new_policy(ready)
    failed = ended(emulator, ready, path)
    assert (failed["errorMessage"], failed["modelPackageId"]) == ("Not enough rows.", None)
    assert failed["finishTime"]
    assert ended(emulator, ready, path)["errorMessage"] is None
    assert [emulator.count(f"retrainingRun{what}") for what in ("Started", "Failed", "Finished")] == [2, 1, 1]


@pytest.mark.parametrize(("value", "count"), [("replaced", 1), ("kept", 2)])
def test_the_former_challenger_of_the_policy(
    emulator: EmulatorDoor, ready: httpx.Client, value: str, count: int
) -> None:
    emulator.switches(retraining_former_challenger=value)
    path = new_policy(ready)
    runs = [ended(emulator, ready, path) for _ in range(2)]
    listed = {one["id"] for one in taken(ready.get(f"deployments/{UNGOVERNED}/challengers/"))["data"]}
    assert listed == {one["challengerId"] for one in runs[-count:]}


def test_without_a_free_slot_the_run_fails_and_its_package_stays(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    emulator.switches(retraining_former_challenger="kept")
    path = new_policy(ready)
    for _ in range(5):
        ended(emulator, ready, path)
    run = ended(emulator, ready, path)
    assert run["errorMessage"] == "A deployment can have at most 5 challengers."
    assert run["challengerId"] is None
    assert ready.get(f"modelPackages/{run['modelPackageId']}/").status_code == 200


def test_a_deployment_that_is_deleted_takes_its_run_with_it(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    run = started(ready, new_policy(ready))
    ready.delete(f"deployments/{UNGOVERNED}/")
    emulator.advance(HOUR)
    assert ready.get(run).status_code == 404
    assert emulator.count("packageCreated") == 0


@pytest.mark.parametrize("value", ["refuse_409", "refuse_422", "refuse_400", "refuse_404", "ignored"])
def test_a_policy_that_runs_is_not_started_again(emulator: EmulatorDoor, ready: httpx.Client, value: str) -> None:
    """Wire.md G: it cannot be; the answer is not known."""
    emulator.switches(retraining_already_running=value)
    path = new_policy(ready)
    started(ready, path)
    answer = ready.post(f"{path}runs/")
    assert answer.status_code == (200 if value == "ignored" else int(value.removeprefix("refuse_")))
    assert taken(ready.get(f"{path}runs/"))["totalCount"] == 1
    assert emulator.count("retrainingRunStarted") == 1
    other = new_policy(ready, name="Another")
    started(ready, other)  # help page: policies of one deployment may run at once


@pytest.mark.parametrize("value", ["refuse_422", "run_fails", "runs"])
def test_a_run_without_a_dataset(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    emulator.switches(retraining_unset=value)
    path = new_policy(requester)
    if value == "refuse_422":
        assert requester.post(f"{path}runs/").status_code == 422
        assert taken(requester.get(f"{path}runs/"))["data"] == []
        return
    message = "Retraining dataset is not configured." if value == "run_fails" else None
    assert ended(emulator, requester, path)["errorMessage"] == message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("steps", ["Initializing", "Training", "Creating challenger", "Finished"]),
        ("upper_case", ["CREATED", "RUNNING", "RUNNING", "SUCCEEDED"]),
        ("never_changes", ["running", "running", "running", "running"]),
    ],
)
def test_the_words_of_a_run(emulator: EmulatorDoor, ready: httpx.Client, value: str, words: list[str]) -> None:
    emulator.switches(retraining_words=value)
    run = started(ready, new_policy(ready))
    seen = []
    for seconds in (0, HOUR / 2, HOUR * 0.45, HOUR * 0.1):
        emulator.advance(seconds)
        seen.append(taken(ready.get(run))["status"])
    assert seen == words


@pytest.mark.parametrize(("value", "early"), [("at_once", True), ("when_training", False)])
def test_when_a_run_gets_its_start_time(emulator: EmulatorDoor, ready: httpx.Client, value: str, early: bool) -> None:
    emulator.switches(retraining_start_time=value)
    run = started(ready, new_policy(ready))
    assert (taken(ready.get(run))["startTime"] is not None) == early
    emulator.advance(HOUR / 2)
    assert taken(ready.get(run))["startTime"] is not None


@pytest.mark.parametrize(("value", "seconds"), [("at_once", 0), ("takes_a_minute", 60)])
def test_a_run_is_cancelled(emulator: EmulatorDoor, ready: httpx.Client, value: str, seconds: int) -> None:
    """Seed 002:6408: the one status that can be set; 200 with the run."""
    emulator.switches(retraining_cancelling=value)
    run = started(ready, new_policy(ready))
    answer = ready.patch(run, json={"status": "cancelled"})
    assert (answer.status_code, bool(answer.json()["finishTime"])) == (200, value == "at_once")
    emulator.advance(seconds)
    found = taken(ready.get(run))
    assert (found["status"], bool(found["finishTime"])) == ("cancelled", True)
    emulator.advance(HOUR)
    assert taken(ready.get(run)) == found
    assert [emulator.count(f"retrainingRun{what}") for what in ("Cancelled", "Finished", "Failed")] == [1, 0, 0]
    assert emulator.count("packageCreated") == 0


@pytest.mark.parametrize("moment", [HOUR * 0.95, HOUR * 1.1], ids=["last step", "over"])
@pytest.mark.parametrize("value", ["refuse_409", "refuse_422", "ignored"])
def test_a_late_cancel_is_refused(emulator: EmulatorDoor, ready: httpx.Client, value: str, moment: float) -> None:
    """Help page: not in "Creating challenger" and "Replacing model", and not when it is over."""
    emulator.switches(retraining_late_cancel=value)
    run = started(ready, new_policy(ready))
    emulator.advance(moment)
    answer = ready.patch(run, json={"status": "cancelled"})
    assert answer.status_code == (200 if value == "ignored" else int(value.removeprefix("refuse_")))
    emulator.advance(HOUR)
    assert taken(ready.get(run))["status"] == "Finished"
    assert emulator.count("retrainingRunCancelled") == 0


def test_only_cancelled_can_be_set(ready: httpx.Client) -> None:
    run = started(ready, new_policy(ready))
    for body in ({}, {"status": "finished"}):
        assert ready.patch(run, json=body).status_code == 422


def test_new_runs_and_policies_may_be_missing_from_lists(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    path = new_policy(ready)
    emulator.switches(lag=2)
    taken_empty(ready.post(f"{path}runs/"))
    counts = [taken(ready.get(f"{path}runs/"))["totalCount"] for _ in range(3)]
    assert counts == [0, 0, 1]


def test_a_run_ends_by_hand(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    emulator.jobs("retrainingRun", byHand=True)
    run = started(ready, new_policy(ready))
    emulator.advance(10 * HOUR)
    assert taken(ready.get(run))["finishTime"] is None
    [job] = [one for one in emulator.jobs() if one["kind"] == "retrainingRun"]
    emulator.end_job(job["id"], failsWith="Stopped by hand.")
    assert taken(ready.get(run))["errorMessage"] == "Stopped by hand."


# --- schedules ----------------------------------------------------------------------------------------------------

DAILY = {"type": "schedule", "schedule": {"minute": ["0"], "hour": ["3"], "dayOfMonth": ["*"], "month": ["*"]}}
DAY = 86_400


def own(client: httpx.Client) -> None:
    """Scheduled runs go as the requester."""
    taken_empty(client.patch(f"deployments/{UNGOVERNED}/retrainingSettings/", json={"retrainingUserId": REQUESTER}))


def test_a_schedule_starts_runs_as_the_retraining_user(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    own(ready)
    path = new_policy(ready, trigger=DAILY)
    emulator.advance(3 * DAY)
    runs = taken(ready.get(f"{path}runs/"))["data"]
    assert len(runs) == 3
    assert {one["startTime"][11:19] for one in runs} == {"03:00:00"}
    effects = [one for one in emulator.effects() if one["effect"] == "retrainingRunStarted"]
    assert {one["by"] for one in effects} == {"requester@example.com"}


def test_without_a_retraining_user_a_schedule_starts_nothing(emulator: EmulatorDoor, ready: httpx.Client) -> None:
    new_policy(ready, trigger=DAILY)
    emulator.advance(2 * DAY)
    assert emulator.count("retrainingRunStarted") == 0


def test_another_trigger_ends_the_schedule_and_a_run_that_goes_on_is_left_alone(
    emulator: EmulatorDoor, ready: httpx.Client
) -> None:
    own(ready)
    emulator.jobs("retrainingRun", seconds=1.5 * DAY)
    path = new_policy(ready, trigger=DAILY)
    emulator.advance(2 * DAY)
    assert emulator.count("retrainingRunStarted") == 1
    taken(ready.patch(path, json={"trigger": {"type": "schedule", "schedule": {"minute": ["x"]}}}))
    emulator.advance(3 * DAY)
    assert emulator.count("retrainingRunStarted") == 1
    ready.delete(path)
    emulator.advance(DAY)
