"""Named lies of the service: each is really told, and nothing else gives it away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.switches import lies
from tests.emulator.demo import (
    CANDIDATE,
    CHAMPION,
    GOVERNED,
    MISFIT,
    OTHER_CHAMPION,
    UNGOVERNED,
    ask_for,
    champion,
    deployment,
    replace,
    request,
    review,
    set_status,
    taken,
)
from tests.emulator.rows import send, stored
from tests.emulator.test_challengers import create as create_challenger
from tests.emulator.test_challengers import listed as challengers


@pytest.fixture
def approved(requester: httpx.Client, reviewer: httpx.Client) -> dict[str, Any]:
    asked = taken(ask_for(requester))
    review(reviewer, asked)
    return request(requester, asked["id"])


def replaced(emulator: EmulatorDoor, client: httpx.Client, package: str = CANDIDATE) -> httpx.Response:
    """A replacement to its end: the answer of the status object."""
    location = replace(client, package=package).headers["Location"]
    emulator.advance(21)
    return client.get(location)


def test_there_are_at_least_ten_and_each_is_told_here() -> None:
    """Rule 3: ten named lies, switched on one by one, in the tests of this folder."""
    text = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert len(lies()) >= 10
    assert [name for name in lies() if f'"{name}"' not in text] == []


def test_replaced_not_changed(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("replaced_not_changed")
    assert replaced(emulator, requester).status_code == 303
    seen = deployment(requester)
    assert (seen["status"], seen["modelPackage"]["id"]) == ("active", OTHER_CHAMPION)
    assert emulator.count("modelReplaced") == 0


def test_wrong_champion(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("wrong_champion")
    assert replaced(emulator, requester).status_code == 303
    assert champion(requester) not in (OTHER_CHAMPION, CANDIDATE)


def test_job_done_but_deployment_errored(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("job_done_but_deployment_errored")
    assert replaced(emulator, requester).status_code == 303
    seen = deployment(requester)
    assert (seen["status"], seen["hasError"], seen["modelPackage"]["id"]) == ("errored", True, CANDIDATE)


def test_empty_champion(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("empty_champion")
    seen = deployment(requester)
    assert ("modelPackage" in seen, seen["model"]["id"]) == (False, "")
    assert requester.get(f"deployments/{UNGOVERNED}/championModelPackage/").json() == {}


def test_passing_but_refused(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("passing_but_refused")
    path = f"deployments/{UNGOVERNED}/model/validation/"
    assert requester.post(path, json={"modelPackageId": CANDIDATE}).json()["status"] == "passing"
    answer = replace(requester)
    assert (answer.status_code, answer.json()["status"]) == (409, "failing")


def test_validation_ignored(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("validation_ignored")
    assert replaced(emulator, requester, MISFIT).status_code == 303
    assert champion(requester) == MISFIT


def test_status_not_changed(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("status_not_changed")
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive"})
    emulator.advance(11)
    assert requester.get(answer.headers["Location"]).status_code == 303
    assert deployment(requester)["status"] == "active"


def test_200_instead_of_202(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("200_instead_of_202")
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive"})
    assert (answer.status_code, "Location" in answer.headers) == (200, False)
    emulator.advance(11)
    assert deployment(requester)["status"] == "inactive"


def test_location_of_other_job(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("location_of_other_job")
    location = replace(requester).headers["Location"]
    answer = requester.get(location)
    assert answer.status_code == 303
    assert not answer.headers["Location"].endswith(f"{UNGOVERNED}/")
    assert deployment(requester)["status"] == "replacingModel"


def test_endless_pages(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("endless_pages")
    first = taken(requester.get("deployments/"))
    assert taken(requester.get(first["next"]))["next"] == first["next"]


def test_approved_version_changed(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    emulator.lie("approved_version_changed")
    asked = taken(ask_for(requester))
    review(reviewer, asked)
    seen = request(requester, asked["id"])
    assert (seen["status"], seen["changeVersionId"]) == ("approved", "1")


def test_approved_without_quorum(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    emulator.switches(approvals_required=2)
    emulator.lie("approved_without_quorum")
    asked = taken(ask_for(requester))
    review(reviewer, asked, "changesRequested")
    assert request(requester, asked["id"])["status"] == "approved"


@pytest.mark.parametrize(("lie", "status"), [("resolved_not_applied", "resolved"), ("resolving_ignored", "approved")])
def test_a_resolve_that_applies_nothing(
    emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any], lie: str, status: str
) -> None:
    emulator.lie(lie)
    location = set_status(requester, approved, "resolving").headers["Location"]
    emulator.advance(21)
    assert requester.get(location).status_code == 303
    assert request(requester, approved["id"])["status"] == status
    assert deployment(requester, GOVERNED)["status"] == "active"
    assert champion(requester, GOVERNED) == CHAMPION


def test_cancelled_but_applied(emulator: EmulatorDoor, requester: httpx.Client, approved: dict[str, Any]) -> None:
    emulator.lie("cancelled_but_applied")
    set_status(requester, approved, "cancelled")
    assert request(requester, approved["id"])["status"] == "cancelled"
    assert champion(requester, GOVERNED) == CANDIDATE


def test_change_altered(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("change_altered")
    asked = taken(ask_for(requester))
    assert asked["change"] == {"modelPackageId": CHAMPION, "replacementReason": "accuracy"}


def test_a_lie_that_is_removed_is_told_no_more(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.remove_fault(emulator.lie("replaced_not_changed"))
    replaced(emulator, requester)
    assert champion(requester) == CANDIDATE


def test_actuals_lost(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The job ends well, the second half of its rows is not there."""
    emulator.lie("actuals_lost")
    location = send(requester, *((f"row-{n}", "yes") for n in range(10))).headers["Location"]
    emulator.advance(6)
    assert requester.get(location).status_code == 303
    assert set(stored(emulator)) == {f"row-{n}" for n in range(5)}


def test_retrained_without_model(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(retraining_unset="runs")
    emulator.lie("retrained_without_model")
    path = f"deployments/{UNGOVERNED}/retrainingPolicies/"
    policy = taken(requester.post(path, json={"name": "Monthly"}))["id"]
    requester.post(f"{path}{policy}/runs/")
    emulator.advance(3600)
    [run] = taken(requester.get(f"{path}{policy}/runs/"))["data"]
    assert (run["errorMessage"], run["modelPackageId"], run["challengerId"]) == (None, None, None)
    assert run["finishTime"]


def test_challenger_not_created(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The job ends well, and its Location leads nowhere."""
    emulator.lie("challenger_not_created")
    location = create_challenger(requester).headers["Location"]
    emulator.advance(11)
    ended = requester.get(location)
    assert ended.status_code == 303
    assert requester.get(ended.headers["Location"]).status_code == 404
    assert challengers(requester) == []


def test_replayed_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """The replay ends well, and nothing was scored."""
    emulator.lie("replayed_nothing")
    emulator.predictions(UNGOVERNED, rows=10)
    create_challenger(requester)
    emulator.advance(11)
    location = requester.post(f"deployments/{UNGOVERNED}/challengerPredictions/", json={}).headers["Location"]
    emulator.advance(31)
    assert requester.get(location).status_code == 303
    assert emulator.predictions(UNGOVERNED)["rows"] == 10


def test_notification_put_ignored(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("notification_put_ignored")
    made = taken(requester.post("notificationChannels/", json={"channelType": "InApp", "name": "bell"}))
    path = f"notificationChannels/{made['id']}/"
    assert requester.put(path, json={"name": "gong"}).status_code == 204
    assert taken(requester.get(path))["name"] == "bell"


def test_scored_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("scored_nothing")
    job = taken(requester.post("batchPredictions/", json={"deploymentId": UNGOVERNED}))
    requester.put(job["links"]["csvUpload"], content=b"a\n1\n", headers={"Content-Type": "text/csv"})
    emulator.advance(31)
    found = taken(requester.get(job["links"]["self"]))
    assert (found["status"], found["scoredRows"]) == ("COMPLETED", 1)
    assert requester.get(found["links"]["download"]).content == b""
