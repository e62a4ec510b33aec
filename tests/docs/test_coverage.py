"""The page on coverage: complete, and true."""

from __future__ import annotations

from pathlib import Path

from airflow_provider.contract import contract
from airflow_provider.emulator import handlers
from airflow_provider.emulator.calls import HOW, SERVED
from docs.parts import coverage, unreached

PAGE = Path(__file__).parents[2] / "docs" / "COVERAGE.md"
EMULATOR_TESTS = Path(__file__).parents[1] / "emulator"


def test_every_documented_operation_is_called_and_served() -> None:
    handlers.load()
    assert len(coverage.documented()) == 183
    assert coverage.documented() <= contract().operations.keys()
    assert SERVED.keys() == HOW.keys() == contract().operations.keys()
    assert "**183/183 documented operations are called, 183/183 are served**" in PAGE.read_text(encoding="utf-8")


def test_nothing_that_writes_is_only_shaped() -> None:
    handlers.load()
    assert [name for name, how in HOW.items() if how == "shaped" and contract().operation(name).writes] == []


def test_every_operation_is_tested_by_a_file_that_is_there() -> None:
    """``make tested-by`` renews what is kept."""
    kept = coverage.tested_by()
    assert [name for name in kept if not (EMULATOR_TESTS / name).exists()] == []
    asked = {operation for seen in kept.values() for operation in seen}
    assert sorted(contract().operations.keys() - asked) == []


def test_every_documented_status_is_met_or_says_why_not() -> None:
    found = {name: set(statuses) for name, statuses in unreached.reasons().items()}
    assert found == unreached.unreached()
