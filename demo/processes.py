"""Child processes in groups of their own, so that stopping them touches nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

TERMINATION_SECONDS = 20.0


class Unwell(RuntimeError):
    """A process ended, or did not get ready, when it should have."""


class Child:
    """One started process: its name, its log and its group.

    :param name: what people call it.
    :param command: program and arguments.
    :param environment: its whole environment.
    :param log: file to which its output is appended. It works in the folder of this file: Python puts the working
        folder first on the path, and that must not be a checkout when an installed package is meant.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self.buried = False  # stopped with its group: from then on its number may belong to somebody else
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=log.parent,
                start_new_session=True,  # a group of its own, out of reach of the terminal's Ctrl-C
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals, group: bool = True) -> None:
        """Send a signal to its whole group, or to itself alone; nothing happens when it is gone."""
        if self.buried:
            return
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, number)
            else:
                os.kill(self.process.pid, number)

    def last_words(self, lines: int = 25) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raises :class:`Unwell` with the end of the log when it has ended."""
        if not self.running:
            raise Unwell(f"{self.name} ended with {self.process.returncode}:\n{self.last_words()}")


def stop(children: Iterable[Child], patience: float = TERMINATION_SECONDS) -> list[str]:
    """Ask all to end, wait ``patience`` seconds, then kill what is left of their groups; names those that had to be."""
    stopping = list(children)
    for child in stopping:
        child.signal(signal.SIGTERM)
    end = time.monotonic() + patience
    for child in stopping:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=max(0.0, end - time.monotonic()))
    killed = [child.name for child in stopping if child.running]
    for child in stopping:
        child.signal(signal.SIGKILL)  # also what a child that ended well has left in its group
        child.process.wait()
        child.buried = True
    return killed


def until(
    ready: Callable[[], bool], what: str, seconds: float, watch: Iterable[Child] = (), pause: float = 0.2
) -> None:
    """Ask ``ready`` again and again; raises :class:`Unwell` after ``seconds``, or when a watched process has ended."""
    children = list(watch)
    end = time.monotonic() + seconds
    while not ready():
        for child in children:
            child.check()
        if time.monotonic() > end:
            raise Unwell(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def leave_on_sigterm() -> None:
    """Make SIGTERM an ordinary exit, so that ``with`` blocks stop what they started."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
