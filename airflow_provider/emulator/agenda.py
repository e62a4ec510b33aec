"""What is due later: job ends, automatic actions, late commits. Done in the order of their time, at their time.

Entries are plain data, so they survive a restart. :func:`catch_up` runs before each request, after each move of the
clock and on a background tick; a jump of ten days does everything that ten days would have done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service

DOERS: dict[str, Callable[..., None]] = {}


def due(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a function as the doer of agenda entries of this name."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        DOERS[name] = function
        return function

    return register


def catch_up(service: Service) -> None:
    """Do what is due by now, each entry at its own moment; entries that come up on the way too."""
    now = service.clock.now()
    while (entry := service.store.next_due(now)) is not None:
        with service.clock.at(entry["due"]):
            do(service, entry["do"], entry["with"])
    service.save()


def do(service: Service, name: str, arguments: dict[str, Any]) -> None:
    """Do one entry."""
    DOERS[name](service, **arguments)
