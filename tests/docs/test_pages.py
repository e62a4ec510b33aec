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
