"""Bulk bodies: checked row by row by a loop of their own, and kept out of the request log.

The contract checker walks about 30,000 rows a second, which would make the emulator the slowest part of every
benchmark. It sees the envelope with the first row here, and again each row that the loop finds fault with: so the loop
may only be stricter than the schema, never laxer, and the texts are the checker's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider.contract import Operation, check_body, contract

SHOWN = 20  # faulty rows that an answer names; the others are not looked at


@dataclass(frozen=True, slots=True)
class Bulk:
    """How one operation's rows are told apart.

    ``most`` is how many rows the schema allows; ``suspicious`` gives the numbers of the rows that may not fit;
    ``summary`` is what the log keeps of the rows; ``field`` is where they stand in the body.
    """

    most: int
    suspicious: Callable[[list[Any]], Iterator[int]]
    summary: Callable[[list[Any]], Any]
    field: str = "data"

    @property
    def first(self) -> str:
        """Where the checker sees a row that it is given alone."""
        return f"$.{self.field}[0]"


BULK: dict[str, Bulk] = {}


def bulk_of(operation: Operation, body: Any) -> Bulk | None:
    """How to check this body fast; None where the general checker has to see all of it."""
    bulk = BULK.get(operation.id)
    fits = bulk is not None and isinstance(body, dict) and isinstance(body.get(bulk.field), list)
    return bulk if fits else None


def faults_of(operation: Operation, body: Mapping[str, Any], bulk: Bulk) -> list[str]:
    """Faults of a body that holds such rows; of the rows only the first faulty ones are named."""
    rows = body[bulk.field]
    if len(rows) > bulk.most:
        return [one for one in _check(operation, body, bulk, rows[:1] * len(rows)) if not _of_a_row(one, bulk)]
    faults = [one for one in _check(operation, body, bulk, rows[:1]) if not _of_a_row(one, bulk)]
    for number in bulk.suspicious(rows):
        if len(faults) >= SHOWN:
            break
        found = [one for one in _check(operation, body, bulk, [rows[number]]) if _of_a_row(one, bulk)]
        faults += [one.replace(bulk.first, f"$.{bulk.field}[{number}]") for one in found]
    return faults


def shown(body: Mapping[str, Any], bulk: Bulk) -> dict[str, Any]:
    """The body as the log keeps it."""
    return {**body, bulk.field: bulk.summary(body[bulk.field])}


def _check(operation: Operation, body: Mapping[str, Any], bulk: Bulk, rows: list[Any]) -> list[str]:
    return check_body(operation, {**body, bulk.field: rows}, contract())


def _of_a_row(fault: str, bulk: Bulk) -> bool:
    return f" @ {bulk.first}" in fault
