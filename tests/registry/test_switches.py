"""From the Leaderboard to a file, under every pair of values of every assumed switch: the end is right, or it is loud.

Loud means that the task failed with an error, and there is never more than one version and one deployment of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider.emulator.switches import known
from tests.harness import dice, share_of
from tests.journeys.test_switches import Row, pairwise
from tests.model_files.test_downloads import image, scoring_code, sha256
from tests.people import approve
from tests.registry import test_create_deployment as creating
from tests.registry import test_register as registering

if TYPE_CHECKING:
    from tests.harness import Ending, Stage

AREAS = ("core", "registry", "model_files")
REFUSALS = {  # values under which the service says no to what these tasks ask for
    ("deployment_quota", "reached"),
    ("default_prediction_server", "required"),
}
ROWS = pairwise({one.name: one.values for one in known().values() if one.area in AREAS}, dice())


def loud(ending: Ending) -> bool:
    return ending.state in ("failed", "retry") and bool(str(ending.error))


@pytest.mark.parametrize(("number", "row"), share_of(list(enumerate(ROWS)), 0.25))
def test_every_pair(stage: Stage, tmp_path: Path, number: int, row: Row) -> None:
    stage.service.switches(**row)
    guarded = number % 2 == 0
    if guarded:
        creating.guard(stage)
    stage.enter("reviewer", approve, after=90)
    registered = registering.register(stage, deferrable=guarded).run()
    assert registered.state == "success", registered
    assert len(registering.made(stage)) == 1
    package = registered.result["model_package_id"]
    place = {"prediction_environment": "64a300000000000000000003"} if number % 3 else {}
    if row["prediction_environments"] == "refuse_404":
        place = {}
    done = creating.create(stage, model_package_id=package, if_building="wait", deferrable=guarded, **place).run()
    refused = not REFUSALS.isdisjoint(row.items())
    assert done.state == "success" or (refused and loud(done)), done
    assert len(creating.made(stage)) == (done.state == "success")
    if done.state == "success":
        assert done.result["approval_status"] == "APPROVED"
        code = scoring_code(stage, tmp_path, deployment_id=done.result["deployment_id"], include_agent=True).run()
        assert code.state == "success", code
    told = image(stage, tmp_path).run()
    if row["image_there"] == "no":
        assert loud(told)
    else:
        assert told.result["sha256"] == sha256(tmp_path / "out" / "pps.tar.gz")


def test_rows_hold_every_value() -> None:
    held = {pair for row in ROWS for pair in row.items()}
    assert held == {(one.name, value) for one in known().values() if one.area in AREAS for value in one.values}
