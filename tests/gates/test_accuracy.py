"""Accuracy as a gate: what passes, what fails, and that no data does neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.rows import BEGIN, actuals, predictions
from tests.stages import LABELLED, read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

DAY = {"window_start": BEGIN, "window_last": "24h", "window_end": "2026-03-02T00:00:00Z"}
AUC = {"metric": "AUC", "comparison": ">=", "threshold": 0.7, **DAY}


def check(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.accuracy import DataRobotCheckAccuracyOperator

    return read_only(stage, DataRobotCheckAccuracyOperator, **{"deployment_id": LABELLED, **AUC, **arguments})


def sense(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.sensors.accuracy import DataRobotAccuracySensor

    given = {"poke_interval": 60.0, "timeout": 7200, "deployment_id": LABELLED, **AUC, **arguments}
    return task(stage, DataRobotAccuracySensor, **given)


# --- the operator -------------------------------------------------------------------------------------------------


def test_good_predictions_pass_and_the_verdict_has_all_numbers(stage: Stage) -> None:
    predictions(stage, 200)
    actuals(stage, 200, right=0.9)
    run = check(stage, minimum_sample="100", threshold="0.7")
    done = run.run()
    assert done.state == "success", done
    verdict = done.result
    assert run.xcoms["verdict"] == verdict
    assert (verdict["outcome"], verdict["passed"], verdict["sample"]) == ("pass", True, 200)
    assert verdict["value"] == verdict["measured"] > 0.7
    assert verdict["reason"] == f"value {verdict['value']:.6g} is >= 0.7"
    assert (verdict["metric"], verdict["deployment_id"]) == ("AUC", LABELLED)
    assert verdict["window"] == {"start": BEGIN, "end": "2026-03-02T00:00:00Z", "hours": 24}
    assert verdict["details"] == {"metric": "AUC", "model_id": "64a100000000000000000002"}
    [asked] = stage.service.log(operationId="getDeploymentAccuracy")
    assert asked["query"] == {
        "start": BEGIN,
        "end": "2026-03-02T00:00:00Z",
        "modelId": "64a100000000000000000002",
    }


@pytest.mark.parametrize(("on_fail", "state"), [("fail", "failed"), ("skip", "skipped")])
def test_bad_predictions_fail_or_skip_and_tell_why(stage: Stage, on_fail: str, state: str) -> None:
    predictions(stage, 200)
    actuals(stage, 200, right=0.5)
    run = check(stage, on_fail=on_fail)
    done = run.run()
    assert done.state == state
    assert "is not >= 0.7" in str(done.error)
    assert "sample 200" in str(done.error)
    assert (run.xcoms["verdict"]["outcome"], run.xcoms["verdict"]["passed"]) == ("fail", False)


@pytest.mark.parametrize("few", ["null_values", "left_out"])
@pytest.mark.parametrize(
    ("policy", "state"), [("fail", "failed"), ("skip", "skipped"), ("pass", "success")], ids=["fail", "skip", "pass"]
)
@pytest.mark.parametrize("labels", [0, 99], ids=["no labels", "too few"])
def test_no_data_passes_only_when_it_is_asked_to(stage: Stage, few: str, policy: str, state: str, labels: int) -> None:
    stage.service.switches(few_actuals=few)
    predictions(stage, 200)
    if labels:
        actuals(stage, labels, right=1.0)
    run = check(stage, on_no_data=policy)
    assert run.run().state == state
    verdict = run.xcoms["verdict"]
    assert (verdict["outcome"], verdict["passed"], verdict["measured"]) == ("no_data", policy == "pass", None)


def test_a_window_without_predictions_is_no_data(stage: Stage) -> None:
    done = check(stage).run()
    assert done.state == "failed"
    assert "no_data: the sample has 0 rows, fewer than 1" in str(done.error)


def test_a_larger_sample_than_there_is_is_no_data(stage: Stage) -> None:
    predictions(stage, 200)
    actuals(stage, 150, right=0.9)
    done = check(stage, minimum_sample=151).run()
    assert done.state == "failed"
    assert "no_data: the sample has 150 rows, fewer than 151" in str(done.error)


def test_a_monitoring_batch_is_taken_whole(stage: Stage) -> None:
    """Scored long before the window."""
    batch = "64b100000000000000000001"
    data = [
        {"associationId": f"row-{n}", "predicted": 0.9 if n % 2 else 0.1, "timestamp": "2025-11-11", "batchId": batch}
        for n in range(120)
    ]
    stage.service.predictions(LABELLED, data=data)
    actuals(stage, 120, right=1.0)
    found = check(stage, filters={"batchId": batch}, minimum_sample=120).run().result
    assert (found["value"], found["sample"], found["window"], found["batches"]) == (1.0, 120, None, batch)


def test_labels_of_old_rows_only_are_no_data(stage: Stage) -> None:
    """The newest row with a label is of 14 o'clock; later ones have none yet."""
    predictions(stage, 240)
    actuals(stage, 150, right=0.9)
    run = check(stage, max_age="8h")
    assert run.run().state == "failed"
    assert run.xcoms["verdict"]["reason"].startswith("stale: the newest rows are 9 hours old")
    assert check(stage, max_age="9h").run().result["age"] == 9.0


@pytest.mark.parametrize(
    ("metric", "view", "comparison", "threshold", "outcome"),
    [
        ("AUC", "improvement", ">=", -5, "fail"),  # some 40 % worse
        ("AUC", "improvement", ">=", -60, "pass"),
        ("AUC", "ratio", ">", 0.9, "fail"),
        ("AUC", "difference", "<", 0, "pass"),
        ("LogLoss", "improvement", "<", 0, "pass"),  # less is better: a higher one is no improvement
        ("LogLoss", "difference", ">", 0, "pass"),
    ],
)
def test_against_the_baseline(
    stage: Stage, metric: str, view: str, comparison: str, threshold: float, outcome: str
) -> None:
    baseline = {"sampleSize": 500, "metrics": {"AUC": 0.9, "LogLoss": 0.2}}
    stage.service.change("packages", "64d000000000000000000002", baseline=baseline)
    predictions(stage, 200)
    actuals(stage, 200, right=0.5)
    run = check(stage, metric=metric, view=view, comparison=comparison, threshold=threshold)
    run.run()
    assert run.xcoms["verdict"]["outcome"] == outcome
    assert run.xcoms["verdict"]["baseline"] == baseline["metrics"][metric]  # type: ignore[index]


def test_without_a_baseline_nothing_is_compared_with_one(stage: Stage) -> None:
    predictions(stage, 200)
    actuals(stage, 200, right=0.9)
    done = check(stage, view="ratio").run()
    assert done.state == "failed"
    assert "no_data: there is no baseline, and ratio needs one" in str(done.error)


def test_the_window_ends_with_the_data_interval_or_with_the_present_hour(stage: Stage) -> None:
    from datetime import UTC, datetime

    predictions(stage, 200)
    actuals(stage, 200, right=0.9)
    asked = {"window_start": None, "window_end": None, "window_last": "32h"}
    run = check(stage, **asked)
    assert run.run().result["window"]["end"] == "2026-03-02T08:00:00Z"  # the stage begins at eight
    plain = run._context
    run._context = lambda: {**plain(), "data_interval_end": datetime(2026, 3, 2, 2, 30, tzinfo=UTC)}  # type: ignore[method-assign]
    assert run.run().result["window"] == {
        "start": "2026-02-28T18:00:00Z",
        "end": "2026-03-02T02:00:00Z",
        "hours": 32,
    }


def test_after_a_replacement_the_champion_counts_and_another_when_it_is_named(stage: Stage) -> None:
    predictions(stage, 200)
    actuals(stage, 200, right=0.9)
    stage.service.switches(default_model="all")
    predictions(stage, 150, prefix="new-", modelId="64a100000000000000000003")
    actuals(stage, 150, right=0.5, prefix="new-")
    assert check(stage).run().result["sample"] == 200
    done = check(stage, model_id="64a100000000000000000003").run()
    assert done.state == "failed"
    assert "sample 150" in str(done.error)


def test_a_metric_of_another_kind_of_target_is_named(stage: Stage) -> None:
    predictions(stage, 200)
    actuals(stage, 200, right=0.9)
    done = check(stage, metric="Speed").run()
    assert done.state == "failed"
    assert "no metric 'Speed'; it has " in str(done.error)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deployment_id": ""}, "deployment_id must be an id"),
        ({"metric": " "}, "metric must be a text"),
        ({"comparison": "="}, "comparison must be one of <, <=, >, >=, not '='"),
        ({"threshold": "high"}, "threshold must be a finite number, not 'high'"),
        ({"threshold": "nan"}, "threshold must be a finite number"),
        ({"view": "median"}, "view must be one of"),
        ({"minimum_sample": 0}, "minimum_sample must be a whole number from 1 on"),
        ({"window_start": "2026-03-01T00:30:00Z"}, "window_start must be on the hour"),
        ({"window_last": "soon"}, "window_last must be whole hours"),
        ({"on_fail": "wait"}, "on_fail must be one of fail, skip, branch"),
        ({"on_no_data": "ignore"}, "on_no_data must be one of fail, skip, branch, pass"),
        ({"on_fail": "branch"}, "branches must name the tasks to follow for pass, fail: pass is missing"),
        ({"branches": {"pass": []}}, "branches are given, and no outcome is to branch"),
        ({"filters": "x"}, "filters must be a mapping"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_arguments_are_refused_before_anything_is_sent(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = check(stage, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []


def test_an_unknown_filter_is_refused(stage: Stage) -> None:
    done = check(stage, filters={"segment": "NY"}).run()
    assert done.state == "failed"
    assert "no argument 'segment'" in str(done.error)


# --- the sensor ---------------------------------------------------------------------------------------------------


def test_the_sensor_waits_for_late_labels_and_for_a_pass(stage: Stage) -> None:
    predictions(stage, 200)
    stage.at(600, lambda: actuals(stage, 50, right=0.9))
    stage.at(1800, lambda: actuals(stage, 200, right=0.9))
    run = sense(stage)
    done = run.run()
    assert done.state == "success", done
    assert done.result["sample"] == 200
    assert run.xcoms["verdict"] == done.result
    assert 1800 <= sum(stage.naps) < 2400


def test_the_sensor_never_passes_without_data(stage: Stage) -> None:
    predictions(stage, 200)
    done = sense(stage, threshold=-1, timeout=600).run()
    assert done.state != "success"
    assert "not over after 600 s: no_data: " in str(done.error)


@pytest.mark.parametrize(("on_fail", "state"), [("fail", "failed"), ("skip", "skipped")])
def test_the_sensor_may_wait_for_data_only(stage: Stage, on_fail: str, state: str) -> None:
    predictions(stage, 200)
    stage.at(600, lambda: actuals(stage, 200, right=0.5))
    run = sense(stage, wait_for="data", on_fail=on_fail)
    done = run.run()
    assert done.state == state
    assert run.xcoms["verdict"]["outcome"] == "fail"
    assert sum(stage.naps) < 1200


def test_an_outcome_that_cannot_come_is_not_chosen(stage: Stage) -> None:
    done = sense(stage, on_fail="skip").run()
    assert done.state == "failed"
    assert "on_fail='skip' needs wait_for='data'" in str(done.error)
    assert stage.service.log() == []
