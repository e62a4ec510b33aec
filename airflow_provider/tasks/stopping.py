"""Stopping the remote work of a task, with the one write that its handle names for that."""

from __future__ import annotations

from airflow_provider.api.errors import DataRobotError
from airflow_provider.hooks import instances
from airflow_provider.tasks.run import Run


def stop(run: Run, why: str, wanted: bool, even_adopted: bool) -> bool:
    """Sends the write that stops the work under way; whether that was done.

    :param why: for the log.
    :param wanted: what the author of the DAG wishes in this case.
    :param even_adopted: also stop work that was under way already when this task took it up.
    """
    handle = run.handle
    if handle is None or handle.state == "settled":
        return False
    obstacle = None
    if handle.cancel is None:
        obstacle = "the service has no call that stops it"
    elif not wanted:
        obstacle = "the task's arguments say so"
    elif handle.owner != "ours" and not even_adopted:
        obstacle = "it was not started by this task, and cancel_adopted is off"
    if handle.cancel is None or obstacle:
        run.log.warning("%s; the remote work (%s) goes on: %s", why, handle.stage, obstacle)
        return False
    try:
        # A client of its own: the run's may be in the middle of a call when a kill arrives.
        with run.connect() as client:
            client.call(handle.cancel["operation"], handle.cancel.get("body"), **handle.cancel["arguments"])
    except DataRobotError as error:
        run.log.error("%s; cancelling the remote work (%s) failed: %s", why, handle.stage, error)
        return False
    run.log.info("%s; its remote work (%s) was cancelled.", why, handle.stage)
    run.memory.settle()
    return True


def was_ended(run: Run) -> bool:
    """Whether a process that is told to end was killed by a user: only then has its task ended.

    It is told the same when its task is cleared, which leaves the work to the next attempt, and when its worker stops.
    """
    try:
        state = instances.state_of(run.instance)
    except Exception as error:  # any doubt leaves the work alone
        run.log.warning("The remote work goes on; how the task is could not be asked: %r", error)
        return False
    if state not in instances.ENDED:
        run.log.info("Task is %s: its remote work goes on.", state or "cleared or unknown")
    return state in instances.ENDED
