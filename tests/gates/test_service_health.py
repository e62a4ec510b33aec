"""Service health as a gate: rates, latency, load; no requests are no health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gates.table import verdict
from tests.stages import LABELLED, read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage


def look(stage: Stage, outcome: str, **arguments: Any) -> dict[str, Any]:
    from airflow_provider.operators.service_health import DataRobotCheckServiceHealthOperator
    from airflow_provider.sensors.service_health import DataRobotServiceHealthSensor

    kinds = (DataRobotCheckServiceHealthOperator, DataRobotServiceHealthSensor)
    return verdict(stage, *kinds, outcome, **{"threshold": 0.01, **arguments})


def requests(stage: Stage, count: int, *, hour: int = 12, failing: int = 0, **more: Any) -> None:
    """So many requests in one hour, the first of them failing."""
    given = [
        {
            "timestamp": f"2026-03-01T{hour:02}:{n % 60:02}:00Z",
            "rows": 10,
            "statusCode": 500 if n < failing else 200,
            "responseTime": 100 + n,
            "executionTime": 90 + n,
            **more,
        }
        for n in range(count)
    ]
    stage.service.predictions(LABELLED, requests=given)


def test_few_errors_pass_and_the_verdict_has_all_numbers(stage: Stage) -> None:
    requests(stage, 200, failing=2)
    found = look(stage, "pass", minimum_sample=100)
    assert found["reason"] == "value 0.01 is <= 0.01"
    assert (found["value"], found["sample"], found["minimum_sample"]) == (0.01, 200, 100)
    assert found["details"] == {
        "metric": "serverErrorRate",
        "totalRequests": 200,
        "totalPredictions": 2000,
        "serverErrorRate": 0.01,
        "userErrorRate": 0.0,
        "slowRequests": 0,
        "responseTime": 199.5,
    }
    assert found["window"] == {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "hours": 24}


def test_more_errors_fail(stage: Stage) -> None:
    requests(stage, 200, failing=3)
    assert look(stage, "fail")["reason"] == "value 0.015 is not <= 0.01"


def test_no_requests_are_no_data(stage: Stage) -> None:
    """Though the service says: no errors."""
    assert look(stage, "no_data")["reason"] == "the sample has 0 rows, fewer than 1"


def test_too_few_requests_are_no_data(stage: Stage) -> None:
    requests(stage, 99)
    assert look(stage, "no_data", minimum_sample=100)["reason"] == "the sample has 99 rows, fewer than 100"


def test_old_requests_are_no_data(stage: Stage) -> None:
    requests(stage, 50, hour=12)
    found = look(stage, "no_data", max_age="6h")
    assert found["reason"].startswith("stale: the newest rows are 11 hours old")
    assert (found["age"], found["max_age"], found["details"]["newest"]) == (11.0, 6.0, "2026-03-01T13:00:00Z")
    requests(stage, 1, hour=17)
    assert look(stage, "pass", max_age="6h")["age"] == 6.0


@pytest.mark.parametrize(
    ("metric", "more", "value"),
    [
        ("responseTime", {}, 149.5),
        ("responseTime", {"quantile": "1"}, 199.0),
        ("executionTime", {"quantile": 0}, 90.0),
        ("slowRequestRate", {"slow_threshold": 150}, 0.49),
        ("slowRequests", {"slow_threshold": "189"}, 10),
        ("errorRate", {}, 0.05),
        ("totalPredictions", {}, 1000),
        ("peakLoad", {}, 2),
    ],
)
def test_every_sort_of_metric(stage: Stage, metric: str, more: dict[str, Any], value: float) -> None:
    requests(stage, 100, failing=5)
    found = look(stage, "pass", metric=metric, threshold=value, comparison="<=", **more)
    assert found["value"] == pytest.approx(value)
    assert look(stage, "fail", metric=metric, threshold=value, comparison=">", **more)["value"] == found["value"]


def test_a_sensor_waits_until_the_service_is_well_again(stage: Stage) -> None:
    from airflow_provider.sensors.service_health import DataRobotServiceHealthSensor

    requests(stage, 10, failing=10)
    stage.at(900, lambda: requests(stage, 990, hour=13))
    given: dict[str, Any] = {"deployment_id": LABELLED, "threshold": 0.01, "poke_interval": 60.0, "timeout": 3600}
    run = task(
        stage, DataRobotServiceHealthSensor, **given, window_start="2026-03-01T00:00:00Z", window_end="2026-03-02"
    )
    done = run.run()
    assert done.state == "success", done
    assert (done.result["sample"], run.deferrals) == (1000, 1)
    assert 900 <= sum(stage.naps) < 1200


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"metric": "mood"}, "metric must be one of serverErrorRate, userErrorRate"),
        ({"threshold": "low"}, "threshold must be a finite number"),
        ({"comparison": "=="}, "comparison must be one of <, <=, >, >="),
        ({"quantile": 0.5}, "quantile goes with responseTime or executionTime, not with serverErrorRate"),
        ({"quantile": 95, "metric": "responseTime"}, "quantile must be from 0 to 1, not 95"),
        ({"slow_threshold": 0}, "slow_threshold must be a whole number from 1 on"),
        ({"max_age": "30m"}, "max_age must be whole hours"),
        ({"minimum_sample": "some"}, "minimum_sample must be a whole number"),
        ({"window_start": "2026-03-01T00:30:00Z"}, "window_start must be on the hour"),
        ({"on_no_data": "shrug"}, "on_no_data must be one of fail, skip, branch, pass"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_arguments(stage: Stage, given: dict[str, Any], told: str) -> None:
    from airflow_provider.operators.service_health import DataRobotCheckServiceHealthOperator

    arguments = {"deployment_id": LABELLED, "threshold": 0.01, **given}
    done = read_only(stage, DataRobotCheckServiceHealthOperator, **arguments).run()
    assert done.state == "failed"
    assert told in str(done.error)
    assert stage.service.log() == []
