"""Which run a start has made, judged from answers typed as the page shows them (seed 002:6306, 6376)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider.api.errors import JobFailed, OutcomeUnknown
from airflow_provider.mlops import retraining
from airflow_provider.mlops.retraining import Before, Listing
from airflow_provider.mlops.retraining_policies import differing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()


def a_run(name: str, start: str | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "challengerId": None,
        "errorMessage": None,
        "finishTime": finish,
        "id": name,
        "modelPackageId": None,
        "projectId": None,
        "registeredModelId": None,
        "startTime": start,
        "status": "a word",
        **more,
    }


OLD = a_run("old", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00.000000Z", challengerId="c")
OURS = a_run("ours", "2026-03-02T12:00:00.400000+00:00")
LATER = a_run("later", "2026-03-02T12:00:07")  # naive is UTC


def listed(*runs: dict[str, Any], at: float | None = NOON, action: str = "create_challenger") -> Listing:
    return Listing({"action": action}, list(runs), at)


@pytest.mark.parametrize(
    ("runs", "new"),
    [
        ([OLD], []),
        ([OLD, OURS], ["ours"]),
        ([LATER, OURS, OLD], ["later", "ours"]),
        ([a_run("hidden", "2026-03-02T11:59:00Z")], []),  # a list that lagged
        ([a_run("second", "2026-03-02T11:59:59Z")], ["second"]),  # a Date has whole seconds
        ([a_run("queued", None)], ["queued"]),
        ([a_run("ended", "2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z")], []),
    ],
)
def test_which_runs_are_new(runs: list[dict[str, Any]], new: list[str]) -> None:
    before = Before.of(listed(OLD))
    assert [one["id"] for one in before.new(runs)] == new
    assert Before.from_json(before.to_json()) == before


def test_without_a_date_every_unknown_run_is_new() -> None:
    before = Before.of(listed(OLD, at=None))
    assert [one["id"] for one in before.new([OLD, a_run("hidden", "2026-03-02T11:59:00Z")])] == ["hidden"]


def test_runs_that_were_over_for_a_day_are_not_kept_and_yet_not_new() -> None:
    ancient = a_run("ancient", "2026-02-01T10:00:00Z", "2026-02-01T11:00:00Z")
    before = Before.of(listed(ancient, OLD))
    assert before.ids == ["old"]
    assert before.new([ancient, OLD]) == []


def test_of_several_the_first_that_began_is_ours() -> None:
    assert retraining.the_one([]) is None
    assert retraining.the_one([LATER]) is LATER
    assert retraining.the_one([LATER, OURS]) is OURS


@pytest.mark.parametrize("other", [a_run("other", "2026-03-02T12:00:00.4Z"), a_run("other", None)], ids=["equal", "no"])
def test_times_that_do_not_tell_are_no_choice(other: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown, match=r"ours \(began .*\), other \(began") as caught:
        retraining.the_one([OURS, other])
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([OLD], None),
        ([OURS], "ours"),
        ([{**OURS, "finishTime": "2026-03-02T13:00:00Z", "challengerId": "c"}], "ours"),
        ([{**OURS, "finishTime": "2026-03-02T13:00:00Z", "errorMessage": "No."}], None),
        ([{**OURS, "finishTime": "2026-03-02T13:00:00Z", "status": "CANCELLED"}], None),
        ([{**OURS, "finishTime": "2026-03-02T13:00:00Z"}], None),
    ],
)
def test_a_retry_without_a_memory_takes_what_goes_on_or_went_well(runs: list[dict[str, Any]], found: Any) -> None:
    taken = retraining.begun_since(listed(*runs), NOON)
    assert (taken and taken["id"]) == found


def test_a_retry_without_a_memory_does_not_choose_from_two() -> None:
    with pytest.raises(OutcomeUnknown, match=r"ours .* later"):
        retraining.begun_since(listed(OURS, LATER), NOON)


def test_the_active_run_is_the_last_that_began() -> None:
    assert listed(OLD).active is None
    assert listed(OURS, LATER, OLD).active == LATER


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (None, retraining.RunVanished),
        (a_run("x", None, status="Canceled"), retraining.RetrainingCancelled),
        (a_run("x", None, errorMessage="No."), JobFailed),
    ],
)
def test_a_run_that_ended_badly_has_its_error(run: Any, kind: type[Exception]) -> None:
    assert isinstance(retraining.failure("x", "No.", run), kind)


@pytest.mark.parametrize(
    ("action", "run", "outcome"),
    [
        ("create_challenger", {"challengerId": "c"}, "challenger_created"),
        ("create_model_package", {"modelPackageId": "p"}, "package_created"),
        ("a_new_word", {"challengerId": "c", "modelPackageId": "p"}, "challenger_created"),
        (None, {"modelPackageId": "p"}, "package_created"),
    ],
)
def test_what_came_of_it(action: Any, run: dict[str, Any], outcome: str) -> None:
    assert retraining.outcome_of(run, action) == outcome


@pytest.mark.parametrize(
    ("wanted", "now", "written"),
    [
        ({"name": "a"}, {"name": "a"}, {}),
        ({"name": "b"}, {"name": "a"}, {"name": "b"}),
        ({"trigger": {"type": "schedule"}}, {"trigger": {"type": "schedule", "schedule": {"hour": ["3"]}}}, {}),
        (
            {"trigger": {"schedule": {"hour": ["5"]}}},
            {
                "trigger": {
                    "type": "schedule",
                    "schedule": {"hour": ["3"], "minute": ["0"]},
                    "minIntervalBetweenRuns": None,
                }
            },
            {"trigger": {"type": "schedule", "schedule": {"hour": ["5"], "minute": ["0"]}}},
        ),
        ({"trigger": {"type": "schedule"}}, {"trigger": None}, {"trigger": {"type": "schedule"}}),
    ],
)
def test_what_differs_is_written_whole(wanted: dict[str, Any], now: dict[str, Any], written: dict[str, Any]) -> None:
    assert differing(wanted, now) == written
