"""The kinds of waits: what to ask next, and what an answer means. No sending, no clock, no dice here.

    request() ──► relative path of the next GET (None: there is nothing to ask)
    receive(answer) ──► Pending │ Unknown │ Done │ Failed

A wait is plain JSON (``to_json``, ``wait_from_json``): it travels from the worker to the triggerer and stands in the
database meanwhile, so kinds and keys are never renamed. When to ask, how long, and what to do about errors is the
business of ``waiting.py``; which word ends what stands in ``endings.py``. Each kind has a module of its own here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from airflow_provider.api.waits.entity import EntityWait, WordWait
from airflow_provider.api.waits.every import EveryWait
from airflow_provider.api.waits.gate import GateWait
from airflow_provider.api.waits.job import JobWait
from airflow_provider.api.waits.retraining import LatestRunWait, RunWait
from airflow_provider.api.waits.review import ReviewWait
from airflow_provider.api.waits.threshold import ThresholdWait
from airflow_provider.api.waits.until import UntilWait
from airflow_provider.api.waits.verdicts import JSON, Done, Failed, Pending, Unknown, Verdict, Wait, WaitAnswer
from airflow_provider.api.waits.watch import WatchWait
from airflow_provider.api.waits.words import canonical, dig

__all__ = [
    "JSON",
    "KINDS",
    "Done",
    "EntityWait",
    "EveryWait",
    "Failed",
    "GateWait",
    "JobWait",
    "LatestRunWait",
    "Pending",
    "ReviewWait",
    "RunWait",
    "ThresholdWait",
    "Unknown",
    "UntilWait",
    "Verdict",
    "Wait",
    "WaitAnswer",
    "WatchWait",
    "WordWait",
    "canonical",
    "dig",
    "to_json",
    "wait_from_json",
]

KINDS: Mapping[str, type[Any]] = {
    kind.kind: kind
    for kind in (
        JobWait,
        EntityWait,
        WordWait,
        ReviewWait,
        RunWait,
        LatestRunWait,
        ThresholdWait,
        GateWait,
        WatchWait,
        UntilWait,
    )
}


def to_json(wait: Wait) -> JSON:
    """The wait as plain JSON."""
    if isinstance(wait, EveryWait):
        return {"kind": wait.kind, "waits": [to_json(one) for one in wait.waits]}
    return {"kind": wait.kind, **{key: _plain(value) for key, value in asdict(wait).items()}}  # type: ignore[call-overload]


def wait_from_json(data: Mapping[str, Any]) -> Wait:
    """The wait that :func:`to_json` wrote; keys that a newer release added are passed over."""
    if data["kind"] == EveryWait.kind:
        return EveryWait([wait_from_json(one) for one in data["waits"]])
    kind = KINDS[data["kind"]]
    known = {one.name: data[one.name] for one in fields(kind) if one.name in data}
    made: Wait = kind(**known)
    return made


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
