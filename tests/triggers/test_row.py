"""The trigger as a row of Airflow's database: what is written, what is read back, by this release and by others."""

from __future__ import annotations

import importlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.waiting import PATIENCE
from airflow_provider.api.waits import EntityWait, JobWait, ReviewWait, UntilWait, Wait, WatchWait, to_json
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.triggers.conftest import cancellation

PATH = "airflow_provider.triggers.wait.DataRobotWaitTrigger"
WAITS: list[Wait] = [
    JobWait("status/5f3b/"),
    EntityWait("deployments/1/", "deployment", want=["active", "inactive"]),
    ReviewWait("changeRequests/1/", version="2", keep_waiting=["superseded"]),
    WatchWait("deployments/1/", {"status": "active"}, {"serviceHealth.status": ["failing"]}),
    UntilWait(1_780_000_000.0),
]
REQUIRED: dict[str, Any] = {"datarobot_conn_id": "datarobot_default", "wait": to_json(WAITS[0])}
seconds = st.floats(min_value=0, max_value=4e9)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
arguments: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"datarobot_conn_id": st.text(min_size=1, max_size=20), "wait": st.sampled_from([to_json(wait) for wait in WAITS])},
    optional={
        "handle": st.dictionaries(st.text(max_size=8), plain, min_size=1, max_size=4),
        "deadline": seconds,
        "pacing": st.dictionaries(st.sampled_from(["first", "interval", "factor", "cap"]), seconds, min_size=1),
        "patience": seconds.filter(lambda value: value != PATIENCE),
        "cancel": st.just(cancellation("1")),
    },
)


def through_the_database(kwargs: dict[str, Any]) -> dict[str, Any]:
    """What another process reads, as Airflow's own code writes and reads it."""
    from airflow.models.trigger import Trigger

    try:
        from airflow.serialization import decoders as home
    except ImportError:  # Airflow 3.1
        from airflow.serialization import serialized_objects as home  # type: ignore[no-redef]
    read = Trigger._decrypt_kwargs(Trigger.encrypt_kwargs(kwargs))
    return {name: home.smart_decode_trigger_kwargs(value) for name, value in read.items()}


@given(arguments)
def test_what_is_written_is_what_is_read(kwargs: dict[str, Any]) -> None:
    path, written = DataRobotWaitTrigger(**kwargs).serialize()
    assert path == PATH
    assert written == kwargs  # what was not given is not written
    assert json.loads(json.dumps(written)) == written
    read = through_the_database(written)
    assert read == written
    assert DataRobotWaitTrigger(**read).serialize() == (path, written)


def test_the_path_that_stands_in_databases_leads_to_the_class() -> None:
    module, _, name = PATH.rpartition(".")
    assert getattr(importlib.import_module(module), name) is DataRobotWaitTrigger


def test_defaults_are_not_written() -> None:
    made = DataRobotWaitTrigger(**REQUIRED, patience=PATIENCE, handle=None, cancel=None)
    assert made.serialize() == (PATH, REQUIRED)


def test_arguments_of_another_release_are_passed_over() -> None:
    made = DataRobotWaitTrigger(**REQUIRED, colour="blue", limits={"a": 1})
    assert made.serialize() == (PATH, REQUIRED)
