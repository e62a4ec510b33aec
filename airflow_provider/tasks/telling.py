"""Tells what becomes of a task's remote work: one line for each change of its state, and the figures for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.hooks.lines import line, looked_at, moment
from airflow_provider.hooks.stats import WAIT_TIME, WORK

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.triggers.event import WaitEvent


def changed(log: Any, before: Handle | None, after: Handle) -> None:
    """The handle was noted: tells where its state, stage or owner is another one than before."""
    if before is None or _what(before) != _what(after):
        state = "adopted" if after.state == "submitted" and after.owner == "adopted" else after.state
        _tell(log, state, after)


def waiting(log: Any, handle: Handle, note: str) -> None:
    """The task begins to wait."""
    _tell(log, "waiting", handle, wait=looked_at(handle.wait), until=moment(handle.until or handle.deadline), note=note)


def over(log: Any, handle: Handle | None, told: WaitEvent, now: float) -> None:
    """A wait ended; an event that says nothing is no end."""
    if handle is None or told.outcome == "unknown":
        return
    seconds = None if handle.since is None else max(now - handle.since, 0.0)
    if seconds is not None:
        WAIT_TIME.tell(seconds, operation=handle.operation, outcome=told.outcome)
    rounded = None if seconds is None else round(seconds)
    _tell(log, "over", handle, wait=looked_at(handle.wait), outcome=told.outcome, seconds=rounded, note=told.reason)


def _what(handle: Handle) -> tuple[str, str, str, str]:
    return handle.operation, handle.state, handle.stage, handle.owner


def _tell(log: Any, state: str, handle: Handle, **more: Any) -> None:
    WORK.tell(operation=handle.operation, state=state)
    log.info("%s", line(state, handle.to_json(), **more))
