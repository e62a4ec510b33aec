"""Create, replay and compare under every value of every switch that they meet: the end is right, or it is loud.

Loud means that a task failed; never are there two challengers of one package, or more replays than were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider.emulator.switches import known
from tests.challengers.rivals import challenger
from tests.challengers.test_compare import a_day, compare
from tests.challengers.test_create import count, create
from tests.challengers.test_replay import count as replays
from tests.challengers.test_replay import replay
from tests.harness import V3, V4, share_of
from tests.stages import LABELLED

if TYPE_CHECKING:
    from tests.harness import Stage

OURS = [(one.name, value) for one in known().values() if one.area == "challengers" for value in one.values[1:]]
OTHERS = [(one.name, value) for one in known().values() if one.area in ("core", "accuracy") for value in one.values[1:]]


def whole_way(stage: Stage) -> list[str]:
    """How the three tasks ended, as far as they came; with another challenger there already."""
    a_day(stage, count=120)
    challenger(stage, V4, skill=-0.5, name="other")
    stage.service.change("packages", V3, skill=0.4)
    states = []
    for task in (create(stage), replay(stage), compare(stage)):
        ending = task.run()
        states.append(ending.state)
        if ending.state != "success":
            break
    made = [one for one in stage.service.world("challengers").values() if one["modelPackageId"] == V3]
    assert len(made) <= 1
    assert replays(stage) <= 1
    assert count(stage) == 1 + len(made)
    if states == ["success"] * 3:
        assert ending.result["best_model_package_id"] == V3
        assert stage.service.predictions(LABELLED)["rows"] == 360
    return states


@pytest.mark.parametrize(("name", "value"), [*OURS, *share_of(OTHERS, 0.2)])
def test_each_value_alone_ends_right_or_loud(stage: Stage, name: str, value: str) -> None:
    stage.service.switches(**{name: value})
    states = whole_way(stage)
    assert states == ["success"] * 3 or states[-1] in ("failed", "retry")
    if (name, value) in OURS:
        assert states == ["success"] * 3
