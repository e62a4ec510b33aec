"""The promotion's own docstring."""

from __future__ import annotations

import inspect

from airflow_provider.task_groups.promotion import promote_model


def text() -> str:
    """Arguments, and how it ends."""
    return f"```text\n{inspect.getdoc(promote_model)}\n```"
