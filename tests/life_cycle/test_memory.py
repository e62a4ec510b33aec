"""The handle: what is read of any release, and what may stand in a store."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks.memory import KEY, Handle, Memory, check_plain, fingerprint
from tests.harness import Store

HANDLE = Handle("replaceDeploymentModel", "f" * 32, "replace", "submitted", 1.5, before={"id": "1"})
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_a_handle_is_read_as_it_was_written() -> None:
    assert Handle.from_json(json.loads(json.dumps(HANDLE.to_json()))) == HANDLE


@given(json_values | st.dictionaries(st.sampled_from(sorted(asdict(HANDLE))), json_values))
def test_anything_that_json_can_hold_is_read_without_an_error(data: Any) -> None:
    Handle.from_json(data)


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"v": None}, {"v": "1"}, {"state": "gone"}, {"state": None}, {"operation": None}, {"stage": None}],
    ids=str,
)
def test_a_handle_that_this_release_cannot_act_on_is_none(change: dict[str, Any]) -> None:
    assert Handle.from_json({**HANDLE.to_json(), **change}) is None


def test_what_another_release_added_or_left_out_does_no_harm() -> None:
    least = {"operation": "o", "fingerprint": "f", "stage": "s", "state": "intended", "at": 1.0, "v": 1}
    assert Handle.from_json({**least, "colour": "blue"}) == Handle("o", "f", "s", "intended", 1.0)
    nulls = {name: None for name in HANDLE.to_json() if name not in least}
    assert Handle.from_json({**least, **nulls}) == Handle("o", "f", "s", "intended", 1.0)


def test_memory_keeps_what_was_noted_for_the_next_attempt() -> None:
    store = Store()
    memory = Memory(store)
    assert memory.recall() is None
    memory.note(HANDLE)
    memory.update(id="7")
    assert Memory(store).recall() == replace(HANDLE, id="7")
    memory.settle()
    memory.settle()
    recalled = Memory(store).recall()
    assert recalled is not None
    assert recalled.state == "settled"


def test_memory_without_a_store_lasts_as_long_as_the_attempt() -> None:
    memory = Memory(None)
    memory.note(HANDLE)
    assert memory.recall() == HANDLE
    assert not memory.lasts
    assert Memory(None).recall() is None


def test_a_write_that_came_to_nothing_puts_back_what_held_before() -> None:
    memory = Memory(Store())
    memory.note(replace(HANDLE, stage="second", state="intended"))
    memory.put_back(HANDLE)
    assert memory.recall() == HANDLE
    memory.put_back(None)
    assert memory.handle is not None
    assert memory.handle.state == "settled"


def test_what_is_forgotten_stays_in_the_store_until_something_new_is_noted() -> None:
    store = Store()
    memory = Memory(store)
    memory.note(HANDLE)
    memory.forget()
    assert memory.handle is None
    assert KEY in store.values


@pytest.mark.parametrize("value", [{1: 2}, {"a": (1,)}, {"a": {1}}, {"a": b""}, float("nan"), float("inf")], ids=repr)
def test_what_is_not_plain_json_is_refused_and_named(value: Any) -> None:
    with pytest.raises(InvalidCall, match="the thing must be plain JSON"):
        check_plain("the thing", value)


def test_the_fingerprint_of_equal_work_never_changes() -> None:
    """It stands in stores: with another one, work under way would not be found after an upgrade."""
    identity = {
        "connection": "datarobot_default",
        "deployment_id": "64e0",
        "model_package_id": "64d0",
        "model_id": None,
    }
    assert fingerprint("replaceDeploymentModel", identity) == "6994a939e148179d3845da5a387f9b3a"
    assert fingerprint("replaceDeploymentModel", dict(reversed(identity.items()))) == "6994a939e148179d3845da5a387f9b3a"
    assert fingerprint("replaceDeploymentModel", {**identity, "model_id": "1"}) != "6994a939e148179d3845da5a387f9b3a"
    assert fingerprint("createChangeRequest", identity) != "6994a939e148179d3845da5a387f9b3a"
