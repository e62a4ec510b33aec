"""Humility as a gate: how many predictions met a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.table import predictions, verdict
from tests.stages import LABELLED, read_only

if TYPE_CHECKING:
    from tests.harness import Stage

UNSURE, ODD = "64b200000000000000000001", "64b200000000000000000002"


@pytest.fixture(autouse=True)
def with_rules(stage: Stage) -> None:
    rules = [{"id": UNSURE, "name": "unsure"}, {"id": ODD, "name": "odd"}]
    stage.service.change("deployments", LABELLED, humilityRules=rules)


def rows(stage: Stage, count: int, unsure: int, odd: int = 0, hour: int = 12) -> None:
    """So many predictions; the first of them met a rule."""
    met = [[name for name, most in ((UNSURE, unsure), (ODD, odd)) if n < most] for n in range(count)]
    predictions(stage, *({"humilityRules": rules} for rules in met), hour=hour)


def look(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.humility import DataRobotCheckHumilityOperator
    from airflow_provider.sensors.humility import DataRobotHumilitySensor

    kinds = (DataRobotCheckHumilityOperator, DataRobotHumilitySensor)
    return verdict(stage, *kinds, outcome, **{"threshold": 0.05, **arguments})


def test_few_hits_pass(stage: Stage) -> None:
    rows(stage, 200, 9, 1)
    found = look(stage, "pass", minimum_sample=200)
    assert (found["value"], found["sample"], found["reason"]) == (0.05, 200, "value 0.05 is <= 0.05")
    assert found["details"] == {"hits": 10, "predictions": 200, "rules": {"unsure": 9, "odd": 1}}


def test_many_hits_fail(stage: Stage) -> None:
    rows(stage, 200, 11)
    assert look(stage, "fail")["value"] == 0.055


@pytest.mark.parametrize(
    ("arguments", "outcome", "value"),
    [
        ({"humility_rule": "odd"}, "pass", 0.01),
        ({"humility_rule": UNSURE}, "fail", 0.1),
        ({"measure": "count", "threshold": "12"}, "pass", 11.0),
        ({"measure": "count", "threshold": 10}, "fail", 11.0),
    ],
)
def test_one_rule_or_a_count(stage: Stage, arguments: dict[str, Any], outcome: str, value: float) -> None:
    rows(stage, 100, 10, 1)
    assert look(stage, outcome, **arguments)["value"] == value


def test_no_or_too_few_predictions_are_no_data(stage: Stage) -> None:
    assert look(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"
    rows(stage, 99, 0)
    assert look(stage, "no_data", minimum_sample=100)["reason"] == "the sample has 99 rows, fewer than 100"


def test_a_deployment_without_rules_is_no_data(stage: Stage) -> None:
    stage.service.change("deployments", LABELLED, humilityRules=[])
    rows(stage, 10, 0)
    assert look(stage, "no_data")["reason"] == "there is no value"


def test_old_predictions_are_no_data(stage: Stage) -> None:
    rows(stage, 10, 0, hour=3)
    assert (
        look(stage, "no_data", max_age="1d", window_last="7d", window_start=None, window_end="2026-03-03")["age"] == 44
    )
    assert look(stage, "pass", max_age="20h")["age"] == 20


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"humility_rule": "modesty"}, "there is no humility rule 'modesty'; there is odd, unsure"),
        ({"threshold": 5}, "threshold must be from 0 on, of a share at most 1, not 5"),
        ({"measure": "weight"}, "measure must be one of share, count"),
    ],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.humility import DataRobotCheckHumilityOperator

    done = read_only(
        stage, DataRobotCheckHumilityOperator, **{"deployment_id": LABELLED, "threshold": 0.05, **given}
    ).run()
    assert done.state == "failed"
    assert told in str(done.error)
