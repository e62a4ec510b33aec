"""Humility rules: how often rows met them."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, taken
from tests.emulator.monitoring import DAY, MODEL, PERIOD, path, rows, stop_the_clock

LOW, ODD = "64b200000000000000000001", "64b200000000000000000002"


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)
    emulator.change("deployments", UNGOVERNED, humilityRules=[{"id": LOW, "name": "unsure"}])


def test_every_rule_with_its_rows(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3663; a rule that no row met is there with 0, one that only rows name has its id as name."""
    empty = taken(requester.get(f"{path('humilityStats')}?{DAY}"))
    assert empty["data"] == [{"ruleId": LOW, "ruleName": "unsure", "value": 0}]
    rows(emulator, {"humilityRules": [LOW, ODD]}, {"humilityRules": [LOW]}, {})
    body = taken(requester.get(f"{path('humilityStats')}?{DAY}"))
    assert body == {
        "period": PERIOD,
        "modelId": MODEL,
        "data": [
            {"ruleId": LOW, "ruleName": "unsure", "value": 2},
            {"ruleId": ODD, "ruleName": ODD, "value": 1},
        ],
    }


def test_over_time_and_of_a_segment(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3737-3810."""
    rows(emulator, *[{"humilityRules": [LOW], "timestamp": "2025-03-01T02:00:00Z"}] * 3)
    rows(emulator, {"humilityRules": [LOW]}, request={"consumer": "carol"})
    url = f"{path('humilityStatsOverTime')}?{DAY}&bucketSize=PT12H"
    body = taken(requester.get(url))
    assert [bucket["values"][0]["value"] for bucket in body["buckets"]] == [3, 1]
    assert body["summary"]["values"] == [{"ruleId": LOW, "ruleName": "unsure", "value": 4}]
    assert body["summary"]["period"] == PERIOD
    assert "segmentAttribute" not in body
    carol = taken(requester.get(f"{url}&segmentAttribute=DataRobot-Consumer&segmentValue=carol"))
    assert (carol["summary"]["values"][0]["value"], carol["segmentValue"]) == (1, "carol")
