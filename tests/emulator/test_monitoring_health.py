"""Health settings, and statuses that follow them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import OTHER_CHAMPION, UNGOVERNED, deployment, taken
from tests.emulator.monitoring import path, requests, rows, stop_the_clock
from tests.emulator.rows import make_regression, send

SETTINGS, DEFAULTS = path("healthSettings"), path("healthSettings") + "defaults/"
PLAN = {"type": "categorical", "counts": {"basic": 700, "plus": 300}, "importance": 1.0}
AREA = {"type": "categorical", "counts": {"town": 500, "land": 500}, "importance": 0.1}


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)


def statuses(client: httpx.Client) -> dict[str, str]:
    """The three statuses of the deployment."""
    view = deployment(client)
    return {name: view[f"{name}Health"]["status"] for name in ("service", "model", "accuracy")}


def write(client: httpx.Client, **areas: Any) -> None:
    answer = client.patch(SETTINGS, json=areas)
    assert answer.status_code == 200, answer.text


def test_at_first_the_defaults_hold(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3409, 3589: seven areas; the metric is one of the target's type."""
    body = taken(requester.get(SETTINGS))
    assert body == taken(requester.get(DEFAULTS))
    assert set(body) == {
        "accuracy", "actualsTimeliness", "customMetrics", "dataDrift", "fairness", "predictionsTimeliness", "service",
    }  # fmt: skip
    assert body["accuracy"]["metric"] == "LogLoss"
    make_regression(emulator)
    assert taken(requester.get(DEFAULTS))["accuracy"]["metric"] == "RMSE"


@pytest.mark.parametrize(("value", "importance"), [("merges", 0.9), ("replaces_area", 0.5)])
def test_switch_health_patch(emulator: EmulatorDoor, requester: httpx.Client, value: str, importance: float) -> None:
    """Seed 002:3494: 200 without a body; other areas stay in both cases."""
    emulator.switches(health_patch=value)
    write(requester, dataDrift={"importanceThreshold": 0.9}, service={"batchCount": "5"})
    write(requester, dataDrift={"driftThreshold": 0.3})
    body = taken(requester.get(SETTINGS))
    assert (body["dataDrift"]["driftThreshold"], body["dataDrift"]["importanceThreshold"]) == (0.3, importance)
    assert body["service"]["batchCount"] == "5"
    assert body["fairness"] == taken(requester.get(DEFAULTS))["fairness"]
    assert emulator.count("healthSettingsUpdated", UNGOVERNED) == 2


@pytest.mark.parametrize("value", ["settings", "empty"])
def test_switch_health_patch_answer(emulator: EmulatorDoor, requester: httpx.Client, value: str) -> None:
    """Seed 002:3580 against what a real client reads."""
    emulator.switches(health_patch_answer=value)
    answer = requester.patch(SETTINGS, json={"service": {"batchCount": "10"}})
    assert answer.status_code == 200
    assert answer.content == b"" if value == "empty" else answer.json() == taken(requester.get(SETTINGS))


def test_only_owners_write_them(requester: httpx.Client, reviewer: httpx.Client, outsider: httpx.Client) -> None:
    assert reviewer.get(SETTINGS).status_code == 200
    assert reviewer.patch(SETTINGS, json={}).status_code == 403
    assert outsider.get(DEFAULTS).status_code == outsider.patch(SETTINGS, json={}).status_code == 404
    assert requester.patch(SETTINGS, json=[]).status_code == 422


def test_before_they_are_written_the_world_says_how_it_is(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    requests(emulator, *[{"statusCode": 500}] * 9)
    assert statuses(requester) == {"service": "passing", "model": "passing", "accuracy": "passing"}
    write(requester)
    assert statuses(requester) == {"service": "failing", "model": "unknown", "accuracy": "unknown"}


@pytest.mark.parametrize(
    ("value", "codes", "status"),
    [
        ("shares", [], "unknown"),
        ("shares", [200] * 99 + [404], "passing"),
        ("shares", [200] * 95 + [404] * 5, "warning"),
        ("shares", [200] * 99 + [500], "warning"),
        ("shares", [200] * 95 + [503] * 5, "failing"),
        ("any_error", [200] * 99, "passing"),
        ("any_error", [200] * 99 + [404], "warning"),
        ("any_error", [200] * 99 + [500], "failing"),
    ],
)
def test_switch_service_health(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, codes: list[int], status: str
) -> None:
    emulator.switches(service_health=value)
    requests(emulator, *({"statusCode": code} for code in codes))
    requests(emulator, {"statusCode": 500, "timestamp": "2025-02-01T00:00:00Z"})
    write(requester)
    assert statuses(requester)["service"] == status


@pytest.mark.parametrize(
    ("drift", "status"),
    [
        ({}, "failing"),  # plan is important and has drifted
        ({"driftThreshold": 20}, "passing"),
        ({"excludedFeatures": ["plan"]}, "warning"),  # one unimportant feature has drifted
        ({"excludedFeatures": ["plan", "area"]}, "unknown"),
        ({"excludedFeatures": ["plan"], "lowImportanceWarningCount": 2}, "passing"),
        ({"excludedFeatures": ["plan"], "lowImportanceFailingCount": 1}, "failing"),
        ({"excludedFeatures": ["plan"], "starredFeatures": ["area"]}, "failing"),
        ({"highImportanceFailingCount": 2, "highImportanceWarningCount": 1}, "warning"),
        ({"importanceThreshold": 1.5, "lowImportanceWarningCount": 3}, "passing"),
        ({"timeInterval": "T2H"}, "unknown"),
    ],
    ids=str,
)
def test_drift_rules(emulator: EmulatorDoor, requester: httpx.Client, drift: dict[str, Any], status: str) -> None:
    """Seed 002:3448: thresholds, counts by importance, excluded and starred features, the interval."""
    emulator.change("baselines", OTHER_CHAMPION, features=None)
    emulator.change("baselines", OTHER_CHAMPION, features={"plan": PLAN, "area": AREA})
    rows(emulator, *[{"features": {"plan": "plus", "area": "land"}, "timestamp": "2025-03-01T12:00:00Z"}] * 20)
    write(requester, dataDrift=drift)
    assert statuses(requester)["model"] == status


@pytest.mark.parametrize(
    ("accuracy", "status"),
    [
        ({"metric": "AUC"}, "failing"),  # 20 % worse than in training
        ({"metric": "AUC", "failingThreshold": 25}, "warning"),
        ({"metric": "AUC", "failingThreshold": 25, "warningThreshold": 21}, "passing"),
        ({"metric": "AUC", "measurement": "value", "failingThreshold": 0.7, "warningThreshold": 0.9}, "warning"),
        ({"metric": "AUC", "measurement": "value", "failingThreshold": 0.9, "warningThreshold": None}, "failing"),
        ({"metric": "FPR", "measurement": "value", "failingThreshold": 0.3, "warningThreshold": 0.1}, "warning"),
        ({"metric": "LogLoss"}, "unknown"),  # no baseline
        ({"metric": None}, "unknown"),
    ],
    ids=str,
)
def test_accuracy_rules(emulator: EmulatorDoor, requester: httpx.Client, accuracy: dict[str, Any], status: str) -> None:
    """Seed 002:7670: percent against the baseline, or the value. Four in five of each class are right."""
    emulator.change("packages", OTHER_CHAMPION, baseline={"sampleSize": 500, "metrics": {"AUC": 1.0}})
    rows(emulator, *({"predicted": 0.9 if n % 2 else 0.1} for n in range(200)))
    wrong = [(n // 2) % 5 == 0 for n in range(200)]
    send(requester, *((f"row-{n}", "yes" if bool(n % 2) != wrong[n] else "no") for n in range(200)))
    emulator.advance(6)
    write(requester, accuracy=accuracy)
    assert statuses(requester)["accuracy"] == status


def test_statuses_follow_new_rows_in_lists_too(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    write(requester)
    requests(emulator, {"statusCode": 200})
    assert statuses(requester)["service"] == "passing"
    requests(emulator, *[{"statusCode": 500}] * 2)
    found = taken(requester.get("deployments/?serviceHealth=failing"))["data"]
    assert UNGOVERNED in [one["id"] for one in found]


@pytest.mark.parametrize("area", ["dataDrift", "accuracy", "service"])
@pytest.mark.parametrize(
    "junk", [{"driftThreshold": "x", "metric": 7, "timeInterval": [], "excludedFeatures": None}, {}]
)
def test_odd_settings_break_nothing(
    emulator: EmulatorDoor, requester: httpx.Client, area: str, junk: dict[str, Any]
) -> None:
    rows(emulator, {"features": {"contract": "one year"}})
    if requester.patch(SETTINGS, json={area: junk}).status_code == 200:
        assert set(statuses(requester)) == {"service", "model", "accuracy"}
