"""Looking deployments up, selecting them, and changing label, description and importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import GOVERNED, UNGOVERNED, Perform, only_writes, refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


MISSING = "64e0000000000000000000ff"


def get(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators.deployments import DataRobotGetDeploymentOperator

    return DataRobotGetDeploymentOperator(task_id=task_id, **arguments)


def select(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators.deployments import DataRobotListDeploymentsOperator

    return DataRobotListDeploymentsOperator(task_id=task_id, **arguments)


def update(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators.deployments import DataRobotUpdateDeploymentOperator

    return DataRobotUpdateDeploymentOperator(task_id=task_id, **arguments)


def test_a_deployment_by_id_and_by_label(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(
        lambda: [
            get("by_id", deployment_id=f" {UNGOVERNED} "),
            get("by_label", deployment_label="Churn, governed", deployment_id="None"),
        ]
    )
    assert done["by_id"].result["label"] == "Churn, ungoverned"
    assert done["by_id"].result["champion"] == {
        "model_package_id": "64d000000000000000000002",
        "model_id": "64a100000000000000000002",
        "name": done["by_id"].result["modelPackage"]["name"],
        "deployed_at": done["by_id"].result["model"]["deployedAt"],
    }
    assert done["by_label"].result["id"] == GOVERNED
    links = {task_id: done.xcom(task_id, "_link_DataRobotLink") for task_id in ("by_id", "by_label")}
    assert links == {
        "by_id": f"{service.url}/deployments/{UNGOVERNED}/overview",
        "by_label": f"{service.url}/deployments/{GOVERNED}/overview",
    }


def test_a_label_that_does_not_name_one_and_an_id_that_names_none(service: EmulatorDoor, perform: Perform) -> None:
    service.change("deployments", UNGOVERNED, label="Churn, governed")
    done = perform(
        lambda: [
            get("two", deployment_label="Churn, governed"),
            get("none", deployment_label="Churn, governed by nobody"),
            get("absent", deployment_id=MISSING),
        ]
    )
    assert done["two"].error.startswith("NotOne: 2 deployments have the label 'Churn, governed'")
    assert GOVERNED in done["two"].error
    assert UNGOVERNED in done["two"].error
    assert done["none"].error == "NotOne: 0 deployments have the label 'Churn, governed by nobody': none"
    assert done["absent"].error.startswith("NotFound: getDeployment answered 404")


def test_deployments_are_selected_by_what_they_are(service: EmulatorDoor, perform: Perform) -> None:
    service.switches(page_size="2")
    service.change("deployments", GOVERNED, health={"service": "failing", "model": "passing", "accuracy": "warning"})
    everything = sorted(service.world("deployments"))
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "all": ({}, everything),
        "text": ({"search": "UNGOVERNED"}, [UNGOVERNED]),
        "word": ({"importance": "low"}, [UNGOVERNED]),
        "words": ({"importance": ["LOW", "CRITICAL"], "status": "active"}, [GOVERNED, UNGOVERNED]),
        "commas": ({"service_health": "failing, warning"}, [GOVERNED]),
        "accuracy": ({"accuracy_health": ["warning"], "model_health": "passing"}, [GOVERNED]),
        "every_tag": ({"tags": {"team": "growth", "stage": "sandbox"}}, [UNGOVERNED]),
        "any_value": ({"tags": '{"team": null}'}, everything),
        "template": ({"search": "{{ none }}", "importance": "{{ 'LOW' }}", "most": "{{ 1 }}"}, [UNGOVERNED]),
        "nothing": ({"importance": "HIGH"}, []),
    }
    done = perform(lambda: [select(name, fields=["id"], **given) for name, (given, _) in cases.items()])
    assert {name: done[name].result for name in cases} == {name: ids for name, (_, ids) in cases.items()}


def test_the_fields_of_what_was_selected_and_a_filter_that_is_too_wide(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: [select("plain"), select("chosen", fields="label,importance"), select("too_wide", most="1")])
    assert done["plain"].result[1] == {
        "id": UNGOVERNED,
        "label": "Churn, ungoverned",
        "importance": "LOW",
        "status": "active",
    }
    assert done["chosen"].result[0] == {"label": "Churn, governed", "importance": "CRITICAL"}
    assert done["too_wide"].error.startswith("TooMany: more than most=1 deployments are selected")


def test_tasks_are_mapped_over_the_selected_deployments(service: EmulatorDoor, perform: Perform) -> None:
    def make() -> None:
        from airflow_provider.operators.deployments import DataRobotGetDeploymentOperator

        selected = select("select", tags={"team": "growth"}, fields="id")
        DataRobotGetDeploymentOperator.partial(task_id="get").expand(deployment_id=selected.output)

    done = perform(make)
    assert done.run.state == "success"
    labels = [done.read(done.run, "get", map_index=number)["label"] for number in (0, 1)]
    assert labels == ["Churn, governed", "Churn, ungoverned"]


def test_an_update_writes_what_differs_and_only_once(service: EmulatorDoor, perform: Perform) -> None:
    wanted = {"deployment_id": UNGOVERNED, "deployment_label": "Churn B", "importance": "moderate"}
    with only_writes(service, updateDeployment=2):
        done = perform(
            lambda: [
                update("first", description="What {{ 'it' }} is", **wanted),
                update("again", description="None", **wanted),
                update("cleared", deployment_id=UNGOVERNED, description=""),
            ]
        )
    assert done["first"].result == {
        "deployment_id": UNGOVERNED,
        "changed": {"label": "Churn B", "description": "What it is", "importance": "MODERATE"},
    }
    assert done["again"].result == {"deployment_id": UNGOVERNED, "changed": {}}
    assert done["cleared"].result["changed"] == {"description": ""}
    assert service.world("deployments")[UNGOVERNED]["importance"] == "MODERATE"
    assert done.xcom("first", "_link_DataRobotLink").endswith(f"/deployments/{UNGOVERNED}/overview")


@pytest.mark.parametrize("fault", [{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 3}])
def test_a_lost_answer_to_an_update_is_one_update(
    service: EmulatorDoor, perform: Perform, fault: dict[str, Any]
) -> None:
    service.fault(operationId="updateDeployment", **fault)
    with only_writes(service, updateDeployment=1):
        done = perform(lambda: [update("update", deployment_id=UNGOVERNED, deployment_label="Churn B")])
    assert done["update"].result["changed"] == {"label": "Churn B"}
    assert service.count("deploymentUpdated", UNGOVERNED) == 1


def test_an_update_that_fails_is_made_by_the_retry(service: EmulatorDoor, perform: Perform) -> None:
    service.fault("status", operationId="getDeployment", times=5)  # one call of ours, with its five tries
    with only_writes(service, updateDeployment=1):
        done = perform(lambda: [update("update", deployment_id=UNGOVERNED, deployment_label="Churn B", retries=1)])
    assert done["update"].state == "success"


@pytest.mark.parametrize("answer", ["refuse_403", "refuse_409", "refuse_422", "opens_request"])
def test_an_importance_that_a_policy_gates_is_told_and_never_taken_for_set(
    service: EmulatorDoor, perform: Perform, answer: str
) -> None:
    gate_importance(service)
    service.switches(write_under_policy=answer)
    done = perform(lambda: [update("update", deployment_id=UNGOVERNED, importance="HIGH")])
    assert done["update"].state == "failed"
    if answer == "opens_request":
        [request_id] = service.world("changeRequests")
        assert done["update"].error.startswith("ChangeNotSeen: the service accepted the change, and deployment ")
        assert request_id in done["update"].error
    else:
        assert "This change needs an approval: policy 'Importance'." in done["update"].error
    assert service.world("deployments")[UNGOVERNED]["importance"] == "LOW"


def test_a_plan_of_an_update_writes_nothing(service: EmulatorDoor, perform: Perform) -> None:
    with only_writes(service):
        done = perform(
            lambda: [
                update("plan", deployment_id=UNGOVERNED, deployment_label="B", extra_body={"x": 1}, plan_only="true")
            ]
        )
    plan = {"operation": "updateDeployment", "method": "PATCH", "path": f"deployments/{UNGOVERNED}/"}
    assert done["plan"].result == {"plan": {**plan, "body": {"label": "B", "x": 1}}}


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    refused(
        service,
        get,
        {},
        [
            ({}, "give exactly one of deployment_id and deployment_label, not neither"),
            ({"deployment_id": "abc", "deployment_label": "x"}, "not both"),
            ({"deployment_id": "deployments/abc"}, "deployment_id must be an id, a string without blanks and slashes"),
        ],
    )
    refused(
        service,
        select,
        {},
        [
            ({"importance": "URGENT"}, "importance must be one of CRITICAL, HIGH, MODERATE, LOW, not 'URGENT'"),
            ({"service_health": ["failing", "ill"]}, "service_health must be one of failing, not_started"),
            ({"status": 3}, "status must be a word, a list of words or words with commas between, not 3"),
            ({"tags": ["team"]}, "tags must be a mapping with string keys, not list"),
            ({"most": "many"}, "most must be a whole number from 0 on, not 'many'"),
            ({"fields": []}, "fields must name at least one field"),
        ],
    )
    refused(
        service,
        update,
        {"deployment_id": UNGOVERNED, "importance": "LOW"},
        [
            ({"deployment_id": ""}, "deployment_id must be an id, a string without blanks and slashes, not ''"),
            ({"deployment_id": "{{ none }}"}, "deployment_id must be an id"),
            ({"importance": "URGENT"}, "importance must be one of CRITICAL, HIGH, MODERATE, LOW, not 'URGENT'"),
            ({"importance": None}, "give at least one of deployment_label, description and importance"),
            ({"deployment_label": " "}, "deployment_label must be a text of 1 to 512 characters, not ' '"),
            ({"deployment_label": "x" * 513}, "deployment_label must have at most 512 characters, not 513"),
            ({"description": "x" * 10001}, "description must have at most 10000 characters, not 10001"),
            ({"plan_only": "maybe"}, "plan_only must be true or false, not 'maybe'"),
            ({"timeout": "soon"}, "timeout must be a number of seconds or a timedelta, not 'soon'"),
            ({"settle": -1}, "settle must be a number of seconds from 0 on, not -1"),
            ({"extra_body": "x"}, "extra_body must be a mapping, or the text of a JSON object, not other text"),
        ],
    )


def gate_importance(service: EmulatorDoor) -> None:
    """The demo world's policy, for changes of the importance and for whatever importance."""
    trigger = {"entityType": "deployment", "filterGroups": None, "intendedAction": {"action": "update"}}
    service.change("policies", "64f000000000000000000001", name="Importance", trigger=trigger)
