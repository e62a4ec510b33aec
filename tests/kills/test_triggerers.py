"""Triggerers stop, die and come to life again while tasks wait: nothing is cancelled, and another one goes on.

These stand after the stories: they take away what those wait on.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from demo.processes import stop, until
from demo.stack import Stack
from tests.kills.conftest import NewScene
from tests.kills.results import Results
from tests.kills.scene import LATE, SOON, Scene
from tests.kills.stories import LEFT, Story, verdict
from tests.kills.works import REQUEST, RETRAINING, end

pytestmark = pytest.mark.kills

FIRST, SECOND = "triggerer", "triggerer-2"


@pytest.fixture
def scenes(request: pytest.FixtureRequest, scene_of: NewScene) -> Iterator[list[Scene]]:
    """Two tasks that wait in the triggerer, each for its own kind of work."""
    title = request.node.name.removeprefix("test_").replace("_", " ")
    made = [scene_of(Story(title, work, Scene.leave, LEFT), "deferred") for work in (REQUEST, RETRAINING)]
    for scene in made:
        scene.begin()
    yield made
    for scene in made:
        scene.leave()


def looked_at(scenes: list[Scene]) -> float:
    """Returns when each was looked at again: seconds from now."""
    begun, before = time.monotonic(), [scene.looks() for scene in scenes]
    until(lambda: all(scene.looks() > old for scene, old in zip(scenes, before, strict=True)), "a look", LATE)
    return round(time.monotonic() - begun, 1)


def over(scenes: list[Scene], results: Results, title: str, seconds: float) -> None:
    """The work ends well, and so do the tasks, in their first attempt; nobody has cancelled anything."""
    for scene in scenes:
        [work] = scene.works()
        end(scene.service, work)
        scene.ends("success")
        assert scene.task()["try_number"] == 1
        assert verdict(scene) == LEFT
        results.note(title, scene, seconds)


def test_a_triggerer_that_is_stopped_and_started(airflow: Stack, scenes: list[Scene], results: Results) -> None:
    child = airflow.children.pop(FIRST)
    child.signal(signal.SIGTERM, group=False)
    child.process.wait(SOON)
    stop([child])
    airflow.start(FIRST)
    over(scenes, results, "the triggerer is restarted (SIGTERM)", looked_at(scenes))


def test_a_triggerer_that_dies_beside_another(airflow: Stack, scenes: list[Scene], results: Results) -> None:
    airflow.start(SECOND)
    until(lambda: "triggerer" in airflow.children[SECOND].last_words().lower(), "the second triggerer", SOON)
    airflow.kill(FIRST)
    over(scenes, results, "the triggerer dies (SIGKILL), another takes over", looked_at(scenes))


def test_a_triggerer_that_is_silent_and_comes_back(airflow: Stack, scenes: list[Scene], results: Results) -> None:
    """Its triggers have gone to another one meanwhile, and it is told to end them: no user has asked for that."""
    silent = airflow.children[SECOND]
    airflow.start(FIRST)
    silent.signal(signal.SIGSTOP)
    seconds = looked_at(scenes)
    silent.signal(signal.SIGCONT)
    for scene in scenes:
        scene.told("Task is deferred: its remote work goes on")
    over(scenes, results, "the triggerer is silent, another takes over, the first comes back", seconds)
