"""What people and policies do to a change request while a task waits for it, and what the task makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import GOVERNED, UNGOVERNED, V1, V2, V3, V4, Ending, Stage, Task, replacing
from tests.journeys.conftest import connect
from tests.people import Desk, approve, ask_for_changes
from tests.verdicts import Facts, verdict_on

MODES = pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
POLICY = "64f000000000000000000001"
HOUR, DAY = 3600.0, 86400.0


def statuses(stage: Stage) -> list[str]:
    return sorted(one["status"] for one in stage.service.world("changeRequests").values())


def unchanged(stage: Stage) -> bool:
    facts = Facts.of(stage.service, GOVERNED)
    return (facts.champion, facts.replaced) == (V1, 0)


def refusal(ending: Ending) -> str:
    assert ending.state == "failed", ending
    return str(ending.error)


def edit_to(package: str, reason: str = "accuracy") -> Callable[[Desk, dict[str, Any]], None]:
    return lambda desk, request: desk.edit(request, change={"modelPackageId": package, "replacementReason": reason})


# --- versions -----------------------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("skip", "skipped")])
def test_an_edit_supersedes_the_version_that_was_seen(stage: Stage, choice: str, state: str, deferrable: bool) -> None:
    stage.enter("requester", edit_to(V4), after=30)
    ending = replacing(stage, GOVERNED, on_new_version=choice, deferrable=deferrable).run()
    assert ending.state == state
    assert "is superseded" in str(ending.error)
    assert unchanged(stage)


@MODES
def test_another_model_is_never_applied_though_its_version_was_approved(stage: Stage, deferrable: bool) -> None:
    stage.enter("requester", edit_to(V4), after=30)
    stage.enter("reviewer", approve, after=120)
    ending = replacing(stage, GOVERNED, on_new_version="wait", deferrable=deferrable).run()
    assert "NotAsAsked" in refusal(ending)
    assert "has another modelPackageId" in refusal(ending)
    assert unchanged(stage)


@MODES
def test_the_same_model_in_a_new_version_is_waited_for(stage: Stage, deferrable: bool) -> None:
    stage.enter("requester", edit_to(V3, "data_drift"), after=30)
    stage.enter("reviewer", approve, after=120)
    ending = replacing(stage, GOVERNED, on_new_version="wait", deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["change_request"]["version"] == "1"


@pytest.mark.parametrize("after_edit", ["pending", "keeps_status"])
def test_an_edit_after_the_approval_is_seen_before_anything_is_applied(stage: Stage, after_edit: str) -> None:
    stage.anew(after_edit=after_edit)

    def approve_then_edit(desk: Desk, request: dict[str, Any]) -> None:
        approve(desk, request)
        edit_to(V4)(stage.desk("requester"), request)

    stage.enter("reviewer", approve_then_edit)
    ending = replacing(stage, GOVERNED).run()
    assert "is superseded" in refusal(ending)
    assert unchanged(stage)


def test_an_edit_in_the_moment_of_applying_is_no_success(stage: Stage) -> None:
    """Nothing can be done against it, but it is told."""
    stage.anew(after_edit="keeps_status")
    stage.enter("reviewer", approve)

    def edit_now() -> None:
        [request] = stage.service.world("changeRequests").values()
        edit_to(V4)(stage.desk("requester"), request)

    stage.before("updateChangeRequestStatus", edit_now)
    ending = replacing(stage, GOVERNED).run()
    assert ending.state in ("failed", "retry")
    assert Facts.of(stage.service, GOVERNED).champion != V3


# --- who approves -------------------------------------------------------------------------------------------------


def automatic(stage: Stage, action: str) -> None:
    stage.service.change("policies", POLICY, automaticAction={"action": action, "period": "PT1H"})


@MODES
@pytest.mark.parametrize("reviews", ["none", "recorded"])
def test_an_approval_by_the_policy_itself(stage: Stage, reviews: str, deferrable: bool) -> None:
    stage.anew(auto_action_reviews=reviews)
    automatic(stage, "approve")
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    decision = ending.result["change_request"]
    assert decision["by_policy"] is (reviews == "none")
    assert decision["decided_by"] == ([] if reviews == "none" else ["0" * 24])


def test_an_approval_by_the_policy_is_refused_where_reviews_are_required(stage: Stage) -> None:
    automatic(stage, "approve")
    ending = replacing(stage, GOVERNED, require_reviews=True).run()
    assert "fewer approving reviews than it needs, and require_reviews is on" in refusal(ending)
    assert unchanged(stage)


@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("skip", "skipped")])
def test_a_cancellation_by_the_policy_itself(stage: Stage, choice: str, state: str) -> None:
    automatic(stage, "cancel")
    ending = replacing(stage, GOVERNED, on_cancelled=choice).run()
    assert ending.state == state
    assert "is cancelled, by unknown or automatic" in str(ending.error)
    assert unchanged(stage)


@MODES
def test_a_quorum_of_two(stage: Stage, deferrable: bool) -> None:
    stage.anew(approvals_required=2)
    stage.enter("reviewer", approve, after=60)
    stage.enter("second_reviewer", approve, after=7200)
    ending = replacing(stage, GOVERNED, require_reviews=True, deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    decision = ending.result["change_request"]
    assert decision["decided_by"] == ["reviewer@example.com", "second.reviewer@example.com"]
    assert decision["approvals_required"] == 2


@MODES
def test_nobody_is_needed(stage: Stage, deferrable: bool) -> None:
    stage.anew(approvals_required=0)
    ending = replacing(stage, GOVERNED, require_reviews=True, deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["change_request"]["decided_by"] == []


@MODES
def test_reviewers_who_change_their_mind(stage: Stage, deferrable: bool) -> None:
    stage.enter("reviewer", ask_for_changes, after=30)

    def change_of_mind() -> None:
        [request] = stage.service.world("changeRequests").values()
        stage.desk("reviewer").review({**request, "changeVersionId": "0"}, "approved", "after all")

    stage.at(600, change_of_mind)
    ending = replacing(stage, GOVERNED, on_changes_requested="wait", deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert [one["comment"] for one in ending.result["change_request"]["reviews"]] == ["after all"]


def test_a_reviewer_who_is_the_author_is_refused_before_sending(stage: Stage) -> None:
    from airflow_provider.operators.change_request_decisions import DataRobotReviewChangeRequestOperator

    request = stage.desk("requester").ask(GOVERNED, V3)

    def build() -> DataRobotReviewChangeRequestOperator:
        return DataRobotReviewChangeRequestOperator(
            task_id="review", change_request_id=request["id"], version="0", verdict="approved"
        )

    ending = Task(stage, build).run()
    assert "NotAllowed" in refusal(ending)
    assert "createChangeRequestReview" not in stage.service.accepted()


# --- requests that are there already ------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("approved", [False, True])
def test_an_equal_request_of_ours_is_taken_up(stage: Stage, approved: bool, deferrable: bool) -> None:
    request = stage.desk("requester").ask(GOVERNED, V3)
    if approved:
        approve(stage.desk("reviewer"), request)
    else:
        stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["change_request"]["id"] == request["id"]


def test_an_equal_request_of_somebody_else_is_in_the_way(stage: Stage) -> None:
    request = stage.desk("admin").ask(GOVERNED, V3)
    ending = replacing(stage, GOVERNED).run()
    assert f"change request {request['id']} of admin@example.com asks for the same; adopt='any'" in refusal(ending)
    assert unchanged(stage)


def test_an_equal_request_of_somebody_else_is_taken_up_if_asked_for(stage: Stage) -> None:
    request = stage.desk("admin").ask(GOVERNED, V3)
    stage.enter("reviewer", approve)
    ending = replacing(stage, GOVERNED, adopt="any").run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["change_request"]["id"] == request["id"]
    assert ending.result["change_request"]["requested_by"] == "admin@example.com"


def test_of_two_equal_requests_the_own_one_is_taken_up(stage: Stage) -> None:
    own = stage.desk("requester").ask(GOVERNED, V3)
    other = stage.desk("admin").ask(GOVERNED, V3)
    stage.enter("reviewer", approve, times=2)
    ending = replacing(stage, GOVERNED, adopt="any").run()
    assert ending.result["change_request"]["id"] == own["id"]
    assert ending.result["change_request"]["duplicates"] == [other["id"]]
    assert Facts.of(stage.service, GOVERNED).replaced == 1


def test_a_request_for_another_model_is_in_the_way(stage: Stage) -> None:
    request = stage.desk("requester").ask(GOVERNED, V4)
    ending = replacing(stage, GOVERNED).run()
    assert f"ConflictingRequest: change request {request['id']} of requester@example.com asks for another" in refusal(
        ending
    )
    assert V4 in refusal(ending)
    assert statuses(stage) == ["pending"]


@MODES
@pytest.mark.parametrize("fate", ["cancelled", "resolved"])
def test_a_request_for_another_model_is_waited_for(stage: Stage, fate: str, deferrable: bool) -> None:
    desk = stage.desk("requester")
    other = desk.ask(GOVERNED, V4)
    if fate == "resolved":
        stage.at(600, lambda: approve(stage.desk("reviewer"), other))
        stage.at(1200, lambda: desk.set_status(other, "resolving"))
    else:
        stage.at(600, lambda: desk.set_status(other, "cancelled"))
    stage.at(1800, lambda: stage.enter("reviewer", approve))
    ending = replacing(stage, GOVERNED, on_conflict="wait", deferrable=deferrable).run()
    assert ending.result["champion"]["model_package_id"] == V3
    assert ending.result["previous"]["model_package_id"] == (V4 if fate == "resolved" else V1)
    assert statuses(stage) == sorted([fate, "resolved"])
    assert stage.service.count("modelReplaced", GOVERNED) == (2 if fate == "resolved" else 1)
    [own] = [one for one in stage.service.world("changeRequests").values() if one["id"] != other["id"]]
    assert "Airflow promote.replace, run scheduled__2026-03-02" in own["comment"]


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_request_of_ours_for_another_model_is_cancelled(stage: Stage, seconds: float) -> None:
    stage.service.jobs("changeRequestCancel", seconds=seconds)
    stage.service.switches(second_open_request="refuse_409")
    stage.desk("requester").ask(GOVERNED, V4)
    stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, GOVERNED, on_conflict="cancel_own").run()
    assert ending.result["champion"]["model_package_id"] == V3
    assert statuses(stage) == ["cancelled", "resolved"]


def test_a_cancelled_request_that_stays_open_is_told(stage: Stage) -> None:
    stage.service.jobs("changeRequestCancel", stuck=True)
    stage.desk("requester").ask(GOVERNED, V4)
    ending = replacing(stage, GOVERNED, on_conflict="cancel_own").run()
    assert "it was cancelled, and is still open" in refusal(ending)
    assert stage.service.count("changeRequestCreated") == 1


def test_a_request_of_somebody_else_is_not_cancelled(stage: Stage) -> None:
    stage.desk("admin").ask(GOVERNED, V4)
    ending = replacing(stage, GOVERNED, on_conflict="cancel_own").run()
    assert "of admin@example.com asks for another" in refusal(ending)
    assert statuses(stage) == ["pending"]


# --- what happens meanwhile ---------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("seconds", [0, 20, 600])
def test_somebody_applies_the_request_while_we_wait(stage: Stage, seconds: float, deferrable: bool) -> None:
    """The request stays approved while it is being applied; it is not applied a second time."""

    def approve_and_apply(desk: Desk, request: dict[str, Any]) -> None:
        approve(desk, request)
        stage.desk("requester").set_status(request, "resolving")

    stage.service.jobs("modelReplacement", seconds=seconds)
    stage.enter("reviewer", approve_and_apply, after=60)
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["outcome"] == "replaced"
    assert ending.result["change_request"]["decided_by"] == ["reviewer@example.com"]
    assert stage.service.accepted()["updateChangeRequestStatus"] == 1


@MODES
@pytest.mark.parametrize("ours", [True, False])
def test_the_model_becomes_champion_in_another_way(stage: Stage, ours: bool, deferrable: bool) -> None:
    if not ours:
        stage.desk("requester").ask(GOVERNED, V3)
    stage.at(60, lambda: stage.service.change("deployments", GOVERNED, modelPackageId=V3))
    stage.enter("reviewer", approve, after=120)
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert ending.result["outcome"] == "already_champion"
    assert ending.result["previous"]["model_package_id"] == V1
    assert ending.result["change_request"]["decided_by"] == (["reviewer@example.com"] if not ours else [])
    assert statuses(stage) == ["cancelled" if ours else "approved"]
    assert stage.service.count("modelReplaced", GOVERNED) == 0


def test_a_request_that_cannot_be_cancelled_any_more_is_left(stage: Stage) -> None:
    stage.at(60, lambda: stage.service.change("deployments", GOVERNED, modelPackageId=V3))
    stage.enter("reviewer", approve, after=120)
    stage.service.fault("status", code=403, operationId="updateChangeRequestStatus")
    ending = replacing(stage, GOVERNED).run()
    assert ending.result["outcome"] == "already_champion"
    assert statuses(stage) == ["approved"]


@MODES
def test_the_model_is_validated_again_before_it_is_applied(stage: Stage, deferrable: bool) -> None:
    stage.at(60, lambda: stage.service.change("packages", V3, isArchived=True))
    stage.enter("reviewer", approve, after=120)
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert "ReplacementRefused" in refusal(ending)
    assert "Model package is archived" in refusal(ending)
    assert statuses(stage) == ["approved"]
    assert unchanged(stage)


@MODES
@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_another_replacement_under_way_is_waited_for(stage: Stage, deployment: str, deferrable: bool) -> None:
    stage.service.switches(write_under_policy="allows")
    stage.desk("requester").replace(deployment, V4)
    stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, deployment, deferrable=deferrable).run()
    assert ending.result["outcome"] == "replaced"
    assert ending.result["previous"]["model_package_id"] == V4
    assert stage.service.count("modelReplaced", deployment) == 2


@MODES
def test_another_replacement_that_runs_when_we_are_approved_comes_first(stage: Stage, deferrable: bool) -> None:
    def approve_while_replacing(desk: Desk, request: dict[str, Any]) -> None:
        stage.desk("requester").replace(GOVERNED, V4)
        approve(desk, request)

    stage.service.switches(write_under_policy="allows")
    stage.enter("reviewer", approve_while_replacing, after=60)
    ending = replacing(stage, GOVERNED, deferrable=deferrable).run()
    assert ending.result["outcome"] == "replaced"
    assert ending.result["previous"]["model_package_id"] == V4
    assert stage.service.count("modelReplaced", GOVERNED) == 2
    assert stage.service.count("changeRequestCreated") == 1


def test_two_tasks_for_the_same_model_share_one_request(stage: Stage) -> None:
    first, second = (replacing(stage, GOVERNED, deferrable=False, comment=text) for text in ("first", "second"))
    endings: list[Ending] = []
    stage.at(300, lambda: endings.append(second.run()))
    stage.enter("reviewer", approve, after=600)
    endings.append(first.run())
    assert [one.result["outcome"] for one in endings] == ["replaced", "replaced"]
    facts = Facts.of(stage.service, GOVERNED)
    assert (facts.replaced, facts.requests, facts.accepted["updateChangeRequestStatus"]) == (1, 1, 1)


def test_another_replacement_of_the_same_model_is_ours_in_the_end(stage: Stage) -> None:
    stage.desk("requester").replace(UNGOVERNED, V3)
    ending = replacing(stage, UNGOVERNED).run()
    assert ending.result["outcome"] == "already_champion"
    assert ending.result["previous"]["model_package_id"] == V2
    assert stage.service.count("modelReplaced", UNGOVERNED) == 1


def test_the_service_applies_by_itself(stage: Stage) -> None:
    stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, GOVERNED, auto_apply=True).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert "updateChangeRequestStatus" not in stage.service.accepted()


def test_a_request_that_applies_by_itself_is_not_applied_by_us_too(stage: Stage) -> None:
    stage.desk("requester").ask(GOVERNED, V3, autoApply=True)
    stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, GOVERNED, auto_apply=False).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert "updateChangeRequestStatus" not in stage.service.accepted()


# --- deadlines ----------------------------------------------------------------------------------------------------


def test_people_have_thirty_days(stage: Stage) -> None:
    task, begun = replacing(stage, GOVERNED), time.time()
    stage.while_away(lambda: stage.sleep(30 * DAY - HOUR))
    assert "WaitTimedOut" in refusal(task.run())
    assert task.trigger["deadline"] == pytest.approx(begun + 30 * DAY, abs=60)
    assert time.time() == pytest.approx(begun + 30 * DAY, abs=120)
    assert statuses(stage) == ["pending"]


def test_an_approval_in_the_last_hour_counts_though_nobody_looked(stage: Stage) -> None:
    def approve_late() -> None:
        stage.sleep(30 * DAY - HOUR)
        approve(stage.desk("reviewer"), stage.desk("reviewer").requests()[0])
        stage.sleep(2 * DAY)

    stage.while_away(approve_late)
    ending = replacing(stage, GOVERNED).run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"


@MODES
@pytest.mark.parametrize(("on_timeout", "status"), [("leave", "pending"), ("cancel", "cancelled")])
def test_after_the_deadline_the_request_is_left_or_cancelled(
    stage: Stage, on_timeout: str, status: str, deferrable: bool
) -> None:
    ending = replacing(stage, GOVERNED, timeout=HOUR, on_timeout=on_timeout, deferrable=deferrable).run()
    assert "WaitTimedOut" in refusal(ending)
    assert ("the remote work goes on" in refusal(ending)) == (on_timeout == "leave")
    assert statuses(stage) == [status]


def test_whoever_clears_the_task_after_the_deadline_gives_it_new_time(stage: Stage) -> None:
    task = replacing(stage, GOVERNED, timeout=HOUR)
    assert "WaitTimedOut" in refusal(task.run())
    stage.enter("reviewer", approve, after=600)
    assert verdict_on(stage, task.clear(), GOVERNED).word == "right"


def test_the_deadline_holds_over_retries(stage: Stage) -> None:
    task, begun = replacing(stage, GOVERNED, timeout=10 * DAY), time.time()

    def out_of_order() -> None:
        stage.sleep(4 * DAY)
        stage.service.fault("status", code=503, times=0, operationId="getChangeRequest")
        stage.at(2400, stage.service.remove_fault)

    stage.while_away(out_of_order, lambda: stage.sleep(6 * DAY - 2 * HOUR))
    ending = task.run()
    assert [one.state for one in task.endings] == ["retry", "failed"]
    assert "PollBudgetSpent" in str(task.endings[0])
    assert "WaitTimedOut" in str(ending)
    assert task.trigger["deadline"] == pytest.approx(begun + 10 * DAY, abs=60)
    assert stage.service.count("changeRequestCreated") == 1


# --- the connection -----------------------------------------------------------------------------------------------


REQUESTER_ID = "64a000000000000000000001"


def rotate(stage: Stage, monkeypatch: pytest.MonkeyPatch, token: str, told: bool = True) -> Callable[[], None]:
    """The requester gets another token, and the connection is told."""

    def deed() -> None:
        stage.service.change("users", REQUESTER_ID, token=token)
        if told:
            monkeypatch.setitem(stage.service.tokens, "requester", token)
            connect(monkeypatch, stage.service, "requester")

    return deed


def refused(stage: Stage) -> int:
    return sum(entry["status"] == 401 for entry in stage.service.log())


@MODES
@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_a_new_token_is_read_once_per_incident(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, deployment: str, deferrable: bool
) -> None:
    stage.service.jobs("modelReplacement", seconds=900)
    stage.at(30, rotate(stage, monkeypatch, "second-token"))
    stage.at(300, rotate(stage, monkeypatch, "third-token"))
    stage.enter("reviewer", approve, after=60)
    ending = replacing(stage, deployment, deferrable=deferrable, apply_timeout=HOUR).run()
    assert verdict_on(stage, ending, deployment).word == "right"
    assert refused(stage) == 2


@MODES
def test_a_token_that_stays_refused_fails_the_task(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    stage.at(30, rotate(stage, monkeypatch, "second-token", told=False))
    task = replacing(stage, GOVERNED, deferrable=deferrable)
    task.run()
    assert all("401" in str(one) for one in task.endings)
    assert unchanged(stage)
    assert statuses(stage) == ["pending"]


@pytest.mark.parametrize("offset", [600, -600], ids=["ahead", "behind"])
@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_the_clock_of_the_service_does_not_matter(stage: Stage, deployment: str, offset: float) -> None:
    stage.service.clock(offset=offset)
    stage.enter("reviewer", approve)
    ending = replacing(stage, deployment).run()
    assert verdict_on(stage, ending, deployment).word == "right"
