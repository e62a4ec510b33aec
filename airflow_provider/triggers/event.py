"""What the trigger tells the worker: one versioned event, read leniently.

Events stand in users' databases while a task waits to be resumed, so a worker may meet an event of an older or a
newer release. Whatever it cannot read becomes the outcome ``unknown``: the worker then looks at the service itself.
An event is a hint in any case, never the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from airflow_provider.api.waiting import End, GaveUp, TimedOut
from airflow_provider.api.waits import Done, Failed

Outcome = Literal["done", "failed", "timed_out", "gave_up", "refused", "unknown"]
VERSION = 1


@dataclass(frozen=True, slots=True)
class WaitEvent:
    """How a wait ended: ``reason`` explains an end that is not ``done``; ``handle`` is what the task gave along."""

    outcome: Outcome
    result: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    handle: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON."""
        return {
            "v": VERSION,
            "outcome": self.outcome,
            "result": self.result,
            "reason": self.reason,
            "handle": self.handle,
        }

    @classmethod
    def from_dict(cls, data: Any) -> WaitEvent:
        """The event of any release; ``unknown`` where it says nothing that this release understands."""
        if not isinstance(data, Mapping):
            return cls("unknown", reason="no event")
        handle = data.get("handle")
        kept = dict(handle) if isinstance(handle, Mapping) else None
        outcome = data.get("outcome")
        if data.get("v") != VERSION or outcome not in get_args(Outcome):
            return cls(
                "unknown", reason=f"event of another release: {outcome!r}, version {data.get('v')!r}", handle=kept
            )
        result, reason = data.get("result"), data.get("reason")
        return cls(
            outcome=cast("Outcome", outcome),
            result=dict(result) if isinstance(result, Mapping) else {},
            reason=reason if isinstance(reason, str) else None,
            handle=kept,
        )

    @classmethod
    def of(cls, end: End, handle: dict[str, Any] | None = None) -> WaitEvent:
        """The event that tells of an end."""
        match end:
            case Done(result):
                return cls("done", result, None, handle)
            case Failed(reason, result):
                return cls("failed", result, reason, handle)
            case TimedOut(note):
                return cls("timed_out", {}, note, handle)
            case GaveUp(reason, refused):
                return cls("refused" if refused else "gave_up", {}, reason, handle)
