"""What people and clocks do to a task that waits, or has waited, and what must become of its remote work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demo.processes import until
from tests.kills.scene import GOES_ON, LATE, WAS_STOPPED, Scene
from tests.kills.works import BATCH, EXPORT, REPLACEMENT, REQUEST, RETRAINING, Work, end

CANCELLED, LEFT, TAKEN_UP, NEW, AGAIN = "cancelled", "goes on", "taken up", "new work", "begun again"
MODES = ("deferred", "in_place")


@dataclass(frozen=True)
class Story:
    """``play`` goes through it; ``becomes`` is what must become of the work, ``before_33`` before Airflow 3.3.

    ``variant``: the first part of the DAG's id, where it is not that of the work.
    """

    title: str
    work: Work
    play: Callable[[Scene], None]
    becomes: str
    before_33: str = ""
    variant: str = ""

    @property
    def name(self) -> str:
        """For people who pick a test."""
        return f"{self.title}: {self.work.name}".replace(" ", "-")

    def wanted(self, has_memory: bool) -> list[str]:
        """What may become of the work: one thing, but where two are in a race."""
        return (self.becomes if has_memory else self.before_33 or self.becomes).split("|")


# --- a task that waits is ended -----------------------------------------------------------------------------------


def is_stopped(scene: Scene) -> None:
    """Its work is cancelled, and the log says so."""
    scene.stopped()
    scene.told(*WAS_STOPPED)


def marked_failed(scene: Scene) -> None:
    scene.begin()
    scene.deed(lambda: scene.mark("failed"))
    is_stopped(scene)


def marked_success(scene: Scene) -> None:
    scene.begin()
    scene.deed(lambda: scene.mark("success"))
    is_stopped(scene)


def marked_where_nothing_stops_it(scene: Scene) -> None:
    scene.begin()
    scene.deed(lambda: scene.mark("failed"))
    scene.told(*GOES_ON)


def run_failed(scene: Scene) -> None:
    scene.begin()
    scene.deed(scene.fail_run)
    is_stopped(scene)


def run_too_long(scene: Scene) -> None:
    scene.submit()
    scene.ends("skipped")
    scene.deed(lambda: None)
    is_stopped(scene)


def run_deleted(scene: Scene) -> None:
    """Airflow deletes no run that is running: it is marked as failed first, and no moment later deleted."""
    scene.begin()
    scene.deed(scene.fail_run)
    scene.delete_run()
    scene.told(*GOES_ON, *WAS_STOPPED)


# --- time is up ---------------------------------------------------------------------------------------------------


def execution_timeout(scene: Scene) -> None:
    scene.submit()
    scene.ends("failed")
    is_stopped(scene)


def deadline(scene: Scene) -> None:
    scene.submit(timeout="25")
    scene.ends("failed")
    is_stopped(scene)


def deadline_leaves(scene: Scene) -> None:
    scene.submit(timeout="25", on_timeout="leave")
    scene.ends("failed")
    scene.told(*GOES_ON)


# --- a task is cleared --------------------------------------------------------------------------------------------


def cleared(scene: Scene) -> None:
    """While it waits; the work then ends well, and so does the task."""
    scene.begin()
    scene.deed(scene.clear)
    scene.waits(attempt=2)
    for work in scene.works():
        end(scene.service, work)
    scene.ends("success")


def cleared_after_success(scene: Scene) -> None:
    scene.begin()
    end(scene.service, scene.works()[0])
    scene.ends("success")
    begun_anew(scene)


def cleared_after_failure(scene: Scene) -> None:
    scene.begin()
    end(scene.service, scene.works()[0], fails="No workers.")
    scene.ends("failed")
    begun_anew(scene)


def cleared_after_kill(scene: Scene) -> None:
    marked_failed(scene)
    begun_anew(scene)


def begun_anew(scene: Scene) -> None:
    """The cleared task begins anew, and ends well."""
    scene.clear()
    until(lambda: len(scene.works()) == 2, f"{scene.folder.name}: new work", LATE)
    scene.waits(attempt=2)
    end(scene.service, scene.works()[1])
    scene.ends("success")


# --- work of others, and a service that cannot be asked -----------------------------------------------------------


def adopted(scene: Scene) -> None:
    scene.begin_elsewhere()
    scene.begin()
    scene.deed(lambda: scene.mark("failed"))
    scene.told(*GOES_ON)


def adopted_and_wanted(scene: Scene) -> None:
    scene.begin_elsewhere()
    scene.begin(cancel_adopted="true")
    scene.deed(lambda: scene.mark("failed"))
    is_stopped(scene)


def not_to_be_asked(scene: Scene) -> None:
    """The poll budget is spent; the next attempt takes the work up."""
    scene.begin()
    fault = scene.service.fault("status", code=503, method="GET", path=scene.works()[0]["id"], times=0)
    scene.told("PollBudgetSpent")
    scene.service.remove_fault(fault)
    scene.waits(attempt=2)
    end(scene.service, scene.works()[0])
    scene.ends("success")


STORIES = [
    *(Story("marked as failed", work, marked_failed, CANCELLED) for work in (REQUEST, RETRAINING, BATCH, EXPORT)),
    Story("marked as failed", REPLACEMENT, marked_where_nothing_stops_it, LEFT),
    Story("marked as success", RETRAINING, marked_success, CANCELLED),
    Story("the run is marked as failed", RETRAINING, run_failed, CANCELLED),
    Story("the run is marked as failed and deleted", BATCH, run_deleted, f"{CANCELLED}|{LEFT}"),
    Story("dagrun_timeout", RETRAINING, run_too_long, CANCELLED, variant="retraining_brief"),
    Story("execution_timeout", RETRAINING, execution_timeout, CANCELLED, variant="retraining_limited"),
    Story("timeout, on_timeout=cancel", REQUEST, deadline, CANCELLED),
    Story("timeout, on_timeout=leave", RETRAINING, deadline_leaves, LEFT),
    *(Story("cleared while it waits", work, cleared, TAKEN_UP) for work in (REQUEST, RETRAINING, REPLACEMENT)),
    Story("cleared while it waits", BATCH, cleared, TAKEN_UP, before_33=AGAIN),
    Story("cleared after a success", RETRAINING, cleared_after_success, NEW),
    Story("cleared after a success", BATCH, cleared_after_success, NEW),
    Story("cleared after a failure", RETRAINING, cleared_after_failure, NEW),
    Story("cleared after a kill", REQUEST, cleared_after_kill, NEW),
    Story("adopted, marked as failed", RETRAINING, adopted, LEFT),
    Story("adopted, cancel_adopted=True, marked as failed", RETRAINING, adopted_and_wanted, CANCELLED),
    Story("the service cannot be asked", RETRAINING, not_to_be_asked, TAKEN_UP, variant="impatient"),
]


def verdict(scene: Scene) -> str:
    """What became of the work, by what the service has kept and accepted."""
    works, cancels = scene.works(), scene.cancels()
    stopped = sum(scene.work.is_stopped(one) for one in works)
    if cancels != stopped:
        return f"{cancels} cancels were accepted, {stopped} of {len(works)} are cancelled"
    if len(works) == 1:
        return CANCELLED if stopped else TAKEN_UP if scene.attempt > 1 else LEFT
    return AGAIN if scene.side_by_side else NEW
