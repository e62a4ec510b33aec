"""Processes are started in groups of their own and stopped with all that they started."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from demo.processes import Child, Unwell, stop, until

# Starts a child of its own, says so, and waits for a signal.
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


def started(script: str, folder: Path) -> Child:
    child = Child("child", [sys.executable, "-c", script], dict(os.environ), folder / "child.log")
    until(lambda: "\n" in child.log.read_text(), "child ready", 30, [child], pause=0.01)
    return child


def gone(pid: int) -> bool:
    """Ended; in a container nobody may be there to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_child_and_its_children_are_stopped(tmp_path: Path) -> None:
    child = started(PARENT, tmp_path)
    grandchild = int(child.log.read_text())
    assert stop([child]) == []
    assert not child.running
    until(lambda: gone(grandchild), "grandchild gone", 10, pause=0.01)


def test_a_child_that_does_not_listen_is_killed_and_named(tmp_path: Path) -> None:
    assert stop([started(STUBBORN, tmp_path)], patience=0.1) == ["child"]


def test_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    child = started(PARENT, tmp_path)
    stop([child])
    assert stop([child]) == []
    child.signal(signal.SIGTERM)


def test_a_child_that_ends_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child("child", [sys.executable, "-c", "raise SystemExit('no way')"], dict(os.environ), tmp_path / "log")
    with pytest.raises(Unwell, match="child ended with 1:\nno way"):
        until(lambda: False, "never", 30, [child], pause=0.01)


def test_what_does_not_happen_in_time_is_named() -> None:
    with pytest.raises(Unwell, match="the moon: not within 0 s"):
        until(lambda: False, "the moon", 0)
