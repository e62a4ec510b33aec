"""Our errors as Airflow's exceptions: the one place where it is decided what burns a retry and what does not.

| error                                                          | exception             |
|----------------------------------------------------------------|-----------------------|
| will be the same at the next attempt (``retryable`` is false)  | AirflowFailException  |
| may go well at the next attempt                                | AirflowException      |
| the author asked to skip on this outcome                       | AirflowSkipException  |
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider.api.errors import DataRobotError


@contextmanager
def translated() -> Iterator[None]:
    """Turns every error of ours that leaves the block into Airflow's; the cause stays attached."""
    try:
        yield
    except DataRobotError as error:
        kind = AirflowException if error.retryable else AirflowFailException
        raise kind(f"{type(error).__name__}: {error}") from error


def end_as(what: str, message: str) -> NoReturn:
    """Ends the task as the author chose for an outcome: ``fail`` or ``skip``."""
    if what == "skip":
        raise AirflowSkipException(message)
    raise AirflowFailException(message)
