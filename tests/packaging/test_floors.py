"""The floors of the house hold: imports go down, and the emulator's tests share nothing with the client."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported_by(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_go_down_only() -> None:
    """In a process of its own: the linter sets up logging anew, which would switch off the loggers of this one."""
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    linted = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "emulator").rglob("*.py")), ids=lambda file: file.name)
def test_emulator_tests_see_raw_http_and_the_emulator_only(file: Path) -> None:
    """Tests that used our client would forgive the emulator what the client forgives."""
    allowed = ("airflow_provider.emulator", "airflow_provider.contract")
    ours = [name for name in imported_by(file) if name.startswith("airflow_provider")]
    assert [name for name in ours if not name.startswith(allowed)] == []


@pytest.mark.parametrize("folder", ["api", "contract", "mlops", "emulator"])
def test_tests_of_the_lower_floors_do_without_airflow(folder: str) -> None:
    files = (ROOT / "tests" / folder).rglob("*.py")
    assert [file.name for file in files if any(name.split(".")[0] == "airflow" for name in imported_by(file))] == []
