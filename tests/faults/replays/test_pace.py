"""That a replay keeps the order of a story, and finds its request."""

from __future__ import annotations

from airflow_provider.api.once import APART
from tests.faults.kinds import KINDS
from tests.faults.playing import Request
from tests.faults.replays import pace
from tests.faults.replays.plans import place


def test_late_commits_stay_before_or_after_the_second_look() -> None:
    late = {
        name: pace.fault(kind.emulator)["seconds"] / pace.SPEED
        for name, kind in KINDS.items()
        if kind.emulator.get("kind") == "late_commit"
    }
    before, just, after, long = late.values()
    assert before < just < pace.SETTLE
    assert pace.SETTLE + APART < after < long


def test_a_request_is_found_by_its_number_in_a_story_of_short_waits() -> None:
    story = [Request(name, False, False) for name in ("list", "post", *["look"] * 6, "get", "look", "list")]
    assert place(story, 2) == (2, 1)
    assert place(story, 4) == place(story, 8) == (4, 2)
    assert place(story, 9) == (5, 1)
    assert place(story, 10) == (6, 3)
    assert place(story, 11) == (7, 2)
    assert place(story, 0) == (0, 0)
