"""Figures of a run, kept for the docs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

RESULT = Path(__file__).parents[2] / "docs" / "parts" / "distributed.json"


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, Any]]:
    """What tests have measured, each a part of the result, which is kept unless ``KEEP`` is 0."""
    measured: dict[str, Any] = {}
    yield measured
    if measured and os.environ.get("KEEP") != "0":
        kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        told = {**kept, "day": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), **measured}
        RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
