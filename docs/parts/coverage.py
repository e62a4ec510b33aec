"""Every operation of the contract: which class calls it, how the emulator serves it, which tests ask for it."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import airflow_provider.notifications
from airflow_provider import operators, sensors
from airflow_provider.contract import Operation, contract
from airflow_provider.contract.load import HERE
from airflow_provider.emulator import handlers
from airflow_provider.emulator.calls import HOW
from docs.parts.table import table

GENERIC = "DataRobotCallApiOperator"
TESTED_BY = Path(__file__).parent / "tested_by.json"
NAMED = 3  # classes that a line names
WALKS = {"test_contract_fit.py", "test_documented_statuses.py"}  # named only where nothing else asks


def text() -> str:
    """The sums, and a line an operation; the documented ones first."""
    handlers.load()
    known = documented()
    inside = [one for one in contract().operations.values() if one.id in known]
    outside = [one for one in contract().operations.values() if one.id not in known]
    called = sum(one.id in contract().operations for one in inside)
    served = sum(one.id in HOW for one in inside)
    counts = [f"{sum(HOW[one.id] == how for one in inside)} {how}" for how in ("computed", "stored", "shaped")]
    sums = (
        f"**{called}/{len(known)} documented operations are called, {served}/{len(known)} are served** "
        f"({', '.join(counts)}; of those that write, {_shaped_writes()} is only shaped). "
        f"{len(outside)} more are known from clients: {len(outside)} called, "
        f"{sum(one.id in HOW for one in outside)} served."
    )
    head = ("operation", "", "called by", "served", "tested by")
    parts = [sums, "## Documented", table(head, map(_row, inside))]
    return "\n\n".join([*parts, "## Known from clients", table(head, map(_row, outside))])


@functools.cache
def documented() -> frozenset[str]:
    """The operations of the vendored document."""
    paths = json.loads((HERE / "datarobot-api.openapi.json").read_text(encoding="utf-8"))["paths"]
    return frozenset(operation["operationId"] for item in paths.values() for operation in item.values())


@functools.cache
def tested_by() -> Mapping[str, Mapping[str, list[int]]]:
    """Of each file of tests the operations that it asks for, and the statuses of the answers."""
    found: Mapping[str, Mapping[str, list[int]]] = json.loads(TESTED_BY.read_text(encoding="utf-8"))
    return found


def _shaped_writes() -> str:
    wrong = [name for name, how in HOW.items() if how == "shaped" and contract().operation(name).writes]
    return ", ".join(wrong) or "none"


def _row(operation: Operation) -> tuple[str, str, str, str, str]:
    marks = [word for word, on in (("deprecated", operation.deprecated), ("preview", operation.preview)) if on]
    classes = callers().get(operation.id) or [GENERIC]
    more = len(classes) - NAMED
    files = sorted(name for name, seen in tested_by().items() if operation.id in seen)
    shown = [name for name in files if name not in WALKS] or files
    return (
        f"`{operation.id}`",
        ", ".join([operation.method, *marks]),
        ", ".join(classes[:NAMED]) + (f" and {more} more" if more > 0 else ""),
        HOW.get(operation.id, "-"),
        ", ".join(name.removeprefix("test_").removesuffix(".py") for name in shown),
    )


@functools.cache
def callers() -> Mapping[str, list[str]]:
    """The public classes whose documentation names an operation."""
    names = re.compile(rf"\b({'|'.join(sorted(contract().operations, key=len, reverse=True))})\b")
    found: dict[str, list[str]] = {}
    for name, kind in _classes():
        about = {*names.findall(inspect.getdoc(kind) or ""), str(getattr(kind, "operation", ""))}
        for operation in about & contract().operations.keys():
            found.setdefault(operation, []).append(name)
    return {operation: sorted(set(classes) - {GENERIC}) for operation, classes in found.items()}


def _classes() -> Iterator[tuple[str, type]]:
    for package in (operators, sensors, airflow_provider.notifications):
        for one in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{one.name}")
            for name, kind in vars(module).items():
                if inspect.isclass(kind) and kind.__module__ == module.__name__ and name.startswith("DataRobot"):
                    yield name, kind
