"""Files that the service fetches itself, each in a thread of its own, so that a URL may even be one of the emulator's.

No proxy and no file of this machine: only ``http`` and ``https``, as they are reached from here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from airflow_provider.emulator.counting import LineCounter

PIECE = 262_144  # bytes held in memory
PATIENCE = 30.0  # real seconds without a byte
SCHEMES = ("http://", "https://")


@dataclass(slots=True)
class Fetch:
    """One file on its way; ``fault`` tells why it cannot be had."""

    lines: LineCounter = field(default_factory=LineCounter)
    fault: str | None = None
    over: threading.Event = field(default_factory=threading.Event)


def fetch(url: str, path: Path) -> Fetch:
    """Begin to fetch a URL into a file."""
    found = Fetch()
    threading.Thread(target=_work, args=(url, path, found), name="datarobot-emulator-fetch", daemon=True).start()
    return found


def _work(url: str, path: Path, found: Fetch) -> None:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE) as answer, path.open("wb") as out:
            while piece := answer.read(PIECE):
                found.lines.feed(piece)
                out.write(piece)
    except (URLError, OSError, ValueError) as fault:
        found.fault = f"The URL could not be read: {fault}"
    finally:
        found.over.set()
