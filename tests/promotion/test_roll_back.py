"""The way back, on the stage: what it needs, what it leaves alone, and what it does while people decide."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import GOVERNED, UNGOVERNED, V1, V2, V3, V4, Crashing, Stage, Store, Task, replacing, share_of
from tests.people import approve, ask_for_changes
from tests.promotion.groups import VALIDATION
from tests.stages import read_only, task
from tests.tasks import refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

FORMER = {UNGOVERNED: V2, GOVERNED: V1}
STATUS_POLICY = {"entityType": "deploymentStatus", "filterGroups": None, "intendedAction": {"action": "update"}}


def rolling_back(stage: Stage, deployment: str = UNGOVERNED, **arguments: Any) -> Task:
    """A task that takes V3 back; V3 serves."""
    from airflow_provider.operators.champion import DataRobotRollBackModelOperator

    if stage.service.world("deployments")[deployment]["modelPackageId"] == FORMER[deployment]:
        stage.service.change("deployments", deployment, modelPackageId=V3)
    previous = {"model_package_id": FORMER[deployment], "model_id": "64a100000000000000000001"}
    given = {"deployment_id": deployment, "previous": previous, "instead_of": V3, "apply_timeout": 900}
    return task(stage, DataRobotRollBackModelOperator, **{**given, **arguments})


def deployment_of(stage: Stage, deployment: str = GOVERNED) -> dict[str, Any]:
    found: dict[str, Any] = stage.service.world("deployments")[deployment]
    return found


def test_the_former_champion_comes_back(stage: Stage) -> None:
    rolled_back = rolling_back(stage, failed_check="health is failing", comment="On call: 1234.", extra_body={"x": 1})
    ending = rolled_back.run()
    assert (ending.state, ending.result["outcome"]) == ("success", "replaced")
    assert ending.result["champion"]["model_package_id"] == V2
    assert ending.result["previous"]["model_package_id"] == V3
    assert rolled_back.operator.message() == (
        f"Back to the previous champion instead of model package {V3}: health is failing.\n\nOn call: 1234."
    )
    [sent] = stage.service.log(operationId="replaceDeploymentModel")
    assert sent["body"] == {"modelPackageId": V2, "reason": "ERRORS", "x": 1}


def test_a_champion_without_a_package_comes_back_by_its_model(stage: Stage) -> None:
    previous = json.dumps({"model_package_id": None, "model_id": "64a100000000000000000002"})
    ending = rolling_back(stage, previous=previous).run()
    assert ending.result["champion"]["model_package_id"] == V2


@pytest.mark.parametrize(("choice", "state"), [("succeed", "success"), ("skip", "skipped")])
def test_what_serves_already_is_left_as_it_is(stage: Stage, choice: str, state: str) -> None:
    rolled_back = rolling_back(stage, on_not_needed=choice)
    stage.service.change("deployments", UNGOVERNED, modelPackageId=V2)
    assert rolled_back.run().state == state
    assert stage.service.count("modelReplaced") == 0


def test_a_third_model_is_left_alone(stage: Stage) -> None:
    rolled_back = rolling_back(stage)
    stage.service.change("deployments", UNGOVERNED, modelPackageId=V4)
    ending = rolled_back.run()
    assert ending.state == "failed"
    assert f"AnotherChampion: deployment {UNGOVERNED} serves model package {V4}, neither {V3}" in str(ending.error)
    assert stage.service.count("modelReplaced") == 0


def test_a_third_model_that_comes_while_we_wait_is_left_alone_too(stage: Stage) -> None:
    rolled_back = rolling_back(stage)
    stage.desk("requester").replace(UNGOVERNED, V4)
    ending = rolled_back.run()
    assert ending.state == "failed"
    assert "AnotherChampion" in str(ending.error)
    assert stage.service.count("modelReplaced", UNGOVERNED) == 1


def test_people_decide_about_the_way_back(stage: Stage) -> None:
    stage.enter("reviewer", approve, after=60)
    ending = rolling_back(stage, GOVERNED, failed_check="x" * 20_000).run()
    assert ending.result["champion"]["model_package_id"] == V1
    assert ending.result["change_request"]["decided_by"] == ["reviewer@example.com"]
    assert deployment_of(stage)["status"] == "active"


@pytest.mark.parametrize(
    ("inactive", "deferrable"), [("hangs", True), ("works", True), ("refuse_409", True), ("hangs", False)]
)
def test_a_deployment_is_out_of_service_while_people_decide(stage: Stage, inactive: str, deferrable: bool) -> None:
    stage.anew(replace_while_inactive=inactive)
    seen: list[str] = []

    def approve_and_look(desk: Any, request: Any) -> None:
        seen.append(deployment_of(stage)["status"])
        approve(desk, request)

    stage.enter("reviewer", approve_and_look, after=60)
    ending = rolling_back(stage, GOVERNED, deactivate_meanwhile="True", deferrable=deferrable).run()
    assert (ending.state, seen) == ("success", ["inactive"])
    assert ending.result["champion"]["model_package_id"] == V1
    assert ending.result["change_request"]["decided_by"] == ["reviewer@example.com"]
    assert deployment_of(stage)["status"] == "active"
    assert stage.service.count("statusChanged", GOVERNED) == 2
    assert stage.service.count("modelReplaced", GOVERNED) == 1
    assert len(stage.service.world("changeRequests")) == 1


def test_a_deployment_stays_out_of_service_when_people_refuse(stage: Stage) -> None:
    stage.enter("reviewer", ask_for_changes, after=60)
    ending = rolling_back(stage, GOVERNED, deactivate_meanwhile=True).run()
    assert ending.state == "failed"
    assert deployment_of(stage)["status"] == "inactive"


def test_somebody_else_brings_it_back_while_it_is_out_of_service(stage: Stage) -> None:
    rolled_back = rolling_back(stage, GOVERNED, deactivate_meanwhile=True)

    def replace_and_approve(desk: Any, request: Any) -> None:
        stage.service.change("deployments", GOVERNED, modelPackageId=V1)
        approve(desk, request)

    stage.enter("reviewer", replace_and_approve, after=60)
    ending = rolled_back.run()
    assert (ending.state, ending.result["outcome"]) == ("success", "already_champion")
    assert deployment_of(stage)["status"] == "active"


def test_a_direct_way_back_deactivates_nothing(stage: Stage) -> None:
    ending = rolling_back(stage, deactivate_meanwhile=True).run()
    assert ending.state == "success"
    assert stage.service.count("statusChanged") == 0


@pytest.mark.parametrize("under_policy", ["refuse_403", "opens_request"])
def test_a_policy_on_the_status_does_not_stop_the_way_back(stage: Stage, under_policy: str) -> None:
    stage.anew(write_under_policy=under_policy)
    stage.service.change("policies", "64f000000000000000000001", trigger=STATUS_POLICY)

    def approve_the_model(desk: Any, request: Any) -> None:
        if request["action"] == "replaceModelPackage":
            approve(desk, request)

    stage.enter("reviewer", approve_the_model, after=60, times=2)
    ending = rolling_back(stage, GOVERNED, deactivate_meanwhile=True, governance="always").run()
    assert (ending.state, ending.result["champion"]["model_package_id"]) == ("success", V1)
    assert stage.service.count("statusChanged") == 0


def test_a_plan_sends_nothing(stage: Stage) -> None:
    ending = rolling_back(stage, GOVERNED, deactivate_meanwhile=True, plan_only=True).run()
    assert ending.result["plan"]["operation"] == "createChangeRequest"
    assert set(stage.service.accepted()) <= {VALIDATION}


def test_a_worker_may_die_at_any_request(stage: Stage) -> None:
    """One request, one replacement, and in service at the end; with a memory that lasts and without."""
    arguments: dict[str, Any] = {"deactivate_meanwhile": True, "retries": 2}
    stage.enter("reviewer", approve, after=60)
    stage.transport = counting = Crashing(0, after=False)
    assert rolling_back(stage, GOVERNED, **arguments).run().state == "success"
    deaths = itertools.product(range(1, counting.count + 1), (False, True), (False, True))
    for nth, after, store in share_of(deaths, 0.06):
        stage.anew()
        stage.enter("reviewer", approve, after=60)
        rolled_back = rolling_back(stage, GOVERNED, store=store, **arguments)
        stage.transport = Crashing(nth, after)
        ending = rolled_back.run()
        told = f"death {'after' if after else 'before'} request {nth}, {'3.3' if store else 'before 3.3'}: {ending}"
        assert ending.state == "success", told
        assert (deployment_of(stage)["modelPackageId"], deployment_of(stage)["status"]) == (V1, "active"), told
        assert stage.service.count("modelReplaced", GOVERNED) == 1, told
        assert len(stage.service.world("changeRequests")) == 1, told


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"previous": "None"}, "previous must have model_package_id or model_id; the champion of before is not known"),
        ({"previous": {"name": "v1"}}, "previous must have model_package_id or model_id"),
        ({"previous": "v1"}, "previous must be a mapping, or the text of a JSON object"),
        ({"previous": {"model_package_id": "a b"}}, "previous must be an id"),
        ({"previous": {"model_package_id": V3}}, "previous and instead_of are the same model package"),
        ({"deactivate_meanwhile": "perhaps"}, "deactivate_meanwhile must be true or false"),
        ({"deactivate_meanwhile": True, "auto_apply": True}, "auto_apply would replace the model while"),
        ({"on_not_needed": "fail"}, "on_not_needed must be one of succeed, skip"),
        ({"reason": "BECAUSE"}, "reason must be one of"),
    ],
)
def test_bad_arguments(service: EmulatorDoor, given: dict[str, Any], text: str) -> None:
    from airflow_provider.operators.champion import DataRobotRollBackModelOperator

    good = {"deployment_id": UNGOVERNED, "previous": {"model_package_id": V2}, "instead_of": V3}
    refused(service, DataRobotRollBackModelOperator, good, [(given, text)])


# --- what is remembered -------------------------------------------------------------------------------------------


def remembering(stage: Stage, store: Store | None) -> Task:
    from airflow_provider.operators.champion import DataRobotRememberChampionOperator

    asked = read_only(stage, DataRobotRememberChampionOperator, deployment_id=UNGOVERNED, model_package_id=V3)
    asked.store = store
    return asked


@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
def test_the_champion_of_before_is_known_after_the_promotion_where_airflow_remembers(stage: Stage, store: bool) -> None:
    asked = remembering(stage, Store() if store else None)
    before = asked.run().result
    assert before["champion"]["model_package_id"] == V2
    assert (before["status"], before["importance"]) == ("active", "LOW")
    stage.service.change("deployments", UNGOVERNED, modelPackageId=V3)
    assert asked.clear().result["champion"] == (before["champion"] if store else None)
    stage.service.change("deployments", UNGOVERNED, modelPackageId=V4)
    assert asked.clear().result["champion"]["model_package_id"] == V4


def test_the_model_that_somebody_put_in_while_people_decided_is_the_one_before(stage: Stage) -> None:
    def replace_and_approve(desk: Any, request: Any) -> None:
        stage.service.change("deployments", GOVERNED, modelPackageId=V4)
        approve(desk, request)

    stage.enter("reviewer", replace_and_approve, after=60)
    assert replacing(stage, GOVERNED).run().result["previous"]["model_package_id"] == V4
