"""Kill, timeout and clear in real Airflow processes; judged by what the service has kept and accepted."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tests.kills.results import Results
from tests.kills.scene import Scene
from tests.kills.stories import MODES, STORIES, Story, verdict

pytestmark = pytest.mark.kills

Played = dict[tuple[str, str], Future[Scene]]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("mode", MODES)
def test_what_becomes_of_the_remote_work(played: Played, results: Results, story: Story, mode: str) -> None:
    scene = played[story.name, mode].result()
    assert verdict(scene) in story.wanted(results.line >= "3.3")
    results.note(story.title, scene, scene.seconds)


def test_nothing_was_cancelled_later(played: Played) -> None:
    """What was left alone when its story ended was left alone by those who came late, too."""
    for (name, _), future in played.items():
        scene = future.result()
        stopped = sum(scene.work.is_stopped(one) for one in scene.works())
        assert scene.cancels() == stopped == scene.cancelled, name
