"""``make fresh``: writes the generated parts of the pages anew; ``--check`` only says which are stale.

A page marks such a part with ``<!-- part NAME -->`` and ``<!-- end -->``; ``docs/parts/NAME.py`` has a ``text()`` that
makes it from the code or the data that it tells of.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
PART = re.compile(r"(<!-- part (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may have generated parts."""
    return [HERE.parent / "README.md", *sorted(HERE.glob("*.md"))]


def renewed(page: Path) -> str:
    """The page with its generated parts as they should be."""

    def part(match: re.Match[str]) -> str:
        module = importlib.import_module(f"docs.parts.{match[2]}")
        return f"{match[1]}{module.text().strip()}\n{match[3]}"

    return PART.sub(part, page.read_text(encoding="utf-8"))


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
