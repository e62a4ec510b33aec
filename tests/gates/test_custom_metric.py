"""A custom metric as a gate, by its id or its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.gates.table import verdict
from tests.stages import LABELLED, read_only

if TYPE_CHECKING:
    from tests.harness import Stage

BODY = {
    "name": "tone",
    "units": "points",
    "directionality": "lowerIsBetter",
    "type": "average",
    "timeStep": "hour",
    "isModelSpecific": False,
    "baselineValues": [{"value": 4.0}],
}


def client(stage: Stage) -> httpx.Client:
    headers = {"Authorization": f"Bearer {stage.service.tokens['requester']}"}
    base = f"{stage.service.endpoint}/deployments/{LABELLED}/customMetrics/"
    return httpx.Client(base_url=base, headers=headers, trust_env=False)


@pytest.fixture
def metric(stage: Stage) -> str:
    with client(stage) as http:
        return str(http.post("", json=BODY).raise_for_status().json()["id"])


def values(stage: Stage, metric: str, *given: float, hour: int = 12) -> None:
    """Values of the first of March, stored when this returns."""
    buckets = [{"value": one, "sampleSize": 1, "timestamp": f"2026-03-01T{hour:02}:00:00Z"} for one in given]
    with client(stage) as http:
        answer = http.post(f"{metric}/fromJSON/", json={"buckets": buckets, "dryRun": False}).raise_for_status()
    stage.service.end_job(answer.headers["Location"].rstrip("/").rsplit("/", 1)[1])


def look(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.custom_metric import DataRobotCheckCustomMetricOperator
    from airflow_provider.sensors.custom_metric import DataRobotCustomMetricSensor

    kinds = (DataRobotCheckCustomMetricOperator, DataRobotCustomMetricSensor)
    return verdict(stage, *kinds, outcome, **{"name": "tone", "comparison": "<=", "threshold": 5, **arguments})


def test_a_good_value_passes_and_a_bad_one_fails(stage: Stage, metric: str) -> None:
    values(stage, metric, 4, 5, 6)
    found = look(stage, "pass", minimum_sample=3)
    assert (found["value"], found["sample"], found["baseline"]) == (5.0, 3, 4.0)
    assert found["details"] == {"custom_metric": "tone", "custom_metric_id": metric}
    assert look(stage, "fail", threshold=4.9, custom_metric_id=metric, name=None)["value"] == 5.0


@pytest.mark.parametrize(
    ("view", "comparison", "threshold", "measured"),
    [("difference", "<=", 1, 1.0), ("ratio", "<", 1.3, 1.25), ("improvement", ">=", -25, -25.0)],
)
def test_against_the_baseline(
    stage: Stage, metric: str, view: str, comparison: str, threshold: float, measured: float
) -> None:
    """Lower is better: 5 against 4 is no improvement."""
    values(stage, metric, 5)
    assert look(stage, "pass", view=view, comparison=comparison, threshold=threshold)["measured"] == measured


def test_no_or_too_few_values_are_no_data(stage: Stage, metric: str) -> None:
    assert look(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"
    values(stage, metric, 1, 1)
    assert look(stage, "no_data", minimum_sample=3)["reason"] == "the sample has 2 rows, fewer than 3"


def test_old_values_are_no_data(stage: Stage, metric: str) -> None:
    values(stage, metric, 1, hour=10)
    assert look(stage, "no_data", max_age="12h")["reason"].startswith("stale: the newest rows are 13 hours old")
    assert look(stage, "pass", max_age="13h")["age"] == 13.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "charm"}, "has no custom metric named 'charm'"),
        ({"name": None}, "say which metric: custom_metric_id or name"),
        ({"custom_metric_id": "64b000000000000000000001"}, "say which metric: custom_metric_id or name, and not both"),
        ({"view": "mood"}, "view must be one of"),
    ],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.custom_metric import DataRobotCheckCustomMetricOperator

    arguments = {"deployment_id": LABELLED, "name": "tone", "comparison": "<=", "threshold": 5, **given}
    done = read_only(stage, DataRobotCheckCustomMetricOperator, **arguments).run()
    assert done.state == "failed"
    assert told in str(done.error)
