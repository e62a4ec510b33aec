"""The numbered corrections of the contract."""

from __future__ import annotations

from airflow_provider.contract import contract
from docs.parts.table import table


def text() -> str:
    """Number, what it says, and the evidence."""
    rows = [(one["number"], one["title"], one["evidence"]) for one in contract().corrections]
    return table(("no.", "correction", "evidence"), rows)
