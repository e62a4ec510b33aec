"""Every call of both journeys meets every fault: one replacement and one change request, or it is said.

Judged by the effects and the accepted writes of the service (tests/verdicts.py). A share of the schedules that is
drawn by a seed is played each time, all of them with ``STORIES=all``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness import GOVERNED, REQUESTER, UNGOVERNED, Stage, calls_of, replacing, share_of
from tests.people import approve
from tests.verdicts import Verdict, tally, verdict_on

WRITES = ("replaceDeploymentModel", "createChangeRequest", "updateChangeRequestStatus")
JOBS = ("replaceDeploymentModel", "updateChangeRequestStatus")

Faults = dict[str, dict[str, Any]]
ON_ANY: Faults = {
    "reset": {"kind": "reset"},
    "429": {"kind": "status", "code": 429},
    "429 in 30 s": {"kind": "retry_after", "code": 429, "seconds": 30},
    "429 until a date": {"kind": "retry_after", "code": 429, "seconds": 45, "as_date": True},
    "500": {"kind": "status", "code": 500},
    "502 with a page": {"kind": "html_page", "code": 502},
    "503": {"kind": "status", "code": 503},
    "503 in 30 s": {"kind": "retry_after", "code": 503, "seconds": 30},
    "504": {"kind": "status", "code": 504},
    "a login page": {"kind": "html_page", "code": 200},
    "truncated": {"kind": "truncated"},
    "empty body": {"kind": "empty_body"},
    "plain text": {"kind": "content_type", "value": "text/plain"},
    "no content type": {"kind": "content_type", "value": None},
    "outage": {"kind": "status", "code": 503, "times": 9},
    "unanswered": {"kind": "hold", "where": "after"},
}
ON_WRITES: Faults = {
    "lost, reset": {"kind": "lost_answer", "answer": "reset"},
    "lost, 504": {"kind": "lost_answer", "answer": 504},
    "late by 30 s": {"kind": "late_commit", "answer": 504, "seconds": 30},
    "late by 59 s": {"kind": "late_commit", "answer": "reset", "seconds": 59},
    "late by 70 s": {"kind": "late_commit", "answer": 504, "seconds": 70},
    "late by 90 s": {"kind": "late_commit", "answer": "reset", "seconds": 90},
    "late by 10 min": {"kind": "late_commit", "answer": 504, "seconds": 600},
    "slow by 30 s": {"kind": "hold", "where": "before"},
}
ON_JOBS: Faults = {
    "no location": {"kind": "missing_location"},
    "relative location": {"kind": "relative_location"},
    "foreign location": {"kind": "foreign_location"},
    "stuck job": {"kind": "stuck_job"},
    "failed job": {"kind": "failed_job"},
    "expired job": {"kind": "expired_job"},
    "lost job": {"kind": "job_404"},
}
ALL = ON_ANY | ON_WRITES | ON_JOBS
CALLS: dict[tuple[str, bool, bool], list[tuple[str, int]]] = {}  # of each journey in each way
WAYS = list(itertools.product((True, False), (True, False)))  # with a store, deferrable


@dataclass(frozen=True)
class Schedule:
    """One journey that meets one fault at one of its calls."""

    deployment: str
    operation: str
    nth: int
    fault: str
    store: bool
    deferrable: bool

    def __str__(self) -> str:
        where = "gated" if self.deployment == GOVERNED else "direct"
        how = f"{'store' if self.store else 'no store'}, {'deferred' if self.deferrable else 'in place'}"
        return f"{where} ({how}), {self.operation} #{self.nth}: {self.fault}"


def play(stage: Stage, schedule: Schedule) -> Verdict:
    stage.anew()
    stage.enter("reviewer", approve, after=20)
    fault = stage.service.fault(operationId=schedule.operation, user=REQUESTER, nth=schedule.nth, **ALL[schedule.fault])
    stage.at(30, lambda: stage.service.release(fault))  # what is held goes on; of no concern to other kinds
    ending = replacing(stage, schedule.deployment, store=schedule.store, deferrable=schedule.deferrable).run()
    return verdict_on(stage, ending, schedule.deployment)


def schedules(stage: Stage, deployment: str, faults: Faults, only: tuple[str, ...] | None) -> Iterator[Schedule]:
    """All schedules of these faults; the calls are those of the journey when nothing goes wrong."""
    for store, deferrable in WAYS:
        way = (deployment, store, deferrable)
        if way not in CALLS:
            stage.anew()
            stage.enter("reviewer", approve, after=20)
            assert replacing(stage, deployment, store=store, deferrable=deferrable).run().state == "success"
            CALLS[way] = calls_of(stage)
        for (operation, nth), fault in itertools.product(CALLS[way], faults):
            if only is None or operation in only:
                yield Schedule(deployment, operation, nth, fault, store, deferrable)


@pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])
@pytest.mark.parametrize(
    ("faults", "only", "share"),
    [(ON_ANY, None, 0.03), (ON_ANY, WRITES, 0.15), (ON_WRITES, WRITES, 0.4), (ON_JOBS, JOBS, 0.4)],
    ids=["any call", "writes", "late and lost", "jobs"],
)
def test_no_fault_replaces_twice_or_in_silence(
    impatient: Stage, deployment: str, faults: Faults, only: tuple[str, ...] | None, share: float
) -> None:
    drawn = share_of(schedules(impatient, deployment, faults, only), share)
    words, wrong = tally([(str(schedule), play(impatient, schedule)) for schedule in drawn])
    assert not wrong, "\n".join(wrong)
    assert words["right"] > len(drawn) / 2


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("store", [True, False], ids=["store", "no store"])
def test_a_service_that_goes_away_over_a_write(stage: Stage, operation: str, done: bool, store: bool) -> None:
    """For ten minutes nobody can be asked what became of it. With a memory a retry looks; without, a person must."""
    deployment = UNGOVERNED if operation == "replaceDeploymentModel" else GOVERNED
    stage.enter("reviewer", approve)
    stage.service.fault("lost_answer" if done else "reset", operationId=operation)

    def away() -> None:
        stage.service.fault("status", code=503, method="GET", user=REQUESTER, times=0)
        stage.at(600, stage.service.remove_fault)

    stage.before(operation, away)
    task = replacing(stage, deployment, store=store)
    ending = task.run()
    verdict = verdict_on(stage, ending, deployment)
    if store:
        assert verdict.word == "right"
        assert "the next attempt looks again" in str(task.endings[0].error)
    else:
        assert verdict.word == ("unsure" if done and operation != "createChangeRequest" else "loud")
        assert verdict.why == "OutcomeUnknown"
