"""What the service's answers say in numbers: answers typed from the pages and from wire.md K.1."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall, KeyMissing
from airflow_provider.api.judging import Reading
from airflow_provider.api.readings import More, accuracy, coverage, names, prediction_rows, reader

MODEL, OTHER = "5e1b6d1c2f8a4b0012345678", "5e1b6d1c2f8a4b0087654321"
# seed 002:611, as an object
METRICS = {
    "LogLoss": {"baselineValue": 0.454221484838069, "value": 0.880778024500618, "percentChange": -93.91},
    "AUC": {"baselineValue": 0.8690358459556535, "value": 0.5294117647058824, "percentChange": -39.08},
    "Rate@Top10%": {"baselineValue": 0.9603223806571606, "value": 1.0, "percentChange": 4.13},
}
SUMMARY = {"summary": {"rowCountTotal": 400, "rowCountWithActual": 300}, "buckets": []}


def entry(metric: str, **given: Any) -> dict[str, Any]:
    known = {"value": 0.5, "baselineValue": 0.8, "percentChange": -37.5, "sampleSize": 300, "modelId": MODEL}
    return {"metricName": metric, **known, **given}


def read(body: Any, metric: str = "AUC", **of: Any) -> Any:
    return accuracy.read(body, {"metric": metric, **of}, {})


# --- accuracy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METRICS)
def test_the_object_of_the_pages(name: str) -> None:
    found = read({"metrics": METRICS, "modelId": MODEL}, name)
    told = METRICS[name]
    assert found == Reading(
        told["value"], None, told["baselineValue"], told["percentChange"], {"metric": name, "model_id": MODEL}
    )


def test_the_list_of_newer_servers_wins_and_tells_the_sample() -> None:
    found = read({"metrics": METRICS, "data": [entry("LogLoss"), entry("AUC")]})
    assert (found.value, found.sample, found.baseline, found.improvement) == (0.5, 300, 0.8, -37.5)


@pytest.mark.parametrize(
    "metrics",
    ['{"metrics": {"AUC": {"value": 0.5}}}', '{"AUC": {"value": 0.5}}', {"metrics": {"AUC": {"value": 0.5}}}],
    ids=["text as in the page's sample", "text", "nested"],
)
def test_odd_forms_of_the_object(metrics: Any) -> None:
    assert read({"metrics": metrics}).value == 0.5


def test_the_sample_is_asked_for_where_the_first_answer_does_not_tell_it() -> None:
    first = read({"metrics": METRICS}, sample_path="deployments/x/predictionsVsActualsOverTime/")
    assert isinstance(first, More)
    assert first.path == "deployments/x/predictionsVsActualsOverTime/"
    second = accuracy.read(SUMMARY, {"metric": "AUC"}, first.kept)
    assert isinstance(second, Reading)
    assert (second.value, second.sample) == (METRICS["AUC"]["value"], 300)


@pytest.mark.parametrize("body", [{}, {"metrics": {}}, {"metrics": None}, {"metrics": {}, "data": []}])
def test_nothing_computed_yet_is_no_value(body: Any) -> None:
    found = read(body, sample_path="deployments/x/predictionsVsActualsOverTime/")
    assert isinstance(found, Reading)
    assert found.value is None


def test_a_metric_without_a_value_is_no_value() -> None:
    assert read({"metrics": {"AUC": {"value": None}}}).value is None
    assert read({"data": [entry("AUC", value=None, sampleSize=0)]}).sample == 0


def test_a_metric_that_the_deployment_does_not_have_is_named() -> None:
    with pytest.raises(KeyMissing, match=r"no metric 'RMSE'; it has AUC, LogLoss, Rate@Top10%"):
        read({"metrics": METRICS}, "RMSE")


def test_several_models_must_be_told_apart() -> None:
    body = {"data": [entry("AUC"), entry("AUC", modelId=OTHER, value=0.9)]}
    with pytest.raises(KeyMissing, match="several models answer: say which with model_id"):
        read(body)
    assert read(body, model_id=OTHER).value == 0.9
    assert read({"data": [entry("AUC")]}, model_id=OTHER).value is None


def test_an_unreadable_text_is_an_error() -> None:
    with pytest.raises(KeyMissing, match="metrics is a text that is no JSON"):
        read({"metrics": "see attachment"})


@pytest.mark.parametrize("name", METRICS)
def test_the_improvement_is_computed_as_the_page_does_where_it_is_not_told(name: str) -> None:
    told = METRICS[name]
    found = read({"metrics": {name: {key: told[key] for key in ("value", "baselineValue")}}}, name)
    assert found.improvement == pytest.approx(told["percentChange"], abs=0.006)


def test_no_improvement_over_nothing() -> None:
    assert read({"metrics": {"AUC": {"value": 0.5, "baselineValue": 0}}}).improvement is None
    assert read({"metrics": {"AUC": {"value": 0.5}}}).improvement is None


# --- coverage -----------------------------------------------------------------------------------------------------


def test_coverage_from_the_summary() -> None:
    found = coverage.read(SUMMARY, {}, {})
    assert (found.value, found.sample) == (0.75, 400)
    assert found.details == {"predictions": 400, "with_actual": 300}


def test_coverage_from_buckets_where_there_is_no_summary() -> None:
    buckets = [{"rowCountTotal": 10, "rowCountWithActual": 4}, {"rowCountTotal": 10, "rowCountWithActual": None}]
    assert coverage.read({"buckets": buckets}, {}, {}).value == 0.2


@pytest.mark.parametrize("body", [{"buckets": []}, {"summary": {"rowCountTotal": 0, "rowCountWithActual": 0}}])
def test_no_predictions_give_no_share(body: Any) -> None:
    found = coverage.read(body, {}, {})
    assert (found.value, found.sample) == (None, 0)


def test_an_answer_without_counts_is_an_error() -> None:
    with pytest.raises(KeyMissing, match="neither a summary nor buckets"):
        coverage.read({"summary": None}, {}, {})


# --- row by row ---------------------------------------------------------------------------------------------------

OF = {"path": "deployments/x/predictionResults/", "most": 4}


def rows(*actuals: Any, following: str | None = None) -> dict[str, Any]:
    return {"data": [{"actual": one} for one in actuals], "next": following}


def test_rows_are_counted_over_the_pages_on_the_own_path() -> None:
    first = prediction_rows.read(rows(1, None, following="https://elsewhere.example.net/x?offset=2&limit=2"), OF, {})
    assert isinstance(first, More)
    assert first.path == "deployments/x/predictionResults/?offset=2&limit=2"
    second = prediction_rows.read(rows(0), OF, first.kept)
    assert isinstance(second, Reading)
    assert second.value == pytest.approx(2 / 3)
    assert second.sample == 3


def test_a_window_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidCall, match="more than 4 predictions: count by='summary'"):
        prediction_rows.read(rows(1, 1, 1, 1, following="?offset=4"), OF, {})


def test_a_list_that_leads_in_circles_is_an_error() -> None:
    first = prediction_rows.read(rows(1, following="?offset=1"), OF, {})
    assert isinstance(first, More)
    with pytest.raises(KeyMissing, match="leads back"):
        prediction_rows.read(rows(1, following="?offset=1"), OF, first.kept)
    with pytest.raises(KeyMissing, match="leads back"):
        prediction_rows.read(rows(following="?offset=9"), OF, {})


def test_an_answer_without_rows_is_an_error() -> None:
    with pytest.raises(KeyMissing, match="no key 'data'"):
        prediction_rows.read({}, OF, {})


# --- the folder ---------------------------------------------------------------------------------------------------


def test_readers_are_found_by_their_names() -> None:
    assert {"accuracy", "coverage", "prediction_rows"} <= set(names())
    assert all(callable(reader(name).read) for name in names())
    with pytest.raises(LookupError, match="no reader 'os'; there are accuracy, coverage"):
        reader("os")
