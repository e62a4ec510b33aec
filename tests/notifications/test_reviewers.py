"""Reviewers are told of a change request that was opened: once, with its link, and without a danger for the task."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import GOVERNED, UNGOVERNED, V3, replacing
from tests.people import approve
from tests.stages import read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task


def asking(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator

    change = {"modelPackageId": V3, "replacementReason": "accuracy"}
    given = {"deployment_id": GOVERNED, "action": "replaceModelPackage", "change": change, **arguments}
    return task(stage, DataRobotCreateChangeRequestOperator, **given)


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "on the worker"])
def test_a_replacement_that_needs_an_approval_tells_of_its_request(stage: Stage, deferrable: bool) -> None:
    told: list[Any] = []
    stage.enter("reviewer", approve, after=60)
    ended = replacing(stage, GOVERNED, deferrable=deferrable, on_request_opened=told.append).run()
    assert ended.state == "success", ended
    (context,) = told
    request = context["change_request"]
    assert context["ti"].task_id == "replace"
    assert request["id"] == ended.result["change_request"]["id"]
    assert request["link"].endswith(f"/deployments/{GOVERNED}/overview")
    assert (request["approvals_required"], request["requested_by"]) == (1, "requester@example.com")
    assert (request["action"], request["change"]["modelPackageId"]) == ("replaceModelPackage", V3)


def test_a_direct_replacement_tells_nobody(stage: Stage) -> None:
    told: list[Any] = []
    assert replacing(stage, UNGOVERNED, on_request_opened=[told.append]).run().state == "success"
    assert told == []


def test_a_request_that_is_taken_up_tells_nobody_again(stage: Stage) -> None:
    told: list[Any] = []
    for adopted in (False, True):
        ended = asking(stage, on_request_opened=told.append).run()
        assert ended.result["adopted"] is adopted or ended.state == "success"
    assert len(told) == 1


def test_a_callback_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    from airflow_provider.tasks.callbacks import tell

    def broken(context: Any) -> None:
        raise RuntimeError(f"no such channel: {context['channel']}")

    tell([broken], {"channel": "x"}, logging.getLogger("tests.callbacks"))
    assert "the task goes on" in caplog.text
    assert "no such channel: x" in caplog.text


def test_a_callback_that_fails_stops_neither_the_task_nor_the_others(stage: Stage) -> None:
    told: list[Any] = []

    def broken(context: Any) -> None:
        raise RuntimeError("no such channel")

    ended = asking(stage, on_request_opened=[broken, told.append]).run()
    assert ended.state == "success", ended
    assert len(told) == 1


def test_the_notifier_can_tell_of_it(stage: Stage) -> None:
    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier

    plain = DataRobotRemoteEventNotifier(deployment_id=GOVERNED)
    worded = DataRobotRemoteEventNotifier(
        deployment_id=GOVERNED, title="{{ change_request.link }}", message="see there"
    )
    ended = asking(stage, on_request_opened=[plain, worded], comment="please").run()
    assert ended.state == "success", ended
    first, second = (one["event"] for one in stage.service.world("remoteEvents").values())
    assert first["title"] == f"Change request {ended.result['change_request_id']} is open: replaceModelPackage"
    assert first["message"].startswith(
        "1 approval(s) needed for replaceModelPackage on deployment 64e000000000000000000001"
    )
    assert "please" in first["message"]
    assert second["title"].endswith(f"/deployments/{GOVERNED}/overview")


def test_plan_only_tells_nobody(stage: Stage) -> None:
    told: list[Any] = []
    assert asking(stage, on_request_opened=told.append, plan_only=True).run().result["plan"]
    assert told == []


def test_something_that_cannot_be_called_is_refused_before_anything_is_sent(stage: Stage) -> None:
    ended = asking(stage, on_request_opened=["mail them"]).run()
    assert "on_request_opened must be a callback or a list of callbacks" in str(ended.error)
    assert stage.service.log() == []


# --- reminders ----------------------------------------------------------------------------------------------------


def reminding(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.reminders import DataRobotRemindReviewersOperator

    return read_only(stage, DataRobotRemindReviewersOperator, **arguments)


def test_requests_that_are_about_to_lapse_are_told_of(stage: Stage) -> None:
    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier

    told: list[Any] = []
    request_id = asking(stage).run().result["change_request_id"]
    notifier = DataRobotRemoteEventNotifier(deployment_id=GOVERNED)
    given: dict[str, Any] = {"lapse_after": "172800", "within": 86_400, "deployment_id": GOVERNED}
    given |= {"on_lapsing": [told.append, notifier]}
    assert reminding(stage, **given).run().result == []
    stage.service.advance(30 * 3600)
    (found,) = reminding(stage, **given).run().result
    assert (found["id"], found["hours_left"]) == (request_id, 18.0)
    assert found["lapses_at"] == "2026-03-04T08:00:00Z"
    assert told[0]["change_request"] == found
    (event,) = stage.service.world("remoteEvents").values()
    assert event["event"]["title"] == f"Change request {request_id} lapses in 18.0 h: replaceModelPackage"
    assert reminding(stage, **{**given, "deployment_id": UNGOVERNED}).run().result == []
    stage.service.advance(24 * 3600)
    assert reminding(stage, **given).run().result[0]["hours_left"] == -6.0
    approve(stage.desk("reviewer"), stage.desk("reviewer").requests()[0])
    assert reminding(stage, **given).run().result == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"deployment_id": "a b"}, "deployment_id must be an id"),
        ({"within": "soon"}, "within must be a number of seconds"),
        ({"lapse_after": -1}, "lapse_after must be a number of seconds"),
        ({"on_lapsing": 5}, "on_lapsing must be a callback"),
    ],
)
def test_bad_input_of_a_reminder(stage: Stage, arguments: dict[str, Any], said: str) -> None:
    assert said in str(reminding(stage, **arguments).run().error)
    assert stage.service.log() == []
