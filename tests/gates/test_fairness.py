"""Fairness as a gate: the worst class of a protected feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.table import predictions, verdict
from tests.stages import LABELLED, read_only

if TYPE_CHECKING:
    from tests.harness import Stage

BIAS = {
    "protectedFeatures": ["region"],
    "preferableTargetValue": True,
    "fairnessMetricsSet": "proportionalParity",
    "fairnessThreshold": 0.8,
}


@pytest.fixture(autouse=True)
def protected(stage: Stage) -> None:
    stage.service.change("deployments", LABELLED, settings={"biasAndFairness": BIAS})


def rows(stage: Stage, hour: int = 12, **regions: tuple[int, int]) -> None:
    """So many predictions of each region, so many of them "yes"."""
    given = [
        {"predicted": 0.9 if n < yes else 0.1, "features": {"region": region}}
        for region, (count, yes) in regions.items()
        for n in range(count)
    ]
    predictions(stage, *given, hour=hour)


def look(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.fairness import DataRobotCheckFairnessOperator
    from airflow_provider.sensors.fairness import DataRobotFairnessSensor

    kinds = (DataRobotCheckFairnessOperator, DataRobotFairnessSensor)
    return verdict(stage, *kinds, outcome, **{"protected_feature": "region", **arguments})


@pytest.mark.parametrize("counts", ["left_out", "given"])
def test_equal_classes_pass(stage: Stage, counts: str) -> None:
    stage.service.switches(fairness_counts=counts)
    rows(stage, north=(200, 100), south=(100, 40))
    found = look(stage, "pass")
    assert (found["value"], found["baseline"], found["measured"], found["sample"]) == (0.8, 0.8, 0.0, 100)
    assert found["reason"] == "difference 0 is >= 0"
    assert found["details"] == {
        "metric": "proportionalParity",
        "protected_feature": "region",
        "scores": {"north": 1.0, "south": 0.8},
        "left_out": [],
        "worst": "south",
        "privileged_class": "north",
    }


def test_a_class_that_is_treated_worse_fails(stage: Stage) -> None:
    rows(stage, north=(200, 100), south=(100, 30))
    assert look(stage, "fail")["details"]["worst"] == "south"
    assert look(stage, "fail", threshold="0.7")["reason"] == "value 0.6 is not >= 0.7"
    assert look(stage, "pass", threshold=0.5)["value"] == 0.6
    assert look(stage, "pass", metric="equalParity", threshold=0.3)["value"] == 0.3


def test_no_rows_are_no_data(stage: Stage) -> None:
    assert look(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"


def test_classes_that_are_too_small_are_left_out_or_no_data(stage: Stage) -> None:
    rows(stage, north=(90, 45), south=(60, 12))
    assert look(stage, "no_data")["details"]["left_out"] == ["north", "south"]
    found = look(stage, "no_data", only_significant="false", minimum_sample=100)
    assert found["reason"] == "the sample has 60 rows, fewer than 100"
    assert look(stage, "fail", only_significant=False)["value"] == 0.4


def test_old_rows_are_no_data(stage: Stage) -> None:
    rows(stage, hour=2, north=(200, 100), south=(100, 50))
    assert look(stage, "no_data", max_age="12h")["reason"].startswith("stale: the newest rows are 21 hours old")
    assert look(stage, "pass", max_age="24h")["age"] == 21


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"protected_feature": " "}, "protected_feature must be a text"),
        ({"threshold": 80}, "threshold must be from 0 to 1, not 80"),
        ({"metric": "kindness"}, "metric must be one of proportionalParity"),
        ({"only_significant": "perhaps"}, "only_significant must be"),
        ({"protected_feature": "shoe"}, "is no protected feature"),
    ],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.fairness import DataRobotCheckFairnessOperator

    arguments = {"deployment_id": LABELLED, "protected_feature": "region", **given}
    done = read_only(stage, DataRobotCheckFairnessOperator, **arguments).run()
    assert done.state == "failed"
    assert told in str(done.error)
