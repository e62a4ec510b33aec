"""What a task says of a write that was accepted before the task ended: no failure hides it, no second is silent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import (
    AnswerLost,
    DataRobotError,
    JobFailed,
    NotReached,
    NotUnderstood,
    OutcomeUnknown,
    Refused,
    ServiceFailed,
    WaitFailed,
)
from airflow_provider.api.writes import WRITES

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.tasks.run import Run

ASKING = (AnswerLost, NotReached, NotUnderstood, Refused, ServiceFailed)  # errors about a later call, not the work
RECORD_LOST = re.compile(r"not found \d+ times in a row")  # as waiting.py says it


def failure(run: Run, operation: str, reason: str) -> WaitFailed | OutcomeUnknown:
    """The error for a job that ended badly; where only its record is gone, blind work must not be begun again."""
    operation = operation if run.handle is None else run.handle.operation
    if _kind(operation) != "blind" or not RECORD_LOST.search(reason):
        return JobFailed(reason, operation=operation, request_id=run.request_id)
    look = WRITES[operation].look if operation in WRITES else "the service"
    return OutcomeUnknown(
        f"{reason}; the work may go on all the same, and whether it ends well is not known; check with {look}, then "
        "clear the task to begin it again, or do not",
        operation=operation,
        request_id=run.request_id,
    )


def tell_twice(result: Any, handle: Handle | None) -> Any:
    """The result, with ``sent_twice`` where a write went out again of which a late commit may have made two.

    Settable states are left out: the same again changes nothing.
    """
    twice = [] if handle is None else [one for one in handle.sent_twice if _kind(one) != "settable"]
    if not twice or not isinstance(result, dict) or result.get("sent_twice"):
        return result
    return {**result, "sent_twice": twice}


def tell_accepted(run: Run, error: DataRobotError, findable: bool) -> None:
    """Adds to an error that came after an accepted write that there is one; only work under way is told of.

    :param findable: whether an attempt without a memory would find the work; else it must not be begun a second time,
        so the error is no longer worth a retry.
    """
    handle = run.unsettled
    if handle is None or handle.state != "submitted" or isinstance(error, OutcomeUnknown):
        return
    if isinstance(error, ASKING):
        error.message += f"; {handle.operation} was accepted before that, and its work is done or goes on"
    if error.retryable and not run.memory.lasts and not findable:
        error.retryable = False
        row = WRITES.get(handle.operation)
        look = row.look if row else "the service"
        error.message += (
            f"; without a memory (before Airflow 3.3) it is not sent again: check with {look}, then clear the task to "
            "send it again, or do not"
        )


def _kind(operation: str) -> str:
    row = WRITES.get(operation)
    return row.kind if row else "blind"
