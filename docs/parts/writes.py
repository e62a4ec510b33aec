"""What is done about each writing operation after a lost answer."""

from __future__ import annotations

from airflow_provider.api.writes import WRITES
from docs.parts.table import table


def text() -> str:
    """Operation, kind, where to look, why."""
    rows = [(f"`{name}`", row.kind, row.look, row.reason) for name, row in WRITES.items()]
    return table(("operation", "kind", "where to look", "why"), rows)
