"""Both journeys under every value of every assumed switch, and every pair of values: the end is right, or it is loud.

Loud means that the task failed, nothing was replaced, and no second change request exists.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from airflow_provider.emulator.switches import known
from tests.harness import GOVERNED, UNGOVERNED, Ending, Stage, dice, replacing, share_of
from tests.people import Desk, approve
from tests.verdicts import Facts, Verdict, tally, verdict_on

Row = dict[str, str]
AREAS = ("core", "deployments", "governance")  # what a replacement touches
JOURNEYS = pytest.mark.parametrize("deployment", [GOVERNED, UNGOVERNED], ids=["gated", "direct"])


def approve_where_allowed(desk: Desk, request: dict[str, Any]) -> None:
    if request["userOperations"]["canReview"]:
        approve(desk, request)


def play(stage: Stage, deployment: str, switches: Row, number: int = 0, **arguments: Any) -> tuple[Ending, Verdict]:
    """The journey with these switches, reviewed by everybody who may; every other one is deferred."""
    stage.anew(**switches)
    for reviewer in ("reviewer", "second_reviewer", "admin"):
        stage.enter(reviewer, approve_where_allowed, times=3)
    ending = replacing(stage, deployment, deferrable=number % 2 == 0, **arguments).run()
    return ending, verdict_on(stage, ending, deployment, requests=requests_under(deployment, switches))


def requests_under(deployment: str, switches: Row) -> tuple[int, int]:
    """Least and most change requests that the journey needs."""
    if deployment == UNGOVERNED:
        # A policy that another importance falls under is taken for ours where a match without a field finds it.
        return (0, 1) if switches.get("match_without_field") == "any" else (0, 0)
    unasked = switches.get("policy_rights") == "403" and switches.get("write_under_policy") == "allows"
    return (0, 0) if unasked else (1, 1)


def pairs(row: Row) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    return itertools.combinations(sorted(row.items()), 2)


def pairwise(values: Mapping[str, Sequence[str]], drawing: random.Random) -> list[Row]:
    """Rows that hold every pair of values of two switches at least once: greedily the best of some random ones."""
    names = sorted(values)
    missing = {
        ((one, a), (two, b))
        for one, two in itertools.combinations(names, 2)
        for a, b in itertools.product(values[one], values[two])
    }
    rows = []
    while missing:
        first = dict(next(iter(sorted(missing)[:1])))
        tries = [{name: first.get(name) or drawing.choice(values[name]) for name in names} for _ in range(30)]
        best = max(tries, key=lambda row: len(missing.intersection(pairs(row))))
        missing.difference_update(pairs(best))
        rows.append(best)
    return rows


@functools.cache
def all_pairs() -> list[Row]:
    return pairwise(all_values(), dice())


def all_values() -> dict[str, tuple[str, ...]]:
    return {switch.name: switch.values for switch in known().values() if switch.area in AREAS}


def test_pairwise_rows_hold_every_pair() -> None:
    values = {"a": ("1", "2", "3"), "b": ("1", "2"), "c": ("1", "2"), "d": ("1", "2", "3")}
    rows = pairwise(values, dice())
    assert len({pair for row in rows for pair in pairs(row)}) == 6 + 6 + 9 + 4 + 6 + 6
    assert len(rows) <= 14


@JOURNEYS
def test_every_pair_of_values_ends_right_or_loud(stage: Stage, deployment: str) -> None:
    rows = all_pairs()
    verdicts = []
    for number, row in enumerate(rows):
        ending, verdict = play(stage, deployment, row, number)
        verdicts.append((f"{number} {ending} {row}", verdict))
    words, wrong = tally(verdicts)
    assert not wrong, "\n".join(wrong)
    assert words["right"] >= 0.9 * len(rows)


@JOURNEYS
def test_each_value_alone_ends_right(stage: Stage, deployment: str) -> None:
    single = share_of([{name: value} for name, values in all_values().items() for value in values], 0.1)
    verdicts = [(str(row), play(stage, deployment, row, number)[1]) for number, row in enumerate(single)]
    assert [(story, str(verdict)) for story, verdict in verdicts if verdict.word != "right"] == []


POLICY = "This change needs an approval: policy"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("refuse_403", f"Forbidden: replaceDeploymentModel answered 403: {POLICY}"),
        ("refuse_409", f"Conflict: replaceDeploymentModel answered 409: {POLICY}"),
        ("refuse_422", f"Unprocessable: replaceDeploymentModel answered 422: {POLICY}"),
        ("opens_request", "ReplacementNotSeen: model package 64d000000000000000000003 should serve deployment"),
    ],
)
def test_without_governance_a_policy_is_told_in_the_words_of_the_service(stage: Stage, value: str, error: str) -> None:
    stage.anew(write_under_policy=value)
    ending = replacing(stage, GOVERNED, governance="never").run()
    assert ending.state == "failed"
    assert str(ending.error).startswith(error)
    facts = Facts.of(stage.service, GOVERNED)
    assert (facts.replaced, facts.requests) == (0, int(value == "opens_request"))
    assert ("opened change request" in str(ending.error)) == (value == "opens_request")


def test_without_governance_the_service_may_allow_it(stage: Stage) -> None:
    stage.anew(write_under_policy="allows")
    ending = replacing(stage, GOVERNED, governance="never").run()
    assert verdict_on(stage, ending, GOVERNED, requests=(0, 0)).word == "right"


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in place"])
@pytest.mark.parametrize("value", known()["request_without_policy"].values)
def test_a_request_is_opened_where_no_policy_asks_for_one(stage: Stage, value: str, deferrable: bool) -> None:
    stage.anew(request_without_policy=value)
    stage.enter("admin", approve_where_allowed)
    ending = replacing(stage, UNGOVERNED, governance="always", deferrable=deferrable).run()
    verdict = verdict_on(stage, ending, UNGOVERNED, requests=(1, 1))
    if value == "refuse_422":
        assert str(verdict) == "loud: Unprocessable"
    else:
        assert verdict.word == "right"
        assert ending.result["change_request"]["status"] == "resolved"


@pytest.mark.parametrize("value", known()["write_under_policy"].values)
@pytest.mark.parametrize("unknown", ["direct", "request", "fail"])
def test_policies_that_may_not_be_asked(stage: Stage, unknown: str, value: str) -> None:
    switches = {"policy_rights": "403", "write_under_policy": value}
    stage.anew(**switches)
    stage.enter("reviewer", approve)
    ending = replacing(stage, GOVERNED, policy_unknown=unknown).run()
    verdict = verdict_on(stage, ending, GOVERNED, requests=(int(unknown == "request" or value != "allows"), 1))
    assert str(verdict) == ("loud: PolicyUnknown" if unknown == "fail" else "right")
    assert stage.service.count("changeRequestCreated") == {"fail": 0, "request": 1}.get(unknown, int(value != "allows"))
