"""What is to be thought of a run in which a process died: by the service's store, never by the client's word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.deaths.matrix import Death
from tests.deaths.stories import Counts, Story

# Words of an error that says what is not known, or what was done and goes on. See "Under fire" in docs/reliability.md.
TELLS = ("OutcomeUnknown", "may have", "was accepted", "were accepted", "goes on")


def expected(death: Death) -> tuple[str, ...]:
    """The verdicts that the promise allows: once; or a few rows twice; or, where nothing can tell, an error."""
    if death.moment in death.story.blind:
        return ("unsure",)
    return ("right", "repeated") if death.story.again else ("right",)


def judge(story: Story, state: str, found: Counts, result: Mapping[str, Any] | None, log: str) -> str:
    """The verdict in one word: those of the fault runs."""
    over = {name for name, count in story.wanted.items() if found[name] > count}
    bounded = all(found[name] <= story.again.get(name, story.wanted[name]) for name in over)
    missing = any(found[name] < count for name, count in story.wanted.items())
    if state == "success":
        if missing:
            return "lost"
        if over and not bounded:
            return "reported" if result and result.get("sent_twice") else "undetected"
        return "repeated" if over else "right"
    if over and not bounded:
        return "undetected"
    if any(word in log for word in TELLS):
        return "unsure"
    return "loud" if not any(found.values()) else "wrong"
