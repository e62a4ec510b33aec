"""Features, segments, and the data quality view."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import taken
from tests.emulator.monitoring import DAY, path, rows, stop_the_clock, track
from tests.emulator.rows import make_regression, send

VALUES, ATTRIBUTES, FEATURES = (path(name) for name in ("segmentValues", "segmentAttributes", "features"))
OF_REQUESTS = ["DataRobot-Consumer", "DataRobot-Remote-IP", "DataRobot-Host-IP"]
QUALITY = f"{path('dataQualityView')}?{DAY}"


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)


@pytest.mark.parametrize(
    ("kind", "more"),
    [("", []), ("serviceHealth", []), ("humility", []), ("dataDrift", ["plan"]), ("accuracy", ["plan"])],
)
def test_attributes(emulator: EmulatorDoor, requester: httpx.Client, kind: str, more: list[str]) -> None:
    """Seed 002:6735."""
    track(emulator, "plan")
    body = taken(requester.get(ATTRIBUTES, params={"monitoringType": kind} if kind else {}))
    assert body == {"monitoringType": kind or "serviceHealth", "data": OF_REQUESTS + more}


def test_an_unknown_kind_of_monitoring(requester: httpx.Client) -> None:
    assert requester.get(f"{ATTRIBUTES}?monitoringType=mood").status_code == 422


def test_values(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6780: of one attribute or of all, searched and paged."""
    track(emulator, "plan")
    for plan in ("basic", "plus"):
        rows(emulator, {"features": {"plan": plan, "age": 7}}, request={"consumer": f"{plan} app"})
    body = taken(requester.get(f"{VALUES}?segmentAttribute=plan"))
    assert body["data"] == [{"segmentAttribute": "plan", "value": name} for name in ("basic", "plus")]
    assert (body["count"], body["totalCount"], body["next"]) == (2, 2, None)
    found = taken(requester.get(f"{VALUES}?search=BASIC"))["data"]
    assert [(one["segmentAttribute"], one["value"]) for one in found] == [
        ("DataRobot-Consumer", "basic app"),
        ("plan", "basic"),
    ]
    first = taken(requester.get(f"{VALUES}?limit=1"))
    assert (first["totalCount"], taken(requester.get(first["next"]))["data"][0]["value"]) == (6, "plus app")
    assert taken(requester.get(f"{VALUES}?segmentAttribute=age"))["data"] == []


def test_features(requester: httpx.Client) -> None:
    """Seed 002:3352: importance of the training, search, order, pages."""
    body = taken(requester.get(f"{FEATURES}?offset=0&limit=50"))
    assert [one["name"] for one in body["data"]] == ["tenure_months", "contract", "monthly_charges", "payment_method"]
    assert body["data"][1] == {
        "name": "contract",
        "featureType": "Categorical",
        "importance": 0.81,
        "dateFormat": None,
        "knownInAdvance": False,
    }
    for query, names in (
        ("orderBy=name&limit=1", ["contract"]),
        ("orderBy=-name&limit=1", ["tenure_months"]),
        ("orderBy=importance&limit=1", ["payment_method"]),
        ("search=MONTH&limit=9", ["tenure_months", "monthly_charges"]),
        ("forSegmentedAnalysis=True&limit=9", ["contract", "payment_method"]),
    ):
        assert [one["name"] for one in taken(requester.get(f"{FEATURES}?offset=0&{query}"))["data"]] == names


def prompts(emulator: EmulatorDoor, client: httpx.Client) -> str:
    """Three rows; two have a value of a custom metric, one an actual. The id of the metric."""
    make_regression(emulator)
    given = [("Where is it?", 3.0), ("What is it?", 1.0), ("Why?", 2.0)]
    rows(emulator, *({"predicted": value, "features": {"promptText": text}} for text, value in given))
    send(client, ("row-1", 40))
    body = {
        "name": "tone", "units": "points", "directionality": "higherIsBetter", "type": "average", "timeStep": "hour",
        "isModelSpecific": False, "baselineValues": [],
    }  # fmt: skip
    metric = str(taken(client.post(path("customMetrics"), json=body))["id"])
    buckets = [
        {"value": value, "sampleSize": 1, "timestamp": "2025-03-01T12:00:00Z", "associationId": name}
        for name, value in (("row-0", 5), ("row-2", 8))
    ]
    answer = client.post(f"{path('customMetrics')}{metric}/fromJSON/", json={"buckets": buckets, "dryRun": False})
    assert answer.status_code == 202, answer.text
    emulator.advance(60)
    return metric


def test_data_quality(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:2905-2980; wire.md K.1: association id, timestamp, context and metrics are needed."""
    metric = prompts(emulator, requester)
    body = taken(requester.get(QUALITY))
    assert (body["count"], body["totalCount"]) == (3, 3)
    assert body["data"][0] == {
        "associationId": "row-0",
        "timestamp": "2025-03-01T12:00:00.000000Z",
        "predictedValue": "3.0",
        "actualValue": None,
        "prompt": "Where is it?",
        "context": [],
        "metrics": [{"id": metric, "name": "tone", "value": 5, "metadata": None}],
    }
    assert (body["data"][1]["actualValue"], body["data"][1]["metrics"]) == ("40", [])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"promptPattern": "is it"}, ["row-0", "row-1"]),
        ({"predictionPattern": "2."}, ["row-2"]),
        ({"actualPattern": "4"}, ["row-1"]),
        ({"orderBy": "-associationId"}, ["row-2", "row-1", "row-0"]),
        ({"orderBy": "-customMetrics", "orderMetric": "tone"}, ["row-2", "row-0", "row-1"]),
        ({"filterMetric": "tone"}, ["row-0", "row-2"]),
        ({"filterMetric": "tone", "filterValue": "8"}, ["row-2"]),
        ({"limit": 1, "offset": 1}, ["row-1"]),
        ({"modelId": "64a100000000000000000001"}, []),
    ],
    ids=str,
)
def test_search_order_and_filters(
    emulator: EmulatorDoor, requester: httpx.Client, query: dict[str, Any], names: list[str]
) -> None:
    """Seed 002:2925-2936."""
    prompts(emulator, requester)
    found = taken(requester.get(QUALITY, params={**dict(one.split("=") for one in DAY.split("&")), **query}))["data"]
    assert [one["associationId"] for one in found] == names


def test_start_and_end_are_needed(requester: httpx.Client) -> None:
    """Seed 002:2923: both are required; any moment is taken."""
    assert requester.get(path("dataQualityView")).status_code == 422
    assert (
        requester.get(f"{path('dataQualityView')}?start=2025-03-01T00:10:00Z&end=2025-03-02T00:20:00Z").status_code
        == 200
    )
    assert requester.get(f"{path('dataQualityView')}?start=soon&end=later").status_code == 422
