"""What the service's answers say in numbers, for gates. One file a kind of answer, found by its name.

A reader is a module here with one function::

    read(body, of, kept) ──► Reading, or More (another answer is needed first)

``body`` is the JSON answer, ``of`` says which number is wanted, ``kept`` is what the reader noted at an earlier answer
of the same look. No I/O, no clock. Names of readers stand in databases with the waits that use them and never change.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from airflow_provider.api.judging import Reading


@dataclass(frozen=True, slots=True)
class More:
    """Ask this path too, and give its answer with what was kept."""

    path: str
    kept: dict[str, Any] = field(default_factory=dict)


class Reader(Protocol):
    """A module of this folder."""

    def read(self, body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading | More:
        """The number, or what else to ask."""
        ...


def reader(name: str) -> Reader:
    """The reader of this name; raises LookupError where there is none."""
    if name not in names():
        raise LookupError(f"there is no reader {name!r}; there are {', '.join(names())}")
    found: Any = importlib.import_module(f"{__name__}.{name}")
    return found  # type: ignore[no-any-return]


def names() -> list[str]:
    """All readers."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
