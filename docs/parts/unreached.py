"""Documented statuses that no test of the emulator meets, with the reason."""

from __future__ import annotations

import json
from pathlib import Path

from airflow_provider.contract.load import HERE
from docs.parts.coverage import tested_by
from docs.parts.table import table

REASONS = Path(__file__).parent / "unreached.json"


def text() -> str:
    """Operation, statuses and reason."""
    why = reasons()
    rows = [
        (f"`{name}`", status, why.get(name, {}).get(status, "?"))
        for name, codes in unreached().items()
        for status in sorted(codes)
    ]
    return table(("operation", "status", "why"), rows)


def reasons() -> dict[str, dict[int, str]]:
    """Of each such operation and status the reason."""
    found: dict[str, dict[str, str]] = json.loads(REASONS.read_text(encoding="utf-8"))
    return {name: {int(status): why for status, why in one.items()} for name, one in found.items()}


def unreached() -> dict[str, set[int]]:
    """The statuses of the pages less those that were seen."""
    paths = json.loads((HERE / "datarobot-api.openapi.json").read_text(encoding="utf-8"))["paths"]
    seen: dict[str, set[int]] = {}
    for operations in tested_by().values():
        for name, codes in operations.items():
            seen.setdefault(name, set()).update(codes)
    shown = {
        operation["operationId"]: {int(code) for code in operation["responses"] if code.isdigit()}
        for item in paths.values()
        for operation in item.values()
    }
    return {name: codes - seen.get(name, set()) for name, codes in shown.items() if codes - seen.get(name, set())}
