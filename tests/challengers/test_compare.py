"""Champion against challengers: when a challenger counts as better, and that nothing passes without data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.challengers.rivals import MODEL, challenger, replayed
from tests.gates.rows import BEGIN, actuals, predictions
from tests.harness import V2, V3, V4
from tests.stages import LABELLED, read_only

if TYPE_CHECKING:
    from tests.harness import Ending, Stage, Task

END = "2026-03-02T00:00:00Z"
DAY = {"window_start": BEGIN, "window_end": END}


def compare(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.compare_challengers import DataRobotCompareChallengersOperator

    given = {"deployment_id": LABELLED, "metric": "LogLoss", **DAY, **arguments}
    return read_only(stage, DataRobotCompareChallengersOperator, **given)


def verdict_of(stage: Stage, **arguments: Any) -> dict[str, Any]:
    """The verdict, however the task ended."""
    run = compare(stage, **arguments)
    run.run()
    verdict: dict[str, Any] = run.xcoms["verdict"]
    return verdict


def a_day(stage: Stage, *, count: int = 200, labels: int | None = None, right: float = 0.8) -> None:
    """Predictions of the first of March, and actuals for the first of them."""
    stage.service.switches(quota_rows="off", post_rate="off")
    predictions(stage, count)
    if labels != 0:
        actuals(stage, count if labels is None else labels, right=right)


@pytest.mark.parametrize("order", ["by_id", "newest_first"])
@pytest.mark.parametrize("metric", ["LogLoss", "AUC"], ids=["less is better", "more is better"])
def test_the_better_challenger_wins_whatever_the_metric(stage: Stage, metric: str, order: str) -> None:
    stage.service.switches(list_order=order)
    a_day(stage)
    good, bad = challenger(stage, V3, skill=0.3, name="good"), challenger(stage, V4, skill=-0.8, name="bad")
    replayed(stage)
    run = compare(stage, metric=metric)
    done = run.run()
    assert done.state == "success", done
    found = done.result
    assert run.xcoms["verdict"] == found
    assert (found["outcome"], found["passed"]) == ("pass", True)
    assert (found["best_challenger_id"], found["best_model_package_id"]) == (good, V3)
    assert found["improvement"] == found["measured"] > 0
    assert found["reason"].startswith(f"the best challenger is 'good' with {metric} ")
    by_id = {one["challenger_id"]: one for one in found["challengers"]}
    assert {key: one["outcome"] for key, one in by_id.items()} == {good: "pass", bad: "fail"}
    assert found["best"] == by_id[good]
    assert by_id[bad]["improvement"] < 0
    assert (by_id[good]["model_id"], by_id[good]["sample"], found["champion"]["sample"]) == (MODEL[V3], 200, 200)
    assert by_id[good]["difference"] == by_id[good]["value"] - found["baseline"]
    assert found["champion"]["model_package_id"] == V2
    assert found["champion"]["value"] == found["baseline"]
    assert found["window"] == {"start": BEGIN, "end": END, "hours": 24}


def ending(stage: Stage, **arguments: Any) -> Ending:
    return compare(stage, **arguments).run()


@pytest.mark.parametrize(
    ("skill", "rule", "outcome"),
    [
        (0.3, {}, "pass"),
        (0.0, {}, "fail"),  # the same predictions: not better by more than nothing
        (0.0, {"comparison": ">="}, "pass"),
        (-0.5, {}, "fail"),
        (0.3, {"threshold": "5"}, "pass"),
        (0.3, {"threshold": 90}, "fail"),
        (-0.5, {"comparison": ">=", "threshold": -1000}, "pass"),
        (0.3, {"view": "difference", "comparison": "<", "threshold": 0}, "pass"),
        (0.3, {"view": "ratio", "comparison": "<=", "threshold": 0.99}, "pass"),
        (0.3, {"view": "value", "comparison": "<=", "threshold": 0.01}, "fail"),
    ],
)
def test_the_rule_decides(stage: Stage, skill: float, rule: dict[str, Any], outcome: str) -> None:
    a_day(stage)
    challenger(stage, skill=skill)
    replayed(stage)
    done = ending(stage, **rule)
    assert done.state == ("success" if outcome == "pass" else "failed"), done
    assert verdict_of(stage, **rule)["outcome"] == outcome


def no_challenger(stage: Stage) -> None:
    a_day(stage)


def no_replay(stage: Stage) -> None:
    a_day(stage)
    challenger(stage, skill=0.3)


def no_predictions(stage: Stage) -> None:
    challenger(stage, skill=0.3)


def no_actuals(stage: Stage) -> None:
    a_day(stage, labels=0)
    challenger(stage, skill=0.3)
    replayed(stage)


def few_actuals(stage: Stage) -> None:
    a_day(stage, labels=99)
    challenger(stage, skill=0.3)
    replayed(stage)


def half_a_replay(stage: Stage) -> None:
    a_day(stage, count=300)
    challenger(stage, skill=0.3)
    replayed(stage, timestamp="2026-03-01T12:00:00Z")


def lost_replay(stage: Stage) -> None:
    a_day(stage)
    challenger(stage, skill=0.3)
    stage.service.lie("replayed_nothing")
    replayed(stage)


def the_champion_itself(stage: Stage) -> None:
    a_day(stage)
    challenger(stage, V3, skill=0.3)
    replayed(stage)
    stage.service.change("deployments", LABELLED, modelPackageId=V3)


STORIES = [
    (no_challenger, "the deployment has no challengers"),
    (no_replay, "no challenger can be judged: 'rival': the sample has 0 rows"),
    (no_predictions, "the champion has no value: the sample has 0 rows, fewer than 100"),
    (no_actuals, "the champion has no value: the sample has 0 rows, fewer than 100"),
    (few_actuals, "the champion has no value: the sample has 99 rows, fewer than 100"),
    (half_a_replay, "measured over 150 rows and the champion over 300, and minimum_share is 0.9: replay"),
    (lost_replay, "no challenger can be judged: 'rival': the sample has 0 rows"),
    (the_champion_itself, "its model is the champion"),
]


@pytest.mark.parametrize(("story", "reason"), STORIES, ids=[story.__name__ for story, _ in STORIES])
def test_nothing_passes_without_data(stage: Stage, story: Any, reason: str) -> None:
    story(stage)
    run = compare(stage, comparison=">=", threshold=-1000)
    done = run.run()
    assert done.state == "failed"
    assert reason in str(done.error)
    verdict = run.xcoms["verdict"]
    assert (verdict["outcome"], verdict["passed"], verdict["best"]) == ("no_data", False, None)
    assert (verdict["best_challenger_id"], verdict["best_model_package_id"]) == (None, None)
    skipped = ending(stage, on_no_data="skip")
    assert skipped.state == "skipped"


@pytest.mark.parametrize("story", [no_replay, few_actuals])
def test_nor_does_it_where_the_service_leaves_metrics_out(stage: Stage, story: Any) -> None:
    stage.service.switches(few_actuals="left_out")
    story(stage)
    found = verdict_of(stage, comparison=">=", threshold=-1000)
    assert (found["outcome"], found["best"]) == ("no_data", None)
    assert "the size of the sample is not known, and 100 rows are asked for" in found["reason"]


def test_a_part_of_the_rows_is_enough_where_the_author_says_so(stage: Stage) -> None:
    half_a_replay(stage)
    assert verdict_of(stage, minimum_share=0.5)["outcome"] == "pass"
    assert verdict_of(stage, minimum_share=0.51)["outcome"] == "no_data"
    assert verdict_of(stage, minimum_share="0", minimum_sample=151)["outcome"] == "no_data"


def test_one_without_data_does_not_stop_the_others(stage: Stage) -> None:
    a_day(stage)
    measured = challenger(stage, V3, skill=0.3, name="measured")
    replayed(stage)
    late = challenger(stage, V4, skill=1.0, name="late")
    found = verdict_of(stage)
    assert (found["outcome"], found["best_challenger_id"]) == ("pass", measured)
    assert {one["challenger_id"]: one["outcome"] for one in found["challengers"]} == {measured: "pass", late: "no_data"}


def test_only_the_named_challengers_count(stage: Stage) -> None:
    a_day(stage)
    good, bad = challenger(stage, V3, skill=0.3), challenger(stage, V4, skill=-0.8)
    replayed(stage)
    assert verdict_of(stage, challenger_ids=[bad])["outcome"] == "fail"
    assert verdict_of(stage, challenger_ids=f"{bad},{good}")["best_challenger_id"] == good
    missing = ending(stage, challenger_ids="0" * 24)
    assert missing.state == "failed"
    assert f"has no challenger {'0' * 24}; it has " in str(missing.error)


def test_a_challenger_that_the_list_does_not_show_yet_is_asked_for(stage: Stage) -> None:
    a_day(stage)
    stage.service.switches(lag=2)
    new = challenger(stage, skill=0.3)
    replayed(stage)
    assert verdict_of(stage, challenger_ids=new)["best_challenger_id"] == new


def test_a_champion_without_a_scale_is_no_data(stage: Stage) -> None:
    """The champion's TPR is 0: by how many percent 1 is better cannot be told, the difference can."""
    stage.service.switches(quota_rows="off", post_rate="off")
    data = [
        {"associationId": f"row-{n}", "predicted": 0.1, "timestamp": f"2026-03-01T{n % 24:02}:30:00Z"}
        for n in range(120)
    ]
    stage.service.predictions(LABELLED, data=data)
    actuals(stage, 120, right=1.0)
    challenger(stage, skill=1.0)
    replayed(stage)
    assert "cannot be told" in verdict_of(stage, metric="TPR")["reason"]
    assert verdict_of(stage, metric="TPR", view="difference")["outcome"] == "pass"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"minimum_share": 1.1}, "minimum_share must be a number from 0 to 1, not 1.1"),
        ({"minimum_share": "much"}, "minimum_share must be a finite number, not 'much'"),
        ({"filters": {"modelId": "x"}}, "filters must not name a modelId"),
        ({"challenger_ids": ["a", "a"]}, "challenger_ids must name each challenger once"),
        ({"challenger_ids": ["a b"]}, "challenger_ids must be an id"),
        ({"view": "gut"}, "view must be one of value, difference, ratio, improvement, not 'gut'"),
        ({"metric": " "}, "metric must be a text of 1 to 60 characters"),
        ({"window_start": "2026-03-01T00:30:00Z"}, "window_start must be on the hour"),
        ({"deployment_id": "{{ none }}"}, "deployment_id must be an id"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused_before_anything_is_sent(stage: Stage, arguments: dict[str, Any], text: str) -> None:
    done = ending(stage, **arguments)
    assert done.state == "failed"
    assert text in str(done.error)
    assert stage.service.log() == []


def test_a_metric_that_the_service_does_not_have_is_told(stage: Stage) -> None:
    a_day(stage)
    challenger(stage)
    done = ending(stage, metric="Speed")
    assert done.state == "failed"
    assert "the answer has no metric 'Speed'" in str(done.error)
