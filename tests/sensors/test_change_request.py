"""Waiting for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import GOVERNED, Perform, ask, close, edit, meanwhile, refused, review, send

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.harness import Stage

DAY = 86_400.0


def sensor(task_id: str = "decision", **arguments: Any) -> Any:
    from airflow_provider.sensors.change_request import DataRobotChangeRequestSensor

    return DataRobotChangeRequestSensor(task_id=task_id, **arguments)


def requests(service: EmulatorDoor) -> dict[str, str]:
    """One change request for each outcome, all at version 0 when they were asked for."""
    made = {
        "approved": ask(service),
        "changesRequested": ask(service),
        "superseded": ask(service),
        "cancelled": ask(service, "delete"),
        "resolved": ask(service, "approve", {"approvalStatus": "APPROVED"}),
    }
    review(service, made["approved"], comment="good")
    review(service, made["changesRequested"], "changesRequested", "not with this model")
    edit(service, made["superseded"])
    close(service, made["cancelled"])
    close(service, made["resolved"], "resolving")
    service.advance(60)
    return made


CHOICE = {"changesRequested": "on_changes_requested", "cancelled": "on_cancelled", "superseded": "on_new_version"}


def test_each_outcome_succeeds_fails_or_is_skipped(service: EmulatorDoor, perform: Perform) -> None:
    made = requests(service)
    done = perform(
        lambda: [
            sensor("approved", change_request_id=made["approved"], version="{{ none }}"),
            sensor("resolved", change_request_id="{{ '" + made["resolved"] + "' }}", deferrable=True),
            *(sensor(f"{outcome}_fails", change_request_id=made[outcome], version="0") for outcome in CHOICE),
            *(
                sensor(f"{outcome}_skips", change_request_id=made[outcome], version="0", **{name: "SKIP"})
                for outcome, name in CHOICE.items()
            ),
        ]
    )
    decision = done["approved"].result
    assert decision == {
        "outcome": "approved",
        "id": made["approved"],
        "action": "replaceModelPackage",
        "status": "approved",
        "version": "0",
        "requested_by": "requester@example.com",
        "decided_by": ["reviewer@example.com"],
        "decided_at": decision["reviews"][0]["at"],
        "approvals_required": 1,
        "by_policy": False,
        "reviews": [{**decision["reviews"][0], "by": "reviewer@example.com", "status": "approved", "comment": "good"}],
    }
    assert done["resolved"].result["outcome"] == "resolved"
    for task_id in ("approved", "resolved", "cancelled_fails"):
        assert done.xcom(task_id, "_link_DataRobotLink") == f"{service.url}/deployments/{GOVERNED}/overview"
    assert done["changesRequested_fails"].error == (
        f"change request {made['changesRequested']} is changesRequested, by ['reviewer@example.com'] "
        "(reviewer@example.com: not with this model)"
    )
    assert f"change request {made['cancelled']} is cancelled, by " in done["cancelled_fails"].error
    assert f"change request {made['superseded']} is superseded, by " in done["superseded_fails"].error
    for outcome in CHOICE:
        assert done[f"{outcome}_fails"].state == "failed"
        assert done[f"{outcome}_skips"].state == "skipped"
        assert done.xcom(f"{outcome}_fails", "decision")["outcome"] == outcome


def test_branches_follow_the_outcome_and_the_decision_is_kept(service: EmulatorDoor, perform: Perform) -> None:
    """Also deferred with soft_fail, which takes everything that a resumed sensor raises for a failure."""
    made, pending = requests(service), ask(service)
    cases: dict[str, tuple[str, str, dict[str, Any]]] = {
        "approved": (made["approved"], "approved", {"soft_fail": True}),
        "deferred": (pending, "approved", {"deferrable": True, "soft_fail": True}),
        "changes": (made["changesRequested"], "changesRequested", {"on_changes_requested": "branch"}),
        "superseded": (made["superseded"], "superseded", {"on_new_version": "branch", "version": "0"}),
        "cancelled": (made["cancelled"], "cancelled", {"on_cancelled": "branch", "silent_fail": True}),
    }

    def make() -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator

        for name, (request, outcome, given) in cases.items():
            branches: dict[str, Any] = {"approved": f"{name}_good"}
            if outcome != "approved":
                branches[outcome] = [f"{name}_bad"]
            decided = sensor(name, change_request_id=request, branches=branches, **given)
            decided >> [EmptyOperator(task_id=f"{name}_{way}") for way in ("good", "bad")]

    with meanwhile(service, lambda: review(service, pending), operationId="getChangeRequest", path=pending, nth=3):
        done = perform(make)
    for name, (_, outcome, _) in cases.items():
        followed = [way for way in ("good", "bad") if done[f"{name}_{way}"].state == "success"]
        skipped = [way for way in ("good", "bad") if done[f"{name}_{way}"].state == "skipped"]
        assert (followed, skipped) == ((["good"], ["bad"]) if outcome == "approved" else (["bad"], ["good"])), name
        assert done[name].state == "success"
        assert done[name].result["outcome"] == outcome


@pytest.mark.parametrize("way", [{}, {"deferrable": True}, {"mode": "reschedule"}], ids=["poke", "deferred", "again"])
def test_a_decision_that_comes_late(service: EmulatorDoor, perform: Perform, way: dict[str, Any]) -> None:
    request = ask(service)
    with meanwhile(service, lambda: review(service, request), operationId="getChangeRequest", nth=2):
        done = perform(lambda: [sensor(change_request_id=request, version="0", **way)])
    assert done["decision"].result["decided_by"] == ["reviewer@example.com"]


def test_what_is_waited_for_further(service: EmulatorDoor, perform: Perform) -> None:
    """Asked changes and a new version end nothing when the author says so; an edit before the resume does."""
    changed, edited = ask(service), ask(service)
    review(service, changed, "changesRequested")
    edit(service, edited)
    fault = {"operationId": "getChangeRequest", "nth": 3}
    with (
        meanwhile(service, lambda: review(service, changed), path=changed, **fault),
        meanwhile(service, lambda: review(service, edited, version="1"), path=edited, **fault),
    ):
        done = perform(
            lambda: [
                sensor("changed", change_request_id=changed, on_changes_requested="wait", deferrable=True),
                sensor("edited", change_request_id=edited, version="0", on_new_version="wait"),
            ]
        )
    assert done["changed"].result["outcome"] == "approved"
    assert (done["edited"].result["outcome"], done["edited"].result["version"]) == ("approved", "1")


def test_an_approval_is_of_the_version_that_was_seen(service: EmulatorDoor, perform: Perform) -> None:
    """The first look pins it; what was approved is read again after the trigger told of it."""
    before, after = ask(service), ask(service)

    def approve_another(request: str) -> None:
        edit(service, request)
        review(service, request, version="1")

    def approve_and_edit() -> None:
        review(service, after)

    looks = {"operationId": "getChangeRequest"}
    with meanwhile(service, lambda: approve_another(before), path=before, nth=3, **looks):
        done = perform(lambda: [sensor(change_request_id=before)])
    assert done["decision"].error.startswith(f"change request {before} is superseded")
    # Looks: version, first look, trigger (approved), look after it (edited meanwhile).
    with (
        meanwhile(service, approve_and_edit, path=after, nth=3, **looks),
        meanwhile(service, lambda: edit(service, after), path=after, nth=4, **looks),
    ):
        done = perform(lambda: [sensor(change_request_id=after, deferrable=True)])
    assert done["decision"].error.startswith(f"change request {after} is superseded")


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ("approved_version_changed", "is superseded"),
        ("approved_without_quorum", "fewer approving reviews than it needs, and require_reviews is on"),
    ],
)
def test_approvals_that_are_none(service: EmulatorDoor, perform: Perform, lie: str, told: str) -> None:
    service.switches(approvals_required="2")
    service.lie(lie)
    request = ask(service)
    review(service, request)
    if lie == "approved_version_changed":
        body = {"changeVersionId": "0", "status": "approved"}
        send(service, "second_reviewer", "POST", f"changeRequests/{request}/reviews/", body)
    done = perform(lambda: [sensor(change_request_id=request, version="0", require_reviews="{{ true }}")])
    assert told in done["decision"].error


def test_requests_that_are_not_there_and_words_that_nobody_knows(
    service: EmulatorDoor, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider.api.waiting.UNKNOWN_GRACE", 0.1)
    request = ask(service)
    done = perform(
        lambda: [
            sensor("absent", change_request_id="f" * 24),
            sensor("absent_at_a_version", change_request_id="f" * 24, version="0", deferrable=True),
            sensor("absent_for_one_look", change_request_id="f" * 24, version="0", mode="reschedule"),
        ]
    )
    assert done["absent"].error.startswith("NotFound: getChangeRequest answered 404: Change request ffff")
    assert done["absent_at_a_version"].error.startswith("not found 3 times in a row: getChangeRequest answered 404")
    assert done["absent_for_one_look"].error.startswith("not found 1 times in a row: getChangeRequest answered 404")
    word = {"id": request, "status": "pondering", "changeVersionId": "0"}
    service.fault("status", operationId="getChangeRequest", code=200, times=0, body=word)
    done = perform(lambda: [sensor(change_request_id=request, deferrable=True)])
    assert done["decision"].error == "unknown status 'pondering' for 0 s"


def test_a_deadline_that_passes(service: EmulatorDoor, perform: Perform) -> None:
    request = ask(service)
    done = perform(
        lambda: [
            sensor("late", change_request_id=request, timeout=0.2),
            sensor("late_deferred", change_request_id=request, timeout=timedelta(seconds=0.2), deferrable=True),
            sensor("soft", change_request_id=request, timeout=0.2, deferrable=True, soft_fail=True),
        ]
    )
    assert done["late"].state == "failed"
    assert done["late_deferred"].error == "not over after 0 s: change request is pending, version 0"
    assert done["soft"].state == "skipped"


def test_an_event_that_says_nothing_is_no_answer(
    service: EmulatorDoor, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of another release, for example: the service is asked, and waited for again."""
    from airflow_provider.triggers.event import WaitEvent

    request, told = ask(service), WaitEvent.to_dict
    events: Iterator[dict[str, Any]] = iter([{"v": 99}, {"outcome": "perfect"}])
    monkeypatch.setattr(WaitEvent, "to_dict", lambda event: {**told(event), **next(events, {})})
    review(service, request, "changesRequested")
    with meanwhile(service, lambda: review(service, request), operationId="getChangeRequest", nth=3):
        done = perform(
            lambda: [sensor(change_request_id=request, on_changes_requested="wait", deferrable=True)],
        )
    assert done["decision"].result["outcome"] == "approved"
    assert next(events, None) == {"outcome": "perfect"}


def test_never_fail_holds_before_a_deferral_too(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: [sensor(change_request_id="f" * 24, deferrable=True, never_fail=True)])
    assert done["decision"].state == "skipped"


def test_the_default_deadline_and_the_one_that_retries_keep(stage: Stage) -> None:
    """An outage breaks off three attempts; the fourth ends at the deadline of the first. A clear gives new time."""
    from tests.harness import Store, Task

    request = ask(stage.service)
    assert sensor(change_request_id=request).timeout == 30 * DAY
    outage = stage.service.fault("status", operationId="getChangeRequest", path=request, nth=3, times=0)
    task = Task(
        stage,
        lambda: sensor(change_request_id=request, deferrable=True, timeout=7200, poke_interval=60),
        store=Store(),
        retries=3,
    )
    began = time.time()
    ending = task.run()
    assert [one.state for one in task.endings] == ["retry"] * 4
    assert "errors in a row over" in str(task.endings[0].error)
    assert "not over after 7200 s" in str(ending.error)
    assert 7200 <= time.time() - began < 7260
    stage.service.remove_fault(outage)
    stage.at(3600, lambda: review(stage.service, request))
    assert task.attempt().result["outcome"] == "approved"


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"change_request_id": "None"}, "change_request_id must be an id"),
        ({"version": "a b"}, "version must be an id"),
        (
            {"on_changes_requested": "retry"},
            "on_changes_requested must be one of fail, skip, branch, wait, not 'retry'",
        ),
        ({"on_cancelled": "wait"}, "on_cancelled must be one of fail, skip, branch, not 'wait'"),
        ({"on_new_version": ""}, "on_new_version must be one of fail, skip, branch, wait, not ''"),
        ({"require_reviews": "some"}, "require_reviews must be true or false, not 'some'"),
        ({"mode": "reschedule"}, "version is needed with mode='reschedule'"),
        ({"on_cancelled": "branch"}, "branches must name the tasks to follow for approved, cancelled"),
        (
            {"branches": {"cancelled": "bad"}},
            "branches must name the tasks to follow for approved; approved is missing",
        ),
        ({"branches": {"approved": [], "rejected": []}}, "rejected is no outcome"),
        ({"branches": {"approved": "nowhere"}}, "branches names nowhere: no such task or task group in this DAG"),
        ({"branches": "bad"}, "branches must be a mapping, or the text of a JSON object, not other text"),
    ]
    refused(service, sensor, {"change_request_id": "64b0"}, bad)
