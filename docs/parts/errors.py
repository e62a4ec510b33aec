"""Which error burns a retry, and which does not."""

from __future__ import annotations

import inspect

from airflow_provider.api import errors
from docs.parts.table import table


def text() -> str:
    """Error, what it means, what the task does."""
    rows = []
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.DataRobotError) and kind is not errors.DataRobotError:
            meaning = (kind.__doc__ or "").strip().splitlines()[0]
            rows.append((f"`{kind.__name__}`", meaning, "is retried" if kind.retryable else "fails at once"))
    return table(("error", "meaning", "the task"), rows)
