"""A sensor that waits for new rows must see them: its window moves with the service's clock, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.moving import moved, told, window_at
from airflow_provider.api.waits import GateWait, Pending
from tests.stages import LABELLED, task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

HOUR = 3600


def healthy(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.sensors.service_health import DataRobotServiceHealthSensor

    given = {"deployment_id": LABELLED, "threshold": 0.01, "poke_interval": 600.0, "timeout": 12 * HOUR, **arguments}
    return task(stage, DataRobotServiceHealthSensor, **given)


def fault(stage: Stage) -> None:
    """A server error now."""
    stage.service.predictions(LABELLED, requests=[{"statusCode": 500}])


def well(stage: Stage) -> None:
    """A hundred good requests now."""
    stage.service.predictions(LABELLED, requests=[{}] * 100)


def test_a_sensor_sees_what_comes_after_its_first_look(stage: Stage) -> None:
    stage.at(60, lambda: fault(stage))
    stage.at(4 * HOUR, lambda: well(stage))
    run = healthy(stage, window_last="2h", max_age="1h")
    done = run.run()
    assert done.state == "success", done
    assert (done.result["sample"], done.result["age"]) == (100, 0.0)
    asked = [one["query"] for one in stage.service.log(operationId="getDeploymentServiceStats")]
    ends = sorted({one["end"] for one in asked})
    assert len(ends) >= 5, "one window an hour"
    assert done.result["window"]["end"] == ends[-1]
    assert done.result["window"] == run.xcoms["verdict"]["window"]
    assert 4 * HOUR <= sum(stage.naps) <= 6 * HOUR


def test_a_given_window_stays(stage: Stage) -> None:
    stage.at(60, lambda: well(stage))
    done = healthy(
        stage, window_start="2020-01-01T00:00:00Z", window_end="2020-01-02T00:00:00Z", timeout=2 * HOUR
    ).run()
    assert done.state != "success"
    assert {one["query"]["end"] for one in stage.service.log(operationId="getDeploymentServiceStats")} == {
        "2020-01-02T00:00:00Z"
    }


def test_labels_are_waited_for_in_the_window_of_the_first_look(stage: Stage) -> None:
    from airflow_provider.sensors.accuracy import DataRobotAccuracySensor

    given: dict[str, Any] = {"deployment_id": LABELLED, "metric": "AUC", "comparison": ">", "threshold": 0.5}
    done = task(stage, DataRobotAccuracySensor, **given, poke_interval=600.0, timeout=3 * HOUR).run()
    assert done.state != "success"
    assert len({one["query"]["end"] for one in stage.service.log(operationId="getDeploymentAccuracy")}) == 1


def test_predictions_that_come_later_are_timely(stage: Stage) -> None:
    from airflow_provider.sensors.timeliness import DataRobotPredictionsTimelinessSensor

    stage.at(3 * HOUR, lambda: stage.service.predictions(LABELLED, data=[{"predicted": 0.5}]))
    given: dict[str, Any] = {"deployment_id": LABELLED, "max_age": "1h", "poke_interval": 600.0, "timeout": 8 * HOUR}
    done = task(stage, DataRobotPredictionsTimelinessSensor, **given).run()
    assert (done.state, done.result["value"]) == ("success", 0.0)


def test_every_poke_of_another_process_looks_at_the_present(stage: Stage) -> None:
    """In the mode ``reschedule`` only what was remembered is left of the look before."""
    run = healthy(stage, window_last="2h", mode="reschedule", deferrable=False, retries=1)
    plain = run._context

    def context() -> dict[str, Any]:
        found = plain()
        found["ti"].get_first_reschedule_date = lambda context: None
        return found

    run._context = context  # type: ignore[method-assign]
    stage.service.predictions(LABELLED, requests=[{"statusCode": 500}])
    run.run()
    stage.service.advance(5 * HOUR)
    well(stage)
    stage.service.advance(HOUR)
    done = run.run()
    assert done.state == "success", done
    assert done.result["sample"] == 100


# --- the parts ----------------------------------------------------------------------------------------------------


class Answer:
    """An answer of the service at some time."""

    status, location = 200, None

    def __init__(self, date: str | None, body: dict[str, Any]) -> None:
        from datetime import datetime

        self.date = None if date is None else datetime.fromisoformat(date)
        self.body = body

    def json(self) -> Any:
        return self.body


def wait(**more: Any) -> GateWait:
    """A gate over six hours; ``more`` is told to its reader."""
    window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T06:00:00Z", "hours": 6}
    return GateWait(
        "deployments/1/targetDrift/?start=2026-03-01T00%3A00%3A00Z&end=2026-03-01T06%3A00%3A00Z&metric=psi",
        "target_drift",
        {"end": "2026-03-01T06:00:00Z", "sample_path": "rows/?start=a&end=b", **more},
        {"comparison": "<=", "threshold": 0.15},
        about={"deployment_id": "1", "window": window},
    )


@pytest.mark.parametrize(
    ("date", "end"),
    [
        ("2026-03-01T08:59:59+00:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T09:30:00+01:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T06:59:00+00:00", "2026-03-01T06:00:00Z"),
        ("2026-03-01T03:00:00+00:00", "2026-03-01T06:00:00Z"),  # never back
        (None, "2026-03-01T06:00:00Z"),
    ],
)
def test_by_the_date_of_the_answer(date: str | None, end: str) -> None:
    moving = wait(rolls=6)
    assert isinstance(moving.receive(Answer(date, {"driftScore": 0.9, "sampleSize": 5})), Pending)
    assert moving.about["window"]["end"] == moving.of["end"] == end
    assert moving.request().endswith(f"end={end.replace(':', '%3A')}&metric=psi")


def test_without_rolls_nothing_moves() -> None:
    fixed = wait()
    before = fixed.request()
    fixed.receive(Answer("2026-03-01T23:00:00+00:00", {"driftScore": 0.9, "sampleSize": 5}))
    assert fixed.request() == before


def test_paths_keep_everything_else() -> None:
    from datetime import UTC, datetime

    window = window_at(datetime(2026, 3, 1, 8, 59, tzinfo=UTC), 24)
    assert window == {"start": "2026-02-28T08:00:00Z", "end": "2026-03-01T08:00:00Z", "hours": 24}
    path = moved("a/b/?start=x&end=y&batchId=1%2C2&name=caf%C3%A9+au+lait&empty=", window)
    assert path == (
        "a/b/?start=2026-02-28T08%3A00%3A00Z&end=2026-03-01T08%3A00%3A00Z&batchId=1%2C2&name=caf%C3%A9+au+lait&empty="
    )
    assert told({"metric": "psi", "newest_path": "c/?end=y"}, window) == {
        "metric": "psi",
        "newest_path": "c/?end=2026-03-01T08%3A00%3A00Z",
    }
