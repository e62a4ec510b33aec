"""Custom metrics and monitoring batches without a service: what differs from what is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.mlops import custom_metrics, monitoring_batches

NOW = {
    "name": "Savings",
    "description": None,
    "baselineValues": [{"value": 1}],
    "value": {"columnName": "v", "more": 1},
}


@pytest.mark.parametrize(
    ("wanted", "differs"),
    [
        ({"name": "Savings"}, set()),
        ({"name": "Costs"}, {"name"}),
        ({"description": ""}, set()),
        ({"description": "x"}, {"description"}),
        ({"baselineValues": []}, {"baselineValues"}),
        ({"baselineValues": [{"value": 1}]}, set()),
        ({"value": {"columnName": "v"}}, set()),
        ({"value": {"columnName": "w"}}, {"value"}),
        ({"timestamp": {"columnName": "t"}}, {"timestamp"}),
    ],
)
def test_what_of_a_metric_differs(wanted: dict[str, Any], differs: set[str]) -> None:
    assert set(custom_metrics.differing(wanted, NOW)) == differs


def test_no_baseline_and_an_empty_one_are_the_same() -> None:
    assert custom_metrics.differing({"baselineValues": []}, {"baselineValues": None}) == {}


@pytest.mark.parametrize(
    ("wanted", "differs"),
    [
        ({"isLocked": False}, {}),
        ({"isLocked": True}, {"isLocked": True}),
        ({"description": ""}, {}),
        ({"name": "April"}, {"name": "April"}),
    ],
)
def test_what_of_a_batch_differs(wanted: dict[str, Any], differs: dict[str, Any]) -> None:
    now = {"name": "March", "isLocked": None, "description": None}
    assert monitoring_batches.differing(wanted, now) == differs
    assert monitoring_batches.body_of({"name": "April", "isLocked": True}) == {"batchName": "April", "isLocked": True}
