"""Events: each end has one, and an event of another release is never taken for a success."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.waiting import End, GaveUp, TimedOut
from airflow_provider.api.waits import Done, Failed
from airflow_provider.triggers.event import WaitEvent

ENDS: list[tuple[End, str, dict[str, Any], str | None]] = [
    (Done({"location": None}), "done", {"location": None}, None),
    (Failed("ERROR: no", {"entity": {}}), "failed", {"entity": {}}, "ERROR: no"),
    (TimedOut("status is RUNNING"), "timed_out", {}, "status is RUNNING"),
    (GaveUp("5 errors in a row"), "gave_up", {}, "5 errors in a row"),
]


@pytest.mark.parametrize(("end", "outcome", "result", "reason"), ENDS, ids=[row[1] for row in ENDS])
def test_each_end_is_told_and_understood(end: End, outcome: str, result: dict[str, Any], reason: str | None) -> None:
    told = json.loads(json.dumps(WaitEvent.of(end, {"v": 1, "stage": "x"}).to_dict()))
    assert told == {"v": 1, "outcome": outcome, "result": result, "reason": reason, "handle": {"v": 1, "stage": "x"}}
    assert WaitEvent.from_dict(told) == WaitEvent.of(end, {"v": 1, "stage": "x"})


@pytest.mark.parametrize(
    "event",
    [
        None,
        "done",
        ["done"],
        {},
        {"outcome": "done"},
        {"v": 2, "outcome": "done"},
        {"v": "1", "outcome": "done"},
        {"v": 1, "outcome": "success"},
        {"v": 1, "outcome": None},
        {"v": 1, "outcome": ["done"]},
        {"v": 1, "outcome": {}},
    ],
    ids=repr,
)
def test_what_is_not_understood_is_unknown_and_never_done(event: Any) -> None:
    assert WaitEvent.from_dict(event).outcome == "unknown"
    assert WaitEvent.from_dict(event).reason


def test_an_event_of_another_version_still_gives_the_handle() -> None:
    assert WaitEvent.from_dict({"v": 2, "outcome": "better", "handle": {"v": 1}}).handle == {"v": 1}


@pytest.mark.parametrize("broken", [None, 7, [1]], ids=repr)
def test_parts_that_are_not_what_they_should_be_count_as_absent(broken: Any) -> None:
    told = WaitEvent.from_dict({"v": 1, "outcome": "done", "result": broken, "handle": broken, "reason": broken})
    assert told == WaitEvent("done")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_values | st.dictionaries(st.sampled_from(["v", "outcome", "result", "reason", "handle"]), json_values))
def test_anything_that_json_can_hold_is_read_without_an_error(event: Any) -> None:
    WaitEvent.from_dict(event)
