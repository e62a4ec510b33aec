"""Monitoring batches under every value of the switches that they touch: the end is right, or it is loud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.switches import known
from tests.harness import share_of
from tests.monitoring_batches.test_batches import batches, create, delete, update

if TYPE_CHECKING:
    from tests.harness import Stage

AREAS = ("core", "monitoring_batches")


def test_each_value_alone_ends_right(stage: Stage) -> None:
    values = [(one.name, value) for one in known().values() if one.area in AREAS for value in one.values]
    for name, value in share_of(values, 0.25):
        stage.anew(**{name: value})
        story = f"{name}={value}"
        key = create(stage).run().result["batch_id"]
        assert update(stage, batch_id=key, locked=True).run().result["batch"]["isLocked"] is True, story
        assert update(stage, batch_id=key, locked=False).run().state == "success", story
        assert delete(stage, batch_id=key).run().result["deleted"] is True, story
        assert batches(stage) == [], story
        assert stage.service.count("monitoringBatchCreated") == 1, story
