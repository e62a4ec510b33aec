"""All cases, and the operators that need one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from tests.faults import cases
from tests.faults.case import Case, kind_of


def all_cases() -> dict[str, Case]:
    """The cases of all areas by name."""
    found: dict[str, Case] = {}
    for module in pkgutil.iter_modules(cases.__path__):
        for case in importlib.import_module(f"{cases.__name__}.{module.name}").CASES:
            assert case.name not in found, f"two cases {case.name}"
            found[case.name] = case
    return found


def writing_operators() -> set[type]:
    """Every operator that may send a request that changes something."""
    from airflow_provider import operators
    from airflow_provider.api.writes import WRITES
    from airflow_provider.tasks.base import DataRobotBaseOperator

    found = set()
    for module in pkgutil.iter_modules(operators.__path__):
        area = importlib.import_module(f"{operators.__name__}.{module.name}")
        for name, kind in inspect.getmembers(area, inspect.isclass):
            if name.startswith("_") or kind.__module__ != area.__name__ or not issubclass(kind, DataRobotBaseOperator):
                continue
            if hasattr(kind, "operation") and (kind.operation in WRITES or kind.operation == "callApi"):
                found.add(kind)
    return found


def without_case() -> list[str]:
    """Operators that write and have no case."""
    covered = {kind_of(case.operator) for case in all_cases().values()}
    return sorted(kind.__name__ for kind in writing_operators() - covered)
