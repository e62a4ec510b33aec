"""The control door: what it shows, what it sets, and what it says to bad input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import DoorError, EmulatorDoor
from airflow_provider.emulator.switches import known
from tests.emulator.demo import (
    CANDIDATE,
    GOVERNED,
    NIGHTLY,
    UNGOVERNED,
    ask_for,
    champion,
    deployment,
    replace,
    request,
    review,
    taken,
)


@pytest.fixture
def door(origin: str, emulator: EmulatorDoor) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{origin}/__emulator__/", trust_env=False) as client:
        yield client


def test_reset_takes_back_everything(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    replace(requester)
    emulator.advance(21)
    emulator.fault("status", times=0)
    emulator.jobs("modelReplacement", seconds=1)
    emulator.switches(lag=3)
    emulator.clock(speed=60, offset=3_600)
    emulator.reset()
    assert champion(requester) == "64d000000000000000000002"
    assert (emulator.faults(), emulator.effects(), emulator.jobs()) == ([], [], [])
    assert emulator.switches()["lag"] == "0"
    clock = emulator.clock()
    assert (clock["speed"], round(clock["offset"])) == (1, 0)
    assert [entry["path"] for entry in emulator.log()] == [f"/api/v2/deployments/{UNGOVERNED}/"]


def test_reset_can_set_switches_and_name_a_world(emulator: EmulatorDoor) -> None:
    emulator.reset(world="demo", lag="2")
    assert emulator.switches()["lag"] == "2"


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("reset", {"world": "mars"}, "there is no world 'mars'"),
        ("reset", {"colour": "red"}, "unknown key colour"),
        ("reset", {"switches": 5}, "switches must be an object"),
        ("reset", {"switches": {"lag": "many"}}, "lag must be one of 0, 1, 2, 3"),
        ("switches", {"colour": "red"}, "there is no switch 'colour'"),
        ("switches", {"lag": 9}, "lag must be one of"),
        ("clock", {"advance": -1}, "advance must be a number from 0 on"),
        ("clock", {"speed": "fast"}, "speed must be a number"),
        ("clock", {"offset": None}, "offset must be a number"),
        ("clock", {"jump": 3}, "unknown key jump"),
        ("jobs", {"kind": "nap"}, "kind must be one of modelReplacement"),
        ("jobs", {"kind": "modelReplacement", "seconds": -2}, "seconds must be"),
        ("jobs", {"kind": "modelReplacement", "ends": "WELL"}, "ends must be"),
        ("jobs", {"kind": "modelReplacement", "times": 0}, "times must be"),
        ("jobs", {"kind": "modelReplacement", "mood": "bad"}, "unknown key mood"),
    ],
)
def test_bad_input_is_400_and_names_what_is_allowed(
    door: httpx.Client, path: str, body: dict[str, Any], part: str
) -> None:
    answer = door.post(path, json=body)
    assert answer.status_code == 400
    assert part in answer.json()["message"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"3"])
def test_a_body_that_is_no_object_is_400(door: httpx.Client, content: bytes) -> None:
    assert door.post("clock", content=content).status_code == 400


def test_a_number_that_is_none_is_400(door: httpx.Client) -> None:
    assert door.post("clock", content=b'{"advance": NaN}').status_code == 400


def test_a_wrong_switch_sets_none(emulator: EmulatorDoor) -> None:
    with pytest.raises(DoorError):
        emulator.switches(job_end="200_completed", lag="many")
    assert emulator.switches()["job_end"] == "303"


def test_switches_are_told_with_their_values_and_reasons(door: httpx.Client) -> None:
    body = door.get("switches").json()
    assert set(body["switches"]) == set(known())
    assert body["known"]["lag"]["default"] == "0"
    assert all(one["default"] in one["values"] and one["why"] for one in body["known"].values())


def test_the_clock_is_advanced_set_off_and_made_faster(emulator: EmulatorDoor) -> None:
    before = emulator.clock()["epoch"]
    assert emulator.clock(advance=100)["epoch"] >= before + 100
    assert emulator.clock(offset=-600)["offset"] == pytest.approx(-600, abs=1)
    assert emulator.clock(speed=0)["epoch"] == emulator.clock()["epoch"]
    assert emulator.clock()["now"].endswith("Z")


def test_ten_days_at_once_do_what_ten_days_do(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    """In the order of time: the approval applies itself before the automatic cancelling comes."""
    emulator.clock(speed=0)
    emulator.change("policies", "64f000000000000000000001", automaticAction={"action": "cancel", "period": "P9D"})
    asked = taken(ask_for(requester, auto_apply=True))
    review(reviewer, asked)
    emulator.advance(10 * 86_400)
    assert request(requester, asked["id"])["status"] == "resolved"
    times = [effect["at"] for effect in emulator.effects()]
    assert times == sorted(times)


def test_a_pace_for_some_jobs_only(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("modelReplacement", failsWith="once", times=1)
    for words in (["ERROR"], ["ERROR", "COMPLETED"]):
        replace(requester)
        emulator.advance(21)
        assert sorted(job["status"] for job in emulator.jobs()) == sorted(words)


def test_a_pace_of_no_seconds_is_over_at_once(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("modelReplacement", seconds=0)
    location = replace(requester).headers["Location"]
    assert requester.get(location).status_code == 303
    assert champion(requester) == CANDIDATE


def test_paces_can_be_forgotten(door: httpx.Client, emulator: EmulatorDoor) -> None:
    emulator.jobs("modelReplacement", seconds=0)
    assert door.get("jobs").json()["paces"] == {"modelReplacement": {"seconds": 0}}
    assert door.delete("jobs").json()["paces"] == {}
    assert door.get("jobs").json()["seconds"]["modelReplacement"] == 20


def test_a_job_is_ended_by_hand(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.jobs("modelReplacement", byHand=True)
    location = replace(requester).headers["Location"]
    emulator.advance(86_400)
    assert requester.get(location).json()["status"] == "RUNNING"
    (job,) = emulator.jobs()
    assert emulator.end_job(job["id"])["state"] == "COMPLETED"
    assert requester.get(location).status_code == 303
    with pytest.raises(DoorError, match="the job is over: COMPLETED"):
        emulator.end_job(job["id"])
    with pytest.raises(DoorError, match="no such job"):
        emulator.end_job("nothing")


def test_a_job_is_made_to_fail_by_hand(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    location = replace(requester).headers["Location"]
    emulator.end_job(emulator.jobs()[0]["id"], failsWith="by hand", ends="ABORTED")
    body = requester.get(location).json()
    assert (body["status"], body["message"]) == ("ABORTED", "by hand")
    emulator.advance(21)
    assert champion(requester) == "64d000000000000000000002"


def test_the_log_shows_each_request_with_its_end(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    requester.get(f"deployments/{GOVERNED}/?colour=red")
    replace(requester)
    replace(requester, package="64d000000000000000000006")
    read, accepted, refused = emulator.log()
    assert read == {
        "number": 1,
        "at": read["at"],
        "operationId": "getDeployment",
        "method": "GET",
        "path": f"/api/v2/deployments/{GOVERNED}/",
        "query": {"colour": "red"},
        "user": "requester@example.com",
        "status": 200,
        "accepted": False,
        "faults": [],
        "body": None,
    }
    assert (accepted["status"], accepted["accepted"]) == (202, True)
    assert accepted["body"] == {"modelPackageId": CANDIDATE, "reason": "ACCURACY"}
    assert (refused["status"], refused["accepted"]) == (409, False)
    assert emulator.accepted() == {"replaceDeploymentModel": 1}


def test_the_log_can_be_filtered_and_cleared(door: httpx.Client, emulator: EmulatorDoor, clients: Any) -> None:
    clients["requester"].get("version/")
    clients["admin"].get("version/")
    replace(clients["requester"])
    assert [entry["operationId"] for entry in emulator.log(writes=True)] == ["replaceDeploymentModel"]
    assert len(emulator.log(operationId="getVersion")) == 2
    assert len(emulator.log(user="admin@example.com")) == 1
    assert door.delete("log").json() == {"accepted": {}, "requests": []}
    assert emulator.log() == []


def test_secrets_are_masked_in_the_log_and_in_the_world(
    door: httpx.Client, emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """Rule 27: password, secretToken, verificationCode, customHeaders[].value, credentialData, and tokens."""
    body = {
        "status": "inactive",
        "password": "s3cret",
        "secretToken": "s3cret",
        "verificationCode": "s3cret",
        "credentialData": {"any": "s3cret"},
        "customHeaders": [{"name": "X", "value": "s3cret"}, "s3cret"],
        "list": [{"apiToken": "s3cret"}],
    }
    requester.patch(f"deployments/{UNGOVERNED}/status/?token=s3cret", json=body)
    (entry,) = emulator.log()
    assert "s3cret" not in str(entry)
    assert entry["body"]["customHeaders"] == [{"name": "X", "value": "***"}, "***"]
    assert entry["query"] == {"token": "***"}
    assert "requester-token" not in door.get("world/users").text
    assert "requester-token" not in door.get("world").text


def test_effects_are_counted_and_cleared(door: httpx.Client, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    asked = taken(ask_for(requester))
    body = door.get("effects").json()
    assert body["counts"] == {"changeRequestCreated": {asked["id"]: 1}}
    (effect,) = body["effects"]
    assert effect == {
        "effect": "changeRequestCreated",
        "entity": "changeRequests",
        "id": asked["id"],
        "by": "requester@example.com",
        "at": effect["at"],
    }
    assert door.delete("effects").json() == {"counts": {}, "effects": []}
    assert emulator.count("changeRequestCreated") == 0


def test_the_world_is_read_and_changed(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert set(emulator.world("deployments")) == {GOVERNED, UNGOVERNED, NIGHTLY}
    emulator.change("deployments", UNGOVERNED, status="errored", health={"service": "failing"})
    seen = deployment(requester)
    assert (seen["status"], seen["serviceHealth"]["status"], seen["modelHealth"]["status"]) == (
        "errored",
        "failing",
        "passing",
    )
    with pytest.raises(DoorError, match=r"no table 'planets'; there are .*users"):
        emulator.world("planets")
    with pytest.raises(DoorError, match="no record 'nothing' in deployments") as refused:
        emulator.change("deployments", "nothing", status="x")
    assert refused.value.status == 404


def test_the_door_is_apart_from_the_api(origin: str, requester: httpx.Client) -> None:
    assert requester.get("__emulator__/log").status_code == 404
    assert httpx.get(f"{origin}/__emulator__/nothing", trust_env=False).status_code == 404


def test_looking_through_the_door_is_not_logged(emulator: EmulatorDoor) -> None:
    emulator.clock()
    emulator.jobs()
    assert emulator.log() == []
