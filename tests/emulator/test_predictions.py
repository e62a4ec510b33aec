"""Stored predictions: one by one as JSON and CSV, against their actuals, and what they say of the service."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import DoorError, EmulatorDoor
from tests.emulator.demo import UNGOVERNED, taken
from tests.emulator.rows import make_multiclass, make_regression, predict, send

RESULTS = f"deployments/{UNGOVERNED}/predictionResults/"
VERSUS = f"deployments/{UNGOVERNED}/predictionsVsActualsOverTime/"
STATS = f"deployments/{UNGOVERNED}/serviceStats/"
MARCH = "start=2025-03-01T00:00:00Z&end=2025-03-02T00:00:00Z"
MODEL = "64a100000000000000000002"


def spread(emulator: EmulatorDoor, count: int = 48, **more: Any) -> None:
    """Predictions, spread evenly over the first of March."""
    period = {"start": "2025-03-01T00:00:00Z", "end": "2025-03-02T00:00:00Z"}
    emulator.predictions(UNGOVERNED, **({"rows": count} | period | more))


def answered(emulator: EmulatorDoor, client: httpx.Client, count: int, label: Any = "yes") -> None:
    send(client, *((f"row-{n}", label) for n in range(count)))
    emulator.advance(6)


def test_results_are_paged_without_a_total(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5044: associationIdColumnNames, count, data, next, previous; no totalCount."""
    spread(emulator)
    body = taken(requester.get(f"{RESULTS}?limit=20&{MARCH}"))
    assert set(body) == {"associationIdColumnNames", "count", "data", "next", "previous"}
    assert (body["associationIdColumnNames"], body["count"], body["previous"]) == (["customer_id"], 20, None)
    seen = [one["associationId"] for one in body["data"]]
    while body["next"]:
        assert body["next"].startswith(f"{origin}/api/v2/{RESULTS}?")
        body = taken(requester.get(body["next"]))
        seen += [one["associationId"] for one in body["data"]]
    assert seen == [f"row-{n}" for n in range(48)]
    assert body["count"] == 8


def test_a_result_shows_prediction_and_actual(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    data = [{"associationId": "a", "predicted": 0.75, "timestamp": "2025-03-01T12:00:00Z"}]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, ("a", "no"))
    emulator.advance(6)
    assert taken(requester.get(RESULTS))["data"] == [
        {
            "associationId": "a",
            "modelId": MODEL,
            "timestamp": "2025-03-01T12:00:00.000000Z",
            "predicted": "yes",
            "actual": "no",
        }
    ]


@pytest.mark.parametrize(("value", "binary", "multiclass"), [("label", "no", "red"), ("probability", 0.25, 0.6)])
def test_switch_predicted_value(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, binary: Any, multiclass: Any
) -> None:
    """The generated R client: number or string; the first class name is the positive one (seed 004:2044)."""
    emulator.switches(predicted_value=value)
    predict(emulator, "a", predicted=0.25)
    assert taken(requester.get(RESULTS))["data"][0]["predicted"] == binary
    make_multiclass(emulator, "red", "green")
    emulator.predictions(UNGOVERNED, data=[{"associationId": "b", "classes": {"red": 0.6, "green": 0.4}}])
    rows = taken(requester.get(f"{RESULTS}?modelId=64a100000000000000000006"))["data"]
    assert [one["predicted"] for one in rows] == [multiclass]


def test_predictions_of_a_model_for_another_target(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """A champion with other classes: what was predicted before is shown, and not scored."""
    predict(emulator, "a", predicted=0.25)
    make_multiclass(emulator, "red", "green", "blue")
    for name in ("predictionResults", "predictionsVsActualsOverTime", "accuracy"):
        assert requester.get(f"deployments/{UNGOVERNED}/{name}/?modelId={MODEL}").status_code == 200


def test_numbers_stay_numbers(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    data = [{"associationId": "a", "predicted": 12.5, "forecastDistance": 3}]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, ("a", 11))
    emulator.advance(6)
    (row,) = taken(requester.get(RESULTS))["data"]
    assert (row["predicted"], row["actual"], row["forecastDistance"]) == (12.5, 11, 3)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 48),
        ("actualsPresent=true", 10),
        ("actualsPresent=False", 38),
        ("start=2025-03-01T12:15:00Z", 23),
        ("end=2025-03-01T12:15:00Z", 25),
        (f"modelId={MODEL}", 48),
        ("modelId=64a100000000000000000009", 0),
    ],
)
def test_filters_of_results(emulator: EmulatorDoor, requester: httpx.Client, query: str, count: int) -> None:
    """Seed 002:5040: any moment, start inclusive, end exclusive."""
    spread(emulator)
    answered(emulator, requester, 10)
    assert taken(requester.get(f"{RESULTS}?limit=100&{query}"))["count"] == count


def test_a_moment_of_results_is_rfc_3339(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert requester.get(f"{RESULTS}?start=2025-03-01T12:15:00").status_code == 422
    emulator.switches(naive_times="utc")
    assert requester.get(f"{RESULTS}?start=2025-03-01T12:15:00").status_code == 200


def test_results_as_csv(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5048: Accept text/csv."""
    spread(emulator)
    answered(emulator, requester, 3)
    answer = requester.get(f"{RESULTS}?limit=5&offset=1", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["associationId"] for row in rows] == [f"row-{n}" for n in range(1, 6)]
    assert [row["actual"] for row in rows] == ["yes", "yes", "", "", ""]
    assert set(rows[0]) >= {"modelId", "timestamp", "predicted", "actual", "forecastDistance"}


def test_coverage_by_the_hour(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5584; rule 17: coverage is rowCountWithActual / rowCountTotal, from the same rows as the results."""
    spread(emulator)
    answered(emulator, requester, 11)
    body = taken(requester.get(f"{VERSUS}?bucketSize=PT1H&{MARCH}"))
    assert body["summary"] == {"rowCountTotal": 48, "rowCountWithActual": 11}
    assert [bucket["rowCountTotal"] for bucket in body["buckets"]] == [2] * 24
    assert [bucket["rowCountWithActual"] for bucket in body["buckets"]] == [2] * 5 + [1] + [0] * 18
    present = taken(requester.get(f"{RESULTS}?actualsPresent=true&limit=100&{MARCH}"))["count"]
    assert present == body["summary"]["rowCountWithActual"]
    assert "segmentAttribute" not in body, "null there breaks a client (wire.md K.1)"


@pytest.mark.parametrize(
    ("size", "starts"),
    [
        ("P1D", ["2025-02-25", "2025-02-26", "2025-02-27", "2025-02-28", "2025-03-01", "2025-03-02", "2025-03-03"]),
        ("P7D", ["2025-02-25"]),
        ("P1M", ["2025-02-25", "2025-03-01"]),
    ],
)
def test_documented_buckets(requester: httpx.Client, size: str, starts: list[str]) -> None:
    """Seed 002:5613: PT1H, P1D, P7D, P1M."""
    query = f"start=2025-02-25T00:00:00Z&end=2025-03-04T00:00:00Z&bucketSize={size}"
    buckets = taken(requester.get(f"{VERSUS}?{query}"))["buckets"]
    assert [bucket["period"]["start"][:10] for bucket in buckets] == starts
    assert buckets[-1]["period"]["end"] == "2025-03-04T00:00:00Z"
    assert requester.get(f"{VERSUS}?bucketSize=PT2H").status_code == 422


@pytest.mark.parametrize(("value", "predicted", "came"), [("given", 0.5, 0.25), ("null", None, None)])
def test_switch_class_means(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, predicted: float | None, came: float | None
) -> None:
    emulator.switches(class_means=value)
    data = [
        {"associationId": f"row-{n}", "predicted": share, "timestamp": "2025-03-01T12:00:00Z"}
        for n, share in enumerate((0.2, 0.4, 0.6, 0.8))
    ]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, ("row-0", "yes"), *((f"row-{n}", "no") for n in (1, 2, 3)))
    emulator.advance(6)
    (bucket,) = taken(requester.get(f"{VERSUS}?bucketSize=P1D&{MARCH}"))["buckets"]
    assert (bucket["meanPredictedValue"], bucket["meanActualValue"]) == (predicted, came)
    assert bucket["predictedClassDistribution"] == [
        {"className": "yes", "count": 2, "percent": 50.0},
        {"className": "no", "count": 2, "percent": 50.0},
    ]
    assert [one["count"] for one in bucket["actualClassDistribution"]] == [1, 3]


def test_means_of_a_regression(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    data = [{"associationId": f"row-{n}", "predicted": n, "timestamp": "2025-03-01T12:00:00Z"} for n in range(5)]
    emulator.predictions(UNGOVERNED, data=data)
    send(requester, ("row-0", 10), ("row-1", 20))
    emulator.advance(6)
    (bucket,) = taken(requester.get(f"{VERSUS}?bucketSize=P1D&{MARCH}"))["buckets"]
    assert (bucket["meanPredictedValue"], bucket["meanActualValue"]) == (2, 15)
    assert (bucket["predictedClassDistribution"], bucket["actualClassDistribution"]) == ([], [])


def test_each_model_has_its_buckets(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:5602: modelId may be given several times."""
    spread(emulator, 10)
    spread(emulator, 4, modelId="64a100000000000000000001", prefix="old-")
    query = f"{VERSUS}?bucketSize=P1D&{MARCH}&modelId={MODEL}&modelId=64a100000000000000000001"
    body = taken(requester.get(query))
    counts = {bucket["modelId"]: bucket["rowCountTotal"] for bucket in body["buckets"]}
    assert counts == {MODEL: 10, "64a100000000000000000001": 4}
    assert [one["modelId"] for one in body["baselines"]] == [MODEL, "64a100000000000000000001"]
    assert body["summary"]["rowCountTotal"] == 14


def test_service_stats(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6826; wire.md K.1: whole numbers, rates, loads, nullable times."""
    spread(emulator, 1_000, rowsPerRequest=250)
    body = taken(requester.get(f"{STATS}?{MARCH}"))
    assert body["modelId"] == MODEL
    assert body["metrics"] == {
        "totalRequests": 4,
        "totalPredictions": 1_000,
        "slowRequests": 0,
        "executionTime": 120.0,
        "responseTime": 125.0,
        "userErrorRate": 0.0,
        "serverErrorRate": 0.0,
        "numConsumers": 1,
        "cacheHitRatio": 0.0,
        "medianLoad": 1,
        "peakLoad": 1,
    }
    assert "segmentAttribute" not in body


def test_quantiles_and_thresholds_of_service_stats(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6840: executionTimeQuantile, responseTimeQuantile, slowRequestsThreshold."""
    for rows in (100, 200, 1_000):
        spread(emulator, rows, rowsPerRequest=rows, prefix=f"{rows}-")
    asked = "executionTimeQuantile=0&responseTimeQuantile=0.75&slowRequestsThreshold=300"
    metrics = taken(requester.get(f"{STATS}?{MARCH}&{asked}"))["metrics"]
    assert (metrics["executionTime"], metrics["responseTime"], metrics["slowRequests"]) == (60, (105 + 425) / 2, 1)
    assert (metrics["medianLoad"], metrics["peakLoad"]) == (3, 3)
    assert requester.get(f"{STATS}?executionTimeQuantile=2").status_code == 422


def test_service_stats_of_nothing(requester: httpx.Client) -> None:
    metrics = taken(requester.get(STATS))["metrics"]
    assert (metrics["totalRequests"], metrics["executionTime"], metrics["serverErrorRate"]) == (0, None, 0)


def test_the_door_counts_and_stores(emulator: EmulatorDoor) -> None:
    assert emulator.predictions(UNGOVERNED) == {"rows": 0, "withAssociationId": 0, "first": None, "last": None}
    spread(emulator, 1_000)
    found = emulator.predictions(UNGOVERNED, data=[{"predicted": 0.5, "timestamp": "2025-03-02T00:00:00Z"}])
    assert (found["rows"], found["withAssociationId"]) == (1_001, 1_000)
    assert found["last"] - found["first"] == 86_400


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ({"rows": 0}, "rows must be a whole number from 1 on, not 0"),
        ({"rows": 1, "start": "soon"}, "start must be an RFC 3339"),
        ({"data": {}}, "data must be a list of objects"),
        ({"data": [1]}, "data must be a list of objects"),
        ({"data": [{"associationId": "a"}]}, "each prediction needs predicted, a number, or classes"),
        ({"rows": 1, "colour": "red"}, "unknown key colour"),
        ({"seed": 3}, "rows must be a whole number"),
    ],
)
def test_the_door_refuses_what_makes_no_sense(emulator: EmulatorDoor, wanted: dict[str, Any], fault: str) -> None:
    with pytest.raises(DoorError, match=fault):
        emulator.predictions(UNGOVERNED, **wanted)


def test_the_doors_of_an_unknown_deployment(emulator: EmulatorDoor) -> None:
    for door in (emulator.predictions, emulator.actuals, emulator.outcomes):
        with pytest.raises(DoorError, match="no such deployment"):
            door("0" * 24)
