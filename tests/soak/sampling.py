"""Processes seen from outside, through /proc, every few seconds, one JSON line each time."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

EVERY = 5.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"


def seen(pid: int, ports: frozenset[int] = frozenset()) -> dict[str, float]:
    """Memory (MB), descriptors, threads, processor seconds so far, and connections to these ports."""
    home = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (home / "status").read_text().splitlines())
    files = []
    for one in (home / "fd").iterdir():
        with suppress(OSError):
            files.append(os.readlink(one))
    fields = (home / "stat").read_text().rpartition(")")[2].split()
    return {
        "memory": int(status["VmRSS"].split()[0]) / 1024,
        "descriptors": len(files),
        "threads": int(status["Threads"]),
        "processor": (int(fields[11]) + int(fields[12])) / TICKS,
        "connections": _connections(frozenset(files), ports) if ports else 0,
    }


def _connections(files: frozenset[str], ports: frozenset[int]) -> int:
    found = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_, inode = line.split()[:10]
        ours = state == ESTABLISHED and int(remote.split(":")[1], 16) in ports
        found += ours and f"socket:[{inode}]" in files
    return found


class Sampler(threading.Thread):
    """Samples until it is stopped.

    :param processes: pid and ports of interest by name.
    :param beside: what the run itself knows.
    """

    def __init__(
        self,
        file: Path,
        processes: Mapping[str, tuple[int, frozenset[int]]],
        beside: Callable[[], Mapping[str, Any]],
    ) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._processes = processes
        self._beside = beside
        self._over = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """In its own thread: the director may be busy with a service that does not answer."""
        try:
            with self._file.open("a", encoding="utf-8", buffering=1) as file:
                while not self._over.wait(EVERY):
                    sample: dict[str, Any] = {"at": round(time.time(), 2), "load": os.getloadavg()[0]}
                    sample |= {name: seen(*which) for name, which in self._processes.items()}
                    file.write(json.dumps({**sample, **self._beside()}) + "\n")
        except OSError as error:  # a process is gone
            self.error = error

    def stop(self) -> None:
        """Ends it."""
        self._over.set()
        self.join()
