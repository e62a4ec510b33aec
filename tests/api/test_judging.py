"""The one judge: truth tables, and that nothing passes without data."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.judging import COMPARISONS, VIEWS, Reading, Rule, judge

NOT_NUMBERS: list[Any] = [None, math.nan, math.inf, -math.inf, True, False, "0.9", [], {}]
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
readings = st.builds(
    Reading,
    value=st.one_of(finite, st.sampled_from(NOT_NUMBERS)),  # what a service may say
    sample=st.one_of(st.none(), st.integers(0, 10_000)),
    baseline=st.one_of(finite, st.sampled_from(NOT_NUMBERS)),
    improvement=st.one_of(finite, st.sampled_from(NOT_NUMBERS)),
)
rules = st.builds(
    Rule,
    comparison=st.sampled_from(sorted(COMPARISONS)),
    threshold=finite,
    view=st.sampled_from(sorted(VIEWS)),
    minimum_sample=st.integers(1, 10_000),
)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@given(readings, rules)
def test_no_data_never_passes_and_never_fails(reading: Reading, rule: Rule) -> None:
    verdict = judge(reading, rule)
    enough = (reading.sample or 0) >= rule.minimum_sample or (reading.sample is None and rule.minimum_sample == 1)
    there = is_number(reading.value) and (rule.view == "value" or is_number(reading.baseline))
    if not (enough and there):
        assert verdict.outcome == "no_data"
    if verdict.outcome == "no_data":
        assert verdict.measured is None
    else:
        assert verdict.measured is not None
        assert (verdict.outcome == "pass") == COMPARISONS[rule.comparison](verdict.measured, rule.threshold)
    assert json.loads(json.dumps(verdict.to_json(), allow_nan=False)) == verdict.to_json()
    assert verdict.reason


@given(readings, rules)
def test_a_comparison_and_its_opposite_never_agree_on_data(reading: Reading, rule: Rule) -> None:
    opposite = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}[rule.comparison]
    other = Rule(opposite, rule.threshold, rule.view, rule.minimum_sample)
    outcomes = {judge(reading, rule).outcome, judge(reading, other).outcome}
    assert outcomes in ({"no_data"}, {"pass", "fail"})


@pytest.mark.parametrize(
    ("value", "comparison", "outcome"),
    [
        *((0.7, sign, "pass") for sign in (">=", "<=")),
        *((0.7, sign, "fail") for sign in (">", "<")),
        *((0.8, sign, "pass") for sign in (">", ">=")),
        *((0.8, sign, "fail") for sign in ("<", "<=")),
        *((0.6, sign, "pass") for sign in ("<", "<=")),
        *((0.6, sign, "fail") for sign in (">", ">=")),
        *((None, sign, "no_data") for sign in COMPARISONS),
        *((math.nan, sign, "no_data") for sign in COMPARISONS),
    ],
)
def test_the_four_comparisons(value: float | None, comparison: str, outcome: str) -> None:
    assert judge(Reading(value, sample=100), Rule(comparison, 0.7)).outcome == outcome


@pytest.mark.parametrize(
    ("view", "measured"),
    [("value", 0.6), ("difference", -0.2), ("ratio", 0.75), ("improvement", -25.0)],
)
def test_the_four_views(view: str, measured: float) -> None:
    verdict = judge(Reading(0.6, baseline=0.8, improvement=-25.0), Rule("<", 99.0, view))
    assert verdict.measured == pytest.approx(measured)
    assert verdict.outcome == "pass"
    assert (verdict.value, verdict.baseline) == (0.6, 0.8)


@pytest.mark.parametrize(
    ("reading", "rule", "reason"),
    [
        (Reading(None), Rule(">", 0), "there is no value"),
        (Reading(1.0, sample=0), Rule(">", 0), "the sample has 0 rows, fewer than 1"),
        (Reading(1.0, sample=99), Rule(">", 0, minimum_sample=100), "the sample has 99 rows, fewer than 100"),
        (Reading(1.0), Rule(">", 0, minimum_sample=100), "the size of the sample is not known"),
        (Reading(1.0), Rule(">", 0, "ratio"), "there is no baseline, and ratio needs one"),
        (Reading(1.0, baseline=0.0), Rule(">", 0, "ratio"), "cannot be told for this value and baseline"),
        (Reading(1.0, baseline=0.5), Rule(">", 0, "improvement"), "cannot be told for this value and baseline"),
    ],
)
def test_no_data_says_what_is_missing(reading: Reading, rule: Rule, reason: str) -> None:
    verdict = judge(reading, rule)
    assert verdict.outcome == "no_data"
    assert reason in verdict.reason


def test_a_verdict_tells_its_numbers() -> None:
    verdict = judge(Reading(0.71234567, sample=250, details={"metric": "AUC"}), Rule(">=", 0.75, minimum_sample=100))
    assert verdict.reason == "value 0.712346 is not >= 0.75"
    assert verdict.to_json() == {
        "outcome": "fail",
        "reason": "value 0.712346 is not >= 0.75",
        "value": 0.71234567,
        "measured": 0.71234567,
        "comparison": ">=",
        "threshold": 0.75,
        "view": "value",
        "sample": 250,
        "minimum_sample": 100,
        "baseline": None,
        "details": {"metric": "AUC"},
        "age": None,
        "max_age": None,
    }


@pytest.mark.parametrize(
    ("age", "outcome", "told"),
    [
        (5.0, "pass", "value 0.9 is >= 0.5"),
        (6.0, "pass", "value 0.9 is >= 0.5"),
        (7.5, "no_data", "stale: the newest rows are 7.5 hours old at the end of the window, and 6 hours are allowed"),
        (
            None,
            "no_data",
            "stale: the newest rows are of unknown age at the end of the window, and 6 hours are allowed",
        ),
    ],
)
def test_rows_that_are_too_old_are_no_data(age: float | None, outcome: str, told: str) -> None:
    verdict = judge(Reading(0.9, sample=250, age=age), Rule(">=", 0.5, max_age=6))
    assert (verdict.outcome, verdict.reason, verdict.age, verdict.max_age) == (outcome, told, age, 6)
    assert judge(Reading(0.9, age=age), Rule(">=", 0.5)).outcome == "pass"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"comparison": "=="}, "comparison must be one of <, <=, >, >=, not '=='"),
        ({"view": "median"}, "view must be one of value, difference, ratio, improvement, not 'median'"),
        ({"threshold": math.nan}, "threshold must be a finite number"),
        ({"threshold": True}, "threshold must be a finite number"),
        ({"minimum_sample": 0}, "minimum_sample must be a whole number from 1 on, not 0"),
        ({"max_age": -1}, "max_age must be a number of hours from 0 on, not -1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidCall, match=told.replace("(", r"\(")):
        Rule(**{"comparison": ">", "threshold": 1.0, **arguments})


def test_a_rule_of_another_release_is_read() -> None:
    assert Rule.from_json({"comparison": ">", "threshold": 1.0, "of_tomorrow": 1}) == Rule(">", 1.0)
