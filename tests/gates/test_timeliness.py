"""Timeliness as a gate: predictions, and their actuals, must keep coming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.rows import actuals
from tests.gates.rows import predictions as over_the_day
from tests.gates.table import predictions, verdict
from tests.stages import LABELLED, read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage


def made(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.timeliness import DataRobotCheckPredictionsTimelinessOperator
    from airflow_provider.sensors.timeliness import DataRobotPredictionsTimelinessSensor

    kinds = (DataRobotCheckPredictionsTimelinessOperator, DataRobotPredictionsTimelinessSensor)
    return verdict(stage, *kinds, outcome, **{"max_age": "6h", **arguments})


def labelled(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.timeliness import DataRobotCheckActualsTimelinessOperator
    from airflow_provider.sensors.timeliness import DataRobotActualsTimelinessSensor

    kinds = (DataRobotCheckActualsTimelinessOperator, DataRobotActualsTimelinessSensor)
    return verdict(stage, *kinds, outcome, **{"max_age": "6h", **arguments})


def test_new_predictions_pass(stage: Stage) -> None:
    predictions(stage, *[{}] * 10, hour=17)
    found = made(stage, "pass", minimum_sample=10)
    assert found["reason"] == "value 6 is <= 6"
    assert (found["value"], found["sample"], found["details"]) == (6.0, 10, {"newest": "2026-03-01T18:00:00Z"})


def test_old_predictions_fail(stage: Stage) -> None:
    predictions(stage, *[{}] * 10, hour=16)
    assert made(stage, "fail")["value"] == 7.0


def test_no_or_too_few_predictions_are_no_data(stage: Stage) -> None:
    assert made(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"
    predictions(stage, {}, hour=20)
    assert made(stage, "no_data", minimum_sample=2)["reason"] == "the sample has 1 rows, fewer than 2"


def test_actuals_have_an_age_of_their_own(stage: Stage) -> None:
    """240 predictions over the day; the labels of the first come in."""
    over_the_day(stage, 240)
    assert made(stage, "pass", max_age="1h")["value"] == 0.0
    assert labelled(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"
    actuals(stage, 175, right=1.0)
    assert labelled(stage, "pass")["value"] == 6.0
    assert labelled(stage, "fail", max_age="5h")["sample"] == 175


def test_a_sensor_waits_for_the_next_predictions(stage: Stage) -> None:
    from airflow_provider.sensors.timeliness import DataRobotPredictionsTimelinessSensor

    predictions(stage, {}, hour=1)
    stage.at(600, lambda: predictions(stage, {}, hour=23))
    given: dict[str, Any] = {"deployment_id": LABELLED, "max_age": "2h", "poke_interval": 60.0, "timeout": 3600}
    run = task(stage, DataRobotPredictionsTimelinessSensor, **given, window_last="24h", window_end="2026-03-02")
    assert run.run().result["value"] == 0.0
    assert 600 <= sum(stage.naps) < 900


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "max_age must be whole hours, at least one"),
        ({"max_age": "90m"}, "max_age must be whole hours"),
        ({"max_age": "2d", "window_last": "24h"}, "the window has 24 hours, fewer than the 48 of max_age"),
        (
            {"max_age": "2d", "window_start": "2026-03-01", "window_end": "2026-03-02"},
            "the window has 24 hours, fewer than the 48 of max_age",
        ),
    ],
    ids=str,
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.timeliness import DataRobotCheckActualsTimelinessOperator

    done = read_only(stage, DataRobotCheckActualsTimelinessOperator, deployment_id=LABELLED, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
