"""What a task says of a write that was accepted before the task ended: no failure hides it, no second is silent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import (
    AnswerLost,
    DataRobotError,
    InvalidCall,
    JobFailed,
    NotReached,
    NotUnderstood,
    OutcomeUnknown,
    PollBudgetSpent,
    Refused,
    ServiceFailed,
    WaitFailed,
)
from airflow_provider.api.writes import WRITES

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.tasks.run import Run

ASKING = (AnswerLost, NotReached, NotUnderstood, Refused, ServiceFailed)  # errors about a later call, not the work
NO_ANSWER = (AnswerLost, InvalidCall, NotReached)
RECORD_LOST = re.compile(r"not found \d+ times in a row")  # as waiting.py says it


def failure(run: Run, operation: str, reason: str) -> WaitFailed | OutcomeUnknown:
    """The error for a job that ended badly; where only its record is gone, blind work must not be begun again."""
    operation = operation if run.handle is None else run.handle.operation
    if _kind(operation) != "blind" or not RECORD_LOST.search(reason):
        return JobFailed(reason, operation=operation, request_id=run.request_id)
    return OutcomeUnknown(
        f"{reason}; the work may go on all the same, and whether it ends well is not known; check with "
        f"{_look(operation)}, then clear the task to begin it again, or do not",
        operation=operation,
        request_id=run.request_id,
    )


def refused(run: Run, reason: str | None) -> PollBudgetSpent:
    """The error for a look that was refused: it says nothing about the work, and another attempt would not help."""
    error = PollBudgetSpent(f"{reason}; the remote work goes on", request_id=run.request_id)
    error.retryable = False
    if run.memory.lasts:
        error.message += ", and who clears the task takes it up"
    return error


def done_before(run: Run, handle: Handle) -> dict[str, Any] | list[Any]:
    """The result of an earlier attempt that ended well while its worker died, or Airflow did not take note of it."""
    if handle.result is None:
        raise OutcomeUnknown(
            "an earlier attempt did this and ended well, Airflow did not take note of it, and its result was too large "
            f"to be kept; look at {_look(handle.operation)}, then clear the task to do it again, or do not",
            operation=handle.operation,
            request_id=handle.request_id,
        )
    run.log.warning("An earlier attempt did this and ended well, and Airflow did not take note of it: nothing is sent.")
    found: dict[str, Any] | list[Any] = handle.result
    return found


def tell_blank(result: Any, run: Run) -> Any:
    """The result of work that earlier attempts may have begun, too, perhaps twice, where nothing remembers them."""
    if run.handle is None:
        return result  # nothing was to do
    run.log.warning(
        "This is attempt %d. Before Airflow 3.3 nothing is remembered of earlier ones, which may have sent the same: "
        "check with %s.",
        run.attempt,
        _look(run.operation),
    )
    return {**result, "sent_before": "not known"} if isinstance(result, dict) else result


def tell_twice(result: Any, run: Run) -> Any:
    """The result, with ``sent_twice`` where a write went out again of which a late commit may have made two.

    Settable states are left out: the same again changes nothing.
    """
    handle = run.unsettled
    twice = [] if handle is None else [one for one in handle.sent_twice if _kind(one) != "settable"]
    if not twice or not isinstance(result, dict) or result.get("sent_twice"):
        return result
    return {**result, "sent_twice": twice}


def name_exchange(run: Run, error: DataRobotError) -> None:
    """An error about work under way, and about no answer of its own, names the exchange that began the work."""
    at_it = run.unsettled is not None or run.memory.noted
    if at_it and error.request_id is None and error.status is None and not isinstance(error, NO_ANSWER):
        error.request_id = run.request_id


def tell_accepted(run: Run, error: DataRobotError, findable: bool) -> None:
    """Adds to an error that came after an accepted write that there is one; only work under way is told of.

    :param findable: whether an attempt without a memory would find the work; else it must not be begun a second time,
        so the error is no longer worth a retry.
    """
    handle = run.unsettled
    if handle is None and run.blank and isinstance(error, ASKING):
        error.message += "; whether an earlier attempt did it is not known: before Airflow 3.3 nothing remembers it"
    if handle is None or handle.state != "submitted" or isinstance(error, OutcomeUnknown):
        return
    if isinstance(error, ASKING):
        error.message += f"; {handle.operation} was accepted before that, and its work is done or goes on"
    if not (error.retryable or isinstance(error, PollBudgetSpent)) or findable:
        return
    if run.memory.lasts and (handle.wait or handle.id):
        return  # the next attempt takes it up
    why = "with nothing of it to take up" if run.memory.lasts else "without a memory (before Airflow 3.3)"
    error.retryable = False
    look = _look(handle.operation)
    error.message += f"; {why} it is not sent again: check with {look}, then clear the task to send it again, or do not"


def _look(operation: str) -> str:
    row = WRITES.get(operation)
    return row.look if row else "the service"


def _kind(operation: str) -> str:
    row = WRITES.get(operation)
    return row.kind if row else "blind"
