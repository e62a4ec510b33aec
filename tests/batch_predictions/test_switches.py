"""Batch predictions under every value of the switches that they touch: the end is right, or it is loud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider.emulator.switches import known
from tests.batch_predictions.test_scoring import ROWS, jobs, score, target_of
from tests.harness import share_of

if TYPE_CHECKING:
    from tests.harness import Stage

AREAS = ("core", "batch_predictions")


def test_each_value_alone_ends_right(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_bytes(ROWS)
    values = [(one.name, value) for one in known().values() if one.area in AREAS for value in one.values]
    for name, value in share_of(values, 0.25):
        stage.anew(**{name: value})
        story = f"{name}={value}"
        stage.service.fault("lost_answer", operationId="uploadBatchPredictionCsv")
        assert score(stage, source).run().state == "success", story
        assert len(target_of(source).read_bytes().splitlines()) == 4, story
        target_of(source).unlink()
        assert len(jobs(stage)) == 1, story
        stuck = score(stage, source, timeout=90)
        stage.service.fault("stuck_job", operationId="uploadBatchPredictionCsv")
        assert "WaitTimedOut" in str(stuck.run().error), story
        assert jobs(stage)[-1]["status"] == "ABORTED", story
