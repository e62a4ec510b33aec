"""Figures of a run, kept for the docs when all that is asked for was run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

RESULT = Path(__file__).parents[2] / "docs" / "parts" / "distributed.json"
PARTS = {"defaults", "tuned", "fleet"}


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Iterator[dict[str, Any]]:
    """What tests have measured; kept when each of :data:`PARTS` is there and ``KEEP`` is not 0."""
    measured: dict[str, Any] = {}
    yield measured
    if measured.keys() >= PARTS and os.environ.get("KEEP") != "0":
        told = {"day": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), **measured}
        RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
