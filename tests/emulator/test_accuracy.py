"""Accuracy for a period and over time, from the stored rows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sklearn import metrics as sk  # type: ignore[import-untyped]

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, taken
from tests.emulator.rows import make_multiclass, make_regression, send

ACCURACY = f"deployments/{UNGOVERNED}/accuracy/"
OVER_TIME = f"deployments/{UNGOVERNED}/accuracyOverTime/"
CHAMPION_MODEL = "64a100000000000000000002"
DAY_AGO = "2025-03-01T00:00:00Z"


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    """The service's clock stands at 2025-03-02 00:30 UTC; the limits are off."""
    stop_the_clock(emulator)
    emulator.switches(quota_rows="off", post_rate="off")


def stop_the_clock(emulator: EmulatorDoor) -> None:
    clock = emulator.clock(speed=0)
    emulator.clock(offset=1_740_875_400 - clock["epoch"] + clock["offset"])


def fill(
    emulator: EmulatorDoor, client: httpx.Client, count: int = 240, matched: int | None = None
) -> list[tuple[float, str]]:
    """Predictions over the last day, ten an hour by default, and actuals for the first of them."""
    data = [
        {
            "associationId": f"row-{n}",
            "predicted": (n * 37 % 100) / 100,
            "timestamp": f"2025-03-01T{n * 24 // count:02}:10:00Z",
        }
        for n in range(count)
    ]
    emulator.predictions(UNGOVERNED, data=data)
    came = ["yes" if n * 53 % 100 < n * 37 % 100 else "no" for n in range(count if matched is None else matched)]
    send(client, *((f"row-{n}", label) for n, label in enumerate(came)))
    emulator.advance(6)
    return [(float(str(one["predicted"])), label) for one, label in zip(data, came, strict=False)]


def by_name(body: dict[str, Any]) -> dict[str, Any]:
    return {line["metricName"]: line["value"] for line in body["data"]}


def test_accuracy_is_what_scikit_learn_says_of_the_same_rows(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:590; wire.md K.1: an object by metric and a list, both."""
    pairs = fill(emulator, requester)
    body = taken(requester.get(ACCURACY))
    came, shares = [label == "yes" for _, label in pairs], [share for share, _ in pairs]
    assert by_name(body)["LogLoss"] == pytest.approx(sk.log_loss(came, shares))
    assert by_name(body)["AUC"] == pytest.approx(sk.roc_auc_score(came, shares))
    assert by_name(body)["Accuracy"] == sk.accuracy_score(came, [share >= 0.5 for share in shares])
    assert {name: one["value"] for name, one in body["metrics"].items()} == by_name(body)
    assert body["data"][0] == {
        "modelId": CHAMPION_MODEL,
        "metricName": "LogLoss",
        "value": by_name(body)["LogLoss"],
        "sampleSize": 240,
        "baselineValue": None,
        "baselineSampleSize": None,
        "percentChange": None,
    }
    assert body["modelId"] == CHAMPION_MODEL
    assert "segmentAttribute" not in body, "null there breaks a client (wire.md K.1)"


def test_the_baseline_of_the_package_is_shown(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("packages", "64d000000000000000000002", baseline={"sampleSize": 500, "metrics": {"AUC": 0.5}})
    fill(emulator, requester)
    body = taken(requester.get(ACCURACY))
    auc = body["metrics"]["AUC"]
    assert auc["baselineValue"] == 0.5
    assert auc["percentChange"] == round((auc["value"] - 0.5) / 0.5 * 100, 2)
    assert [line["baselineSampleSize"] for line in body["data"]] == [500] * len(body["data"])


def test_regression_and_multiclass_have_metrics_of_their_own(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    emulator.predictions(UNGOVERNED, rows=120, start=DAY_AGO, end="2025-03-01T12:00:00Z")
    send(requester, *((f"row-{n}", 100.0 + n % 7) for n in range(120)))
    emulator.advance(6)
    assert set(by_name(taken(requester.get(ACCURACY)))) >= {"RMSE", "MAE", "R Squared", "MAPE", "Gini Norm"}
    emulator.reset()
    stop_the_clock(emulator)
    make_multiclass(emulator, "red", "green", "blue")
    emulator.predictions(UNGOVERNED, rows=120, start=DAY_AGO, end="2025-03-01T12:00:00Z")
    send(requester, *((f"row-{n}", ("red", "green", "blue")[n % 3]) for n in range(120)))
    emulator.advance(6)
    found = by_name(taken(requester.get(ACCURACY)))
    assert set(found) == {"LogLoss", "AUC", "FVE Multinomial", "Accuracy", "Balanced Accuracy"}
    assert None not in found.values()


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("", "2025-02-23T01:00:00Z", "2025-03-02T01:00:00Z"),
        ("?end=2025-03-01T05:00:00Z", "2025-02-22T05:00:00Z", "2025-03-01T05:00:00Z"),
        ("?start=2025-02-28T00:00:00%2B02:00", "2025-02-27T22:00:00Z", "2025-03-02T01:00:00Z"),
    ],
)
def test_the_period(requester: httpx.Client, query: str, start: str, end: str) -> None:
    """Seed 002:601: by default the seven days until the next top of the hour."""
    assert taken(requester.get(ACCURACY + query))["period"] == {"start": start, "end": end}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=2025-03-01T00:30:00Z", "start"),
        ("end=2025-03-01T00:00:01Z", "end"),
        ("start=2025-03-01", "start"),
        ("end=soon", "end"),
        ("start=2025-03-01T05:00:00Z&end=2025-03-01T05:00:00Z", "start"),
    ],
)
def test_only_whole_hours(requester: httpx.Client, query: str, field: str) -> None:
    """Seed 002:601: 'only accepts top of the hour RFC3339 datetime strings'."""
    for path in (ACCURACY, OVER_TIME, ACCURACY.replace("accuracy", "serviceStats")):
        answer = requester.get(f"{path}?{query}")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_the_first_week_of_all_dates(requester: httpx.Client) -> None:
    body = taken(requester.get(f"{ACCURACY}?end=0001-01-01T01:00:00Z"))
    assert body["period"] == {"start": "0001-01-01T00:00:00Z", "end": "0001-01-01T01:00:00Z"}
    assert requester.get(f"{ACCURACY}?end=0001-01-01T00:00:00Z").status_code == 422


def test_start_is_inclusive_and_end_exclusive(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(accuracy_minimum="deployment")
    rows = [("a", "2025-03-01T05:00:00Z"), ("b", "2025-03-01T05:59:59.999Z"), ("c", "2025-03-01T06:00:00Z")]
    data = [{"associationId": key, "predicted": 0.5, "timestamp": moment} for key, moment in rows]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, *((key, "yes") for key, _ in rows))
    emulator.advance(6)
    body = taken(requester.get(f"{ACCURACY}?start=2025-03-01T05:00:00Z&end=2025-03-01T06:00:00Z"))
    assert body["data"][0]["sampleSize"] == 2


@pytest.mark.parametrize(("matched", "shown"), [(99, False), (100, True)])
def test_accuracy_needs_a_hundred_actuals(
    emulator: EmulatorDoor, requester: httpx.Client, matched: int, shown: bool
) -> None:
    """wire.md D: at least 100 actuals with matching predictions before accuracy is shown."""
    fill(emulator, requester, matched=matched)
    body = taken(requester.get(ACCURACY))
    assert (by_name(body)["Accuracy"] is not None) is shown
    assert body["data"][0]["sampleSize"] == matched
    over_time = taken(requester.get(OVER_TIME))
    assert (over_time["summary"]["value"] is not None) is shown


@pytest.mark.parametrize(("value", "shown"), [("period", False), ("deployment", True)])
def test_switch_accuracy_minimum(emulator: EmulatorDoor, requester: httpx.Client, value: str, shown: bool) -> None:
    emulator.switches(accuracy_minimum=value)
    fill(emulator, requester)
    body = taken(requester.get(f"{ACCURACY}?start=2025-03-01T00:00:00Z&end=2025-03-01T03:00:00Z"))
    assert body["data"][0]["sampleSize"] == 30
    assert (by_name(body)["Accuracy"] is not None) is shown


@pytest.mark.parametrize(("value", "lines"), [("null_values", 16), ("left_out", 0)])
def test_switch_few_actuals(emulator: EmulatorDoor, requester: httpx.Client, value: str, lines: int) -> None:
    emulator.switches(few_actuals=value)
    fill(emulator, requester, matched=5)
    body = taken(requester.get(ACCURACY))
    assert len(body["data"]) == len(body["metrics"]) == lines
    assert {line["value"] for line in body["data"]} <= {None}


@pytest.mark.parametrize(("value", "changed"), [("keeps_metrics", False), ("changes_metrics", True)])
def test_switch_overwritten_actual(emulator: EmulatorDoor, requester: httpx.Client, value: str, changed: bool) -> None:
    """wire.md D: resubmitting overwrites the stored actual and does not recompute metrics already computed."""
    emulator.switches(overwritten_actual=value)
    fill(emulator, requester)
    before = by_name(taken(requester.get(ACCURACY)))
    send(requester, *((f"row-{n}", "no") for n in range(240)))
    emulator.advance(6)
    assert {one["actualValue"] for one in emulator.actuals(UNGOVERNED, values=True)["values"].values()} == {"no"}
    assert (by_name(taken(requester.get(ACCURACY))) != before) is changed


def test_an_actual_that_came_before_its_prediction_counts_as_it_was_then(
    emulator: EmulatorDoor, requester: httpx.Client
) -> None:
    """No metric can have seen it before; the one stored when the prediction comes is the first."""
    for label in ("no", "yes"):
        send(requester, *((f"row-{n}", label) for n in range(240)))
        emulator.advance(6)
    fill(emulator, requester, matched=1)
    emulator.switches(overwritten_actual="keeps_metrics")
    body = taken(requester.get(f"{OVER_TIME}?metric=TPR"))
    assert body["summary"]["sampleSize"] == 240
    assert taken(requester.get(f"{OVER_TIME}?metric=TNR"))["summary"]["value"] is None, "all came yes"


def replaced(emulator: EmulatorDoor, client: httpx.Client) -> None:
    """120 matched predictions of a model before the champion, 120 of the champion."""
    for number, model in enumerate(("64a100000000000000000001", CHAMPION_MODEL)):
        rows = {"rows": 120, "start": DAY_AGO, "end": "2025-03-01T12:00:00Z", "prefix": f"{number}-", "modelId": model}
        emulator.predictions(UNGOVERNED, **rows)
    send(client, *((f"{number}-{n}", "yes") for number in (0, 1) for n in range(120)))
    emulator.advance(6)


@pytest.mark.parametrize(("value", "models"), [("champion", 1), ("all", 2)])
def test_switch_default_model(emulator: EmulatorDoor, requester: httpx.Client, value: str, models: int) -> None:
    emulator.switches(default_model=value)
    replaced(emulator, requester)
    body = taken(requester.get(ACCURACY))
    assert len({line["modelId"] for line in body["data"]}) == models
    assert {line["sampleSize"] for line in body["data"]} == {120}
    assert taken(requester.get(OVER_TIME))["summary"]["sampleSize"] == 120 * models
    named = taken(requester.get(f"{ACCURACY}?modelId=64a100000000000000000001"))
    assert {line["modelId"] for line in named["data"]} == {"64a100000000000000000001"}


def test_over_time_adds_up_to_the_period(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:792: buckets, baselines, baseline and summary of one metric."""
    pairs = fill(emulator, requester)
    period = "start=2025-03-01T00:00:00Z&end=2025-03-02T00:00:00Z"
    body = taken(requester.get(f"{OVER_TIME}?metric=Accuracy&bucketSize=PT6H&{period}"))
    assert [bucket["period"]["start"][11:13] for bucket in body["buckets"]] == ["00", "06", "12", "18"]
    assert [bucket["sampleSize"] for bucket in body["buckets"]] == [60] * 4
    mean = sum(bucket["value"] for bucket in body["buckets"]) / 4
    right = [(share >= 0.5) == (label == "yes") for share, label in pairs]
    assert mean == pytest.approx(sum(right) / 240)
    assert body["summary"] == {
        "period": {"start": "2025-03-01T00:00:00Z", "end": "2025-03-02T00:00:00Z"},
        "sampleSize": 240,
        "value": pytest.approx(mean),
    }
    assert (body["metric"], body["modelId"]) == ("Accuracy", CHAMPION_MODEL)
    assert body["baselines"] == [{"modelId": CHAMPION_MODEL, "sampleSize": None, "value": None}]


def test_without_a_metric_log_loss_is_meant(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert taken(requester.get(OVER_TIME))["metric"] == "LogLoss"
    make_regression(emulator)
    assert taken(requester.get(OVER_TIME))["metric"] == "RMSE"


@pytest.mark.parametrize(("value", "status"), [("null_values", 200), ("refuse_422", 422)])
def test_switch_foreign_metric(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(foreign_metric=value)
    fill(emulator, requester)
    answer = requester.get(f"{OVER_TIME}?metric=RMSE")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["summary"]["value"] is None
    assert requester.get(f"{OVER_TIME}?metric=MAD").status_code == 422
    assert requester.get(f"{OVER_TIME}?metric=Beauty").status_code == 422


@pytest.mark.parametrize(("value", "factor"), [("percent", 100), ("fraction", 1)])
def test_switch_mape_unit(emulator: EmulatorDoor, requester: httpx.Client, value: str, factor: int) -> None:
    emulator.switches(mape_unit=value)
    make_regression(emulator)
    data = [{"associationId": f"row-{n}", "predicted": 90, "timestamp": DAY_AGO} for n in range(100)]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, *((f"row-{n}", 100) for n in range(100)))
    emulator.advance(6)
    assert by_name(taken(requester.get(ACCURACY)))["MAPE"] == pytest.approx(0.1 * factor)


@pytest.mark.parametrize(("value", "short", "long"), [("by_length", 48, 8), ("PT1H", 48, 192), ("P1D", 2, 8)])
def test_switch_default_bucket(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, short: int, long: int
) -> None:
    """Seed 002:812: 'a default value will be calculated based on the start and end time'."""
    emulator.switches(default_bucket=value)
    for count, start in ((short, "2025-02-28"), (long, "2025-02-22")):
        body = taken(requester.get(f"{OVER_TIME}?start={start}T00:00:00Z&end=2025-03-02T00:00:00Z"))
        assert len(body["buckets"]) == count


@pytest.mark.parametrize(("value", "count"), [("shown", 168), ("left_out", 24)])
def test_switch_empty_buckets(emulator: EmulatorDoor, requester: httpx.Client, value: str, count: int) -> None:
    emulator.switches(empty_buckets=value)
    fill(emulator, requester)
    assert len(taken(requester.get(OVER_TIME))["buckets"]) == count


@pytest.mark.parametrize("size", ["PT30M", "PT0H", "P8D", "PT1H30M", "P", "hour"])
def test_a_bucket_is_of_whole_hours_within_the_period(requester: httpx.Client, size: str) -> None:
    """Seed 002:812: multiple of one hour, not longer than the period."""
    answer = requester.get(f"{OVER_TIME}?bucketSize={size}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["bucketSize"])


def test_the_last_bucket_ends_with_the_period(requester: httpx.Client) -> None:
    query = "start=2025-03-01T00:00:00Z&end=2025-03-02T01:00:00Z&bucketSize=P1DT0H"
    periods = [bucket["period"] for bucket in taken(requester.get(f"{OVER_TIME}?{query}"))["buckets"]]
    assert periods[-1] == {"start": "2025-03-02T00:00:00Z", "end": "2025-03-02T01:00:00Z"}


@pytest.mark.parametrize(
    ("query", "classes"),
    [
        ("targetClass=yes", ["yes"]),
        ("targetClasses=no", ["no"]),
        ("targetClasses=yes,no", ["yes", "no"]),
        ("targetClass=yes&targetClass=no", ["yes", "no"]),
        ("targetClass=maybe", ["maybe"]),
    ],
)
def test_accuracy_of_rows_that_came_out_as_some_classes(
    emulator: EmulatorDoor, requester: httpx.Client, query: str, classes: list[str]
) -> None:
    """Seed 002:610: a list joined by commas, or targetClass; 002:630: the answer tells them as a string."""
    emulator.change("packages", "64d000000000000000000002", baseline={"sampleSize": 500, "metrics": {"LogLoss": 0.5}})
    pairs = [(share, label) for share, label in fill(emulator, requester) if label in classes]
    body = taken(requester.get(f"{ACCURACY}?{query}"))
    assert body["targetClasses"] == ",".join(classes)
    assert {line["sampleSize"] for line in body["data"]} <= {len(pairs)}
    if not pairs:
        assert {line["value"] for line in body["data"]} == {None}
        return
    expected = sk.log_loss([label == "yes" for _, label in pairs], [share for share, _ in pairs], labels=[False, True])
    assert by_name(body)["LogLoss"] == pytest.approx(expected)
    assert {line["baselineValue"] for line in body["data"]} == {None}


@pytest.mark.parametrize("value", ["rows_of_class", "against_the_rest"])
def test_switch_class_accuracy(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """Seed 002:7644, 7718: perClass and its deprecated twin, in buckets, baselines and summary."""
    emulator.switches(class_accuracy=value)
    pairs = fill(emulator, requester)
    query = "metric=Accuracy&targetClass=yes&start=2025-03-01T00:00:00Z&end=2025-03-02T00:00:00Z&bucketSize=P1D"
    body = taken(requester.get(f"{OVER_TIME}?{query}"))
    of_class = [(share >= 0.5) == (label == "yes") for share, label in pairs if label == "yes"]
    against = [(share >= 0.5) == (label == "yes") for share, label in pairs]
    seen = {"rows_of_class": of_class, "against_the_rest": against}[value]
    [bucket] = body["buckets"]
    assert bucket["sampleSize"] == len(of_class)
    assert bucket["value"] == pytest.approx(sum(of_class) / len(of_class))
    for place in (bucket, body["summary"]):
        assert place["perClass"] == [{"className": "yes", "value": pytest.approx(sum(seen) / len(seen))}]
        assert place["valuePerClass"] == {"yes": place["perClass"][0]["value"]}


@pytest.mark.parametrize("value", ["rows_of_class", "against_the_rest"])
def test_classes_of_other_targets(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """A multiclass target has more of them, a regression none."""
    emulator.switches(class_accuracy=value)
    make_multiclass(emulator, "red", "green", "blue")
    emulator.predictions(UNGOVERNED, rows=120, start=DAY_AGO, end="2025-03-01T12:00:00Z")
    send(requester, *((f"row-{n}", ("red", "green", "blue")[n % 3]) for n in range(120)))
    emulator.advance(6)
    body = taken(requester.get(f"{OVER_TIME}?metric=LogLoss&targetClasses=green,red"))
    assert [one["className"] for one in body["summary"]["perClass"]] == ["green", "red"]
    assert None not in [one["value"] for one in body["summary"]["perClass"]]
    assert body["summary"]["sampleSize"] == 80
    make_regression(emulator)
    emulator.change("packages", "64d000000000000000000006", target={"name": "price", "type": "Regression"})
    assert "perClass" not in taken(requester.get(f"{OVER_TIME}?targetClass=red"))["summary"]


def test_without_access_there_is_no_accuracy(outsider: httpx.Client, reviewer: httpx.Client) -> None:
    assert outsider.get(ACCURACY).status_code == 404
    assert reviewer.get(ACCURACY).status_code == 200


def test_a_job_of_actuals_points_here(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4: the 303 of a submission can be followed."""
    location = send(requester, ("a", "yes")).headers["Location"]
    emulator.advance(6)
    assert requester.get(location, follow_redirects=True).json()["period"]["end"] == "2025-03-02T01:00:00Z"


def test_which_metrics_are_shown(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    """As the vendor's client reads and writes them: a list under data, both ways."""
    url = f"deployments/{UNGOVERNED}/accuracyMetrics/"
    assert taken(requester.get(url))["data"][:2] == ["LogLoss", "AUC"]
    wanted = {"data": ["AUC", "F1"]}
    assert taken(requester.put(url, json=wanted)) == taken(reviewer.get(url)) == wanted
    for names in (["RMSE"], [], ["AUC", "mood"]):
        assert requester.put(url, json={"data": names}).status_code == 422
    assert reviewer.put(url, json=wanted).status_code == 403
    assert emulator.count("accuracyMetricsUpdated", UNGOVERNED) == 1
