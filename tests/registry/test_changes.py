"""Registered models: found by name and stage, changed, shared, archived; only what differs is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Task
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage

CHURN, HOUSES = "64c000000000000000000001", "64c000000000000000000002"
V3, V4, CHAMPION, MISFIT = (f"64d00000000000000000000{number}" for number in (3, 4, 1, 6))
LOSSES = pytest.mark.parametrize("answer", ["reset", 504])


def find(stage: Stage, /, **arguments: Any) -> Ending:
    from airflow_provider.operators.registered_models import DataRobotGetRegisteredModelOperator

    return Task(stage, lambda: DataRobotGetRegisteredModelOperator(task_id="task", **arguments)).run()


def update(stage: Stage, **arguments: Any) -> Ending:
    from airflow_provider.operators.registered_model_changes import DataRobotUpdateRegisteredModelOperator

    return task(stage, DataRobotUpdateRegisteredModelOperator, registered_model_id=CHURN, **arguments).run()


def share(stage: Stage, *roles: dict[str, str], **arguments: Any) -> Ending:
    from airflow_provider.operators.registered_model_changes import DataRobotShareRegisteredModelOperator

    given = {"registered_model_name": "Churn classifier", **arguments}
    return task(stage, DataRobotShareRegisteredModelOperator, roles=list(roles), **given).run()


def archive(stage: Stage, **arguments: Any) -> Ending:
    from airflow_provider.operators.registered_model_changes import DataRobotArchiveRegisteredModelOperator

    return task(stage, DataRobotArchiveRegisteredModelOperator, **arguments).run()


# --- finding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", ["hidden", "shown"])
def test_a_version_is_found_by_its_stage(stage: Stage, shown: str) -> None:
    stage.service.switches(version_stage=shown)
    stage.service.change("packages", V3, stage="Production")
    done = find(stage, registered_model_name="Churn classifier", stage="production")
    assert done.state == "success", done
    assert (done.result["id"], done.result["version"]["model_package_id"]) == (CHURN, V3)


def test_several_versions_of_a_stage_are_an_error_or_the_newest(stage: Stage) -> None:
    for package in (V3, V4):
        stage.service.change("packages", package, stage="Staging")
    done = find(stage, registered_model_id=CHURN, stage="Staging")
    assert done.state == "failed"
    assert "NotOne: 2 versions in stage 'Staging' of registered model" in str(done.error)
    assert find(stage, registered_model_id=CHURN, stage="Staging", pick="newest").result["version"]["version"] == 4


def test_a_version_by_number_or_name_or_none(stage: Stage) -> None:
    assert find(stage, registered_model_id=CHURN, version="4").result["version"]["model_package_id"] == V4
    named = find(stage, registered_model_id=CHURN, version_name="Churn classifier v3")
    assert named.result["version"]["model_package_id"] == V3
    assert find(stage, registered_model_id=CHURN).result["version"] is None
    for wanted in ({"version": 17}, {"stage": "Archived"}, {"version": 3, "version_name": "Churn classifier v4"}):
        assert "NotOne: 0 things are" in str(find(stage, registered_model_id=CHURN, pick="newest", **wanted).error)


def test_a_name_must_fit_exactly_one_registered_model(stage: Stage) -> None:
    assert "NotOne: 0 things" in str(find(stage, registered_model_name="Churn").error)
    stage.service.change("registeredModels", HOUSES, name="Churn classifier")
    assert f"{CHURN}, {HOUSES}" in str(find(stage, registered_model_name="Churn classifier").error)


# --- changing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["model", "empty"])
def test_only_what_differs_is_written(stage: Stage, answer: str) -> None:
    stage.service.switches(registered_model_updated_answer=answer)
    done = update(stage, name="Churn classifier", description="who leaves", is_global="True")
    assert done.result == {
        "registered_model_id": CHURN,
        "changed": {"description": "who leaves", "isGlobal": True},
    }
    assert update(stage, description="who leaves").result["changed"] == {}
    assert stage.service.accepted()["updateRegisteredModel"] == 1


@LOSSES
def test_a_lost_answer_to_a_change(stage: Stage, answer: str | int) -> None:
    stage.service.fault("lost_answer", operationId="updateRegisteredModel", answer=answer)
    assert update(stage, name="Churn").state == "success"
    assert stage.service.world("registeredModels")[CHURN]["name"] == "Churn"


def test_done_by_word_and_not_in_fact_is_noticed(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateRegisteredModel", code=200, body={})
    assert "ChangeNotSeen" in str(update(stage, name="Churn").error)


def version(stage: Stage, **arguments: Any) -> Ending:
    from airflow_provider.operators.model_package_changes import DataRobotUpdateModelPackageOperator

    return task(stage, DataRobotUpdateModelPackageOperator, **{"model_package_id": V3, **arguments}).run()


def test_a_version_gets_another_name(stage: Stage) -> None:
    done = version(stage, name="Spring", description="champion of the ungoverned deployment")
    assert done.state == "success", done
    assert done.result["registered_model_id"] == CHURN
    assert done.result["changed"]["name"] == "Spring"
    assert version(stage, name="Spring").result["changed"] == {}
    assert stage.service.accepted()["updateRegisteredModelVersion"] == 1


@LOSSES
def test_a_lost_answer_to_a_change_of_a_version(stage: Stage, answer: str | int) -> None:
    stage.service.fault("lost_answer", operationId="updateRegisteredModelVersion", answer=answer)
    assert version(stage, name="Spring").state == "success"


def test_a_version_that_did_not_change_is_noticed(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateRegisteredModelVersion", code=200, body={})
    assert "ChangeNotSeen" in str(version(stage, name="Spring").error)
    assert "at least one of name and description" in str(version(stage).error)


# --- sharing ------------------------------------------------------------------------------------------------------

REVIEWER = {"username": "reviewer@example.com", "role": "user"}
GROUP = {"id": "64b000000000000000000001", "shareRecipientType": "group", "role": "OBSERVER"}


def test_roles_are_compared_and_what_differs_is_written(stage: Stage) -> None:
    owner = {"username": "requester@example.com", "role": "OWNER"}
    done = share(stage, REVIEWER, GROUP, owner)
    assert done.state == "success", done
    assert [one.get("username", one.get("id")) for one in done.result["changed"]] == [
        "reviewer@example.com",
        "64b000000000000000000001",
    ]
    assert share(stage, REVIEWER, GROUP).result["changed"] == []
    assert stage.service.accepted()["updateRegisteredModelSharedRoles"] == 1
    removed = share(stage, {**REVIEWER, "role": "NO_ROLE"})
    assert len(removed.result["changed"]) == 1
    assert share(stage, {**REVIEWER, "role": "NO_ROLE"}).result["changed"] == []


@LOSSES
def test_a_lost_answer_to_sharing(stage: Stage, answer: str | int) -> None:
    stage.service.fault("lost_answer", operationId="updateRegisteredModelSharedRoles", answer=answer)
    assert share(stage, REVIEWER).state == "success"


def test_the_last_owner_cannot_go(stage: Stage) -> None:
    done = share(stage, {"username": "requester@example.com", "role": "USER"})
    assert "No owner would remain" in str(done.error)


def test_sharing_by_word_is_noticed(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateRegisteredModelSharedRoles", code=204)
    assert "ChangeNotSeen" in str(share(stage, REVIEWER).error)


@pytest.mark.parametrize(
    "role",
    [
        {"role": "USER"},
        {"role": "KING", "username": "a"},
        {"role": "USER", "username": "a", "id": "b"},
        {"role": "USER", "username": "a", "shareRecipientType": "group"},
        {"role": "USER", "username": "a", "canShare": "yes"},
    ],
    ids=str,
)
def test_roles_that_make_no_sense(stage: Stage, role: dict[str, str]) -> None:
    assert "InvalidCall" in str(share(stage, role).error)
    assert stage.service.log() == []


# --- archiving ----------------------------------------------------------------------------------------------------


def test_a_model_and_a_version_are_archived_once(stage: Stage) -> None:
    assert archive(stage, model_package_id=V3).result["archived"] is True
    assert archive(stage, model_package_id=V3).result["archived"] is False
    done = archive(stage, registered_model_id=HOUSES)
    assert (done.state, done.result["archived"]) == ("success", True)
    assert stage.service.world("packages")[MISFIT]["isArchived"] is True
    assert archive(stage, registered_model_id=HOUSES).result["archived"] is False


@LOSSES
@pytest.mark.parametrize("given", [{"registered_model_id": HOUSES}, {"model_package_id": V3}], ids=["model", "version"])
def test_a_lost_answer_to_archiving(stage: Stage, given: dict[str, str], answer: str | int) -> None:
    for operation in ("deleteRegisteredModel", "archiveModelPackage"):
        stage.service.fault("lost_answer", operationId=operation, answer=answer)
    assert archive(stage, **given).state == "success"


@pytest.mark.parametrize("value", ["refuse_409", "refuse_422"])
def test_a_model_that_serves_is_refused_in_the_services_words(stage: Stage, value: str) -> None:
    stage.service.switches(delete_deployed_model=value, archive_deployed_package=value)
    assert "It serves deployment" in str(archive(stage, registered_model_id=CHURN).error)
    assert "It serves deployment" in str(archive(stage, model_package_id=CHAMPION).error)


@pytest.mark.parametrize("given", [{}, {"registered_model_id": HOUSES, "model_package_id": V3}], ids=str)
def test_exactly_one_thing_is_archived(stage: Stage, given: dict[str, str]) -> None:
    assert "exactly one of registered_model_id and model_package_id" in str(archive(stage, **given).error)
