"""The pages say what the code says, their code parses, their links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs.generate import pages, stale

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_generated_parts_are_fresh() -> None:
    assert stale() == [], "run make fresh"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_python_parses(page: Path) -> None:
    for code in CODE.findall(page.read_text(encoding="utf-8")):
        ast.parse(re.sub(r"^    ", "", code, flags=re.MULTILINE) if code.startswith("    ") else code)


@pytest.mark.parametrize("page", [*pages(), ROOT / "README.md"], ids=lambda page: page.name)
def test_classes_that_pages_name_are_there(page: Path) -> None:
    """Those of other packages have no name of ours in front."""
    named = set(re.findall(r"\b(DataRobot\w+(?:Operator|Sensor|Notifier|Trigger|Hook))\b", page.read_text("utf-8")))
    sources = [file.read_text("utf-8") for file in (ROOT / "airflow_provider").rglob("*.py")]
    known = {name for source in sources for name in re.findall(r"^class (\w+)", source, re.MULTILINE)}
    assert named - known == set()
