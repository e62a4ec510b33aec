"""Each named lie of the service is caught: the task fails and names it, or the end is right all the same.

Caught means: the service's own store is asked what really serves, and a success never claims anything else.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.emulator.switches import lies
from tests.harness import GOVERNED, OTHER_TARGET, UNGOVERNED, V1, V3, Ending, Stage, replacing
from tests.people import approve, ask_for_changes, cancel
from tests.verdicts import Facts, verdict_on

# How each journey ends under each lie: "right", or the error that tells.
ENDS = {
    "200_instead_of_202": ("right", "right"),
    "location_of_other_job": ("right", "right"),
    "endless_pages": ("NotUnderstood", "right"),
    "replaced_not_changed": ("ReplacementNotSeen", "ReplacementNotSeen"),
    "wrong_champion": ("ReplacementNotSeen", "ReplacementNotSeen"),
    "job_done_but_deployment_errored": ("ReplacementNotSeen", "ReplacementNotSeen"),
    "empty_champion": ("ReplacementNotSeen", "ReplacementNotSeen"),
    "passing_but_refused": ("right", "ReplacementRefused"),
    "validation_ignored": ("right", "right"),
    "status_not_changed": ("right", "right"),
    "approved_version_changed": ("superseded", "right"),
    "approved_without_quorum": ("right", "right"),
    "resolved_not_applied": ("ReplacementNotSeen", "right"),
    "resolving_ignored": ("ReplacementNotSeen", "right"),
    "cancelled_but_applied": ("right", "right"),
    "change_altered": ("NotAsAsked", "right"),
}


def play(stage: Stage, deployment: str, lie: str, **arguments: Any) -> Ending:
    stage.anew()
    stage.service.lie(lie)
    stage.enter("reviewer", approve, after=20)
    return replacing(stage, deployment, **arguments).run()


def named(ending: Ending) -> str:
    if ending.state == "success":
        return "right"
    return "superseded" if "is superseded" in str(ending.error) else str(ending.error).partition(":")[0]


def test_no_lie_is_forgotten() -> None:
    """Those of the areas that a replacement touches; the others are met beside the tests of their areas."""
    assert set(ENDS) == set(lies("core", "deployments", "governance"))


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
@pytest.mark.parametrize("lie", ENDS)
@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_a_lie_is_caught(stage: Stage, deployment: str, lie: str, deferrable: bool) -> None:
    ending = play(stage, deployment, lie, deferrable=deferrable)
    assert named(ending) == ENDS[lie][deployment == UNGOVERNED]
    if ending.state == "success":
        assert verdict_on(stage, ending, deployment).word == "right"


@pytest.mark.parametrize("store", [True, False], ids=["store", "no store"])
@pytest.mark.parametrize("lie", [lie for lie, ends in ENDS.items() if ends[1] == "ReplacementNotSeen"])
@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_a_lie_does_not_become_a_success_when_the_task_is_cleared(
    stage: Stage, deployment: str, lie: str, store: bool
) -> None:
    stage.anew()
    stage.service.lie(lie)
    stage.enter("reviewer", approve, times=9)
    task = replacing(stage, deployment, store=store)
    assert named(task.run()) == "ReplacementNotSeen"
    again = task.clear()
    assert again.state == "failed", again


@pytest.mark.parametrize("governance", ["auto", "never"])
def test_a_package_that_does_not_fit_is_never_sent_to_a_service_that_would_take_it(
    stage: Stage, governance: str
) -> None:
    ending = play(stage, UNGOVERNED, "validation_ignored", model_package_id=OTHER_TARGET, governance=governance)
    assert named(ending) == "ReplacementRefused"
    assert "replaceDeploymentModel" not in stage.service.accepted()


@pytest.mark.parametrize("on_cancelled", ["fail", "skip"])
def test_a_cancelled_change_that_was_made_is_no_cancelled_change(stage: Stage, on_cancelled: str) -> None:
    stage.anew()
    stage.service.lie("cancelled_but_applied")
    stage.enter("requester", cancel)
    ending = replacing(stage, GOVERNED, on_cancelled=on_cancelled).run()
    assert ending.state == "success"
    assert ending.result["outcome"] == "already_champion"
    assert ending.result["previous"]["model_package_id"] == V1
    assert ending.result["change_request"]["status"] == "cancelled"
    assert Facts.of(stage.service, GOVERNED).champion == V3


def test_an_approval_without_a_quorum_is_refused_where_reviews_are_required(stage: Stage) -> None:
    stage.anew()
    stage.service.lie("approved_without_quorum")
    stage.enter("reviewer", ask_for_changes)
    ending = replacing(stage, GOVERNED, require_reviews=True).run()
    assert ending.state == "failed"
    assert "fewer approving reviews than it needs" in str(ending.error)
    assert Facts.of(stage.service, GOVERNED).replaced == 0


def test_without_that_the_result_says_that_nobody_approved(stage: Stage) -> None:
    stage.anew()
    stage.service.lie("approved_without_quorum")
    stage.enter("reviewer", ask_for_changes)
    ending = replacing(stage, GOVERNED).run()
    decision = ending.result["change_request"]
    assert decision["by_policy"] is True
    assert decision["decided_by"] == []
    assert [one["status"] for one in decision["reviews"]] == ["changesRequested"]


def test_an_altered_request_is_cancelled(stage: Stage) -> None:
    ending = play(stage, GOVERNED, "change_altered")
    assert "has another modelPackageId" in str(ending.error)
    assert [one["status"] for one in stage.service.world("changeRequests").values()] == ["cancelled"]
