"""Custom metrics as tasks: made once, taken by name, compared, changed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.custom_metrics.metrics import create, delete, rows, submit, summary, update
from tests.harness import UNGOVERNED

if TYPE_CHECKING:
    from tests.harness import Stage

LOST = [{"answer": "reset"}, {"answer": 504}]


def test_a_metric_is_made_once(stage: Stage) -> None:
    made = create(stage, baseline_value="12", directionality="HIGHERISBETTER", value_column="v").run()
    assert made.state == "success", made
    [metric] = stage.service.world("customMetrics").values()
    assert (made.result["custom_metric_id"], made.result["created"]) == (metric["id"], True)
    assert (metric["baselineValues"], metric["directionality"], metric["value"]) == (
        [{"value": 12}],
        "higherIsBetter",
        {"columnName": "v"},
    )
    again = create(stage, baseline_value=12).run()
    assert (again.result["custom_metric_id"], again.result["created"]) == (metric["id"], False)
    assert stage.service.accepted() == {"createDeploymentCustomMetric": 1}


@pytest.mark.parametrize("store", [False, True], ids=["before 3.3", "3.3"])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_makes_no_second_metric(stage: Stage, fault: Any, store: bool) -> None:
    stage.service.fault("lost_answer", operationId="createDeploymentCustomMetric", **fault)
    made = create(stage, store=store).run()
    assert (made.state, made.result["created"]) == ("success", True)
    assert stage.service.count("customMetricCreated") == 1


@pytest.mark.parametrize("taken", ["refuse_422", "refuse_409"])
@pytest.mark.parametrize("lag", [1, 2, 3])
def test_a_list_that_is_behind_hides_what_a_lost_answer_made(stage: Stage, taken: str, lag: int) -> None:
    """It is sent again, the name is refused, and the list is asked until it shows whose it is."""
    stage.anew(lag=lag, metric_name_taken=taken)
    stage.service.fault("lost_answer", operationId="createDeploymentCustomMetric")
    made = create(stage).run()
    assert made.state == "success", made
    assert stage.service.count("customMetricCreated") == 1


def test_a_lost_request_is_sent_once_more(stage: Stage) -> None:
    stage.service.fault("reset", operationId="createDeploymentCustomMetric")
    assert create(stage).run().state == "success"
    assert stage.service.count("customMetricCreated") == 1


def test_one_that_differs_is_told_changed_or_ignored(stage: Stage) -> None:
    first = create(stage).run().result
    ending = create(stage, units="USD").run()
    assert ending.state == "failed"
    assert str(ending.error).startswith("CustomMetricDiffers")
    assert "{'units': 'EUR'}" in str(ending.error)
    ignored = create(stage, units="USD", on_difference="ignore").run().result
    assert (ignored["changed"], ignored["metric"]["units"]) == ({}, "EUR")
    changed = create(stage, units="USD", on_difference="update").run().result
    assert (changed["custom_metric_id"], changed["changed"]) == (first["custom_metric_id"], {"units": "USD"})
    assert changed["metric"]["units"] == "USD"
    fixed = create(stage, units="USD", model_specific=True, on_difference="update").run()
    assert "isModelSpecific cannot be changed" in str(fixed.error)


def test_the_26th_is_refused_in_the_words_of_the_service(stage: Stage) -> None:
    for number in range(25):
        create(stage, name=f"metric {number}").run()
    ending = create(stage).run()
    assert ending.state == "failed"
    assert "Maximum number of custom metrics reached" in str(ending.error)


@pytest.mark.parametrize("fault", [None, *LOST], ids=str)
def test_only_what_differs_is_written(stage: Stage, fault: Any) -> None:
    create(stage, baseline_value=1).run()
    if fault is not None:
        stage.service.fault("lost_answer", operationId="updateDeploymentCustomMetric", **fault)
    done = update(stage, name="Savings", units="EUR", baseline_values=[], description="of the month").run()
    assert done.result["changed"] == {"baselineValues": [], "description": "of the month"}
    assert stage.service.count("customMetricUpdated") == 1
    again = update(stage, name="Savings", baseline_values=[], units="EUR").run()
    assert again.result["changed"] == {}
    assert stage.service.count("customMetricUpdated") == 1


@pytest.mark.parametrize("fault", [None, *LOST], ids=str)
def test_what_is_gone_is_not_deleted_again(stage: Stage, fault: Any) -> None:
    key = create(stage).run().result["custom_metric_id"]
    if fault is not None:
        stage.service.fault("lost_answer", operationId="deleteDeploymentCustomMetric", **fault)
    assert delete(stage, name="Savings").run().result == {"custom_metric_id": key, "deleted": True}
    assert delete(stage, custom_metric_id=key).run().result == {"custom_metric_id": key, "deleted": False}
    assert delete(stage, name="Savings").run().result == {"custom_metric_id": None, "deleted": False}
    assert stage.service.accepted()["deleteDeploymentCustomMetric"] == 1


def test_a_summary(stage: Stage) -> None:
    create(stage, metric_type="average", baseline_value=2).run()
    empty = summary(stage).run().result
    assert (empty["value"], empty["sample"], empty["baseline"]) == (None, 0, 2)
    assert submit(stage, source=rows(stage, 4, 3.0)).run().state == "success"
    found = summary(stage, window_last="24h", window_end="2026-03-02T10:00:00Z").run()
    assert found.state == "success", found
    told = {name: found.result[name] for name in ("value", "baseline", "percent_change", "sample", "name")}
    assert told == {"value": 3, "baseline": 2, "percent_change": 50, "sample": 4, "name": "Savings"}
    assert found.result["window"]["hours"] == 24
    over = summary(stage, batch_ids="all").run().result
    assert (over["value"], over["window"]) == (None, None)
    missing = summary(stage, name="Costs").run()
    assert str(missing.error).startswith(f"CustomMetricMissing: deployment {UNGOVERNED} has no custom metric")


@pytest.mark.parametrize(
    ("task", "arguments", "told"),
    [
        (create, {"name": " "}, "name must be a text"),
        (create, {"metric_type": "median"}, "metric_type must be one of average, gauge, sum, categorical"),
        (create, {"directionality": "up"}, "directionality must be one of higherIsBetter, lowerIsBetter"),
        (create, {"baseline_value": "much"}, "baseline_value must be a finite number"),
        (create, {"timestamp_format": "%Y"}, "timestamp_format needs timestamp_column"),
        (create, {"on_difference": "shrug"}, "on_difference must be one of fail, update, ignore"),
        (create, {"deployment_id": "{{ x }}"}, "deployment_id must be an id"),
        (update, {"name": "Savings"}, "nothing is to be changed"),
        (update, {"units": "x"}, "give exactly one of custom_metric_id and name"),
        (update, {"name": "a", "custom_metric_id": "b", "units": "x"}, "give exactly one of custom_metric_id and name"),
        (delete, {"custom_metric_id": "a b"}, "custom_metric_id must be an id"),
        (summary, {"window_start": "2026-03-01T00:30:00Z"}, "window_start must be on the hour"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(stage: Stage, task: Any, arguments: Any, told: str) -> None:
    ending = task(stage, **arguments).run()
    assert ending.state == "failed"
    assert told in str(ending.error)
    assert stage.service.log(user="requester@example.com") == []


def test_a_plan_sends_nothing(stage: Stage) -> None:
    plan = create(stage, plan_only=True).run().result["plan"]
    assert plan["body"]["name"] == "Savings"
    assert stage.service.accepted() == {}


def test_no_permission_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    token = stage.service.tokens["reviewer"]
    connection = {"conn_type": "datarobot", "host": stage.service.endpoint, "password": token}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
    ending = create(stage).run()
    assert (ending.state, "Forbidden" in str(ending.error)) == ("failed", True)
