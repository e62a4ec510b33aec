"""Status objects: every word, every ending, to the byte (wire.md A.1-A.2)."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, champion, replace, taken


@pytest.fixture
def location(requester: httpx.Client) -> str:
    """A replacement that runs for 20 service seconds."""
    return str(replace(requester).headers["Location"])


def test_the_location_of_a_job_is_absolute_with_a_trailing_slash(origin: str, location: str) -> None:
    """wire.md A.1: clients take the id as element 6, or as the last but one element, of the split address."""
    assert location.startswith(f"{origin}/api/v2/status/")
    assert location.endswith("/")
    assert len(location.split("/")[6]) == 24


def test_the_words_on_the_way(emulator: EmulatorDoor, requester: httpx.Client, location: str) -> None:
    """wire.md A.1: while not finished 200 with JSON, INITIALIZED and then RUNNING."""
    assert requester.get(location).json()["status"] == "INITIALIZED"
    emulator.advance(5)
    body = requester.get(location).json()
    assert body == {
        "statusId": location.split("/")[6],
        "status": "RUNNING",
        "created": body["created"],
        "code": 0,
        "message": None,
        "description": None,
        "statusType": None,
        "type": "LongRunningServiceControllerOperation",
    }


def test_the_end_is_303_with_an_empty_body(
    origin: str, emulator: EmulatorDoor, requester: httpx.Client, location: str
) -> None:
    """wire.md A.2: 303, empty body, absolute Location with trailing slash: the only end that works with all clients."""
    emulator.advance(21)
    answer = requester.get(location, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.content == b""
    assert answer.headers["Content-Length"] == "0"
    assert answer.headers["Location"] == f"{origin}/api/v2/deployments/{UNGOVERNED}/"


def test_looking_does_not_change_the_job(emulator: EmulatorDoor, requester: httpx.Client, location: str) -> None:
    assert {requester.get(location).json()["status"] for _ in range(5)} == {"INITIALIZED"}


@pytest.mark.parametrize("word", ["ERROR", "ABORTED", "EXPIRED"])
def test_a_failed_job_is_200_with_its_word_and_message(
    emulator: EmulatorDoor, requester: httpx.Client, word: str
) -> None:
    """wire.md A.1: the three terminal failures, code is 0 for no error, EXPIRED comes in a 200 body."""
    emulator.jobs("modelReplacement", seconds=5, failsWith="Out of memory.", ends=word)
    location = replace(requester).headers["Location"]
    emulator.advance(6)
    answer = requester.get(location)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["code"], answer.json()["message"]) == (word, 1, "Out of memory.")


def test_an_unknown_status_is_404_as_json(requester: httpx.Client) -> None:
    """wire.md A.1: the body of this 404 is not known; every client treats it as a plain HTTP error."""
    answer = requester.get("status/000000000000000000000000/")
    assert answer.status_code == 404
    assert answer.json() == {"message": "Status 000000000000000000000000 not found."}


@pytest.mark.parametrize(
    ("value", "status", "word", "points"),
    [
        ("303", 303, None, True),
        ("200_completed", 200, "COMPLETED", False),
        ("200_completed_with_location", 200, "COMPLETED", True),
    ],
)
def test_switch_job_end(
    emulator: EmulatorDoor, requester: httpx.Client, location: str, value: str, status: int, word: str, points: bool
) -> None:
    """wire.md A.1-A.2: 200 with COMPLETED is read by most clients too; one generated client documents a Location."""
    emulator.switches(job_end=value)
    emulator.advance(21)
    answer = requester.get(location, follow_redirects=False)
    assert answer.status_code == status
    assert (answer.json()["status"] if answer.content else None) == word
    assert ("Location" in answer.headers) is points


@pytest.mark.parametrize(("value", "after"), [("kept", 303), ("gone_after_hour", 404)])
def test_switch_finished_status(
    emulator: EmulatorDoor, requester: httpx.Client, location: str, value: str, after: int
) -> None:
    """wire.md A.1: how long a status record lives is not known."""
    emulator.switches(finished_status=value)
    emulator.advance(3_000)
    assert requester.get(location).status_code == 303
    emulator.advance(1_000)
    assert requester.get(location).status_code == after


@pytest.mark.parametrize(("value", "replaced"), [("record_only", True), ("cancels_work", False)])
def test_switch_status_delete(
    emulator: EmulatorDoor, requester: httpx.Client, location: str, value: str, replaced: bool
) -> None:
    """wire.md A.1: DELETE answers 204 and drops the status object; whether the work stops is not known."""
    emulator.switches(status_delete=value)
    answer = requester.delete(location)
    assert (answer.status_code, answer.content) == (204, b"")
    assert requester.get(location).status_code == 404
    emulator.advance(21)
    assert (champion(requester) == "64d000000000000000000003") is replaced
    assert taken(requester.get(f"deployments/{UNGOVERNED}/"))["status"] == "active"


def test_the_list_of_status_objects_takes_limit_0_for_all(requester: httpx.Client, location: str) -> None:
    """wire.md A.1: GET /status/ needs offset and limit, limit 0 = all."""
    body = requester.get("status/?offset=0&limit=0").json()
    assert [one["statusId"] for one in body["data"]] == [location.split("/")[6]]
    assert requester.get("status/").status_code == 422


def test_a_stuck_job_runs_for_ever(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("modelReplacement", stuck=True)
    location = replace(requester).headers["Location"]
    emulator.advance(90 * 86_400)
    assert requester.get(location).json()["status"] == "RUNNING"
    assert taken(requester.get(f"deployments/{UNGOVERNED}/"))["status"] == "replacingModel"
