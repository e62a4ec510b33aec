"""Data drift as a gate: of features and of what is predicted, against the training data of the churn model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.table import predictions, verdict
from tests.stages import LABELLED, read_only

if TYPE_CHECKING:
    from tests.harness import Stage

PACKAGE = "64d000000000000000000002"
PLAN = {"type": "categorical", "counts": {"basic": 700, "plus": 300}, "importance": 1.0}
AGE = {"type": "numeric", "edges": [30], "counts": [500, 500], "importance": 0.2}


@pytest.fixture(autouse=True)
def trained(stage: Stage) -> None:
    """Two features: plan, seven to three, and age, half up to thirty; one prediction in five is yes."""
    stage.service.change("baselines", PACKAGE, features=None, target=None)
    target = {"type": "categorical", "counts": {"yes": 200, "no": 800}}
    stage.service.change("baselines", PACKAGE, sampleSize=1000, features={"plan": PLAN, "age": AGE}, target=target)


def rows(stage: Stage, count: int, *, basic: float = 0.7, young: float = 0.5, yes: float = 0.2, hour: int = 12) -> None:
    """So many predictions with these shares."""
    given = [
        {
            "predicted": 0.9 if n < yes * count else 0.1,
            "features": {"plan": "basic" if n < basic * count else "plus", "age": 20 if n < young * count else 40},
        }
        for n in range(count)
    ]
    predictions(stage, *given, hour=hour)


def features(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.drift import DataRobotCheckFeatureDriftOperator
    from airflow_provider.sensors.drift import DataRobotFeatureDriftSensor

    return verdict(stage, DataRobotCheckFeatureDriftOperator, DataRobotFeatureDriftSensor, outcome, **arguments)


def target(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.drift import DataRobotCheckTargetDriftOperator
    from airflow_provider.sensors.drift import DataRobotTargetDriftSensor

    return verdict(stage, DataRobotCheckTargetDriftOperator, DataRobotTargetDriftSensor, outcome, **arguments)


# --- features ------------------------------------------------------------------------------------------------------


def test_data_like_the_training_pass(stage: Stage) -> None:
    rows(stage, 100)
    found = features(stage, "pass", minimum_sample=100)
    assert found["reason"] == "value 0 is <= 0"
    assert (found["value"], found["sample"], found["threshold"]) == (0.0, 100, 0.0)
    assert found["details"] == {
        "metric": "psi",
        "drift_threshold": 0.15,
        "features": 2,
        "drifted": {},
        "highest": pytest.approx(0.0),
        "unscored": [],
    }


def test_a_drifted_feature_fails_and_is_named(stage: Stage) -> None:
    rows(stage, 100, basic=0.2)
    found = features(stage, "fail")
    assert found["reason"] == "value 1 is not <= 0"
    assert found["details"]["drifted"] == {"plan": pytest.approx(1.1168, abs=1e-4)}  # 0.5 ln 3.5 + 0.5 ln 2.667
    assert found["details"]["highest"] == found["details"]["drifted"]["plan"]


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ({"most_drifted": "1"}, "pass"),
        ({"threshold": 1.5}, "pass"),
        ({"threshold": 0.5, "metric": "dissimilarity"}, "pass"),  # 0.5 is not more than 0.5
        ({"threshold": 0.4, "metric": "dissimilarity"}, "fail"),
        ({"features": "age"}, "pass"),
        ({"features": ["plan", "age"]}, "fail"),
        ({"excluded_features": "plan"}, "pass"),
        ({"minimum_importance": 0.5}, "fail"),
        ({"minimum_importance": 0.5, "excluded_features": ["plan"]}, "no_data"),
    ],
    ids=str,
)
def test_which_features_count(stage: Stage, arguments: dict[str, Any], outcome: str) -> None:
    rows(stage, 100, basic=0.2)
    features(stage, outcome, **arguments)


def test_all_pages_are_read(stage: Stage) -> None:
    """130 features, two pages of at most 100; the drifted one is the least important."""
    many = {f"f{n:03}": {**AGE, "importance": 1 - n / 200} for n in range(130)}
    stage.service.change("baselines", PACKAGE, features=None)
    stage.service.change("baselines", PACKAGE, features=many)
    values = dict.fromkeys(many, 20)
    predictions(stage, *({"features": {**values, "f129": 40 if n % 2 else 20}} for n in range(10)))
    found = features(stage, "fail")
    assert (found["details"]["features"], found["value"]) == (130, 129)
    asked = stage.service.log(operationId="getDeploymentFeatureDrift")
    assert [one["query"].get("offset") for one in asked] == [None, "100"] * 2


def test_no_rows_are_no_data(stage: Stage) -> None:
    assert features(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"
    assert target(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"


def test_too_few_rows_are_no_data(stage: Stage) -> None:
    rows(stage, 99)
    for gate in (features, target):
        assert gate(stage, "no_data", minimum_sample=100)["reason"] == "the sample has 99 rows, fewer than 100"


def test_old_rows_are_no_data(stage: Stage) -> None:
    rows(stage, 100, hour=5)
    for gate in (features, target):
        found = gate(stage, "no_data", max_age="12h")
        assert found["reason"].startswith("stale: the newest rows are 18 hours old")
        assert gate(stage, "pass", max_age="18h")["age"] == 18.0


def test_a_named_feature_without_a_score_is_no_data(stage: Stage) -> None:
    """No row tells an income; without names such a feature is told of and left out."""
    stage.service.change("baselines", PACKAGE, features={"income": {**AGE, "counts": [0, 0]}})
    rows(stage, 100)
    assert features(stage, "no_data", features="income, age")["reason"] == "there is no value"
    assert features(stage, "pass")["details"]["unscored"] == ["income"]


def test_an_unknown_feature_is_an_error(stage: Stage) -> None:
    from airflow_provider.operators.drift import DataRobotCheckFeatureDriftOperator

    done = read_only(stage, DataRobotCheckFeatureDriftOperator, deployment_id=LABELLED, features="incme").run()
    assert done.state == "failed"
    assert "no drift of incme; there is of age, plan" in str(done.error)


# --- the target ----------------------------------------------------------------------------------------------------


def test_predictions_like_those_of_the_training_pass(stage: Stage) -> None:
    rows(stage, 100)
    found = target(stage, "pass")
    assert (found["value"], found["sample"]) == (pytest.approx(0.0), 100)
    assert found["details"] == {
        "metric": "psi",
        "target": "churned",
        "baseline_sample": 1000,
        "model_id": "64a100000000000000000002",
    }


def test_other_predictions_fail(stage: Stage) -> None:
    rows(stage, 100, yes=0.5)
    assert target(stage, "fail")["value"] == pytest.approx(0.4159, abs=1e-4)  # 0.3 ln 2.5 + 0.3 ln 1.6
    assert target(stage, "pass", metric="hellinger", threshold=0.25)["value"] == pytest.approx(0.2265, abs=1e-4)


def test_a_model_whose_training_is_unknown_is_no_data(stage: Stage) -> None:
    stage.service.change("baselines", PACKAGE, target=None)
    rows(stage, 100)
    assert target(stage, "no_data")["reason"] == "there is no value"


def test_a_monitoring_batch_is_taken_whole(stage: Stage) -> None:
    batch = "64b100000000000000000001"
    predictions(stage, *[{"batchId": batch, "predicted": 0.9, "timestamp": "2025-11-11T11:00:00Z"}] * 50)
    rows(stage, 100)
    found = target(stage, "fail", filters={"batchId": batch})
    assert (found["sample"], found["window"], found["batches"]) == (50, None, batch)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"metric": "distance"}, "metric must be one of psi, kl_divergence, dissimilarity, hellinger, js_divergence"),
        ({"threshold": -1}, "threshold must be 0 or more, not -1"),
        ({"most_drifted": -1}, "most_drifted must be a whole number from 0 on"),
        ({"features": "age", "minimum_importance": 0.5}, "features names those to look at"),
        ({"minimum_importance": "high"}, "minimum_importance must be a finite number"),
        ({"max_age": "1h", "filters": {"batchId": "a"}}, "max_age goes with a window"),
        ({"window_last": "90m"}, "window_last must be whole hours"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.drift import DataRobotCheckFeatureDriftOperator

    arguments = {"deployment_id": LABELLED, "window_end": "2026-03-02T00:00:00Z", **given}
    done = read_only(stage, DataRobotCheckFeatureDriftOperator, **arguments).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
