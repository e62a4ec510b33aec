"""An export under every value of every assumed switch that it touches: it is right, or it fails and says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider.emulator.switches import known
from tests.exports.exporting import created, export, lines, manifest, predict
from tests.harness import FULL, dice, share_of

if TYPE_CHECKING:
    from tests.harness import Stage

AREAS = ("core", "exports")
ALSO = ("default_bucket", "default_model", "empty_buckets", "class_means", "dataset_latest")
SWITCHES = [one for one in known().values() if one.area in AREAS or one.name in ALSO]
END = "2026-03-01T06:00:00Z"
LIES = ("200_instead_of_202", "location_of_other_job", "endless_pages")


def play(stage: Stage, folder: Path, switches: Mapping[str, str]) -> None:
    """240 predictions of six hours in two exports; the verdict on what is there afterwards."""
    stage.anew(**switches)
    predict(stage, 240, end=END)
    ending = export(stage, folder, window_end=END, row_limit=200, retries=1, timeout=7200).run()
    if ending.state == "success":
        assert ending.result["rows"] == manifest(folder)["rows"] == 240
        assert len({row["customer_id"] for row in lines(folder)}) == 240
    else:
        assert not (folder / "manifest.json").exists()
        assert str(ending.error)
        assert switches.keys() & {"export_row_limit", "export_places", "job_end"}, ending
    assert created(stage) <= 12


@pytest.mark.parametrize("name", share_of([one.name for one in SWITCHES], 0.3))
def test_every_value_of_every_switch(stage: Stage, tmp_path: Path, name: str) -> None:
    for value in known()[name].values[1:]:
        play(stage, tmp_path / value, {name: value})


@pytest.mark.parametrize("number", range(200 if FULL else 4))
def test_values_together(stage: Stage, tmp_path: Path, number: int) -> None:
    drawing = dice(number)
    chosen = [one for one in SWITCHES if one.name != "export_row_limit"]
    play(stage, tmp_path / "out", {one.name: drawing.choice(one.values) for one in chosen})


@pytest.mark.parametrize("lie", LIES)
def test_lies_of_the_whole_service(stage: Stage, tmp_path: Path, lie: str) -> None:
    """The export itself is asked, so a status object that belongs to something else misleads nobody."""
    predict(stage, 24)
    stage.service.lie(lie)
    task = export(stage, tmp_path / "out", timeout=3600)
    ending = task.run()
    if ending.state == "success":
        assert len(lines(tmp_path / "out")) == 24
    else:
        assert not (tmp_path / "out" / "manifest.json").exists()
