"""The rarer ways of a replacement: races, refusals and answers that say little."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import BEFORE, GOVERNED, NEW_FEATURE, UNGOVERNED, V1, V2, V3, V4, Ending, Stage, replacing
from tests.people import approve
from tests.verdicts import Facts, verdict_on

PARAMETERS = [{"fieldName": "threshold", "type": "numeric", "value": 0.5}]
EMPTY: dict[str, Any] = {"count": 0, "totalCount": 0, "next": None, "previous": None, "data": []}


def refusal(ending: Ending) -> str:
    assert ending.state == "failed", ending
    return str(ending.error)


# --- somebody else is faster ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["refuse_409", "refuse_422"])
def test_another_replacement_begins_just_before_ours(stage: Stage, value: str) -> None:
    stage.anew(replace_while_replacing=value)
    stage.before("replaceDeploymentModel", lambda: stage.desk("requester").replace(UNGOVERNED, V4))
    ending = replacing(stage, UNGOVERNED).run()
    assert ending.result["outcome"] == "replaced"
    assert ending.result["previous"]["model_package_id"] == V4
    assert stage.service.count("modelReplaced", UNGOVERNED) == 2
    assert stage.service.count("changeRequestCreated") == 0


def test_the_model_becomes_champion_just_before_our_write(stage: Stage) -> None:
    stage.before("replaceDeploymentModel", lambda: stage.service.change("deployments", UNGOVERNED, modelPackageId=V3))
    ending = replacing(stage, UNGOVERNED).run()
    assert ending.result["outcome"] == "already_champion"
    assert stage.service.count("modelReplaced", UNGOVERNED) == 0


def test_a_policy_appears_just_before_our_write(stage: Stage) -> None:
    stage.before("replaceDeploymentModel", lambda: stage.service.change("deployments", UNGOVERNED, importance="HIGH"))
    stage.enter("reviewer", approve)
    ending = replacing(stage, UNGOVERNED).run()
    assert verdict_on(stage, ending, UNGOVERNED, requests=(1, 1)).word == "right"


def test_the_decision_is_taken_back_before_we_read_it(stage: Stage) -> None:
    """The event says approved; meanwhile the reason was edited, and the request is pending again."""
    stage.enter("reviewer", approve, times=2)

    def edit() -> None:
        [request] = stage.service.world("changeRequests").values()
        change = {"modelPackageId": V3, "replacementReason": "errors"}
        stage.desk("requester").edit(request, change=change)

    stage.before("getChangeRequest", edit, nth=2)
    stage.at(60, lambda: stage.enter("reviewer", approve))
    ending = replacing(stage, GOVERNED, on_new_version="wait").run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["change_request"]["version"] == "1"


def test_the_model_serves_at_the_deadline_though_its_job_never_ended(stage: Stage) -> None:
    stage.service.jobs("modelReplacement", stuck=True)
    stage.at(300, lambda: stage.service.change("deployments", UNGOVERNED, modelPackageId=V3))
    ending = replacing(stage, UNGOVERNED, apply_timeout=600).run()
    assert ending.result["outcome"] == "replaced"
    assert ending.result["previous"]["model_package_id"] == V2


# --- other models ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
def test_a_model_by_its_own_id(stage: Stage, deployment: str) -> None:
    stage.enter("reviewer", approve)
    ending = replacing(stage, deployment, model_package_id=None, model_id="64a100000000000000000003").run()
    assert verdict_on(stage, ending, deployment).word == "right"
    if deployment == GOVERNED:
        assert ending.result["change_request"]["action"] == "replaceModel"


@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
@pytest.mark.parametrize(("on_warning", "champion"), [("fail", None), ("allow", NEW_FEATURE)])
def test_a_warning_is_for_the_author_to_decide(
    stage: Stage, deployment: str, on_warning: str, champion: str | None
) -> None:
    stage.enter("reviewer", approve)
    task = replacing(stage, deployment, model_package_id=NEW_FEATURE, on_warning=on_warning)
    ending = task.run()
    assert Facts.of(stage.service, deployment).champion == (champion or BEFORE[deployment])
    if champion is None:
        assert "New model needs features that are not in use" in refusal(ending)


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_refusal_whose_validation_passes_is_told_as_it_is(stage: Stage) -> None:
    validation = {"status": "passing", "message": "Fine.", "checks": {}}
    stage.service.fault("status", code=409, body=validation, operationId="replaceDeploymentModel")
    assert refusal(replacing(stage, UNGOVERNED).run()).startswith(
        "Conflict: replaceDeploymentModel answered 409: Fine."
    )


def test_deprecation_needs_a_change_request(stage: Stage) -> None:
    ending = replacing(stage, UNGOVERNED, reason="DEPRECATION").run()
    assert "reason DEPRECATION exists in change requests only, and no policy asks for one" in refusal(ending)


def test_deprecation_goes_through_a_change_request(stage: Stage) -> None:
    stage.enter("reviewer", approve)
    ending = replacing(stage, GOVERNED, reason="DEPRECATION").run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    [request] = stage.service.world("changeRequests").values()
    assert request["change"]["replacementReason"] == "deprecation"


def test_deprecation_goes_through_a_change_request_where_policies_are_not_told(stage: Stage) -> None:
    stage.anew(policy_rights="403", write_under_policy="allows")
    stage.enter("reviewer", approve)
    ending = replacing(stage, GOVERNED, reason="DEPRECATION").run()
    assert verdict_on(stage, ending, GOVERNED).word == "right"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"runtime_parameters": PARAMETERS, "governance": "always"}, "runtime_parameters cannot go through a change"),
        ({"reason": "DEPRECATION", "governance": "never"}, "exists in change requests only, and governance is 'never'"),
        ({"runtime_parameters": PARAMETERS}, "needs an approval, and runtime_parameters cannot go through a request"),
    ],
)
def test_what_cannot_go_through_a_change_request(stage: Stage, arguments: dict[str, Any], error: str) -> None:
    assert error in refusal(replacing(stage, GOVERNED, **arguments).run())
    assert Facts.of(stage.service, GOVERNED).accepted.get("createChangeRequest") is None


def test_runtime_parameters_are_sent_with_a_direct_replacement(stage: Stage) -> None:
    ending = replacing(stage, UNGOVERNED, runtime_parameters=PARAMETERS).run()
    assert verdict_on(stage, ending, UNGOVERNED).word == "right"
    [entry] = stage.service.log(operationId="replaceDeploymentModel")
    assert entry["body"]["runtimeParameterValues"] == '[{"fieldName": "threshold", "type": "numeric", "value": 0.5}]'


def test_a_refusal_of_runtime_parameters_is_told_and_nothing_is_opened(stage: Stage) -> None:
    stage.anew(policy_rights="403", write_under_policy="refuse_403")
    ending = replacing(stage, GOVERNED, runtime_parameters=PARAMETERS).run()
    assert "Forbidden: replaceDeploymentModel answered 403" in refusal(ending)
    assert stage.service.count("changeRequestCreated") == 0


# --- answers that say little --------------------------------------------------------------------------------------


def test_a_request_that_nothing_names_yet_is_found_by_the_next_attempt(stage: Stage) -> None:
    stage.enter("reviewer", approve, after=3600)
    stage.service.fault("empty_body", operationId="createChangeRequest")
    stage.service.fault("status", code=200, body=EMPTY, operationId="listChangeRequests", nth=3, times=2)
    shown = {"id": GOVERNED, "status": "active", "openedChangeRequests": []}
    stage.service.fault("status", code=200, body=shown, operationId="getDeployment", nth=3)
    task = replacing(stage, GOVERNED)
    ending = task.run()
    assert "neither the answer nor the lists name the request" in str(task.endings[0].error)
    assert verdict_on(stage, ending, GOVERNED).word == "right"
    assert ending.result["previous"]["model_package_id"] == V1


@pytest.mark.parametrize("answer", ["reset", 504])
def test_a_lost_answer_to_a_cancellation(stage: Stage, answer: str | int) -> None:
    stage.desk("requester").ask(GOVERNED, V4)
    stage.enter("reviewer", approve, after=60)
    stage.service.fault("lost_answer", answer=answer, operationId="updateChangeRequestStatus")
    ending = replacing(stage, GOVERNED, on_conflict="cancel_own").run()
    assert ending.result["champion"]["model_package_id"] == V3
    assert stage.service.accepted()["updateChangeRequestStatus"] == 2  # one cancels, one applies


def test_a_deployment_that_ends_in_an_error_is_no_success(stage: Stage) -> None:
    stage.anew(failed_change_status="errored")
    stage.service.jobs("modelReplacement", failsWith="out of memory")
    task = replacing(stage, UNGOVERNED, retries=0)
    assert "JobFailed: replaceDeploymentModel: ERROR: out of memory" in str(task.run().error)
    assert Facts.of(stage.service, UNGOVERNED).champion == V2
