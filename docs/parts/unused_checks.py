"""The checks of Schemathesis that are not used, each with its reason."""

from __future__ import annotations

import json
from pathlib import Path

from docs.parts.table import table

REASONS = Path(__file__).parents[2] / "tests" / "fuzz" / "unused_checks.json"


def text() -> str:
    """Check and reason."""
    reasons = json.loads(REASONS.read_text(encoding="utf-8"))
    return table(("check", "why not"), ((f"`{name}`", why) for name, why in reasons.items()))
