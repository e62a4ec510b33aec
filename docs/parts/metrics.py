"""The figures that go to Airflow's metrics."""

from __future__ import annotations

from airflow_provider.hooks.stats import METRICS
from docs.parts.table import table


def text() -> str:
    """Name, kind, tags and meaning."""
    return table(
        ("metric", "kind", "tags", "what it tells"),
        [(f"`{one.name}`", one.kind, ", ".join(one.tags), one.meaning) for one in METRICS],
    )
