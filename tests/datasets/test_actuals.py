"""Actuals from a dataset that is there already, and the association id that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

ROWS = "customer_id,churned,at,acted\n" + "".join(
    f"row-{n},{'yes' if n % 3 else 'no'},2026-03-01T10:00:00Z,true\n" for n in range(30)
)
COLUMNS = {"association_id_column": "customer_id", "actual_value_column": "churned"}
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])


def dataset(stage: Stage, rows: str = ROWS, *, ready: bool = True) -> str:
    """A dataset of the requester, made by raw HTTP; its id."""
    answer = httpx.post(
        f"{stage.service.endpoint}/datasets/fromFile/",
        files={"file": ("outcomes.csv", rows.encode(), "text/csv")},
        headers={"Authorization": f"Bearer {stage.service.tokens['requester']}"},
    )
    if ready:
        stage.sleep(60)
    return str(answer.raise_for_status().json()["catalogId"])


def submit(stage: Stage, dataset_id: str, **arguments: Any) -> Task:
    from airflow_provider.operators.actuals_dataset import DataRobotSubmitActualsFromDatasetOperator

    given = {"deployment_id": LABELLED, "dataset_id": dataset_id, **COLUMNS, **arguments}
    return task(stage, DataRobotSubmitActualsFromDatasetOperator, **given)


def associate(stage: Stage, columns: Any, **arguments: Any) -> Task:
    from airflow_provider.operators.association import DataRobotSetAssociationIdOperator

    return task(stage, DataRobotSetAssociationIdOperator, deployment_id=LABELLED, columns=columns, **arguments)


def bodies(stage: Stage, operation: str) -> list[Any]:
    return [one["body"] for one in stage.service.log(operationId=operation)]


# --- actuals from a dataset ---------------------------------------------------------------------------------------


@BOTH
def test_the_rows_of_a_dataset_become_actuals(stage: Stage, deferrable: bool) -> None:
    stage.service.predictions(LABELLED, rows=30)
    dataset_id = dataset(stage)
    done = submit(
        stage,
        dataset_id,
        deferrable=deferrable,
        timestamp_column="at",
        was_acted_on_column="acted",
        keep_actuals_without_predictions="False",
    ).run()
    assert done.state == "success", done
    [version] = stage.service.world("datasetVersions")
    assert done.result == {
        "deployment_id": LABELLED,
        "dataset_id": dataset_id,
        "version_id": version,
        "rows": 30,
        "submitted": True,
    }
    account = stage.service.actuals(LABELLED, values=True)
    assert (account["accepted"], account["stored"]) == (30, 30)
    kept = {"actualValue": "no", "wasActedOn": True, "timestamp": "2026-03-01T10:00:00.000000Z"}
    assert account["values"]["row-0"] == kept
    assert stage.service.accepted()["submitDeploymentActualsFromDataset"] == 1


@BOTH
def test_a_dataset_that_is_not_ready_is_waited_for(stage: Stage, deferrable: bool) -> None:
    done = submit(stage, dataset(stage, ready=False), deferrable=deferrable).run()
    assert done.state == "success", done
    assert done.result["rows"] == 30


def test_a_dataset_in_error_is_refused_before_anything_is_sent(stage: Stage) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header line")
    done = submit(stage, dataset(stage)).run()
    assert done.state == "failed"
    assert "DatasetNotUsable" in str(done.error)
    assert "('outcomes.csv') is in state ERROR: no header line" in str(done.error)
    assert "submitDeploymentActualsFromDataset" not in stage.service.accepted()


def test_a_dataset_that_fails_while_it_is_waited_for(stage: Stage) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header line")
    done = submit(stage, dataset(stage, ready=False)).run()
    assert "no header line" in str(done.error)
    assert "submitDeploymentActualsFromDataset" not in stage.service.accepted()


def test_an_empty_dataset_is_refused(stage: Stage) -> None:
    done = submit(stage, dataset(stage, "customer_id,churned\n")).run()
    assert done.state == "failed"
    assert "has no rows" in str(done.error)


def test_without_an_association_id_nothing_is_sent(stage: Stage) -> None:
    settings = {"associationId": {"columnNames": [], "requiredInPredictionRequests": False}}
    stage.service.change("deployments", LABELLED, settings=settings)
    done = submit(stage, dataset(stage)).run()
    assert done.state == "failed"
    assert "set one with DataRobotSetAssociationIdOperator" in str(done.error)


@pytest.mark.parametrize("switch", ["refuse_422", "job_error"])
def test_a_missing_column_is_told_in_the_services_words(stage: Stage, switch: str) -> None:
    stage.service.switches(actuals_dataset_fault=switch)
    done = submit(stage, dataset(stage), actual_value_column="outcome").run()
    assert done.state in ("failed", "retry")
    assert "outcome" in str(done.error)


@pytest.mark.parametrize("fault", [{"answer": "reset"}, {"answer": 504}], ids=str)
def test_a_lost_answer_is_harmless(stage: Stage, fault: Any) -> None:
    stage.service.fault("lost_answer", operationId="submitDeploymentActualsFromDataset", **fault)
    done = submit(stage, dataset(stage)).run()
    assert done.state == "success", done
    assert stage.service.actuals(LABELLED)["stored"] == 30


@BOTH
@pytest.mark.parametrize("told", ["seconds", "none"])
@pytest.mark.parametrize("window", ["sliding", "clock_hour"])
def test_a_spent_quota_is_waited_out(stage: Stage, told: str, window: str, deferrable: bool) -> None:
    stage.service.switches(quota_rows="1000", quota_retry_after=told, quota_window=window)
    full = "customer_id,churned\n" + "".join(f"row-{n},yes\n" for n in range(990))
    first, second = dataset(stage, full), dataset(stage)
    assert submit(stage, first).run().state == "success"
    done = submit(stage, second, deferrable=deferrable).run()
    assert done.state == "success", done
    assert stage.service.actuals(LABELLED)["accepted"] == 1020
    assert sum(stage.naps) < 3 * 3600


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deployment_id": ""}, "deployment_id must be an id"),
        ({"dataset_id": "None"}, "dataset_id must be an id"),
        ({"association_id_column": ""}, "association_id_column must be a text"),
        ({"actual_value_column": "customer_id"}, "must be two columns"),
        ({"keep_actuals_without_predictions": "sometimes"}, "keep_actuals_without_predictions must be true or false"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = submit(stage, **{"dataset_id": "64a1", **given}).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []


def test_a_plan_shows_the_body(stage: Stage) -> None:
    dataset_id = dataset(stage)
    done = submit(stage, dataset_id, plan_only=True, extra_body={"password": "s3cret"}).run()
    body = done.result["plan"]["body"]
    assert body["datasetId"] == dataset_id
    assert body["password"] == "***"
    assert "submitDeploymentActualsFromDataset" not in stage.service.accepted()


# --- the association id -------------------------------------------------------------------------------------------


@BOTH
def test_an_association_id_is_set_and_only_what_differs_is_written(stage: Stage, deferrable: bool) -> None:
    done = associate(stage, ["account", "day"], deferrable=deferrable).run()
    assert done.state == "success", done
    assert done.result == {
        "deployment_id": LABELLED,
        "columns": ["account", "day"],
        "required_in_prediction_requests": False,
        "changed": {"columnNames": ["account", "day"]},
    }
    again = associate(stage, "account,day", required_in_prediction_requests="True").run()
    assert again.result["changed"] == {"requiredInPredictionRequests": True}
    assert associate(stage, "account, day").run().result["changed"] == {}
    written = [{"columnNames": ["account", "day"]}, {"requiredInPredictionRequests": True}]
    assert bodies(stage, "updateDeploymentSettings") == [{"associationId": one} for one in written]


@pytest.mark.parametrize("switch", ["refuse_422", "refuse_409", "job_error"])
def test_one_that_predictions_have_used_cannot_change(stage: Stage, switch: str) -> None:
    stage.service.switches(association_id_change=switch)
    stage.service.predictions(LABELLED, rows=5)
    done = associate(stage, "account").run()
    assert done.state in ("failed", "retry")
    assert "cannot be changed: predictions were made with it" in str(done.error)


@pytest.mark.parametrize("fault", [{"answer": "reset"}, {"answer": 504}], ids=str)
def test_a_lost_answer_to_a_setting(stage: Stage, fault: Any) -> None:
    stage.service.fault("lost_answer", operationId="updateDeploymentSettings", **fault)
    done = associate(stage, "account").run()
    assert done.state == "success", done
    assert done.result["columns"] == ["account"]


def test_done_by_word_and_not_in_fact_is_noticed(stage: Stage) -> None:
    stage.service.fault("status", operationId="updateDeploymentSettings", code=200, body={})
    done = associate(stage, "account").run()
    assert done.state == "failed"
    assert "SettingsNotSeen" in str(done.error)


@pytest.mark.parametrize("columns", ["", [], ["a", "a"], ["a", ""], 5], ids=str)
def test_columns_that_name_nothing(stage: Stage, columns: Any) -> None:
    done = associate(stage, columns).run()
    assert done.state == "failed"
    assert "columns must" in str(done.error)
    assert stage.service.log() == []
