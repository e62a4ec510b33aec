"""Each kind of wait, answer by answer; each cell of the table of endings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider.api import waits
from airflow_provider.api.endings import ENTITIES, JOB
from airflow_provider.api.waits import (
    Done,
    EntityWait,
    EveryWait,
    Failed,
    JobWait,
    LatestRunWait,
    Pending,
    ReviewWait,
    RunWait,
    ThresholdWait,
    Unknown,
    UntilWait,
    WatchWait,
    canonical,
    to_json,
    wait_from_json,
)


class Said:
    """An answer as far as a wait looks at it."""

    def __init__(self, body: Any = None, status: int = 200, location: str | None = None) -> None:
        self.status, self.location, self._body = status, location, body

    def json(self) -> Any:
        return self._body


ENDS = {"pending": Pending, "done": Done, "failed": Failed}


@pytest.mark.parametrize(("word", "ending"), sorted(JOB.words.items()))
def test_each_word_of_a_status_object_has_its_end(word: str, ending: str) -> None:
    """wire.md A.1"""
    verdict = JobWait("status/1/").receive(Said({"status": word, "message": "because"}))
    assert isinstance(verdict, ENDS[ending])
    if isinstance(verdict, Failed):
        assert verdict.reason == f"{word}: because"


@pytest.mark.parametrize(
    ("row", "word", "ending"),
    [(row, word, ending) for row, endings in sorted(ENTITIES.items()) for word, ending in endings.words.items()],
)
def test_each_word_of_each_entity_has_its_end(row: str, word: str, ending: str) -> None:
    entity: dict[str, Any] = {}
    *parents, last = ENTITIES[row].field.split(".")
    place = entity
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = word
    assert isinstance(EntityWait("x/1/", row).receive(Said(entity)), ENDS[ending])


def test_a_303_ends_a_job_whatever_stands_in_the_body() -> None:
    """wire.md A.1: 303 See Other, empty body, Location = the resource."""
    verdict = JobWait("status/1/").receive(Said(None, 303, "https://h/api/v2/deployments/5/"))
    assert verdict == Done({"location": "https://h/api/v2/deployments/5/"})


def test_a_word_that_no_page_has_is_neither_done_nor_failed() -> None:
    assert JobWait("status/1/").receive(Said({"status": "PAUSED"})) == Unknown("PAUSED")


def test_an_answer_without_a_status_is_an_unknown_word() -> None:
    assert isinstance(JobWait("status/1/").receive(Said({})), Unknown)


def test_a_failed_export_gives_its_own_message() -> None:
    """wire.md H: 303 is reached also if the export failed; the entity has error.message."""
    verdict = EntityWait("e/1/", "export").receive(Said({"status": "FAILED", "error": {"message": "no rows"}}))
    assert isinstance(verdict, Failed)
    assert verdict.reason == "FAILED: no rows"


def test_a_wanted_word_counts_as_done() -> None:
    wait = EntityWait("deployments/1/", "deployment", want=["active"])
    assert isinstance(wait.receive(Said({"status": "launching"})), Pending)
    assert isinstance(wait.receive(Said({"status": "inactive"})), Pending)
    assert isinstance(wait.receive(Said({"status": "active"})), Done)
    assert isinstance(wait.receive(Said({"status": "errored"})), Failed)


def request(status: str, version: str = "v1") -> Said:
    return Said({"id": "c", "status": status, "changeVersionId": version})


@pytest.mark.parametrize(
    ("answer", "keep", "outcome"),
    [
        (request("pending"), (), None),
        (request("approved"), (), "approved"),
        (request("Approved"), (), "approved"),
        (request("CHANGES_REQUESTED"), (), "changesRequested"),
        (request("changesRequested"), ("changesRequested",), None),
        (request("cancelled"), (), "cancelled"),
        (request("cancelled", "v2"), (), "cancelled"),
        (request("resolved"), (), "resolved"),
        (request("resolved", "v2"), (), "resolved"),
        (request("pending", "v2"), (), "superseded"),
        (request("approved", "v2"), (), "superseded"),
        (request("approved", "v2"), ("superseded",), "approved"),
        (request("pending", "v2"), ("superseded",), None),
    ],
)
def test_a_change_request_is_decided_for_the_version_that_was_seen(
    answer: Said, keep: tuple[str, ...], outcome: str | None
) -> None:
    verdict = ReviewWait("changeRequests/c/", "v1", keep).receive(answer)
    if outcome is None:
        assert isinstance(verdict, Pending)
    else:
        assert isinstance(verdict, Done)
        assert verdict.result["outcome"] == outcome


def test_a_change_request_in_an_unknown_state_is_unknown() -> None:
    assert ReviewWait("changeRequests/c/").receive(request("frozen")) == Unknown("frozen")


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        ({"status": "whatever", "finishTime": None}, Pending),
        ({"status": "failed", "finishTime": "t", "errorMessage": "no data"}, Failed),
        ({"status": "done", "finishTime": "t", "challengerId": "5"}, Done),
        ({"status": "done", "finishTime": "t", "modelPackageId": "5"}, Failed),
        ({"status": "done", "finishTime": "t"}, Failed),
        ({"status": "cancelled", "finishTime": "t", "challengerId": "5"}, Failed),
    ],
)
def test_a_retraining_run_is_over_when_it_has_a_finish_time(run: dict[str, Any], kind: type) -> None:
    """wire.md G: the words of a run are not documented."""
    assert isinstance(RunWait("runs/1/", ["challengerId"]).receive(Said(run)), kind)


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (None, Pending),
        ({"status": "w", "finishTime": "t", "startTime": "2026-03-02T11:59:59Z", "challengerId": "5"}, Pending),
        ({"status": "w", "finishTime": "t", "startTime": "2026-03-02T12:00:00", "challengerId": "5"}, Done),
        ({"status": "w", "finishTime": "t", "startTime": None, "challengerId": "5"}, Done),
        ({"status": "w", "finishTime": "t", "startTime": "soon", "challengerId": "5"}, Done),
        ({"status": "w", "finishTime": None, "startTime": "2026-03-02T12:00:00Z"}, Pending),
        ({"status": "w", "finishTime": "t", "startTime": "2026-03-02T12:00:00Z", "errorMessage": "no"}, Failed),
    ],
)
def test_the_latest_run_counts_from_a_moment_on(run: Any, kind: type) -> None:
    noon = 1772452800.0
    wait = LatestRunWait("retrainingPolicies/1/", ["challengerId"], noon)
    assert isinstance(wait.receive(Said({"id": "1", "latestRun": run})), kind)


def test_a_threshold_without_a_number_never_passes() -> None:
    wait = ThresholdWait("accuracy/", "data.value", ">=", 0.5)
    for nothing in (None, True, "0.9"):
        assert isinstance(wait.receive(Said({"data": {"value": nothing}})), Pending)
    assert isinstance(wait.receive(Said({"data": {"value": 0.4}})), Pending)
    assert wait.receive(Said({"data": {"value": 0.5}})) == Done({"value": 0.5})


def test_a_watch_fails_at_the_first_thing_that_is_wrong() -> None:
    wait = WatchWait("deployments/1/", {"modelPackage.id": "p"}, {"serviceHealth.status": ["failing"]})
    good = {"modelPackage": {"id": "p"}, "serviceHealth": {"status": "unknown"}}
    assert isinstance(wait.receive(Said(good)), Pending)
    assert isinstance(wait.receive(Said({**good, "modelPackage": {"id": "q"}})), Failed)
    assert isinstance(wait.receive(Said({**good, "serviceHealth": {"status": "failing"}})), Failed)


def test_several_waits_are_asked_one_after_another_and_each_end_is_kept() -> None:
    wait = EveryWait([JobWait("status/1/"), JobWait("status/2/")])
    assert wait.request() == "status/1/"
    assert isinstance(wait.receive(Said({"status": "RUNNING"})), Pending)
    assert isinstance(wait.receive(Said({"status": "ERROR", "message": "bad row"})), Pending)
    assert wait.request() == "status/2/"
    done = wait.receive(Said(None, 303, "x"))
    assert isinstance(done, Done)
    assert [one["outcome"] for one in done.result["outcomes"]] == ["failed", "done"]


def test_several_waits_refuse_what_asks_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        EveryWait([])
    with pytest.raises(ValueError, match="ask"):
        EveryWait([UntilWait(1.0)])


ALL = [
    JobWait("status/1/"),
    EntityWait("x/1/", "deployment", want=["active"]),
    ReviewWait("c/1/", "v", ["changesRequested"]),
    RunWait("r/1/", ["challengerId"]),
    ThresholdWait("a/", "data.value", "<", 1.5),
    WatchWait("d/", {"a.b": 1}, {"c": [2, 3]}),
    UntilWait(12.5),
    EveryWait([JobWait("status/1/"), JobWait("status/2/")]),
]


@pytest.mark.parametrize("wait", ALL, ids=lambda wait: str(wait.kind))
def test_each_wait_survives_json(wait: waits.Wait) -> None:
    plain = json.loads(json.dumps(to_json(wait)))
    again = wait_from_json(plain)
    assert type(again) is type(wait)
    assert to_json(again) == plain


def test_keys_of_a_newer_release_are_passed_over() -> None:
    assert wait_from_json({"kind": "job", "path": "status/1/", "colour": "green"}) == JobWait("status/1/")


@pytest.mark.parametrize(
    ("word", "spelled"),
    [("changesRequested", "changesRequested"), ("ChangesRequested", "changesRequested"),
     ("CHANGES_REQUESTED", "changesRequested"), ("PENDING", "pending"), ("pending", "pending")],
)  # fmt: skip
def test_three_spellings_are_one_word(word: str, spelled: str) -> None:
    """seed 000:1210-1222"""
    assert canonical(word) == spelled
