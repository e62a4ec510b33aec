"""What the tests of the emulator ask for, kept for the page on coverage (``make tested-by``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.steps import Exchange, run

KEPT = Path(__file__).parents[2] / "docs" / "parts" / "tested_by.json"
DRAWN = "test_random_requests.py"  # asks for anything, and so tells nothing


@contextmanager
def of_file(name: str) -> Iterator[None]:
    """Notes operations and statuses, and writes them in place of what is kept of this file of tests."""
    seen: dict[str, set[int]] = {}

    async def noted(exchange: Exchange) -> Answer | str:
        outcome = await run(exchange)
        if isinstance(outcome, Answer) and hasattr(exchange, "operation") and not exchange.faults:
            seen.setdefault(exchange.operation.id, set()).add(outcome.status)
        return outcome

    with mock.patch("airflow_provider.emulator.app.run", noted):
        yield
    if name != DRAWN:
        kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        kept[name] = {operation: sorted(statuses) for operation, statuses in sorted(seen.items())}
        lines = ",\n".join(f" {json.dumps(file)}: {json.dumps(kept[file])}" for file in sorted(kept))
        KEPT.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
