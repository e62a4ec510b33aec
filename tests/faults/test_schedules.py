"""A share of the fault schedules that is drawn by a seed; all of them with ``make test-faults``."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from tests.faults.drawing import drawn
from tests.faults.judging import BAD
from tests.faults.kinds import KINDS
from tests.faults.playing import ANSWERS, Schedule
from tests.faults.registry import all_cases, without_case
from tests.harness import dice

if TYPE_CHECKING:
    from tests.faults.playing import Theatre

SHARE = int(os.environ.get("SHARE", "60"))  # schedules of a usual run


def test_every_operator_that_writes_has_a_case() -> None:
    assert without_case() == []


@pytest.mark.parametrize("name", all_cases())
def test_a_good_run_does_what_its_case_says(played: Theatre, name: str) -> None:
    """The effects are held against the case, and its requests against the log, in ``requests``."""
    assert any(one.writes for one in played.requests(all_cases()[name], store=True, deferrable=True))


@pytest.mark.filterwarnings("ignore")  # of deprecated operations
def test_no_schedule_is_done_twice_or_lost_in_silence(played: Theatre) -> None:
    found = [(schedule, played.play(schedule)) for schedule in drawn(played, 20260302, SHARE)]
    assert [f"{verdict.word}: {one}\n{verdict.why}" for one, verdict in found if verdict.word in BAD] == []
    assert sum(verdict.word == "right" for _, verdict in found) > SHARE / 2


# Schedules that found a defect, and one of each kind of verdict.
KNOWN = [
    ("ExportActualsData", True, False, "retry", "413", 10, "right"),
    ("UploadDataset", True, False, "retry", "committed 90 s later, 504", 2, "reported"),
    ("CreateApprovalPolicy", False, False, "retry", "committed 10 min later, reset", 2, "reported"),
    ("CreateNotificationPolicy", False, False, "retry", "committed 10 min later, reset", 2, "reported"),
    ("UpdateFairnessSettings", False, True, "retry", "missing Location", 2, "right"),
    ("EraseDeletedDeployments", True, True, "retry", "missing Location", 2, "right"),
    ("ReplayChallengers", True, True, "retry", "404 on status", 3, "unsure"),
    ("ReviewChangeRequest", True, False, "clear", "empty body", 3, "right"),
    ("CreateApprovalPolicy", True, False, "clear", "empty body", 2, "right"),
    ("ExportTrainingData", False, False, "retry", "empty body", 12, "right"),
    ("CreateRemoteEvent", True, True, "retry", "504 after commit", 1, "unsure"),
    ("ReplaceModel (direct)", True, True, "retry", "connection refused", 1, "right"),
    ("CreateRemoteEvent", True, False, "retry", "empty body", 1, "unsure"),
    ("UploadActuals (as a dataset)", True, True, "backfill", "403 for a while", 8, "unsure"),
    ("UploadActuals (as a dataset)", True, True, "retry", "401 for a while", 9, "repeated"),
    ("RunRetrainingPolicy", True, True, "mark failed", "committed 10 min later, reset", 3, "reported"),
    ("DeleteMonitoringData", False, True, "clear", "503", 2, "reported"),
    ("CreateOnDemandReport", True, False, "retry", "403 once", 3, "unsure"),
    ("CreateOnDemandReport", False, True, "mark failed", "403 once", 3, "unsure"),
    ("ExportPredictionData", False, True, "clear", "read timeout after commit", 4, "reported"),
    ("RunRetrainingPolicy", False, True, "clear", "committed 10 min later, reset", 3, "reported"),
]


@pytest.mark.parametrize(("name", "store", "deferrable", "answer", "fault", "nth", "word"), KNOWN)
def test_known_schedules(
    played: Theatre, name: str, store: bool, deferrable: bool, answer: str, fault: str, nth: int, word: str
) -> None:
    operation = played.requests(all_cases()[name], store, deferrable)[nth - 1].operation
    verdict = played.play(Schedule(all_cases()[name], store, deferrable, answer, fault, nth, operation))
    assert verdict.word == word, verdict


def test_the_draw_reaches_everything(played: Theatre) -> None:
    """Every fault and every answer of Airflow, in a fair number of schedules."""
    chance = dice(1)
    pairs = set(itertools.product(KINDS, ANSWERS))
    seen = {(chance.choice(list(KINDS)), chance.choice(ANSWERS)) for _ in range(20_000)}
    assert seen == pairs
