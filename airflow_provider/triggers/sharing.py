"""One reading of a connection for all triggers of an event loop.

A triggerer reads connections through its supervisor, one after another, some 100 ms each; 500 triggers that start
together would keep it busy for a minute. So what was read lately serves all. A token that was refused is read again
by the first who was refused, and the others get what that one found.
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
    task: asyncio.Task[Settings]

    def serves(self, oldest: float) -> bool:
        wrong = self.task.done() and (self.task.cancelled() or self.task.exception() is not None)
        return self.begun >= oldest and not wrong


_readings: dict[tuple[asyncio.AbstractEventLoop, str], _Reading] = {}


async def settings_of(conn_id: str, refused: Settings | None = None) -> Settings:
    """The settings of a connection.

    :param refused: settings that the service has just refused; such as equal them are read again.

    Raises what reading raised; a reading that went wrong serves only those who waited for it.
    """
    loop, asked = asyncio.get_running_loop(), time.monotonic()
    for key in [key for key in _readings if key[0].is_closed()]:
        del _readings[key]
    while True:
        reading = _readings.get((loop, conn_id))
        if reading is None or not reading.serves(asked - LATELY):
            task = loop.create_task(DataRobotHook(conn_id).asettings(), name="datarobot-connection")
            reading = _readings[loop, conn_id] = _Reading(time.monotonic(), task)
        settings = await asyncio.shield(reading.task)
        if settings != refused or reading.begun >= asked:
            return settings
        if _readings.get((loop, conn_id)) is reading:
            del _readings[loop, conn_id]
