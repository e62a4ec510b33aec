"""What Airflow's metrics are told, and that they never matter to a task."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from airflow_provider.hooks import stats
from airflow_provider.hooks.stats import METRICS, OBSERVER, OUTCOMES, outcome_of
from tests.actuals.uploading import LABELLED, upload, write
from tests.custom_metrics.metrics import create, rows, submit
from tests.harness import GOVERNED, UNGOVERNED, Stage, replacing
from tests.observability.conftest import Backend
from tests.people import approve


def test_a_replacement_in_figures(stage: Stage, figures: Backend) -> None:
    assert replacing(stage, UNGOVERNED).run().state == "success"
    write = {"operation": "replaceDeploymentModel"}
    assert figures.sum("datarobot.requests", **write, outcome="ok") == 1
    assert figures.sum("datarobot.requests") == len(stage.service.log())
    assert len(figures.values("datarobot.request_time")) == len(stage.service.log())
    looks = [one for one in stage.service.log() if one["operationId"] == "getStatus"]
    assert figures.sum("datarobot.polls", operation="getStatus") == len(looks) > 0
    assert figures.sum("datarobot.retries") == 0
    (lasted,) = figures.values("datarobot.wait_time", **write, outcome="done")
    assert lasted > timedelta(seconds=5)
    for state in ("intended", "submitted", "waiting", "over", "settled"):
        assert figures.sum("datarobot.work", **write, state=state) == 1, state


def test_each_figure_has_the_tags_of_the_table(stage: Stage, figures: Backend) -> None:
    stage.enter("reviewer", approve, after=60)
    replacing(stage, GOVERNED).run()
    tags = {one.name: set(one.tags) for one in METRICS}
    assert {name for name, _, _ in figures.told if name.startswith("datarobot.")} <= set(tags)
    assert all(set(found) == tags[name] for name, _, found in figures.told if name.startswith("datarobot."))


def test_an_attempt_that_died_does_not_shorten_the_wait(stage: Stage, figures: Backend) -> None:
    stage.service.fault("status", code=503, operationId="getStatus", times=0)
    task = replacing(stage, UNGOVERNED, apply_timeout=86400)
    assert task.attempt().state == "retry"
    (first,) = figures.values("datarobot.wait_time", outcome="gave_up")
    assert first > timedelta(minutes=29)
    stage.service.remove_fault()
    stage.sleep(300)
    assert task.attempt().state == "success"
    (second,) = figures.values("datarobot.wait_time", outcome="done")
    assert second > first + timedelta(minutes=5)


def test_a_write_that_is_sent_again_after_a_lost_answer_is_counted(stage: Stage, figures: Backend) -> None:
    stage.service.fault("status", code=504, operationId="replaceDeploymentModel")
    assert replacing(stage, UNGOVERNED).run().state == "success"
    assert figures.sum("datarobot.requests", operation="replaceDeploymentModel", outcome="failed") == 1
    assert figures.sum("datarobot.sent_twice", operation="replaceDeploymentModel") == 1
    assert figures.sum("datarobot.retries", operation="replaceDeploymentModel") == 0  # none of the client's own


def test_repeats_within_a_call_are_counted(stage: Stage, figures: Backend) -> None:
    stage.service.fault("status", code=503, operationId="getDeployment")
    assert replacing(stage, UNGOVERNED).run().state == "success"
    assert figures.sum("datarobot.retries", operation="getDeployment") == 1


def test_rows_of_actuals_and_what_the_hour_has_room_for(stage: Stage, figures: Backend, tmp_path: Path) -> None:
    outcomes = [(f"row-{number}", "yes") for number in range(90)]
    stage.service.predictions(LABELLED, rows=100, start="2026-03-01T00:00:00Z", end="2026-03-02T00:00:00Z")
    file = write(tmp_path / "outcomes.csv", outcomes)
    assert upload(stage, file, hourly_budget=1000).run().state == "success"
    assert figures.sum("datarobot.rows", operation="submitDeploymentActualsFromJson") == 90
    assert figures.values("datarobot.quota_left", deployment=LABELLED)[-1] == 910


def test_values_of_custom_metrics_are_rows_too(stage: Stage, figures: Backend) -> None:
    create(stage).run()
    assert submit(stage, source=rows(stage, 7)).run().state == "success"
    assert figures.sum("datarobot.rows", operation="submitDeploymentCustomMetricValuesFromJson") == 7


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_backend_that_raises_is_of_no_concern_to_a_task(stage: Stage, figures: Backend, deferrable: bool) -> None:
    figures.broken = True
    assert replacing(stage, UNGOVERNED, deferrable=deferrable).run().state == "success"


def test_without_airflows_stats_nothing_is_told(monkeypatch: pytest.MonkeyPatch, figures: Backend) -> None:
    stats._stats.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "airflow.providers.common.compat.sdk", ModuleType("nothing"))
        OBSERVER.request("getStatus", "GET", "status/1/", 200, 0.1, 0)
    stats._stats.cache_clear()
    assert figures.told == []


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (None, "no_answer"),
        (200, "ok"),
        (202, "ok"),
        (303, "ok"),
        (404, "refused"),
        (408, "failed"),
        (429, "throttled"),
        (500, "failed"),
        (504, "failed"),
    ],
)
def test_each_status_has_a_word(status: int | None, word: str) -> None:
    assert outcome_of(status) == word
    assert word in OUTCOMES


def test_a_path_of_no_operation_makes_no_tag_of_its_own(figures: Backend) -> None:
    OBSERVER.request("GET elsewhere/64e/", "GET", "elsewhere/64e/", None, -0.5, 0)
    assert figures.sum("datarobot.polls", operation="other") == 1
    assert figures.values("datarobot.request_time", outcome="no_answer") == [timedelta(0)]
