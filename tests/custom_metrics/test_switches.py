"""Custom metrics under every value of the switches that they touch: the end is right, or it is loud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.switches import known
from tests.custom_metrics.metrics import create, rows, stored, submit, summary
from tests.harness import share_of

if TYPE_CHECKING:
    from tests.harness import Stage

AREAS = ("core", "custom_metrics")


def test_each_value_alone_ends_right_or_loud(stage: Stage) -> None:
    values = [(one.name, value) for one in known().values() if one.area in AREAS for value in one.values]
    loud = []
    for name, value in share_of(values, 0.25):
        stage.anew(**{name: value})
        story = f"{name}={value}"
        assert create(stage).run().state == "success", story
        ending = submit(stage, source=rows(stage, 5), retries=2).run()
        total = stored(stage)[0]
        if ending.state == "success":
            assert total == 5, story
            assert summary(stage).run().result["value"] == 5, story
        else:
            assert total in (None, 5), story
            loud.append(story)
        assert stage.service.count("metricValuesAccepted") == 1, story
    assert loud == []
