"""A Redis of our own: Celery's broker."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import Child, free_port, stop, until
from demo.stack import clean_environment
from tests.servers.programs import program

PACKAGE = "redis-server"


@contextmanager
def redis(logs: Path) -> Iterator[str]:
    """Starts one that keeps everything in memory, and gives its address.

    :param logs: existing folder for its log.
    """
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = Child("redis", [program("redis-server", PACKAGE), *options], clean_environment({}), logs / "redis.log")
    ping = [program("redis-cli", "redis-tools"), "-h", "127.0.0.1", "-p", str(port), "ping"]
    try:
        until(lambda: b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout, "Redis", 30)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop([server])
