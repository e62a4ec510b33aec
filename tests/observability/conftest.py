"""The stage, a stats backend of our own behind Airflow's Stats, and the lines that were told."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider.hooks import lines as home
from tests.journeys.conftest import stage, triggerer

__all__ = ["stage", "triggerer"]


class Timer:
    """What times a block of Airflow's own; of no concern here."""

    duration = 0.0

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


@dataclass
class Backend:
    """What Airflow calls a stats logger: keeps all that it is told, as (name, value, tags)."""

    told: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    broken: bool = False

    def incr(self, stat: str, count: int = 1, rate: float = 1, *, tags: dict[str, str] | None = None) -> None:
        self._note(stat, count, tags)

    def gauge(
        self, stat: str, value: float, rate: float = 1, delta: bool = False, *, tags: dict[str, str] | None = None
    ) -> None:
        self._note(stat, value, tags)

    def timing(self, stat: str, dt: timedelta, *, tags: dict[str, str] | None = None) -> None:
        self._note(stat, dt, tags)

    def timer(self, *_stat: Any, **_tags: Any) -> Any:
        return Timer()

    def sum(self, name: str, **tags: str) -> int:
        """All counts of a metric with these tags."""
        return sum(value for stat, value, found in self.told if stat == name and tags.items() <= found.items())

    def values(self, name: str, **tags: str) -> list[Any]:
        """All values of a metric with these tags."""
        return [value for stat, value, found in self.told if stat == name and tags.items() <= found.items()]

    def _note(self, stat: str, value: Any, tags: dict[str, str] | None) -> None:
        if self.broken and stat.startswith("datarobot."):
            raise OSError("the backend is gone")
        self.told.append((stat, value, tags or {}))


@pytest.fixture
def figures() -> Iterator[Backend]:
    """What Airflow's metrics are told."""
    backend = Backend()
    install(backend)
    yield backend
    install(Backend())


def install(backend: Backend) -> None:
    """Puts a backend behind Airflow's Stats, as the configuration does on each line."""
    from airflow.providers.common.compat.sdk import Stats

    stats: Any = Stats
    with contextlib.suppress(ImportError):  # it puts the configured one there when it is imported (3.2, 3.3)
        importlib.import_module("airflow.sdk.serde")
    if "initialize" not in dir(stats) and "initialize" not in dir(type(stats)):  # Airflow 3.1
        stats.instance = backend
        stats._instance_pid = os.getpid()
        return
    legacy = "export_legacy_names" in inspect.signature(stats.initialize).parameters
    stats.initialize(factory=lambda: backend, **({"export_legacy_names": False} if legacy else {}))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of all state changes, of workers and triggerer, in order."""
    told: list[str] = []
    line = home.line

    def noted(state: str, handle: Any, **more: Any) -> str:
        told.append(line(state, handle, **more))
        return told[-1]

    monkeypatch.setattr("airflow_provider.tasks.telling.line", noted)
    monkeypatch.setattr("airflow_provider.triggers.wait.line", noted)
    return told
