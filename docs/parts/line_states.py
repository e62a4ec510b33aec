"""The states that log lines tell of."""

from __future__ import annotations

from airflow_provider.hooks.lines import STATES
from docs.parts.table import table


def text() -> str:
    """State and meaning."""
    return table(("state", "meaning"), [(f"`{state}`", meaning) for state, meaning in STATES.items()])
