"""The judge of a soak run: what is lost, early, late or otherwise than in the store is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak.figures import growth, own, percentiles
from tests.soak.judging import GROWN, LAG, bounds, verdict_of

REFUSED = [{"tenant": "tenant_2", "from": 90.0, "to": 100.0}]
UNAUTHORIZED = "the look was refused: getStatus answered 401: expired"
STORE: dict[str, dict[str, Any]] = {
    "jobs": {
        "good": {"state": "COMPLETED", "plan": {}},
        "bad": {"state": "ERROR", "plan": {}},
        "lost": {"state": "COMPLETED", "plan": {"lost": True}},
    },
    "changeRequests": {"one": {"status": "approved"}},
    "dataExports": {"one": {"outcome": "SUCCEEDED"}},
    "retrainingRuns": {"one": {"state": "cancelled"}},
}


def work(key: str, outcome: str | None = "done", *, kind: str = "job", **more: Any) -> dict[str, Any]:
    """A wait whose work ended at 100 and whose event came at 110."""
    event = {"outcome": outcome, "reason": more.pop("reason", None), "result": more.pop("result", {})}
    known = {"kind": kind, "id": key, "tenant": "tenant_2", "how": "well", "ends": 100.0, "ended": 100.0}
    arrived = None if outcome is None else 110.0
    return {**known, "deadline": None, "arrived": arrived, "event": {"event": event}, **more}


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (work("good"), "done"),
        (work("bad", "failed"), "failed"),
        (work("lost", "failed", how="lost", arrived=90.0), "failed"),
        (work("one", kind="change request", result={"outcome": "approved"}), "done"),
        (work("one", kind="export"), "done"),
        (work("one", "failed", kind="retraining"), "failed"),
        (work("105", kind="until", ends=105.0), "done"),
        (work("good", "timed_out", deadline=104.0, ended=204.0), "timed_out"),
        (work("good", "refused", reason=UNAUTHORIZED), "refused"),
    ],
)
def test_what_is_as_in_the_store_is_right(seen: dict[str, Any], verdict: str) -> None:
    assert verdict_of(seen, STORE, REFUSED) == verdict


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (work("good", None), "lost: no event"),
        (work("bad"), "wrong: ('done', None), not ('failed', None)"),
        (work("good", "gave_up"), "wrong: ('gave_up', None), not ('done', None)"),
        (work("good", arrived=90.0), "wrong: done before the end"),
        (work("one", kind="change request", result={"outcome": "cancelled"}), "wrong: ('done', 'cancelled')"),
        (work("120", kind="until", ends=120.0), "wrong: ('done', None), not ('early', None)"),
        (work("good", "timed_out"), "wrong: too early a deadline"),
        (work("good", "timed_out", deadline=105.0), "wrong: too early a deadline"),
        (work("good", "refused", reason=UNAUTHORIZED, arrived=200.0), "wrong: refused a good token"),
        (work("good", "refused", reason=UNAUTHORIZED, tenant="tenant_1"), "wrong: refused a good token"),
    ],
)
def test_what_is_not_is_told(seen: dict[str, Any], verdict: str) -> None:
    assert verdict_of(seen, STORE, REFUSED).startswith(verdict)


def found(**more: Any) -> dict[str, Any]:
    calm: dict[str, Any] = {
        "seconds": 3600,
        "grown in the second half": dict.fromkeys(GROWN, 0.0),
        "connections": {"most": 120},
        "late by itself": {"p99": 5.0},
        "blocked": {"by itself": []},
    }
    return {**calm, **more}


REST: dict[str, Any] = {"left": 0, "strange": [], "sampling": ""}


def test_a_calm_run_is_within_its_bounds() -> None:
    assert list(bounds(found(), REST)) == []


@pytest.mark.parametrize(
    ("more", "rest"),
    [
        ({"grown in the second half": {**dict.fromkeys(GROWN, 0.0), "memory": GROWN["memory"] + 1}}, REST),
        ({"connections": {"most": 300}}, REST),
        ({"late by itself": {"p99": LAG}}, REST),
        ({"blocked": {"by itself": ["a line of Airflow"]}}, REST),
        ({}, {**REST, "left": 1}),
        ({}, {**REST, "strange": [7]}),
        ({}, {**REST, "sampling": "OSError()"}),
    ],
)
def test_each_bound_is_told(more: dict[str, Any], rest: dict[str, Any]) -> None:
    assert len(list(bounds(found(**more), rest))) == 1


def test_growth_is_what_stays() -> None:
    assert growth([100.0] * 10 + [500.0] * 5 + [100.0] * 10) == 0.0
    assert growth([float(value) for value in range(50)]) == 40.0


def test_late_is_what_neither_other_work_nor_the_collector_took() -> None:
    line = {"late": [50.0, 3.0], "starved": [10.0, 5.0], "collected": [15.0, 0.0]}
    assert (own(line), own(line, "collected")) == ([40.0, 0.0], [25.0, 0.0])
    assert percentiles([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.0, "p99": 2.0, "p99.9": 2.0, "most": 3.0}
