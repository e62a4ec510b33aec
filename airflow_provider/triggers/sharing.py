"""One reading of a connection for all triggers of an event loop.

A triggerer reads connections through its supervisor, one after another, some 100 ms each; 500 triggers that start
together would keep it busy for a minute. So what was read lately serves all, and after a 401 what was read since.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from airflow_provider.api.settings import Settings
from airflow_provider.hooks.datarobot import DataRobotHook

LATELY = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class _Reading:
    begun: float
    settings: asyncio.Task[Settings]


_readings: dict[tuple[asyncio.AbstractEventLoop, str], _Reading] = {}


async def settings_of(conn_id: str, since: float | None = None) -> Settings:
    """The settings of a connection, as they were read after ``since`` (``time.monotonic``); None: lately.

    Raises what reading it raised; a reading that went wrong serves only those who waited for it.
    """
    loop = asyncio.get_running_loop()
    for key in [key for key in _readings if key[0].is_closed()]:
        del _readings[key]
    oldest = time.monotonic() - LATELY if since is None else since
    reading = _readings.get((loop, conn_id))
    if reading is None or reading.begun < oldest or _went_wrong(reading.settings):
        task = loop.create_task(DataRobotHook(conn_id).asettings(), name="datarobot-connection")
        reading = _readings[loop, conn_id] = _Reading(time.monotonic(), task)
    return await asyncio.shield(reading.settings)


def _went_wrong(task: asyncio.Task[Settings]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
