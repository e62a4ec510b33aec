"""Settings, sharing, deletion, runtime parameters, secondary datasets, monitoring data: written once, if at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task

REVIEWERS = "64b000000000000000000001"
OUTSIDER = "outsider@example.com"
FEBRUARY = "656000000000000000000002"


@dataclass(frozen=True)
class Case:
    """An operator with good arguments, the write that it makes, and the effect that this has once."""

    module: str
    name: str
    arguments: dict[str, Any]
    write: str
    effect: str
    user: str | None = None

    def task(self, stage: Stage, **arguments: Any) -> Task:
        from importlib import import_module

        kind = getattr(import_module(f"airflow_provider.operators.{self.module}"), self.name)
        conn = {} if self.user is None else {"datarobot_conn_id": self.user}
        return task(stage, kind, **{**self.arguments, **conn, **arguments})

    def ready(self, stage: Stage) -> None:
        stage.service.switches(runtime_parameters_while_active="works")
        if self.name.startswith("DataRobotErase"):
            stage.service.change("deployments", LABELLED, importance="LOW")
            delete = CASES["delete"].task(stage).run()
            assert delete.state == "success", delete


OF = {"deployment_id": LABELLED}
CASES = {
    "settings": Case(
        "deployment_settings",
        "DataRobotUpdateDeploymentSettingsOperator",
        {**OF, "settings": {"humility": {"enabled": True}, "targetDrift": {"enabled": True}}},
        "updateDeploymentSettings",
        "settingsUpdated",
    ),
    "segments": Case(
        "deployment_settings",
        "DataRobotUpdateSegmentAnalysisOperator",
        {**OF, "attributes": "region,plan"},
        "updateDeploymentSettings",
        "settingsUpdated",
    ),
    "fairness": Case(
        "deployment_settings",
        "DataRobotUpdateFairnessSettingsOperator",
        {**OF, "protected_features": ["gender"], "fairness_metrics_set": "EQUALPARITY", "fairness_threshold": "0.8"},
        "updateDeploymentSettings",
        "settingsUpdated",
    ),
    "share": Case(
        "deployment_sharing",
        "DataRobotShareDeploymentOperator",
        {
            **OF,
            "roles": [
                {"username": OUTSIDER, "role": "user"},
                {"id": REVIEWERS, "role": "CONSUMER", "share_recipient_type": "group"},
            ],
        },
        "updateDeploymentSharedRoles",
        "deploymentShared",
    ),
    "runtime": Case(
        "runtime_parameters",
        "DataRobotUpdateRuntimeParametersOperator",
        {**OF, "values": {"THRESHOLD": "0.25", "EXPLAIN": "True"}},
        "replaceDeploymentRuntimeParameters",
        "runtimeParameterChanged",
    ),
    "secondary": Case(
        "secondary_datasets",
        "DataRobotUpdateSecondaryDatasetConfigurationOperator",
        {**OF, "secondary_dataset_config_id": FEBRUARY},
        "updateDeploymentSecondaryDatasetConfiguration",
        "secondaryDatasetsChanged",
    ),
    "delete": Case(
        "deployment_deletion",
        "DataRobotDeleteDeploymentOperator",
        {**OF, "confirm": LABELLED},
        "deleteDeployment",
        "deploymentDeleted",
    ),
    "erase": Case(
        "deployment_deletion",
        "DataRobotEraseDeletedDeploymentsOperator",
        {"deployment_ids": LABELLED, "confirm": "PermanentlyErase"},
        "eraseDeletedDeployments",
        "deploymentErased",
        user="as_admin",
    ),
}
SETTABLE = sorted(CASES)
BLIND = {
    "monitoring": Case(
        "monitoring_data",
        "DataRobotDeleteMonitoringDataOperator",
        {**OF, "confirm": LABELLED, "end_time": "2026-03-01"},
        "createDeploymentMonitoringDataDeletion",
        "monitoringDataDeleted",
    ),
    "report": Case(
        "monitoring_data",
        "DataRobotCreateOnDemandReportOperator",
        {**OF, "report_id": "64a000000000000000000077"},
        "createDeploymentOnDemandReport",
        "reportMailed",
    ),
}


@pytest.fixture(autouse=True)
def _administrator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.tasks import connect

    connect(monkeypatch, stage.service, "admin", "as_admin")


def effects(stage: Stage, case: Case) -> int:
    """How often the effect was committed, on whatever."""
    return sum(one["effect"] == case.effect for one in stage.service.effects())


def succeeded(ending: Ending) -> Any:
    assert ending.state == "success", ending
    return ending.result


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
@pytest.mark.parametrize("name", SETTABLE)
def test_what_is_wanted_is_written_once(stage: Stage, name: str, deferrable: bool) -> None:
    case = CASES[name]
    case.ready(stage)
    first = succeeded(case.task(stage, deferrable=deferrable).run())
    made = effects(stage, case)
    assert made == (2 if name == "runtime" else 1)
    again = succeeded(case.task(stage, deferrable=deferrable).run())
    assert effects(stage, case) == made
    assert len(stage.service.log(operationId=case.write)) == 1
    word = {"delete": "deleted", "erase": "erased"}.get(name, "changed")
    assert first[word]
    assert not again[word]


@pytest.mark.parametrize(
    "fault",
    [
        ("lost_answer", {"answer": "reset"}),
        ("lost_answer", {"answer": 504}),
        ("late_commit", {"answer": 504, "seconds": 30}),
        ("status", {"code": 502}),
        ("retry_after", {"code": 429, "seconds": 2}),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", SETTABLE)
def test_a_lost_answer_makes_no_second(stage: Stage, name: str, fault: tuple[str, dict[str, Any]]) -> None:
    case = CASES[name]
    case.ready(stage)
    stage.service.fault(fault[0], operationId=case.write, **fault[1])
    succeeded(case.task(stage, retries=1).run())
    assert effects(stage, case) == (2 if name == "runtime" else 1)


@pytest.mark.parametrize("name", sorted(BLIND))
def test_what_nothing_can_tell_from_a_second_is_sent_once(stage: Stage, name: str) -> None:
    case = BLIND[name]
    succeeded(case.task(stage).run())
    stage.service.fault("lost_answer", operationId=case.write, answer="reset")
    ending = case.task(stage, retries=2).run()
    assert (ending.state, "OutcomeUnknown" in str(ending.error)) == ("failed", True), ending
    assert effects(stage, case) <= 2
    assert len(stage.service.log(operationId=case.write)) == 2


def test_a_bare_200_ends_a_deletion_of_monitoring_data(stage: Stage) -> None:
    stage.service.switches(monitoring_deletion_location="none")
    assert succeeded(BLIND["monitoring"].task(stage).run())["end"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
def test_a_deployment_that_lingers_is_waited_for(stage: Stage, deferrable: bool) -> None:
    stage.service.switches(deployment_delete="lingers")
    assert succeeded(CASES["delete"].task(stage, deferrable=deferrable).run())["deleted"] is True
    assert effects(stage, CASES["delete"]) == 1


def test_a_deletion_that_opens_a_request_is_told(stage: Stage) -> None:
    policy = {
        "name": "Deletions",
        "active": True,
        "trigger": {"entityType": "deployment", "intendedAction": {"action": "delete"}},
    }
    import httpx

    token = {"Authorization": f"Bearer {stage.service.tokens['admin']}"}
    made = httpx.post(f"{stage.service.endpoint}/approvalPolicies/", json=policy, headers=token, trust_env=False)
    assert made.status_code == 201, made.text
    stage.service.switches(write_under_policy="opens_request")
    ending = CASES["delete"].task(stage).run()
    assert ending.state == "failed"
    assert "open change requests" in str(ending.error)
    stage.service.switches(write_under_policy="refuse_403")
    assert CASES["delete"].task(stage).run().state == "failed"
    assert effects(stage, CASES["delete"]) == 0


def test_a_setting_that_is_lost_on_the_way_is_noticed(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateDeploymentSettings", code=202, body=None)
    ending = CASES["segments"].task(stage).run()
    assert (ending.state, "still has" in str(ending.error)) == ("failed", True), ending


@pytest.mark.parametrize(
    ("name", "bad", "text"),
    [
        ("settings", {"settings": {}}, "settings must name at least one area"),
        ("settings", {"settings": {"humility": True}}, r"settings\['humility'\] must be a mapping"),
        ("segments", {"enabled": "perhaps"}, "enabled must be true or false"),
        ("fairness", {"fairness_metrics_set": "best"}, "fairness_metrics_set must be one of proportionalParity"),
        ("fairness", {"fairness_threshold": -1}, "fairness_threshold must be a number from 0 on"),
        ("share", {"roles": "OWNER"}, "roles must be a list of mappings, not str"),
        ("share", {"roles": []}, "roles must name at least one"),
        ("share", {"roles": [{"username": "a", "role": "KING"}]}, r"roles\[0\].role must be one of OWNER"),
        ("share", {"roles": [{"role": "USER"}]}, r"roles\[0\] must have role, one of id and username"),
        (
            "share",
            {"roles": [{"username": "g", "role": "USER", "share_recipient_type": "group"}]},
            "a group is named by its id",
        ),
        ("runtime", {"values": {}}, "values must name at least one parameter"),
        ("runtime", {"values": {"NONE": 1}}, "has no runtime parameter NONE; it has EXPLAIN, REGION, THRESHOLD"),
        ("runtime", {"values": {"THRESHOLD": "high"}}, r"values\['THRESHOLD'\] must be a finite number"),
        ("secondary", {"credentials": [{"password": "x"}]}, r"credentials\[0\] must have catalog_version_id"),
        ("delete", {"confirm": "64e000000000000000000001"}, "confirm must be the id of the deployment"),
        ("erase", {"confirm": "yes"}, "confirm must be the text 'PermanentlyErase'"),
        ("erase", {"deployment_ids": []}, "deployment_ids must be 1 to 100 ids, not 0"),
    ],
)
def test_bad_arguments_write_nothing(stage: Stage, name: str, bad: dict[str, Any], text: str) -> None:
    ending = CASES[name].task(stage, **bad).run()
    assert ending.state == "failed"
    assert "InvalidCall" in str(ending.error)
    assert re.search(text, str(ending.error))
    assert stage.service.log(writes=True) == []


def test_times_of_monitoring_data_are_in_order(stage: Stage) -> None:
    ending = BLIND["monitoring"].task(stage, start_time="2026-03-01T00:00:00Z").run()
    assert "start_time must be before end_time" in str(ending.error)
