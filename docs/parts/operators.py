"""The operators, sensors and notifiers, from their docstrings."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from airflow_provider import notifications, operators, sensors
from airflow_provider.tasks.base import DataRobotBaseOperator


def text() -> str:
    """Each public class with its docstring, area by area."""
    return "\n\n".join(_area(module) for package in (operators, sensors, notifications) for module in _modules(package))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def _area(module: ModuleType) -> str:
    title = (module.__doc__ or "").splitlines()[0]
    parts = [f"## {title}", f"`{module.__name__}`"]
    for name, kind in vars(module).items():
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and name.startswith("DataRobot"):
            parts.append(f"### {name}\n\n```text\n{inspect.getdoc(kind)}\n```\n\n{_templated(kind)}")
    return "\n\n".join(parts)


def _templated(kind: type) -> str:
    own = [name for name in getattr(kind, "template_fields", ()) if name not in DataRobotBaseOperator.template_fields]
    return f"Templated: {', '.join(f'`{name}`' for name in own)}." if own else "Nothing of its own is templated."
