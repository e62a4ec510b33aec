"""From method and path to an operation of the contract. A trailing slash may be left out (wire.md B)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from airflow_provider.contract import Operation, contract


class Found(NamedTuple):
    """What stands at a path: the operation for the method, if any, its path arguments, and all methods there."""

    operation: Operation | None
    arguments: Mapping[str, str]
    methods: tuple[str, ...]


def find(method: str, path: str) -> Found | None:
    """The operation at this path (raw, relative to the API root), or None where the contract knows no such path."""
    parts = path.strip("/").split("/")
    for pattern, by_method in _patterns().get(len(parts), ()):
        if all(wanted.startswith("{") or wanted == part for wanted, part in zip(pattern, parts, strict=True)):
            if not all(parts):
                return None
            arguments = {
                wanted[1:-1]: unquote(part)
                for wanted, part in zip(pattern, parts, strict=True)
                if wanted.startswith("{")
            }
            return Found(by_method.get(method), arguments, tuple(by_method))
    return None


@functools.cache
def _patterns() -> Mapping[int, list[tuple[tuple[str, ...], dict[str, Operation]]]]:
    """Paths by their number of parts, those with fewer variables first."""
    by_path: dict[tuple[str, ...], dict[str, Operation]] = {}
    for operation in contract().operations.values():
        by_path.setdefault(tuple(operation.path.strip("/").split("/")), {})[operation.method] = operation
    sorted_by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
    for pattern, by_method in by_path.items():
        sorted_by_length.setdefault(len(pattern), []).append((pattern, by_method))
    for entries in sorted_by_length.values():
        entries.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])
    return sorted_by_length
