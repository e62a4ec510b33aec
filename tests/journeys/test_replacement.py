"""Replacing a model in real Airflow against the emulator, directly and through people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.people import approve, ask_for_changes, cancel, person

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
V1, V2, V3, V4, NEW_FEATURE, OTHER_TARGET = (f"64d00000000000000000000{number}" for number in range(1, 7))
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])


def replacing(deferrable: bool, **arguments: Any) -> Any:
    from airflow.sdk import DAG

    from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

    with DAG("replacing", schedule=None) as dag:
        DataRobotReplaceModelOperator(
            task_id="replace",
            deferrable=deferrable,
            poll_interval=0.1,
            settle=0.1,
            **{"deployment_id": UNGOVERNED, "model_package_id": V3, "reason": "ACCURACY", **arguments},
        )
    return dag


def writes(service: EmulatorDoor) -> dict[str, int]:
    """Accepted writes; a validation is a POST that changes nothing."""
    accepted = dict(service.accepted())
    accepted.pop("validateDeploymentModelReplacement", None)
    return accepted


@BOTH
def test_an_ungoverned_deployment_is_replaced_directly(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, deferrable: bool
) -> None:
    run = run_dag(replacing(deferrable))
    assert run.state == "success"
    result = xcoms(run, "replace")
    assert result["outcome"] == "replaced"
    assert result["champion"]["model_package_id"] == V3
    assert result["previous"]["model_package_id"] == V2
    assert result["change_request"] is None
    assert writes(service) == {"replaceDeploymentModel": 1}
    assert service.count("modelReplaced", UNGOVERNED) == 1


@BOTH
def test_a_governed_deployment_is_replaced_after_an_approval(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, deferrable: bool
) -> None:
    with person(service.endpoint, service.tokens["reviewer"], approve):
        run = run_dag(replacing(deferrable, deployment_id=GOVERNED))
    assert run.state == "success"
    result = xcoms(run, "replace")
    assert result["champion"]["model_package_id"] == V3
    assert result["previous"]["model_package_id"] == V1
    decision = result["change_request"]
    assert decision["status"] == "resolved"
    assert decision["requested_by"] == "requester@example.com"
    assert [one["by"] for one in decision["reviews"]] == ["reviewer@example.com"]
    assert service.count("changeRequestCreated", decision["id"]) == 1
    assert service.count("modelReplaced", GOVERNED) == 1


@BOTH
@pytest.mark.parametrize(
    ("deed", "user", "arguments", "state"),
    [
        (ask_for_changes, "reviewer", {}, "failed"),
        (ask_for_changes, "reviewer", {"on_changes_requested": "skip"}, "success"),
        (cancel, "requester", {}, "failed"),
        (cancel, "requester", {"on_cancelled": "skip"}, "success"),
    ],
    ids=["changes requested", "changes requested, skip", "cancelled", "cancelled, skip"],
)
def test_people_who_do_not_approve(
    service: EmulatorDoor,
    run_dag: RunDag,
    deferrable: bool,
    deed: Any,
    user: str,
    arguments: dict[str, Any],
    state: str,
) -> None:
    with person(service.endpoint, service.tokens[user], deed):
        run = run_dag(replacing(deferrable, deployment_id=GOVERNED, **arguments))
    assert run.state == state
    [instance] = run.get_task_instances()
    assert instance.state == ("failed" if state == "failed" else "skipped")
    assert service.count("modelReplaced", GOVERNED) == 0


def test_the_champion_already_is_a_success_without_a_write(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom
) -> None:
    run = run_dag(replacing(False, model_package_id=V2))
    assert xcoms(run, "replace")["outcome"] == "already_champion"
    assert xcoms(run, "replace")["previous"] is None
    assert writes(service) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        {"model_package_id": OTHER_TARGET},
        {"model_package_id": NEW_FEATURE},
        {"deployment_id": ""},
        {"deployment_id": "a b"},
        {"model_id": "64a100000000000000000003"},
        {"model_package_id": None},
        {"reason": "BECAUSE"},
        {"governance": "sometimes"},
        {"comment": "x" * 10_001},
        {"reason": "DEPRECATION"},
    ],
    ids=lambda arguments: str(arguments)[:60],
)
def test_what_cannot_be_replaced_is_refused_before_anything_is_written(
    service: EmulatorDoor, run_dag: RunDag, arguments: dict[str, Any]
) -> None:
    run = run_dag(replacing(False, **arguments))
    assert run.state == "failed"
    assert writes(service) == {}
    assert service.effects() == []


def test_a_plan_sends_nothing(service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom) -> None:
    run = run_dag(replacing(True, plan_only="True"))
    plan = xcoms(run, "replace")["plan"]
    assert plan["operation"] == "replaceDeploymentModel"
    assert plan["body"] == {"modelPackageId": V3, "reason": "ACCURACY"}
    assert service.effects() == []
