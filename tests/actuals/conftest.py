"""The stage, with small chunks."""

import pytest

from tests.stages import stage

__all__ = ["small_chunks", "stage"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows in place of ten thousand: a few hundred rows are many requests then."""
    monkeypatch.setattr("airflow_provider.mlops.budget.CHUNK_ROWS", 10)
