"""Activating and deactivating a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import UNGOVERNED, V3, Perform, meanwhile, only_writes, refused, send

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def activate(task_id: str = "activate", **arguments: Any) -> Any:
    from airflow_provider.operators.deployment_status import DataRobotActivateDeploymentOperator

    return DataRobotActivateDeploymentOperator(task_id=task_id, **{"deployment_id": UNGOVERNED, **arguments})


def deactivate(task_id: str = "deactivate", **arguments: Any) -> Any:
    from airflow_provider.operators.deployment_status import DataRobotDeactivateDeploymentOperator

    return DataRobotDeactivateDeploymentOperator(task_id=task_id, **{"deployment_id": UNGOVERNED, **arguments})


def test_a_deployment_is_deactivated_and_activated_with_one_write_each(service: EmulatorDoor, perform: Perform) -> None:
    with only_writes(service, updateDeploymentStatus=2):
        done = perform(
            lambda: [
                deactivate(deferrable=True),
                deactivate("again"),
                activate(deployment_id="{{ ti.xcom_pull('deactivate')['deployment_id'] }}"),
                activate("active_already", deferrable=True),
            ]
        )
    assert done["deactivate"].result == {"deployment_id": UNGOVERNED, "status": "inactive", "changed": True}
    assert done["again"].result == {"deployment_id": UNGOVERNED, "status": "inactive", "changed": False}
    assert done["activate"].result == {"deployment_id": UNGOVERNED, "status": "active", "changed": True}
    assert done["active_already"].result["changed"] is False
    assert service.count("statusChanged", UNGOVERNED) == 2
    assert done.xcom("activate", "_link_DataRobotLink").endswith(f"/deployments/{UNGOVERNED}/overview")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_answer"},
        {"kind": "late_commit", "seconds": 3},
        {"kind": "missing_location"},
        {"kind": "reset"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_whatever_becomes_of_the_answer_the_status_changes_once(
    service: EmulatorDoor, perform: Perform, fault: dict[str, Any]
) -> None:
    service.fault(operationId="updateDeploymentStatus", **fault)
    with only_writes(service, updateDeploymentStatus=1):
        done = perform(lambda: [deactivate()])
    assert done["deactivate"].result["status"] == "inactive"
    assert service.count("statusChanged", UNGOVERNED) == 1


def test_a_change_under_way_is_waited_for(service: EmulatorDoor, perform: Perform) -> None:
    service.fault("stuck_job", operationId="updateDeploymentStatus")
    begin(service, "inactive")
    [job] = service.jobs()
    with (
        only_writes(service, updateDeploymentStatus=1),
        meanwhile(service, lambda: service.end_job(job["id"]), operationId="getDeployment", nth=3),
    ):
        done = perform(lambda: [deactivate(), activate()])
    assert done["deactivate"].result["changed"] is False
    assert done["activate"].result["changed"] is True


def test_a_change_that_begins_just_before_ours_is_waited_for(service: EmulatorDoor, perform: Perform) -> None:
    """The same one is taken for what was wanted; after another one, ours is made."""
    with meanwhile(service, lambda: begin(service, "inactive"), operationId="updateDeploymentStatus"):
        done = perform(lambda: [deactivate()])
    assert done["deactivate"].result == {"deployment_id": UNGOVERNED, "status": "inactive", "changed": False}
    begin(service, "active")
    service.advance(60)
    replacement = {"modelPackageId": V3, "reason": "ACCURACY"}
    path = f"deployments/{UNGOVERNED}/model/"
    with meanwhile(
        service, lambda: send(service, "requester", "PATCH", path, replacement), operationId="updateDeploymentStatus"
    ):
        done = perform(lambda: [deactivate()])
    assert done["deactivate"].result == {"deployment_id": UNGOVERNED, "status": "inactive", "changed": True}
    assert service.count("statusChanged", UNGOVERNED) == 3


def begin(service: EmulatorDoor, status: str) -> None:
    send(service, "requester", "PATCH", f"deployments/{UNGOVERNED}/status/", {"status": status})


def test_failures_are_told_in_the_words_of_the_service(service: EmulatorDoor, perform: Perform) -> None:
    """A job that fails, an end without effect, and a conflict that has nothing to do with the status."""
    service.fault("failed_job", operationId="updateDeploymentStatus", message="No capacity.")
    service.fault("status", operationId="updateDeploymentStatus", nth=2, code=409, body={"message": "It is locked."})
    done = perform(lambda: [deactivate("failed"), deactivate("locked"), activate("absent", deployment_id="f" * 24)])
    assert done["failed"].error.startswith("JobFailed: updateDeploymentStatus: ERROR: No capacity. (request id ")
    assert done["locked"].error.startswith("Conflict: updateDeploymentStatus answered 409: It is locked. (request id ")
    assert done["absent"].error.startswith("NotFound: getDeployment answered 404: Deployment ffff")
    service.lie("status_not_changed")
    done = perform(lambda: [deactivate()])
    assert done["deactivate"].error.startswith(
        f"StatusNotSeen: the service says done, and deployment {UNGOVERNED} is active"
    )


@pytest.mark.parametrize("answer", ["refuse_403", "refuse_409", "opens_request"])
def test_a_status_that_a_policy_gates_is_never_taken_for_set(
    service: EmulatorDoor, perform: Perform, answer: str
) -> None:
    trigger = {"entityType": "deploymentStatus", "filterGroups": None, "intendedAction": {"action": "update"}}
    service.change("policies", "64f000000000000000000001", name="Status", trigger=trigger)
    service.switches(write_under_policy=answer)
    done = perform(lambda: [deactivate()])
    told = "StatusNotSeen: " if answer == "opens_request" else "This change needs an approval: policy 'Status'."
    assert told in done["deactivate"].error
    assert service.world("deployments")[UNGOVERNED]["status"] == "active"


def test_a_plan_writes_nothing(service: EmulatorDoor, perform: Perform) -> None:
    with only_writes(service):
        done = perform(lambda: [deactivate(plan_only=True, deferrable=True)])
    assert done["deactivate"].result["plan"]["body"] == {"status": "inactive"}


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad = [
        ({"deployment_id": "None"}, "deployment_id must be an id"),
        ({"poll_interval": "often"}, "poll_interval must be a number of seconds or a timedelta, not 'often'"),
        ({"on_timeout": "stop"}, "on_timeout must be one of cancel, leave, not 'stop'"),
        ({"cancel_on_kill": "perhaps"}, "cancel_on_kill must be true or false, not 'perhaps'"),
    ]
    refused(service, activate, {}, bad)
