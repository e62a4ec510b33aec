"""Custom metrics over raw HTTP: what they are, values submitted, and what the values come to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED, taken

LIST = f"deployments/{UNGOVERNED}/customMetrics/"
METRIC = {"name": "Savings", "units": "EUR", "isModelSpecific": False, "type": "sum"}
HOUR = 3_600


def create(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    return taken(client.post(LIST, json={**METRIC, **fields}))


def submit(client: httpx.Client, metric: dict[str, Any], *buckets: Any, **more: Any) -> httpx.Response:
    rows = [one if isinstance(one, dict) else {"value": one[0], "timestamp": one[1]} for one in buckets]
    return client.post(f"{LIST}{metric['id']}/fromJSON/", json={"buckets": rows, **more})


def stored(emulator: EmulatorDoor, client: httpx.Client, metric: dict[str, Any], *buckets: Any, **more: Any) -> None:
    assert submit(client, metric, *buckets, **more).status_code == 202
    emulator.advance(6)


def hours(emulator: EmulatorDoor, *back: float) -> list[str]:
    """Moments so many hours before the present one, with a zone."""
    now = datetime.fromisoformat(emulator.clock()["now"])
    return [(now - timedelta(hours=one)).isoformat() for one in back]


def summary(client: httpx.Client, metric: dict[str, Any], **query: Any) -> dict[str, Any]:
    line: dict[str, Any] = taken(client.get(f"{LIST}{metric['id']}/summary/", params=query))["metric"]
    return line


def test_a_metric_comes_and_goes(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:1934-2400: 201, 200, 204; 404 afterwards."""
    made = create(requester, baselineValues=[{"value": 12}], directionality="higherIsBetter")
    path = f"{LIST}{made['id']}/"
    assert {name: made[name] for name in METRIC} == METRIC
    assert (made["timeStep"], made["displayChart"], made["baselineValues"]) == ("hour", True, [{"value": 12}])
    assert made["createdBy"] == {"id": "64a000000000000000000001"}
    assert taken(requester.get(path)) == made
    assert [one["id"] for one in taken(requester.get(LIST))["data"]] == [made["id"]]
    changed = requester.patch(path, json={"baselineValues": [], "units": "USD"})
    assert (changed.status_code, changed.json()["baselineValues"], changed.json()["units"]) == (200, [], "USD")
    gone = requester.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert requester.get(path).status_code == 404
    assert requester.delete(path).status_code == 404


@pytest.mark.parametrize("missing", ["name", "units", "isModelSpecific", "type"])
def test_what_a_metric_needs(requester: httpx.Client, missing: str) -> None:
    body = {name: value for name, value in METRIC.items() if name != missing}
    answer = requester.post(LIST, json=body)
    assert (answer.status_code, answer.json()["errors"]) == (422, {missing: "required"})


def test_who_may(requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client) -> None:
    metric = create(requester)
    assert reviewer.post(LIST, json=METRIC).status_code == 403
    assert submit(reviewer, metric, (1, "2026-01-01T00:00:00Z")).status_code == 403
    assert outsider.get(LIST).status_code == 404
    assert requester.get(f"deployments/{GOVERNED}/customMetrics/{metric['id']}/").status_code == 404


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_409", 409)])
def test_switch_metric_name_taken(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md I: the text starts with ``Custom metric name``."""
    emulator.switches(metric_name_taken=value)
    first = create(requester)
    answer = requester.post(LIST, json=METRIC)
    assert answer.status_code == status
    assert answer.json()["message"].startswith("Custom metric name")
    other = create(requester, name="Other")
    assert requester.patch(f"{LIST}{other['id']}/", json={"name": "Savings"}).status_code == status
    assert requester.patch(f"{LIST}{first['id']}/", json={"name": "Savings"}).status_code == 200


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_409", 409), ("refuse_403", 403)])
def test_switch_metric_limit(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md I: 25 of a deployment; ``Maximum number of custom metrics reached``."""
    emulator.switches(metric_limit=value)
    for number in range(25):
        create(requester, name=f"metric {number}")
    answer = requester.post(LIST, json=METRIC)
    assert (answer.status_code, answer.json()["message"]) == (status, "Maximum number of custom metrics reached")
    assert emulator.count("customMetricCreated") == 25


def test_a_metric_of_a_custom_job(requester: httpx.Client) -> None:
    """wire.md K.1: createdBy and customJobId besides the documented keys."""
    body = {"customJobId": "5" * 24, "name": "From a job"}
    answer = requester.post(f"{LIST}fromCustomJob/", json=body)
    made = taken(answer)
    assert answer.status_code == 201
    assert (made["customJobId"], made["name"], made["deployment"]["id"]) == ("5" * 24, "From a job", UNGOVERNED)
    assert made["createdBy"]["id"]
    assert requester.post(f"{LIST}fromCustomJob/", json={"name": "x"}).status_code == 422


def test_metrics_of_categories_are_told_to_be_missing(requester: httpx.Client) -> None:
    assert requester.post(LIST, json={**METRIC, "type": "categorical"}).status_code == 501


def test_values_are_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4: 202 and Location; seed 002:2552: with the metric."""
    metric = create(requester)
    answer = submit(requester, metric, (1.5, hours(emulator, 1)[0]))
    assert answer.status_code == 202
    assert answer.json()["id"] == metric["id"]
    assert answer.headers["Location"].startswith(f"{origin}/api/v2/status/")
    assert summary(requester, metric)["value"] is None
    emulator.advance(6)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.content) == (303, b"")
    assert summary(requester, metric)["value"] == 1.5


def test_the_same_twice_counts_twice(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    metric, [then] = create(requester), hours(emulator, 1)
    for _ in range(2):
        stored(emulator, requester, metric, (1, then))
    assert (summary(requester, metric)["value"], summary(requester, metric)["sampleCount"]) == (2, 2)
    assert emulator.count("metricValuesAccepted", metric["id"]) == 2


@pytest.mark.parametrize(("value", "total"), [("added", 3), ("replaced", 2)])
def test_switch_metric_repeat(emulator: EmulatorDoor, requester: httpx.Client, value: str, total: int) -> None:
    emulator.switches(metric_repeat=value)
    metric, [then] = create(requester), hours(emulator, 1)
    stored(emulator, requester, metric, (1, then))
    stored(emulator, requester, metric, (2, then))
    assert summary(requester, metric)["value"] == total


def test_a_dry_run_stores_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4, I: no Location for a dry run."""
    metric = create(requester)
    answer = submit(requester, metric, (1, hours(emulator, 1)[0]), dryRun=True)
    assert (answer.status_code, "Location" in answer.headers) == (202, False)
    assert submit(requester, metric, (1, "yesterday"), dryRun=True).status_code == 422
    emulator.advance(6)
    assert summary(requester, metric)["sampleCount"] == 0
    assert emulator.count("metricValuesAccepted") == 0


@pytest.mark.parametrize(
    ("bucket", "where"),
    [
        ({"timestamp": "2026-01-01T00:00:00Z"}, {"value": "required"}),
        ({"value": "much", "timestamp": "2026-01-01T00:00:00Z"}, None),
        ({"value": 1, "timestamp": "2026-01-01T00:00:00Z", "sampleSize": 1.5}, None),
        (
            {"value": 1, "timestamp": "2026-01-01T00:00:00Z", "sampleSize": -1},
            "sampleSize must not be negative, not -1",
        ),
        ({"value": 1}, "timestamp or batch is required"),
        ({"value": 1, "timestamp": "soon"}, "must be an RFC 3339 date and time, not 'soon'"),
        ({"value": True, "timestamp": "2026-01-01T00:00:00Z"}, None),
    ],
)
def test_buckets_that_are_refused(requester: httpx.Client, bucket: Any, where: Any) -> None:
    good = {"value": 1, "timestamp": "2026-01-01T00:00:00.123456"}
    answer = submit(requester, create(requester), good, bucket)
    assert answer.status_code == 422
    [number] = answer.json()["errors"]["buckets"]
    assert number == "1"
    if where is not None:
        told = answer.json()["errors"]["buckets"]["1"]
        assert told == where if isinstance(where, dict) else told.startswith(where)


def test_ten_thousand_buckets_a_call(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I."""
    metric, [then] = create(requester), hours(emulator, 1)
    assert submit(requester, metric, *[(1, then)] * 10_001).status_code == 422
    assert submit(requester, metric).status_code == 422
    stored(emulator, requester, metric, *[(1, then)] * 10_000)
    assert summary(requester, metric)["value"] == 10_000
    assert (
        emulator.log(operationId="submitDeploymentCustomMetricValuesFromJson")[-1]["body"]["buckets"]["rows"] == 10_000
    )


def test_a_time_without_a_zone_is_utc(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I: naive ISO with microseconds."""
    metric = create(requester)
    naive = hours(emulator, 1)[0].split("+")[0]
    stored(emulator, requester, metric, (4, naive))
    assert summary(requester, metric)["value"] == 4


@pytest.mark.parametrize(
    ("kind", "switches", "value"),
    [
        ("sum", {}, 5),
        ("average", {}, (1 * 1 + 4 * 3) / 4),
        ("average", {"metric_average": "plain"}, 2.5),
        ("average", {"metric_average": "weighted"}, (1 * 1 + 4 * 3) / 4),
        ("gauge", {"metric_gauge": "latest"}, 4),
        ("gauge", {"metric_gauge": "average"}, (1 * 1 + 4 * 3) / 4),
    ],
)
def test_what_values_come_to(
    emulator: EmulatorDoor, requester: httpx.Client, kind: str, switches: dict[str, str], value: float
) -> None:
    emulator.switches(**switches)
    metric = create(requester, type=kind, baselineValues=[{"value": 2}])
    early, late = hours(emulator, 3, 2)
    stored(
        emulator,
        requester,
        metric,
        {"value": 4, "timestamp": late, "sampleSize": 3},
        {"value": 1, "timestamp": early},
    )
    line = summary(requester, metric)
    assert line == {
        "id": metric["id"],
        "name": "Savings",
        "baselineValue": 2,
        "value": value,
        "percentChange": (value - 2) / 2 * 100,
        "sampleCount": 4,
        "unknownCategoriesCount": 0,
    }
    both = taken(requester.get(f"deployments/{UNGOVERNED}/customMetricsSummary/"))
    assert both["metrics"] == [line]
    assert both["details"]["earliestDate"] < both["details"]["latestDate"]


@pytest.mark.parametrize(("value", "count"), [("shown", 3), ("left_out", 2)])
def test_values_over_time(emulator: EmulatorDoor, requester: httpx.Client, value: str, count: int) -> None:
    """The default bucket is seven days (seed 002:2747); others are whole hours."""
    emulator.switches(empty_buckets=value)
    metric = create(requester)
    stored(emulator, requester, metric, *[(number, then) for number, then in enumerate(hours(emulator, 1, 1, 3), 1)])
    path = f"{LIST}{metric['id']}/valuesOverTime/"
    [week] = taken(requester.get(path))["buckets"]
    assert (week["value"], week["sampleSize"]) == (6, 3)
    now = int(emulator.clock()["epoch"]) // HOUR * HOUR
    start, end = (datetime.fromtimestamp(now + HOUR * n, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (-3, 0))
    found = taken(requester.get(path, params={"start": start, "end": end, "bucketSize": "PT1H"}))
    assert len(found["buckets"]) == count
    assert sum(one["value"] or 0 for one in found["buckets"]) == 6
    assert found["summary"] == {"start": start, "end": end}
    assert found["metric"]["id"] == metric["id"]
    assert requester.get(path, params={"start": "2026-01-01T00:30:00Z"}).status_code == 422


def test_a_metric_that_is_specific_to_models(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I: its values need modelId or modelPackageId."""
    metric, [then] = create(requester, isModelSpecific=True), hours(emulator, 1)
    assert submit(requester, metric, (1, then)).status_code == 422
    stored(emulator, requester, metric, (1, then), modelPackageId="64d000000000000000000002")
    stored(emulator, requester, metric, (5, then), modelId="64a100000000000000000003")
    assert summary(requester, metric)["value"] == 1  # of the champion
    assert summary(requester, metric, modelId="64a100000000000000000003")["value"] == 5
    assert summary(requester, metric, modelPackageId="64d000000000000000000003")["value"] == 5
    assert submit(requester, metric, (1, then), modelPackageId="0" * 24).status_code == 422


def batch(client: httpx.Client, name: str) -> str:
    made = taken(client.post(f"deployments/{UNGOVERNED}/monitoringBatches/", json={"batchName": name}))
    return str(made["id"])


def test_values_of_batches(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md I: a bucket has a timestamp or a batch."""
    metric, one, two = create(requester), batch(requester, "one"), batch(requester, "two")
    stored(
        emulator, requester, metric, {"value": 1, "batch": one}, {"value": 2, "batch": one}, {"value": 4, "batch": two}
    )
    over = taken(requester.get(f"{LIST}{metric['id']}/valuesOverBatch/"))["buckets"]
    assert [(one["batch"]["name"], one["value"]) for one in over] == [("one", 3), ("two", 4)]
    [only] = taken(requester.get(f"{LIST}{metric['id']}/valuesOverBatch/", params={"batchId": two}))["buckets"]
    assert (only["batch"]["id"], only["sampleSize"]) == (two, 1)
    lines = [
        taken(requester.get(f"{LIST}{metric['id']}/batchSummary/", params=query))["metric"]["value"]
        for query in ({}, {"batchId": one}, {"batchId": [one, two]})
    ]
    assert lines == [7, 3, 7]
    [whole] = taken(requester.get(f"deployments/{UNGOVERNED}/customMetricsBatchSummary/"))["metrics"]
    assert whole["value"] == 7
    assert summary(requester, metric)["value"] is None  # they have no time


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_404", 404)])
def test_switch_unknown_batch(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(unknown_batch=value)
    assert submit(requester, create(requester), {"value": 1, "batch": "0" * 24}).status_code == status


@pytest.mark.parametrize(("value", "count"), [("nothing_stored", 0), ("half_stored", 2)])
def test_switch_failed_metric_values(emulator: EmulatorDoor, requester: httpx.Client, value: str, count: int) -> None:
    emulator.switches(failed_metric_values=value)
    metric, [then] = create(requester), hours(emulator, 1)
    emulator.fault("failed_job", message="No room.", operationId="submitDeploymentCustomMetricValuesFromJson")
    answer = submit(requester, metric, *[(1, then)] * 4)
    emulator.advance(6)
    assert requester.get(answer.headers["Location"]).json()["message"] == "No room."
    assert summary(requester, metric)["sampleCount"] == count


def dataset(emulator: EmulatorDoor, client: httpx.Client, content: str) -> str:
    made = taken(client.post("datasets/fromFile/", files={"file": ("values.csv", content.encode(), "text/csv")}))
    emulator.advance(6)
    return str(made["catalogId"])


@pytest.mark.parametrize("named_by", ["post", "metric"])
def test_values_from_a_dataset(emulator: EmulatorDoor, requester: httpx.Client, named_by: str) -> None:
    """wire.md A.4: 202, empty, with Location."""
    columns = {"value": {"columnName": "v"}, "timestamp": {"columnName": "t"}, "sampleCount": {"columnName": "n"}}
    metric = create(requester, **(columns if named_by == "metric" else {}))
    [then] = hours(emulator, 1)
    key = dataset(emulator, requester, f"t,v,n\n{then},1.5,2\n{then},x,1\n{then},2,\n")
    body = {"datasetId": key, **(columns if named_by == "post" else {})}
    answer = requester.post(f"{LIST}{metric['id']}/fromDataset/", json=body)
    assert (answer.status_code, answer.content) == (202, b"")
    emulator.advance(21)
    assert requester.get(answer.headers["Location"]).status_code == 303
    assert (summary(requester, metric)["value"], summary(requester, metric)["sampleCount"]) == (3.5, 3)


def test_a_dataset_with_a_time_format(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    metric = create(requester)
    day = datetime.fromisoformat(hours(emulator, 30)[0])
    key = dataset(emulator, requester, f"t,v\n{day:%m/%d/%Y},7\n")
    told = {"value": {"columnName": "v"}, "timestamp": {"columnName": "t", "timeFormat": "%m/%d/%Y"}}
    requester.post(f"{LIST}{metric['id']}/fromDataset/", json={"datasetId": key, **told})
    emulator.advance(21)
    assert summary(requester, metric)["value"] == 7


@pytest.mark.parametrize("columns", [{"value": {"columnName": "other"}}, {"value": {"columnName": "v"}}])
def test_a_dataset_that_lacks_a_column(emulator: EmulatorDoor, requester: httpx.Client, columns: Any) -> None:
    metric = create(requester)
    key = dataset(emulator, requester, "t,v\n2026-01-01T00:00:00Z,1\n")
    answer = requester.post(f"{LIST}{metric['id']}/fromDataset/", json={"datasetId": key, **columns})
    emulator.advance(21)
    assert requester.get(answer.headers["Location"]).json()["status"] == "ERROR"


def test_values_over_space(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """As the vendor's Python client reads it: buckets, metric, summary."""
    metric, [then] = create(requester), hours(emulator, 1)
    places = ("POINT(-122.4 37.7)", "POINT(-122.1 38.2)", "POINT(2.3 48.9)")
    rows = [{"value": n, "timestamp": then, "geospatialCoordinate": place} for n, place in enumerate(places, 1)]
    stored(emulator, requester, metric, *rows)
    found = taken(requester.get(f"{LIST}{metric['id']}/valuesOverSpace/"))
    assert sorted((one["value"], one["sampleSize"]) for one in found["buckets"]) == [(3, 1), (3, 2)]
    assert len({one["hexagon"] for one in found["buckets"]}) == 2


def test_what_a_process_remembers(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """A deleted metric takes its values with it; another one under its name begins anew."""
    metric, [then] = create(requester), hours(emulator, 1)
    stored(emulator, requester, metric, (1, then))
    requester.delete(f"{LIST}{metric['id']}/")
    again = create(requester)
    assert summary(requester, again)["sampleCount"] == 0
    assert json.dumps(emulator.world("customMetrics")).count('"Savings"') == 1
