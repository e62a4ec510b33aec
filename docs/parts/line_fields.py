"""The words of a log line."""

from __future__ import annotations

from airflow_provider.hooks.lines import FIELDS
from docs.parts.table import table


def text() -> str:
    """Field and meaning, in the order of the line."""
    return table(("field", "meaning"), [(f"`{name}`", meaning) for name, meaning in FIELDS.items()])
