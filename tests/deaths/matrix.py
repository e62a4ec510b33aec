"""Which process dies, in which story, at which moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.deaths.stories import APPROVAL, EXPORT, METRIC, REPLACEMENT, RETRAINING, UPLOAD, Story

# Moment -> how the table calls it.
MOMENTS = {
    "before": "before the write",
    "sending": "over the write, which is carried out afterwards",
    "written": "over the write, which was carried out",
    "waiting in place": "while it waits on its worker",
    "waiting": "while it is deferred",
    "resumed": "after it was resumed",
    "resumed, written": "after it was resumed, over its next write",
}
# Who dies, and what becomes of it.
TASK = "process of the task"
WORKER = "worker and task"
TRIGGERER, LAST_TRIGGERER = "triggerer", "triggerer, another is there"
API_SERVER = "API server"
SCHEDULER, SCHEDULER_ALONE = "scheduler with its workers", "scheduler, its workers live on"
SERVICE = "the service"


@dataclass(frozen=True)
class Death:
    """One cell of the matrix."""

    who: str
    story: Story
    moment: str

    def __str__(self) -> str:
        return f"{self.who}-{self.story.title}-{self.moment}".replace(" ", "_")


def deaths() -> Iterator[Death]:
    """All of them."""
    for who, story, moments in MATRIX:
        for moment in moments:
            yield Death(who, story, moment)


MATRIX: tuple[tuple[str, Story, tuple[str, ...]], ...] = (
    (TASK, REPLACEMENT, ("before", "sending", "written", "waiting in place", "resumed")),
    (TASK, APPROVAL, ("sending", "written", "waiting in place", "resumed", "resumed, written")),
    (TASK, RETRAINING, ("before", "sending", "written", "waiting in place")),
    (TASK, UPLOAD, ("sending", "written", "waiting in place")),
    (TASK, EXPORT, ("before", "sending", "written", "waiting in place", "resumed")),
    (TASK, METRIC, ("sending", "written", "waiting in place", "resumed")),
    (WORKER, REPLACEMENT, ("written",)),
    (WORKER, RETRAINING, ("waiting in place",)),
    (TRIGGERER, RETRAINING, ("waiting",)),
    (TRIGGERER, METRIC, ("waiting",)),
    (LAST_TRIGGERER, APPROVAL, ("waiting",)),
    (API_SERVER, REPLACEMENT, ("written",)),
    (API_SERVER, RETRAINING, ("waiting in place",)),
    (API_SERVER, APPROVAL, ("waiting",)),
    (SCHEDULER, REPLACEMENT, ("written",)),
    (SCHEDULER, RETRAINING, ("waiting in place",)),
    (SCHEDULER, APPROVAL, ("waiting",)),
    (SCHEDULER_ALONE, RETRAINING, ("waiting in place",)),
    (SERVICE, REPLACEMENT, ("sending", "waiting")),
    (SERVICE, RETRAINING, ("written", "waiting in place")),
    (SERVICE, UPLOAD, ("written",)),
    (SERVICE, EXPORT, ("written",)),
    (SERVICE, METRIC, ("sending", "written")),
)
