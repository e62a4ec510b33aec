"""What the trigger does while it waits: when it looks first, and what it does about its connection."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from airflow_provider.api import pool
from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import JobWait, UntilWait, to_json
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.triggers import sharing, wait
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.triggers.conftest import connect, replace_model
from tests.triggers.runner import row, triggerer

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

SOON = {"first": 0.01, "interval": 0.05}


def waiting_for(path: str, **arguments: Any) -> DataRobotWaitTrigger:
    return DataRobotWaitTrigger("datarobot_default", to_json(JobWait(path)), **{"pacing": SOON, **arguments})


async def event_of(trigger: DataRobotWaitTrigger) -> dict[str, Any]:
    events = trigger.run()
    told: dict[str, Any] = (await anext(events)).payload
    with pytest.raises(StopAsyncIteration):  # one event, and then it returns at once
        await anext(events)
    return told


@pytest.mark.parametrize("interval", [None, 5.0, 30.0])
async def test_the_first_look_is_not_before_an_executor_has_told_the_end_of_the_deferring_process(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, interval: float | None
) -> None:
    pauses: list[float] = []

    async def pass_by(seconds: float) -> None:
        pauses.append(seconds)
        travelled = sum(pauses)
        monkeypatch.setattr(time, "time", lambda: begun + travelled)

    begun = time.time()
    leased = pool.lease
    moved: dict[str, Any] = {"sleep": pass_by, "clock": lambda: time.time()}
    monkeypatch.setattr(pool, "lease", lambda settings, **more: leased(settings, **moved, **more))
    service.jobs("modelReplacement", seconds=0)
    pacing = None if interval is None else {"interval": interval}
    assert (await event_of(waiting_for(replace_model(service), pacing=pacing)))["outcome"] == "done"
    assert wait.FIRST_POLL == 6.0
    assert 6.0 <= pauses[0] <= 6.0 + (interval or 5.0)  # and not all at once after a restart


@pytest.mark.parametrize("ends", ["until", "deadline", "connection"])
async def test_nothing_is_told_before_that_whatever_ends_the_wait(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr(wait, "FIRST_POLL", 0.3)
    made = waiting_for("status/1/", pacing={"interval": 0.01})
    if ends == "until":
        made.wait = to_json(UntilWait(time.time()))
    elif ends == "deadline":
        service.jobs("modelReplacement", byHand=True)
        made.wait, made.deadline = to_json(JobWait(replace_model(service))), time.time()
    else:
        monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps({"conn_type": "datarobot"}))
    begun = time.monotonic()
    outcome = (await event_of(made))["outcome"]
    assert outcome == {"until": "done", "deadline": "timed_out", "connection": "gave_up"}[ends]
    assert 0.3 <= time.monotonic() - begun < 5


async def test_pacing_words_of_another_release_are_passed_over(service: EmulatorDoor) -> None:
    service.jobs("modelReplacement", seconds=0)
    pacing = {**SOON, "burst": 7.0}
    assert (await event_of(waiting_for(replace_model(service), pacing=pacing)))["outcome"] == "done"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"password": ""}, "password is empty"),
        ({"extra": {"auth_scheme": "Basic"}}, "scheme must be"),
        ({"host": "https://127.0.0.1:1", "extra": {"ca_bundle": "/nowhere/ca.pem"}}, "/nowhere/ca.pem"),
    ],
)
async def test_a_connection_that_nobody_could_use_ends_the_wait_and_is_named(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], fault: str
) -> None:
    connection = {"conn_type": "datarobot", "host": service.endpoint, "password": "requester-token", **fields}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
    told = await event_of(waiting_for("status/1/"))
    assert told["outcome"] == "gave_up"
    assert "'datarobot_default'" in told["reason"]
    assert fault in told["reason"]
    assert "requester-token" not in told["reason"]


async def test_a_connection_that_is_missing_fails_the_trigger(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_DATAROBOT_DEFAULT")
    async with triggerer(monkeypatch) as process:
        await process.start(row(1, waiting_for("status/1/")))
        await process.until(lambda: process.supervisor.failures)
    assert "datarobot_default" in "".join(process.supervisor.failures[1])


async def test_a_new_token_is_read_once_for_all_waits_that_were_refused(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[str] = []
    asettings = DataRobotHook.asettings

    async def counted(hook: Any) -> Any:
        readings.append(hook.datarobot_conn_id)
        settings = await asettings(hook)
        connect(monkeypatch, service, "requester")  # from now on
        return settings

    monkeypatch.setattr(DataRobotHook, "asettings", counted)
    service.jobs("modelReplacement", seconds=0)
    path = replace_model(service)
    connect(monkeypatch, service, "requester", token="yesterday")
    async with triggerer(monkeypatch) as process:
        await process.start(*[row(number, waiting_for(path)) for number in range(20)])
        await process.until(lambda: len(process.supervisor.events) == 20)
    assert {event["outcome"] for event in process.supervisor.events.values()} == {"done"}
    assert len(readings) == 2


async def test_a_token_that_is_refused_again_ends_the_wait(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, service, "requester", token="yesterday")
    told = await event_of(waiting_for("status/1/"))
    assert told["outcome"] == "refused"
    assert "401" in told["reason"]
    assert len(service.log()) == 2


async def test_a_reading_serves_those_who_come_lately_and_not_those_whom_it_was_refused(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await sharing.settings_of("datarobot_default")
    connect(monkeypatch, service, "reviewer")
    assert await sharing.settings_of("datarobot_default") is first
    newer = await sharing.settings_of("datarobot_default", refused=first)
    assert newer.token == "reviewer-token"
    assert await sharing.settings_of("datarobot_default", refused=first) is newer
    assert await sharing.settings_of("datarobot_default", refused=newer) == newer  # read again: it is what there is
    monkeypatch.setattr(sharing, "LATELY", 0.0)
    assert await sharing.settings_of("datarobot_default") is not newer


async def test_a_reading_that_went_wrong_serves_nobody_else(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps({"conn_type": "datarobot"}))
    with pytest.raises(InvalidCall):
        await sharing.settings_of("datarobot_default")
    connect(monkeypatch, service, "requester")
    assert (await sharing.settings_of("datarobot_default")).token == "requester-token"


class Pipe:
    """Where log lines go, and nobody reads them before the loop has come by."""

    def __init__(self) -> None:
        self.read = threading.Event()
        self.in_time: list[bool] = []

    def info(self, *_line: Any, **_more: Any) -> None:
        self.in_time.append(self.read.wait(5))


async def test_a_log_that_nobody_reads_for_a_while_holds_up_no_loop(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A triggerer's supervisor takes the lines from a pipe, between everything else that it does."""
    pipe = Pipe()
    log = structlog.wrap_logger(pipe, processors=[], wrapper_class=structlog.make_filtering_bound_logger(20))
    monkeypatch.setattr(DataRobotWaitTrigger, "log", log)
    asyncio.get_running_loop().call_later(0.05, pipe.read.set)
    path = replace_model(service)
    service.advance(60)
    assert (await event_of(waiting_for(path)))["outcome"] == "done"
    assert len(pipe.in_time) >= 2
    assert all(pipe.in_time)
