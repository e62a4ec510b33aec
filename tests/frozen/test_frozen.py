"""What stands in users' databases when they upgrade: rows, events and handles of every release must still be read.

A file a release, written by that release and never changed afterwards. ``{job}`` and ``{request}`` stand for ids of
the service, deadlines lie far ahead.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider.api.waits import KINDS, EveryWait, to_json, wait_from_json
from airflow_provider.tasks.memory import KEY, Handle
from airflow_provider.triggers.event import WaitEvent
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.harness import GOVERNED, REQUESTER, UNGOVERNED, V1, V2, V3, Stage, Task, replacing
from tests.journeys.conftest import stage as stage
from tests.journeys.conftest import triggerer as triggerer
from tests.people import approve
from tests.triggers.conftest import replace_model, request_change
from tests.triggers.test_row import through_the_database

RELEASES = sorted(Path(__file__).parent.glob("release_*.json"))
Doctor = Callable[[dict[str, Any]], None]


def frozen(kind: str) -> list[Any]:
    """All rows or events of all releases."""
    found = [(release.stem, json.loads(release.read_text())[kind]) for release in RELEASES]
    return [pytest.param(one, id=f"{release} {name}") for release, ones in found for name, one in ones.items()]


ROWS = pytest.mark.parametrize("row", frozen("rows"))
EVENTS = pytest.mark.parametrize("event", frozen("events"))


def test_there_is_a_file_for_the_first_release() -> None:
    assert RELEASES[0].stem == "release_0_1_0"


@ROWS
def test_a_row_becomes_the_same_trigger(row: dict[str, Any]) -> None:
    made = DataRobotWaitTrigger(**through_the_database(row["kwargs"]))
    path, kwargs = made.serialize()
    assert path == row["classpath"]
    assert kwargs == row["kwargs"]
    assert to_json(wait_from_json(made.wait)) == made.wait


@pytest.mark.parametrize("wait", frozen("waits"))
def test_each_kind_of_wait_is_read(wait: dict[str, Any]) -> None:
    assert to_json(wait_from_json(wait)) == wait
    assert to_json(wait_from_json({**wait, "added_later": 1})) == wait


def test_every_kind_of_wait_is_in_a_release() -> None:
    kinds = {name for release in RELEASES for name in json.loads(release.read_text())["waits"]}
    assert kinds == {*KINDS, EveryWait.kind}


@EVENTS
def test_an_event_is_understood(event: dict[str, Any]) -> None:
    told = WaitEvent.from_dict(event)
    assert told.outcome == event["outcome"]
    assert told.result == event["result"]
    assert Handle.from_json(told.handle) is not None


@ROWS
def test_a_handle_is_read_whole(row: dict[str, Any]) -> None:
    read = Handle.from_json(row["kwargs"]["handle"])
    assert read is not None
    assert read.to_json().items() >= row["kwargs"]["handle"].items()


# --- doctored: what a newer release may add, and what an older one may not have known ------------------------------


def added(kwargs: dict[str, Any]) -> None:
    kwargs["colour"] = "blue"
    for part in (kwargs["wait"], kwargs["pacing"], kwargs["handle"], kwargs["handle"]["wait"]):
        part["added_later"] = {"x": [1]}


def missing(kwargs: dict[str, Any]) -> None:
    for name in ("pacing", "deadline", "cancel"):
        kwargs.pop(name, None)
    for name in ("attempt_end", "until", "tries", "sent_twice", "cancel", "owner"):
        kwargs["handle"].pop(name, None)


def null(kwargs: dict[str, Any]) -> None:
    for name in ("pacing", "deadline", "cancel"):
        kwargs[name] = None
    for name in ("attempt_end", "until", "tries", "sent_twice", "cancel", "deadline"):
        kwargs["handle"][name] = None


def no_handle(kwargs: dict[str, Any]) -> None:
    kwargs["handle"] = None


def other_version(kwargs: dict[str, Any]) -> None:
    kwargs["handle"]["v"] = 2
    kwargs["handle"]["state"] = "elsewhere"


DOCTORS = pytest.mark.parametrize("doctor", [None, added, missing, null, no_handle, other_version])


def prepared(row: dict[str, Any], doctor: Doctor | None, **ids: str) -> dict[str, Any]:
    """The arguments of a row with real ids, after the doctor."""
    text = json.dumps(row["kwargs"])
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    kwargs: dict[str, Any] = json.loads(text)
    if doctor is not None:
        doctor(kwargs)
    return kwargs


class Earlier:
    """The operator of build N, which defers with a row that stands in the database."""

    def __init__(self, kwargs: dict[str, Any]) -> None:
        self._kwargs = kwargs

    def execute(self, context: Any, **_sentinel: Any) -> None:
        from airflow.providers.common.compat.sdk import TaskDeferred

        raise TaskDeferred(trigger=self, method_name="resume")

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "airflow_provider.triggers.wait.DataRobotWaitTrigger", self._kwargs


def upgraded(stage: Stage, deployment: str, kwargs: dict[str, Any]) -> Task:
    """A task that build N has deferred, and that the triggerer and the workers of this build go on with."""
    task = replacing(stage, deployment)
    builds = itertools.chain([lambda: Earlier(kwargs)], itertools.repeat(task.build))
    task.build = lambda: next(builds)()
    assert task.store is not None, "it has one unless it is told otherwise"
    if kwargs["handle"] is not None:
        task.store.set(KEY, kwargs["handle"])
    return task


def row_of(name: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(RELEASES[0].read_text())["rows"][name]
    return row


@DOCTORS
def test_a_direct_replacement_that_build_n_deferred_ends_on_build_n_plus_1(stage: Stage, doctor: Doctor | None) -> None:
    job = replace_model(stage.service).split("/")[1]
    task = upgraded(stage, UNGOVERNED, prepared(row_of("direct replace"), doctor, job=job))
    ending = task.run()
    assert ending.state == "success", ending
    assert ending.result["champion"]["model_package_id"] == V3
    if doctor in (None, added, missing, null):
        assert ending.result["previous"]["model_package_id"] == V2
    assert stage.service.accepted()["replaceDeploymentModel"] == 1


@DOCTORS
def test_a_request_that_build_n_waited_for_is_applied_by_build_n_plus_1(stage: Stage, doctor: Doctor | None) -> None:
    request = request_change(stage.service)
    stage.enter("reviewer", approve, after=100)
    ending = upgraded(stage, GOVERNED, prepared(row_of("gated decision"), doctor, request=request)).run()
    assert ending.state == "success", ending
    assert ending.result["champion"]["model_package_id"] == V3
    assert ending.result["previous"]["model_package_id"] == V1
    assert ending.result["change_request"]["requested_by"] == REQUESTER
    assert stage.service.count("changeRequestCreated") == 1
    assert stage.service.count("modelReplaced") == 1


@pytest.mark.parametrize(("name", "deployment"), [("direct replace", UNGOVERNED), ("gated decision", GOVERNED)])
def test_equal_work_has_the_fingerprint_that_it_had_in_the_first_release(
    stage: Stage, name: str, deployment: str
) -> None:
    """With another one, an attempt after the upgrade would not take up the work of the attempt before."""
    task = replacing(stage, deployment)
    stage.enter("reviewer", approve)
    task.run()
    assert task.store is not None
    assert task.store.get(KEY)["fingerprint"] == row_of(name)["kwargs"]["handle"]["fingerprint"]
