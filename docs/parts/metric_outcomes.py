"""The words for how a request ended."""

from __future__ import annotations

from airflow_provider.hooks.stats import OUTCOMES
from docs.parts.table import table


def text() -> str:
    """Word and what it covers."""
    return table(("outcome", "of a request"), [(f"`{word}`", meaning) for word, meaning in OUTCOMES.items()])
