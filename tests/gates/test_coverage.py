"""Waiting for late labels: the share of predictions that have one, by row counts and row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.rows import BEGIN, actuals, predictions
from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

DAY = {"window_start": BEGIN, "window_end": "2026-03-02T00:00:00Z"}
BY = pytest.mark.parametrize("by", ["summary", "rows"])


def sense(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.sensors.coverage import DataRobotActualsCoverageSensor

    given = {"poke_interval": 60.0, "timeout": 7200, "deployment_id": LABELLED, "share": 0.8, **DAY, **arguments}
    return task(stage, DataRobotActualsCoverageSensor, **given)


@BY
def test_it_waits_until_enough_predictions_have_their_label(stage: Stage, by: str) -> None:
    stage.service.switches(page_size="100")
    predictions(stage, 250)
    stage.at(300, lambda: actuals(stage, 199, right=1.0))
    stage.at(1200, lambda: actuals(stage, 200, right=1.0))
    run = sense(stage, by=by, share="0.8")
    done = run.run()
    assert done.state == "success", done
    assert run.deferrals == 1
    verdict = done.result
    assert (verdict["outcome"], verdict["value"], verdict["sample"]) == ("pass", 0.8, 250)
    assert verdict["details"] == {"predictions": 250, "with_actual": 200}
    assert run.xcoms["verdict"] == verdict
    assert 1200 <= sum(stage.naps) < 1500


@pytest.mark.parametrize("labels", [0, 1, 120, 250])
def test_both_ways_of_counting_agree(stage: Stage, labels: int) -> None:
    """Also where the rows take three pages."""
    stage.service.switches(page_size="100")
    predictions(stage, 250)
    if labels:
        actuals(stage, labels, right=1.0)
    by = [sense(stage, by=way, wait_for="data", on_fail="skip", share=1) for way in ("summary", "rows")]
    states = [run.run().state for run in by]
    assert states[0] == states[1] == ("success" if labels == 250 else "skipped")
    first, second = (run.xcoms["verdict"] for run in by)
    assert first == second
    assert first["value"] == labels / 250


@BY
def test_a_window_without_predictions_never_passes(stage: Stage, by: str) -> None:
    done = sense(stage, by=by, share=0.0001, timeout=600).run()
    assert done.state != "success"
    assert "not over after 600 s: no_data: the sample has 0 rows, fewer than 1" in str(done.error)


def test_fewer_predictions_than_expected_never_pass(stage: Stage) -> None:
    predictions(stage, 250)
    actuals(stage, 250, right=1.0)
    done = sense(stage, minimum_predictions=251, timeout=600).run()
    assert "the sample has 250 rows, fewer than 251" in str(done.error)


def test_the_window_counts_its_start_and_not_its_end(stage: Stage) -> None:
    predictions(stage, 24)  # one on every hour
    actuals(stage, 24, right=1.0)
    found = sense(stage, window_start="2026-03-01T06:00:00Z", window_end="2026-03-01T12:00:00Z").run().result
    assert found["details"] == {"predictions": 6, "with_actual": 6}
    assert found["window"]["hours"] == 6


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_in_other_modes_each_poke_is_one_whole_look(stage: Stage, mode: str) -> None:
    """A look of three pages too, in a process of its own each time."""
    stage.service.switches(page_size="100")
    predictions(stage, 250)
    actuals(stage, 250, right=1.0)
    run = sense(stage, by="rows", mode=mode, deferrable=False)
    plain = run._context

    def context() -> dict[str, Any]:
        found = plain()
        found["ti"].get_first_reschedule_date = lambda context: None
        return found

    run._context = context  # type: ignore[method-assign]
    assert run.run().result["sample"] == 250
    pages = stage.service.log(operationId="listDeploymentPredictionResults")
    assert [one["query"].get("offset") for one in pages] == [None, "100", "200"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"share": 0}, "share must be more than 0 and at most 1, not 0"),
        ({"share": 80}, "share must be more than 0 and at most 1, not 80"),
        ({"share": "most"}, "share must be a finite number"),
        ({"minimum_predictions": -1}, "minimum_predictions must be a whole number"),
        ({"by": "eye"}, "by must be one of summary, rows"),
        ({"wait_for": "godot"}, "wait_for must be one of pass, data"),
        ({"window_end": "2026-03-01T00:00:00Z"}, "before it begins"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    done = sense(stage, **given).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
