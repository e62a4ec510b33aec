"""Predictions, and accuracy, over time, monitoring batches and space, from the same stored rows."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from sklearn import metrics as sk  # type: ignore[import-untyped]

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import OTHER_CHAMPION, UNGOVERNED, taken
from tests.emulator.monitoring import DAY, MODEL, PERIOD, path, rows, stop_the_clock, track
from tests.emulator.rows import make_multiclass, make_regression, send

OVER_TIME = path("predictionsOverTime")
FIRST, SECOND = "64b100000000000000000001", "64b100000000000000000002"
HERE, THERE = "8928308280fffff", "8928308280bffff"


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)


def test_predictions_of_a_binary_target_over_time(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5394; wire.md K.1: no key of a segment, even null, unless one was asked for."""
    rows(emulator, *({"predicted": share} for share in (0.2, 0.4, 0.6, 0.9)))
    body = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=P1D"))
    assert body["buckets"] == [
        {
            "modelId": MODEL,
            "period": PERIOD,
            "rowCount": 4,
            "meanPredictedValue": pytest.approx(0.525),
            "meanProbabilities": [
                {"className": "yes", "value": pytest.approx(0.525)},
                {"className": "no", "value": pytest.approx(0.475)},
            ],
            "classDistribution": [
                {"className": "yes", "count": 2, "percent": 50.0},
                {"className": "no", "count": 2, "percent": 50.0},
            ],
            "percentiles": [],
            "predictionsWarningCount": 0,
        }
    ]
    [baseline] = body["baselines"]
    assert (baseline["modelId"], baseline["rowCount"]) == (MODEL, 5000)
    assert baseline["classDistribution"][0] == {"className": "yes", "count": 1300, "percent": 26.0}
    assert not {"segmentAttribute", "segmentValue"} & set(body)


def test_percentiles_and_warnings_of_a_regression(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5335-5394: includePercentiles; settings: predictionWarning with boundaries."""
    make_regression(emulator)
    warning = {"enabled": True, "customBoundaries": {"lower": 10, "upper": 90}}
    emulator.change("deployments", UNGOVERNED, settings={"predictionWarning": warning})
    values = [float(n * n % 101) for n in range(60)]
    rows(emulator, *({"predicted": value} for value in values))
    [bucket] = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=P1D&includePercentiles=true"))["buckets"]
    assert {one["percent"]: one["value"] for one in bucket["percentiles"]} == pytest.approx(
        {percent: np.percentile(values, percent) for percent in (10, 25, 50, 75, 90)}
    )
    assert bucket["meanPredictedValue"] == pytest.approx(np.mean(values))
    assert bucket["predictionsWarningCount"] == sum(value < 10 or value > 90 for value in values)
    assert (bucket["classDistribution"], bucket["meanProbabilities"]) == ([], [])


def test_classes_of_a_multiclass_target(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5368: targetClass, once or several times."""
    make_multiclass(emulator, "red", "green", "blue")
    shares = [{"red": 0.7, "green": 0.2, "blue": 0.1}, {"red": 0.1, "green": 0.5, "blue": 0.4}]
    emulator.predictions(UNGOVERNED, data=[{"classes": one, "timestamp": "2025-03-01T09:00:00Z"} for one in shares])
    url = f"{OVER_TIME}?{DAY}&bucketSize=P1D"
    [bucket] = taken(requester.get(url))["buckets"]
    assert [one["count"] for one in bucket["classDistribution"]] == [1, 1, 0]
    assert [one["value"] for one in bucket["meanProbabilities"]] == pytest.approx([0.4, 0.35, 0.25])
    [bucket] = taken(requester.get(f"{url}&targetClass=blue&targetClass=red"))["buckets"]
    assert [one["className"] for one in bucket["classDistribution"]] == ["red", "blue"]


@pytest.mark.parametrize(
    ("value", "keys"), [("left_out", {}), ("given", {"segmentAttribute": "plan", "segmentValue": "plus"})]
)
def test_switch_predictions_segment(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, keys: dict[str, str]
) -> None:
    """Seed 002:5394 against wire.md K.1: a real client refuses both keys."""
    emulator.switches(predictions_segment=value)
    track(emulator, "plan", 'od"d')
    rows(emulator, *({"features": {"plan": plan, 'od"d': 7}} for plan in ("basic", "plus", "plus")))
    body = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=P1D&segmentAttribute=plan&segmentValue=plus"))
    assert body["buckets"][0]["rowCount"] == 2
    assert {name: body[name] for name in ("segmentAttribute", "segmentValue") if name in body} == keys
    odd = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=P1D&segmentAttribute=od%22d&segmentValue=7"))
    assert odd["buckets"][0]["rowCount"] == 3
    whole = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=P1D&segmentAttribute=plan"))
    assert whole["buckets"][0]["rowCount"] == 3


def batches(emulator: EmulatorDoor, requester: httpx.Client, count: int = 120) -> list[tuple[float, str]]:
    """Two batches of so many rows with actuals; what was predicted and what came in the first of them."""
    data = [
        {
            "associationId": f"{batch}-{n}",
            "predicted": (n * 37 % 100) / 100,
            "batchId": batch,
            "timestamp": f"2025-02-{day}T{n % 24:02}:00:00Z",
        }
        for batch, day in ((FIRST, "10"), (SECOND, "20"))
        for n in range(count)
    ]
    emulator.predictions(UNGOVERNED, data=data)
    came = ["yes" if n * 53 % 100 < n * 37 % 100 else "no" for n in range(count)]
    for batch in (FIRST, SECOND):
        send(requester, *((f"{batch}-{n}", label) for n, label in enumerate(came)))
    emulator.advance(6)
    return [(n * 37 % 100 / 100, label) for n, label in enumerate(came)]


def test_accuracy_over_batches(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:7613-7760: batches that do not exist are omitted."""
    pairs = batches(emulator, requester)
    emulator.change("packages", OTHER_CHAMPION, baseline={"sampleSize": 500, "metrics": {"AUC": 0.8}})
    url = f"{path('accuracyOverBatch')}?metric=AUC"
    body = taken(requester.get(f"{url}&batchId={FIRST}&batchId=64b100000000000000000009"))
    [bucket] = body["buckets"]
    assert bucket == {
        "batchId": FIRST,
        "batchName": FIRST,
        "period": {"start": "2025-02-10T00:00:00.000000Z", "end": "2025-02-10T23:00:00.000000Z"},
        "metric": "AUC",
        "modelId": MODEL,
        "sampleSize": 120,
        "value": pytest.approx(sk.roc_auc_score([label == "yes" for _, label in pairs], [one for one, _ in pairs])),
    }
    assert body["baselines"] == [{"metric": "AUC", "modelId": MODEL, "sampleSize": 500, "value": 0.8}]
    assert [one["batchId"] for one in taken(requester.get(url))["buckets"]] == [FIRST, SECOND]


def test_accuracy_of_one_batch(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:590: batchId."""
    batches(emulator, requester)
    body = taken(requester.get(f"{path('accuracy')}?batchId={SECOND}"))
    assert body["batchIds"] == [SECOND]
    assert {one["sampleSize"] for one in body["data"]} == {120}
    assert body["period"]["start"] == "2025-02-20T00:00:00Z"


def test_predictions_and_actuals_over_batches(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5111, 5425."""
    pairs = batches(emulator, requester, 10)
    body = taken(requester.get(f"{path('predictionsOverBatch')}?batchId={SECOND}"))
    [bucket] = body["buckets"]
    assert (bucket["batch"]["id"], bucket["rowCount"]) == (SECOND, 10)
    assert bucket["batch"]["earliestPredictionTimestamp"] == "2025-02-20T00:00:00.000000Z"
    versus = taken(requester.get(path("predictionsVsActualsOverBatch")))
    assert [(one["batchId"], one["rowCountTotal"], one["rowCountWithActual"]) for one in versus["buckets"]] == [
        (FIRST, 10, 10),
        (SECOND, 10, 10),
    ]
    assert versus["buckets"][0]["actualClassDistribution"][0]["count"] == sum(label == "yes" for _, label in pairs)
    results = taken(requester.get(f"{path('predictionResults')}?batchId={FIRST}"))
    assert results["count"] == 10


def in_town(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    known = [{"name": "place", "featureType": "Location"}]
    emulator.change("packages", OTHER_CHAMPION, features=known)
    track(emulator, "place")
    given = [
        {"predicted": 0.9 if n % 2 else 0.2, "features": {"place": HERE if n < 100 else THERE}} for n in range(150)
    ]
    rows(emulator, *given)
    send(requester, *((f"row-{n}", "yes" if n % 2 else "no") for n in range(150)))
    emulator.advance(6)


def test_over_space(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5187, 5499, 7809: by H3 cell of a tracked location feature; accuracy from 100 actuals on."""
    in_town(emulator, requester)
    found = taken(requester.get(f"{path('predictionsOverSpace')}?{DAY}&geoFeatureName=place"))
    assert [(one["hexagon"], one["rowCount"]) for one in found["buckets"]] == [(HERE, 100), (THERE, 50)]
    assert (found["geoFeatureName"], found["modelId"], found["period"]) == ("place", MODEL, PERIOD)
    versus = taken(requester.get(f"{path('predictionsVsActualsOverSpace')}?{DAY}"))
    assert [one["rowCountWithActual"] for one in versus["buckets"]] == [100, 50]
    assert versus["summary"] == {"rowCountTotal": 150, "rowCountWithActual": 150}
    accuracy = taken(requester.get(f"{path('accuracyOverSpace')}?{DAY}&metric=Accuracy"))
    assert accuracy["buckets"] == [{"hexagon": HERE, "value": 1.0}, {"hexagon": THERE, "value": None}]
    assert (accuracy["metric"], accuracy["geoFeatureName"]) == ("Accuracy", "place")


@pytest.mark.parametrize(
    "name", ["predictionsOverSpace", "predictionsVsActualsOverSpace", "accuracyOverSpace", "featureDriftOverSpace"]
)
def test_a_place_that_the_model_does_not_know(requester: httpx.Client, name: str) -> None:
    assert requester.get(f"{path(name)}?geoFeatureName=moon").status_code == 422
