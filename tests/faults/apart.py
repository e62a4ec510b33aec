"""The emulator in a process of its own, whose time is the one of the stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

from airflow_provider.emulator.door import EmulatorDoor

if TYPE_CHECKING:
    from ctypes import c_double
    from multiprocessing.connection import Connection

START_SECONDS = 30.0


@contextmanager
def apart() -> Iterator[tuple[EmulatorDoor, Callable[[float], None]]]:
    """The emulator's door, and what tells it the time (seconds since 1970): its clock stands still otherwise."""
    context = get_context("spawn")
    clock = context.RawValue("d", time.time())
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(clock, there), name="emulator", daemon=True)
    process.start()
    try:
        assert here.poll(START_SECONDS), "the emulator did not start"
        yield EmulatorDoor(here.recv()), lambda moment: setattr(clock, "value", moment)
    finally:
        process.terminate()
        process.join()


def _serve(clock: c_double, ready: Connection) -> None:
    from airflow_provider.emulator.server import make_server, open_socket, url_of
    from airflow_provider.emulator.service import Service

    bound = open_socket("127.0.0.1", 0)
    service = Service(check_answers=True, real=lambda: clock.value)
    make_server(service, lambda: ready.send(url_of(bound))).run([bound])
