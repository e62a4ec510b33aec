"""Which processes of this machine talk to a port, and who descends from whom; read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ESTABLISHED = "01"


def connected_to(port: int | None, below: int) -> list[int]:
    """Processes below another one that have a connection to a port of this machine."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_, inode = line.split()[:10]
        if state == ESTABLISHED and int(remote.split(":")[1], 16) == port:
            inodes.add(f"socket:[{inode}]")
    return [pid for pid in below_of(below) if inodes & set(_files(Path(f"/proc/{pid}")))]


def below_of(ancestor: int) -> list[int]:
    """A process and everything that descends from it, whatever groups these are in."""
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _is_below(one.name, ancestor)]


def parent_of(pid: int) -> int:
    """The parent of a process; OSError when it is gone."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _files(process: Path) -> Iterator[str]:
    with suppress(OSError):  # it may be gone
        for entry in (process / "fd").iterdir():
            with suppress(OSError):
                yield os.readlink(entry)


def _is_below(name: str, ancestor: int) -> bool:
    pid = int(name)
    with suppress(OSError):
        while pid > 1:
            if pid == ancestor:
                return True
            pid = parent_of(pid)
    return False
