"""Service health of a period, over time and of monitoring batches, from stored requests."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import taken
from tests.emulator.monitoring import DAY, MODEL, PERIOD, path, requests, rows, stop_the_clock

OVER_TIME = path("serviceStatsOverTime")
FIRST, SECOND = "64b100000000000000000001", "64b100000000000000000002"


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)


def mixed(emulator: EmulatorDoor) -> None:
    """Eight requests in two hours: one of the server's faults, two of the users', two slow ones."""
    codes = [200, 200, 500, 200, 404, 200, 422, 200]
    times = [10, 20, 30, 40, 50, 1500, 70, 2000]
    requests(
        emulator,
        *(
            {
                "timestamp": f"2025-03-01T{10 + n // 4}:0{n % 2}:00Z",
                "rows": 0 if code >= 400 else 25,
                "statusCode": code,
                "executionTime": time,
                "responseTime": time + 1,
                "consumer": "alice" if n < 3 else "bob",
                "cached": n == 1,
            }
            for n, (code, time) in enumerate(zip(codes, times, strict=True))
        ),
    )


def test_errors_slow_requests_and_consumers_are_counted(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6826; quantiles as numpy's default has them."""
    mixed(emulator)
    found = taken(requester.get(f"{path('serviceStats')}?{DAY}&responseTimeQuantile=0.9"))["metrics"]
    times = np.array([10, 20, 30, 40, 50, 1500, 70, 2000])
    assert found == {
        "totalRequests": 8,
        "totalPredictions": 125,
        "slowRequests": 2,
        "executionTime": np.quantile(times, 0.5),
        "responseTime": pytest.approx(np.quantile(times + 1, 0.9)),
        "userErrorRate": 0.25,
        "serverErrorRate": 0.125,
        "numConsumers": 2,
        "cacheHitRatio": 0.125,
        "medianLoad": 2,
        "peakLoad": 2,
    }


@pytest.mark.parametrize(
    ("query", "values", "whole"),
    [
        ("", [100 - 25, 50], 125),
        ("metric=totalRequests", [4, 4], 8),
        ("metric=userErrorRate", [0.0, 0.5], 0.25),
        ("metric=executionTime", [25.0, 785.0], 45.0),
        ("metric=responseTime&quantile=1", [41.0, 2001.0], 2001.0),
        ("metric=slowRequests&threshold=45", [0, 4], 4),
        ("metric=numConsumers", [2, 1], 2),
    ],
)
def test_one_metric_over_time(
    emulator: EmulatorDoor, requester: httpx.Client, query: str, values: list[float], whole: float
) -> None:
    """Seed 002:6949-7040."""
    mixed(emulator)
    span = "start=2025-03-01T10:00:00Z&end=2025-03-01T12:00:00Z"
    body = taken(requester.get(f"{OVER_TIME}?{span}&bucketSize=PT1H&{query}"))
    assert [bucket["value"] for bucket in body["buckets"]] == values
    assert body["buckets"][1]["period"] == {"start": "2025-03-01T11:00:00Z", "end": "2025-03-01T12:00:00Z"}
    assert body["summary"]["value"] == whole
    assert (body["metric"], body["modelId"]) == (query.split("&")[0][7:] or "totalPredictions", MODEL)
    assert "segmentAttribute" not in body, "null there breaks a client (wire.md K.1)"


def test_hours_without_requests_have_no_times(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    buckets = taken(requester.get(f"{OVER_TIME}?{DAY}&bucketSize=PT1H&metric=responseTime"))["buckets"]
    assert [bucket["value"] for bucket in buckets] == [None] * 24


def test_a_segment_of_requests(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6876: three attributes; predictions are of the segment of their request."""
    mixed(emulator)
    rows(emulator, {}, {}, request={"consumer": "carol", "remoteIp": "10.0.0.1", "hostIp": "10.0.0.2"})
    for attribute, value in (
        ("DataRobot-Consumer", "carol"),
        ("DataRobot-Remote-IP", "10.0.0.1"),
        ("DataRobot-Host-IP", "10.0.0.2"),
    ):
        segment = f"segmentAttribute={attribute}&segmentValue={value}"
        body = taken(requester.get(f"{path('serviceStats')}?{DAY}&{segment}"))
        assert (body["metrics"]["totalRequests"], body["metrics"]["totalPredictions"]) == (1, 2)
        assert (body["segmentAttribute"], body["segmentValue"]) == (attribute, value)
        counted = taken(requester.get(f"{path('predictionsVsActualsOverTime')}?{DAY}&{segment}"))["summary"]
        assert counted["rowCountTotal"] == 2
    assert requester.get(f"{path('serviceStats')}?segmentAttribute=region").status_code == 422


def in_batches(emulator: EmulatorDoor) -> None:
    rows(emulator, *[{"batchId": FIRST}] * 3, rowsPerRequest=2, request={"executionTime": 100})
    late = {"batchId": SECOND, "timestamp": "2025-01-07T08:30:00Z"}
    rows(emulator, *[late] * 5, rowsPerRequest=5, request={"executionTime": 300})
    rows(emulator, {}, {})


@pytest.mark.parametrize(
    ("query", "ids", "total", "median"),
    [
        ("", [SECOND, FIRST], (3, 8), 100.0),
        (f"?batchId={FIRST}", [FIRST], (2, 3), 100.0),
        (f"?batchId={FIRST}&batchId={SECOND}", [FIRST, SECOND], (3, 8), 100.0),
        (f"?batchId={SECOND},{FIRST}&executionTimeQuantile=1", [SECOND, FIRST], (3, 8), 300.0),
        ("?batchId=64b100000000000000000009", [], (0, 0), None),
    ],
)
def test_all_metrics_of_batches(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    query: str,
    ids: list[str],
    total: tuple[int, int],
    median: float | None,
) -> None:
    """Seed 002:1275: whenever they were scored; requests outside of batches do not count."""
    in_batches(emulator)
    body = taken(requester.get(path("batchServiceStats") + query))
    assert [one["id"] for one in body["batches"]] == ids
    found = body["metrics"]
    assert (found["totalRequests"], found["totalPredictions"], found["executionTime"]) == (*total, median)
    assert set(found) == {
        "cacheHitRatio", "executionTime", "numConsumers", "responseTime", "serverErrorRate", "slowRequests",
        "totalPredictions", "totalRequests", "userErrorRate",
    }  # fmt: skip


def test_one_metric_over_batches(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6888: value and moments of each."""
    in_batches(emulator)
    body: dict[str, Any] = taken(requester.get(f"{path('serviceStatsOverBatch')}?metric=executionTime"))
    assert body["metric"] == "executionTime"
    assert [(one["batch"]["id"], one["value"]) for one in body["buckets"]] == [(SECOND, 300.0), (FIRST, 100.0)]
    batch = body["buckets"][0]["batch"]
    assert batch["earliestPredictionTimestamp"] == batch["latestPredictionTimestamp"] == "2025-01-07T08:30:00.000000Z"


def test_the_figures_of_a_batch_span_its_own_time(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    in_batches(emulator)
    body = taken(requester.get(f"{path('targetDrift')}?batchId={SECOND}"))
    assert body["period"] == {"start": "2025-01-07T08:00:00Z", "end": "2025-01-07T09:00:00Z"}
    assert (body["sampleSize"], body["batchId"]) == (5, [SECOND])
    assert taken(requester.get(f"{path('targetDrift')}?{DAY}"))["period"] == PERIOD
