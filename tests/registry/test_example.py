"""The example DAG in real Airflow."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.people import approve, person
from tests.registry.test_create_deployment import NEW_MODEL
from tests.tasks import send, service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag

__all__ = ["service", "soon"]


def guard(service: EmulatorDoor) -> None:
    """A policy on the creation of critical deployments."""
    condition = {"condition": "equals", "fieldName": "importance", "values": ["CRITICAL"]}
    trigger = {
        "entityType": "deployment",
        "filterGroups": None,
        "intendedAction": {"action": "create", "condition": condition},
        "labels": {"groupLabel": "", "label": ""},
    }
    review = {"groups": [{"id": "64b000000000000000000001", "name": "Model reviewers"}], "reminderPeriod": None}
    body = {"name": "New deployments", "active": True, "automaticAction": None, "review": review, "trigger": trigger}
    send(service, "admin", "POST", "approvalPolicies/", body)


@pytest.mark.parametrize("importance", ["MODERATE", "CRITICAL"], ids=["free", "under a policy"])
def test_the_example(
    service: EmulatorDoor, soon: None, run_dag: RunDag, xcoms: ReadXcom, tmp_path: Path, importance: str
) -> None:
    dag: Any = importlib.import_module("example_dags.register_and_deploy").dag
    for task in dag.tasks:
        task.retries = 0
        task.poll_interval = 0.05
    for kind in ("packageBuild", "deploymentCreation", "scoringCodeBuild", "changeRequestApply"):
        service.jobs(kind, seconds=0.2)
    guard(service)
    given = {
        "model_id": NEW_MODEL,
        "registered_model": "Churn classifier",
        "label": "Churn, spring",
        "importance": importance,
        "environment": "DataRobot Serverless",
        "folder": str(tmp_path),
    }
    with person(service.endpoint, service.tokens["reviewer"], approve):
        run = run_dag(dag, run_conf=given)
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert states == dict.fromkeys(("register", "deploy", "carry"), "success")
    deployed = xcoms(run, "deploy")
    assert (deployed["status"], deployed["approval_status"]) == ("active", "APPROVED")
    asked = deployed["change_request"]
    assert (asked is None) if importance == "MODERATE" else asked["decided_by"] == ["reviewer@example.com"]
    carried = xcoms(run, "carry")
    with zipfile.ZipFile(carried["path"]) as archive:
        assert NEW_MODEL.encode() in archive.read("model.json")
    assert service.count("packageCreated") == service.count("deploymentCreated") == 1
