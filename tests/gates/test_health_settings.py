"""Health settings: compared first, written where they differ, seen by the statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

DRIFT = {"dataDrift": {"driftThreshold": 0.25, "excludedFeatures": ["contract", "tenure_months"]}}


def put(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.health_settings import DataRobotUpdateHealthSettingsOperator

    given = {"deployment_id": LABELLED, **arguments}
    return task(stage, DataRobotUpdateHealthSettingsOperator, deferrable=False, **given)


def there(stage: Stage) -> dict[str, Any]:
    """The settings, by raw HTTP."""
    answer = httpx.get(
        f"{stage.service.endpoint}/deployments/{LABELLED}/healthSettings/",
        headers={"Authorization": f"Bearer {stage.service.tokens['requester']}"},
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


@pytest.mark.parametrize(("patch", "answer"), [("merges", "settings"), ("replaces_area", "empty")])
def test_only_what_differs_is_written_and_the_rest_of_an_area_stays(stage: Stage, patch: str, answer: str) -> None:
    stage.service.switches(health_patch=patch, health_patch_answer=answer)
    first = there(stage)
    done = put(stage, settings=DRIFT).run()
    assert done.state == "success", done
    assert done.result["changed"] == DRIFT
    again = put(stage, settings={"dataDrift": {"importanceThreshold": 0.9}, "service": first["service"]}).run()
    assert again.result["changed"] == {"dataDrift": {"importanceThreshold": 0.9}}
    expected = {**first["dataDrift"], **DRIFT["dataDrift"], "importanceThreshold": 0.9}
    assert there(stage) == {**first, "dataDrift": expected} == again.result["settings"]
    sent = stage.service.log(operationId="updateDeploymentHealthSettings")
    assert [list(one["body"]) for one in sent] == [["dataDrift"], ["dataDrift"]]


def test_nothing_is_written_twice(stage: Stage) -> None:
    put(stage, settings=DRIFT).run()
    turned = {"dataDrift": {**DRIFT["dataDrift"], "excludedFeatures": ["tenure_months", "contract"]}}
    done = put(stage, settings=turned).run()
    assert (done.state, done.result["changed"]) == ("success", {})
    assert stage.service.count("healthSettingsUpdated", LABELLED) == 1


def test_a_lost_answer_is_looked_for(stage: Stage) -> None:
    stage.service.fault("lost_answer", operationId="updateDeploymentHealthSettings", answer=504)
    done = put(stage, settings=DRIFT).run()
    assert done.state == "success", done
    assert stage.service.count("healthSettingsUpdated", LABELLED) == 1


def test_back_to_the_defaults(stage: Stage) -> None:
    first = there(stage)
    put(stage, settings={**DRIFT, "accuracy": {"failingThreshold": 50}}).run()
    done = put(stage, reset="true", settings={"accuracy": {"failingThreshold": 20}}).run()
    assert done.result["changed"] == {
        "accuracy": {"failingThreshold": 20},
        "dataDrift": {"driftThreshold": 0.15, "excludedFeatures": []},
    }
    assert there(stage) == {**first, "accuracy": {**first["accuracy"], "failingThreshold": 20}}


def test_done_by_word_and_not_in_fact(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateDeploymentHealthSettings", code=200, body="", times=0)
    done = put(stage, settings=DRIFT).run()
    assert done.state != "success"
    assert "does not have {'dataDrift': {'driftThreshold': 0.25" in str(done.error)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "settings must name at least one area"),
        ({"settings": {"dataDrift": 0.2}}, "settings['dataDrift'] must be a mapping"),
        ({"settings": {"dataDrift": {}}}, "settings['dataDrift'] must be a mapping with at least one value"),
        ({"settings": "dataDrift"}, "settings must be"),
        ({"settings": DRIFT, "reset": "perhaps"}, "reset must be"),
        ({"settings": DRIFT, "deployment_id": ""}, "deployment_id"),
    ],
    ids=str,
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = put(stage, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
