"""One line for each change of state: which, in what order, and what never stands in one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider.hooks.lines import FIELDS, STATES, line, looked_at, moment
from airflow_provider.sensors.api_job import DataRobotApiJobSensor
from airflow_provider.tasks import telling
from airflow_provider.tasks.memory import Handle
from airflow_provider.triggers.event import WaitEvent
from tests.harness import GOVERNED, UNGOVERNED, Stage, Store, Task, replacing
from tests.people import approve
from tests.triggers.conftest import replace_model

PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def parsed(text: str) -> dict[str, str]:
    """The words of a line, as a log pipeline would read them."""
    assert text.startswith("datarobot state="), text
    assert "\n" not in text
    found = dict(PAIR.findall(text))
    assert set(found) <= {"state", *FIELDS}
    assert found["state"] in STATES
    return {name: json.loads(word) if word.startswith('"') else word for name, word in found.items()}


def states(lines: list[str]) -> list[str]:
    return [parsed(one)["state"] for one in lines]


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
def test_a_replacement_tells_each_change_once(stage: Stage, lines: list[str], deferrable: bool) -> None:
    assert replacing(stage, UNGOVERNED, deferrable=deferrable).run().state == "success"
    in_the_triggerer = ["waiting", "over"] if deferrable else []
    assert states(lines) == ["intended", "submitted", "waiting", *in_the_triggerer, "over", "settled"]
    told = [parsed(one) for one in lines]
    assert {one["operation"] for one in told} == {"replaceDeploymentModel"}
    assert len({one["work"] for one in told}) == 1
    assert "request_id" not in told[0]
    answered = [entry for entry in stage.service.log() if entry["operationId"] == "replaceDeploymentModel"]
    assert len(answered) == 1
    assert len({one["request_id"] for one in told[1:]}) == 1
    assert told[2]["wait"].startswith("status/")
    assert told[-2]["outcome"] == "done"
    assert int(told[-2]["seconds"]) > 0


def test_an_approval_that_takes_long_is_no_more_lines(stage: Stage, lines: list[str]) -> None:
    stage.enter("reviewer", approve, after=2 * 86400)
    assert replacing(stage, GOVERNED, timeout=7 * 86400).run().state == "success"
    decided = next(one for one in map(parsed, lines) if "seconds" in one)
    assert 2 * 86400 <= int(decided["seconds"]) < 2 * 86400 + 300
    assert len(lines) < 20, lines


def test_what_was_under_way_is_adopted(stage: Stage, lines: list[str]) -> None:
    stage.desk("requester").replace(UNGOVERNED, "64d000000000000000000003")
    assert replacing(stage, UNGOVERNED).run().state == "success"
    assert states(lines)[0] == "adopted"
    assert "submitted" not in states(lines)


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
def test_a_sensor_tells_that_it_waits_and_how_that_ended(stage: Stage, lines: list[str], deferrable: bool) -> None:
    path = replace_model(stage.service)
    task = Task(
        stage,
        lambda: DataRobotApiJobSensor(task_id="replace", location=path, deferrable=deferrable, poke_interval=5),
        Store(),
    )
    if not deferrable:
        stage.sleep(3600)
    assert task.run().state == "success"
    assert set(states(lines)) == {"waiting", "over"}
    assert states(lines)[-1] == "over"


def test_a_line_stays_one_line_and_short_whatever_the_service_says() -> None:
    handle = {
        "operation": "o",
        "stage": 's "t"',
        "id": "a b\nstate=settled",
        "fingerprint": "0123456789",
        "before": {"p": 1},
    }
    text = line("over", handle, note="x" * 1000 + "\n", outcome="failed", seconds=0, until=moment(0.0))
    told = parsed(text)
    assert told["id"] == "a b\nstate=settled"
    assert told["stage"] == 's "t"'
    assert told["work"] == "01234567"
    assert told["seconds"] == "0"
    assert told["until"] == "1970-01-01T00:00:00Z"
    assert len(told["note"]) == 303
    assert "before" not in text
    assert parsed(line("waiting", None, wait=looked_at({"kind": "every", "waits": []})))["wait"] == "every"


def test_only_a_change_is_told() -> None:
    class Log:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def info(self, form: str, *given: Any) -> None:
            self.texts.append(form % given)

    log = Log()
    handle = Handle("createDataset", "f" * 32, "upload", "submitted", 1.0, since=10.0)
    telling.changed(log, None, handle)
    telling.changed(log, handle, handle)
    telling.over(log, handle, WaitEvent("unknown"), 20.0)
    telling.over(log, None, WaitEvent("done"), 20.0)
    telling.over(log, handle, WaitEvent("gave_up", reason="100 % of 5 errors"), 20.0)
    assert states(log.texts) == ["submitted", "over"]
    assert parsed(log.texts[1])["note"] == "100 % of 5 errors"
