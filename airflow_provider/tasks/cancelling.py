"""Cancelling change requests: one of ours that serves no purpose any more, or that is in the way of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.waiting import TimedOut
from airflow_provider.api.waits import ReviewWait, canonical
from airflow_provider.tasks.run import Run

SECONDS, PAUSE = 60.0, 2.0  # the service answers at once; the request may show it a little later


def cancellation(request_id: str) -> dict[str, Any]:
    """The write that cancels a change request, as a handle keeps it."""
    return {
        "operation": "updateChangeRequestStatus",
        "arguments": {"changeRequestId": request_id},
        "body": {"status": "cancelled"},
    }


def cancel_request(run: Run, request_id: str) -> None:
    """Cancels an open change request (operation updateChangeRequestStatus)."""

    def cancelled() -> Mapping[str, Any] | None:
        now = run.read("getChangeRequest", changeRequestId=request_id)
        return now if canonical(str(now.get("status"))) == "cancelled" else None

    run.submit(
        "updateChangeRequestStatus",
        {"status": "cancelled"},
        stage="cancel",
        look=cancelled,
        id=request_id,
        changeRequestId=request_id,
    )


def cancel_and_wait(run: Run, request_id: str) -> bool:
    """Cancels a request; whether it is over within a minute, so that another can be opened."""
    cancel_request(run, request_id)
    wait, until = over(request_id), run.clock() + SECONDS
    return not isinstance(run.look(wait, until) or run.wait_in_place(wait, until, PAUSE), TimedOut)


def withdraw(run: Run, request_id: str, why: str) -> None:
    """Cancels a request of ours that serves no purpose any more; where that fails, the log says so."""
    try:
        cancel_request(run, request_id)
    except DataRobotError as error:
        run.log.error("Change request %s should be cancelled (%s), which failed: %s", request_id, why, error)
    else:
        run.log.info("Change request %s was cancelled: %s.", request_id, why)


def over(request_id: str) -> ReviewWait:
    """Waits until a request is resolved or cancelled."""
    return ReviewWait(request_path(request_id), keep_waiting=["approved", "changesRequested", "superseded"])


def request_path(request_id: str) -> str:
    """Where a change request is read, relative to the API root."""
    return f"changeRequests/{request_id}/"
