"""``make fresh``: writes the generated parts of the pages anew; ``--check`` only says which are stale.

A page marks such a part with ``<!-- part NAME -->`` and ``<!-- end -->``; ``docs/parts/NAME.py`` has a ``text()`` that
makes it from the code or the data that it tells of. After ``<!-- example NAME -->`` stands the code of
``example_dags/NAME.py`` between its marks ``[START NAME]`` and ``[END NAME]``.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
PART = re.compile(r"(<!-- (part|example) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may have generated parts."""
    return [HERE.parent / "README.md", *sorted(HERE.glob("*.md"))]


def part(name: str) -> str:
    """What the part's module makes."""
    text: str = importlib.import_module(f"docs.parts.{name}").text()
    return text.strip()


def example(name: str) -> str:
    """The code of an example DAG, as it stands between its marks."""
    code = (HERE.parent / "example_dags" / f"{name}.py").read_text(encoding="utf-8")
    shown = code.split(f"# [START {name}]\n")[1].split(f"# [END {name}]")[0]
    return f"```python\n{shown.strip()}\n```"


MAKERS = {"part": part, "example": example}


def renewed(page: Path) -> str:
    """The page with its generated parts as they should be."""

    def anew(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        return f"{begin}{MAKERS[kind](name)}\n{end}"

    return PART.sub(anew, page.read_text(encoding="utf-8"))


def stale() -> list[Path]:
    """Pages whose generated parts are not what the code says."""
    return [page for page in pages() if renewed(page) != page.read_text(encoding="utf-8")]


def main() -> int:
    """Renew, or check; 1 when something was stale and only checked."""
    found = stale()
    checking = "--check" in sys.argv
    for page in found:
        print(f"{'stale' if checking else 'renewed'}: {page.relative_to(HERE.parent)}")
        if not checking:
            page.write_text(renewed(page), encoding="utf-8")
    return 1 if found and checking else 0


if __name__ == "__main__":
    sys.exit(main())
