"""What gates make of monitoring answers, typed from the pages (seed 002) and from what real clients take."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.readings import More, reader

PERIOD = {"start": "2019-08-01T00:00:00Z", "end": "2019-08-08T00:00:00Z"}


def read(name: str, body: dict[str, Any], of: dict[str, Any] | None = None, kept: dict[str, Any] | None = None) -> Any:
    return reader(name).read(body, of or {}, kept or {})


# --- service health (002:6852) ------------------------------------------------------------------------------------

STATS: dict[str, Any] = {
    "cacheHitRatio": 0,
    "executionTime": 40.5,
    "medianLoad": 2,
    "numConsumers": 1,
    "peakLoad": 7,
    "responseTime": 45.25,
    "serverErrorRate": 0.02,
    "slowRequests": 5,
    "totalPredictions": 2000,
    "totalRequests": 100,
    "userErrorRate": 0.01,
}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("serverErrorRate", 0.02),
        ("errorRate", 0.03),
        ("slowRequestRate", 0.05),
        ("responseTime", 45.25),
        ("mood", None),
    ],
)
def test_a_metric_of_service_health(metric: str, value: float | None) -> None:
    body = {"metrics": STATS, "modelId": "string", "period": PERIOD, "segmentValue": ""}
    found = read("service_health", body, {"metric": metric})
    assert (found.value, found.sample) == (value if value is None else pytest.approx(value), 100)
    assert found.details["metric"] == metric


@pytest.mark.parametrize("metric", ["errorRate", "slowRequestRate", "responseTime"])
def test_metrics_that_are_null(metric: str) -> None:
    nothing = {**dict.fromkeys(STATS), "totalRequests": 0}
    assert read("service_health", {"metrics": nothing}, {"metric": metric}).value is None
    assert read("service_health", {"metrics": dict.fromkeys(STATS)}, {"metric": metric}).sample is None


# --- drift (002:3146, 7395) ---------------------------------------------------------------------------------------

WANTED: dict[str, Any] = {"threshold": 0.15, "features": [], "excluded": [], "minimum_importance": 0.0, "path": "list/"}


def feature(name: str, score: float | None, *, sample: int | None = 10, impact: float | None = 1.0) -> dict[str, Any]:
    return {
        "name": name, "driftScore": score, "sampleSize": sample, "featureImpact": impact, "baselineSampleSize": None,
        "type": "numeric",
    }  # fmt: skip


def page(*features: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    about = {"metric": "psi", "modelId": "string", "batchId": [], "period": PERIOD}
    return {**about, "count": len(features), "data": list(features), "next": following, "previous": None}


def test_drifted_features_over_two_pages() -> None:
    address = "https://elsewhere.example/api/v2/whatever/?offset=2&limit=2"
    first = read("feature_drift", page(feature("a", 0.2), feature("b", 0.15), following=address), WANTED)
    assert isinstance(first, More)
    assert first.path == "list/?offset=2&limit=2", "only the query of next counts"
    found = read("feature_drift", page(feature("c", 0.9, sample=7), feature("d", None)), WANTED, first.kept)
    assert (found.value, found.sample) == (2, 7)
    assert list(found.details["drifted"]) == ["c", "a"]
    assert found.details["unscored"] == ["d"]


@pytest.mark.parametrize(
    ("features", "of", "value", "sample"),
    [
        ([], {}, None, 0),
        ([feature("a", None)], {}, None, 10),
        ([feature("a", 0.9), feature("b", None)], {"features": ["a", "b"]}, None, 10),
        ([feature("a", 0.9, sample=None)], {}, 1, None),
        ([feature("a", 0.9, impact=None), feature("b", 0.9)], {"minimum_importance": 0.1}, 1, 10),
        ([feature("a", 0.9), feature("b", 0.1)], {"excluded": ["a", "z"]}, 0, 10),
    ],
)
def test_features_that_count(features: list[Any], of: dict[str, Any], value: int | None, sample: int | None) -> None:
    found = read("feature_drift", page(*features), {**WANTED, **of})
    assert (found.value, found.sample) == (value, sample)


def test_pages_that_lead_nowhere() -> None:
    with pytest.raises(DataRobotError, match="leads back"):
        read("feature_drift", page(following="?offset=2"), WANTED)
    kept = {"lines": [], "path": "list/?offset=2"}
    with pytest.raises(DataRobotError, match="leads back"):
        read("feature_drift", page(feature("a", 0.1), following="/x/?offset=2"), WANTED, kept)


def test_target_drift() -> None:
    body = {
        "baselineSampleSize": 0, "batchId": [], "driftScore": 0.12, "metric": "psi", "modelId": "string",
        "period": PERIOD, "sampleSize": 3, "segmentValue": "", "targetName": "readmitted", "type": "numeric",
    }  # fmt: skip
    found = read("target_drift", body)
    assert (found.value, found.sample, found.details["target"]) == (0.12, 3, "readmitted")
    assert read("target_drift", {**body, "driftScore": None, "sampleSize": None}).sample is None


# --- humility (002:3716), fairness (002:3078), custom metrics (002:2636) ------------------------------------------

RULES = [{"ruleId": "5e", "ruleName": "unsure", "value": 3}, {"ruleId": "5f", "ruleName": "odd", "value": 1}]


@pytest.mark.parametrize(
    ("rule", "share", "value"),
    [(None, False, 4), (None, True, 0.4), ("unsure", True, 0.3), ("5f", False, 1)],
)
def test_humility_takes_two_answers(rule: str | None, share: bool, value: float) -> None:
    of = {"rule": rule, "share": share, "sample_path": "rows/"}
    first = read("humility", {"data": RULES, "modelId": "string", "period": PERIOD}, of)
    assert isinstance(first, More)
    assert first.path == "rows/"
    counts = {"baselines": [], "buckets": [], "summary": {"rowCountTotal": 10, "rowCountWithActual": 0}}
    found = read("humility", counts, of, first.kept)
    assert (found.value, found.sample, found.details["hits"]) == (pytest.approx(value), 10, first.kept["hits"])


def scores(*given: dict[str, Any]) -> dict[str, Any]:
    summary = {"metricName": "equalParity", "period": PERIOD, "scores": list(given)}
    return {"fairnessThreshold": 0.8, "protectedFeature": "gender", "buckets": [], "summary": summary}


def test_the_worst_class_counts() -> None:
    one = {"absoluteValue": 1, "isStatisticallySignificant": True, "label": "a", "sampleSize": 70, "value": 1.0}
    small = {**one, "label": "d", "value": 0.1, "isStatisticallySignificant": False, "sampleSize": 4}
    body = scores(one, {**one, "label": "b", "value": 0.7}, {**one, "label": "c", "value": None}, small)
    found = read("fairness", body, {"significant": True})
    assert (found.value, found.sample, found.baseline) == (0.7, 70, 0.8)
    assert found.details["left_out"] == ["c", "d"]
    assert read("fairness", body, {"significant": False}).value == 0.1
    assert read("fairness", scores(), {"significant": True}).sample == 0


@pytest.mark.parametrize(("direction", "improvement"), [(1, 25.0), (-1, -25.0), (None, None)])
def test_a_custom_metric(direction: int | None, improvement: float | None) -> None:
    metric = {"id": "string", "name": "tone", "value": 5, "baselineValue": 4, "percentChange": 0, "sampleCount": 9}
    found = read("custom_metric", {"metric": metric, "period": PERIOD}, {"direction": direction})
    assert (found.value, found.baseline, found.sample, found.improvement) == (5, 4, 9, improvement)


# --- age ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "age", "sample"),
    [([1, 0, 0], 2.0, 1), ([1, 5, 0], 1.0, 6), ([0, 0, 2], 0.0, 2), ([0, None, 0], None, 0), ([], None, 0)],
)
def test_the_age_of_the_newest_rows(counts: list[int | None], age: float | None, sample: int) -> None:
    hours = [
        {"period": {"start": f"2019-08-01T0{n}:00:00Z", "end": f"2019-08-01T0{n + 1}:00:00+00:00"}} for n in range(3)
    ]
    buckets = [{**hour, "rowCountTotal": count} for hour, count in zip(hours, counts, strict=False)]
    found = read("newest", {"buckets": buckets}, {"counted": "rowCountTotal", "end": "2019-08-01T03:00:00Z"})
    assert (found.value, found.age, found.sample) == (age, age, sample)


# --- answers that are not what they should be ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "of"),
    [
        ("service_health", {}, {"metric": "responseTime"}),
        ("feature_drift", {"metric": "psi"}, WANTED),
        ("target_drift", {}, {}),
        ("humility", {"data": None}, {"rule": None, "share": False, "sample_path": "x/"}),
        ("fairness", {"buckets": []}, {"significant": True}),
        ("custom_metric", {"metric": None}, {}),
        ("newest", {}, {"counted": "value", "end": "2019-08-01T03:00:00Z"}),
        ("newest", {"buckets": [{"value": 1, "period": {"end": "noon"}}]}, {"counted": "value", "end": "2019-08-01"}),
    ],
)
def test_an_answer_without_what_is_needed_is_an_error(name: str, body: dict[str, Any], of: dict[str, Any]) -> None:
    with pytest.raises(DataRobotError):
        read(name, body, of)
