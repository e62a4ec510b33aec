"""A trigger of the test beside the waits: how late the event loop wakes it, and what the clients of the loop do."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

TICK = 0.05  # seconds
TICKS = 20  # per line


class LoopProbe(BaseTrigger):
    """Writes a line a second, for ever.

    :param path: the file: JSON lines with ``at``; in milliseconds, for each wake-up, how ``late`` it was, and how long
        of that the thread was ``starved`` (it could run, and the machine had no processor for it) and Python's
        collector worked (``collected``); ``requests`` by outcome, ``request_time`` (seconds, all of them), the
        ``tasks`` of the loop, and its process, ``pid``.
    """

    def __init__(self, path: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path
        self._over = False  # until its task is cancelled

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As every trigger."""
        return "tests.soak.probe.LoopProbe", {"path": self.path}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Measures; never fires."""
        counted, collector = _count_requests(), Collector()
        gc.callbacks.append(collector)
        loop = asyncio.get_running_loop()
        with Path(self.path).open("a", encoding="utf-8", buffering=1) as file:  # noqa: ASYNC230 - a line a second
            while not self._over:
                found: dict[str, list[float]] = {"late": [], "starved": [], "collected": []}
                for _ in range(TICKS):
                    asked, waited, collected = loop.time(), _waited(), collector.seconds
                    await asyncio.sleep(TICK)
                    found["late"].append(round((loop.time() - asked - TICK) * 1000, 1))
                    found["starved"].append(round((_waited() - waited) * 1000, 1))
                    found["collected"].append(round((collector.seconds - collected) * 1000, 1))
                loop_is = {"pid": os.getpid(), "tasks": len(asyncio.all_tasks())}
                file.write(json.dumps({"at": round(time.time(), 2), **loop_is, **found, **counted}) + "\n")
                counted["requests"] = Counter()
                counted["request_time"] = 0.0
        yield TriggerEvent(None)


class Collector:
    """How long Python's collector has worked: a walk over all that Airflow has loaded takes 0.2 s, triggers or not."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun = 0.0

    def __call__(self, phase: str, info: Any) -> None:
        """At the start and at the end of each collection."""
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._begun


def _waited() -> float:
    """Seconds that the kernel has let this thread wait for a processor."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def _count_requests() -> dict[str, Any]:
    """Counts what every client tells its observer from now on."""
    from airflow_provider.hooks import stats

    counted: dict[str, Any] = {"requests": Counter(), "request_time": 0.0}
    request = stats.Counting.request

    def counting(self: Any, operation: str, method: str, path: str, status: Any, seconds: float, attempt: int) -> None:
        counted["requests"][stats.outcome_of(status)] += 1
        counted["request_time"] = round(counted["request_time"] + seconds, 4)
        request(self, operation, method, path, status, seconds, attempt)

    stats.Counting.request = counting  # type: ignore[assignment, method-assign]
    return counted
