"""Truth tables of gates: each case is looked at by the operator, and by the sensor that waits for data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.stages import LABELLED, read_only, task

if TYPE_CHECKING:
    from tests.harness import Stage

DAY = {"window_start": "2026-03-01T00:00:00Z", "window_end": "2026-03-02T00:00:00Z"}
STATES = {"pass": "success", "fail": "failed", "no_data": "failed"}


def verdict(stage: Stage, operator: Any, sensor: Any, outcome: str, **arguments: Any) -> dict[str, Any]:
    """The verdict of the operator, which must be this outcome; the sensor must come to the same.

    Without data the sensor must wait until its deadline, and say why.
    """
    given = {"deployment_id": LABELLED, **DAY, **arguments}
    once = read_only(stage, operator, **given)
    done = once.run()
    found: dict[str, Any] = once.xcoms["verdict"]
    assert (done.state, found["outcome"]) == (STATES[outcome], outcome), done
    assert found["deployment_id"] == LABELLED
    waiting = task(stage, sensor, **{"poke_interval": 60.0, "timeout": 300, "wait_for": "data", **given})
    ended = waiting.run()
    if outcome == "no_data":
        assert ended.state != "success"
        assert f"not over after 300 s: no_data: {found['reason']}" in str(ended.error)
    else:
        assert ended.state == STATES[outcome], ended
        assert waiting.xcoms["verdict"] == found
    return found


def predictions(stage: Stage, *given: dict[str, Any], hour: int = 12, **more: Any) -> None:
    """These predictions, made on the first of March, at this hour."""
    data = [
        {"associationId": f"row-{hour}-{n}", "predicted": 0.1, "timestamp": f"2026-03-01T{hour:02}:00:00Z", **one}
        for n, one in enumerate(given)
    ]
    stage.service.predictions(LABELLED, data=data, **more)
