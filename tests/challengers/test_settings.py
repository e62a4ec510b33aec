"""Challenger models on and off, and the schedule of their replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.replays import differing, schedule_of
from tests.challengers.rivals import call, settings
from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

SETTINGS, SCHEDULE = "updateDeploymentSettings", "updateDeploymentChallengerReplaySettings"
MONDAYS = {"minute": [30], "hour": [2], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": [1]}


def switch(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.challenger_settings import DataRobotUpdateChallengerSettingsOperator

    return task(stage, DataRobotUpdateChallengerSettingsOperator, **{"deployment_id": LABELLED, **arguments})


def schedule(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.challenger_settings import DataRobotUpdateChallengerReplaySettingsOperator

    return task(stage, DataRobotUpdateChallengerReplaySettingsOperator, **{"deployment_id": LABELLED, **arguments})


def test_on_means_all_that_challengers_need(stage: Stage) -> None:
    settings(stage, challengerModels=False, targetDrift=False)
    settings(stage, predictionsDataCollection=False)
    done = switch(stage).run()
    assert done.state == "success", done
    changed = dict.fromkeys(["challengerModels", "predictionsDataCollection", "targetDrift"], True)
    assert done.result == {"deployment_id": LABELLED, "enabled": True, "changed": changed}
    now = call(stage, "GET", f"deployments/{LABELLED}/settings/").json()
    assert all(now[area] == {"enabled": True} for area in changed)
    written = len(stage.service.log(operationId=SETTINGS))
    assert switch(stage, enabled="yes").run().result["changed"] == {}
    assert len(stage.service.log(operationId=SETTINGS)) == written


def test_off_turns_only_challengers_off(stage: Stage) -> None:
    assert switch(stage, enabled=False).run().result["changed"] == {"challengerModels": False}


@pytest.mark.parametrize("fault", [{"answer": "reset"}, {"answer": 504}], ids=str)
def test_a_lost_answer_is_looked_for(stage: Stage, fault: Any) -> None:
    stage.service.fault("lost_answer", operationId=SETTINGS, **fault)
    assert switch(stage, enabled=False).run().state == "success"
    assert stage.service.count("settingsUpdated", LABELLED) == 1
    stage.service.fault("lost_answer", operationId=SCHEDULE, **fault)
    assert schedule(stage, enabled=True).run().result["changed"] == {"enabled": True}
    assert stage.service.count("challengerReplaySettingsUpdated", LABELLED) == 1


def test_only_what_differs_of_a_schedule_is_written(stage: Stage) -> None:
    done = schedule(stage, enabled="true", schedule="30 2 * * 1").run()
    assert done.state == "success", done
    told = {"deployment_id": LABELLED, "enabled": True, "schedule": MONDAYS}
    assert done.result == {**told, "changed": {"enabled": True, "schedule": MONDAYS}}
    again = schedule(stage, enabled=True, schedule={**MONDAYS, "hour": ["2"]}).run()
    assert again.result == {**told, "changed": {}}
    assert len(stage.service.log(operationId=SCHEDULE)) == 1
    other = schedule(stage, enabled=False).run()
    assert other.result == {**told, "enabled": False, "changed": {"enabled": False}}


def test_nothing_to_set(stage: Stage) -> None:
    assert "give at least one of enabled and schedule" in str(schedule(stage, enabled="None").run().error)
    assert stage.service.log() == []


def test_schedules_in_every_form() -> None:
    assert schedule_of("30 2 * * 1") == MONDAYS
    assert (
        schedule_of('{"minute": [30], "hour": "2", "dayOfMonth": "*", "month": ["*"], "dayOfWeek": ["1"]}') == MONDAYS
    )
    assert schedule_of("0,30 */1 * * *".replace("*/1", "8,20")) == {
        "minute": [0, 30],
        "hour": [8, 20],
        "dayOfMonth": ["*"],
        "month": ["*"],
        "dayOfWeek": ["*"],
    }
    assert schedule_of(None) is None
    assert schedule_of("None") is None
    assert schedule_of({**MONDAYS, "dayOfWeek": ["monday"]}) == {**MONDAYS, "dayOfWeek": ["monday"]}
    assert differing({"schedule": MONDAYS}, {"schedule": {**MONDAYS, "minute": ["30"]}}) == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("0 2 * *", "must have five fields"),
        ("*/5 * * * *", r"takes numbers, commas and stars; \*/5 is none of them"),
        ("61 * * * *", "schedule.minute must list numbers from 0 to 59, or a star"),
        ({"minute": [0]}, "lacks hour, dayOfMonth, month, dayOfWeek"),
        ({**MONDAYS, "second": [1]}, "must be a cron text or a mapping with minute"),
        ({**MONDAYS, "hour": []}, "schedule.hour must list numbers"),
        ({**MONDAYS, "hour": [True]}, "schedule.hour must list numbers"),
        ("{no", "schedule is no JSON"),
        ({}, "must be a cron text or a mapping"),
        (7, "must be a cron text or a mapping"),
    ],
)
def test_schedules_that_are_none(given: Any, text: str) -> None:
    with pytest.raises(InvalidCall, match=text):
        schedule_of(given)
