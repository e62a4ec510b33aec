"""The service's own clock. It can be moved, set ahead or behind the real one, made faster, or stopped.

Everything that the emulator says about time comes from here, the ``Date`` header too, so that a test never has to
wait: it moves the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate


class Clock:
    """Service time in seconds since the epoch.

    :param speed: service seconds per real second; 0 stops the clock, it then moves only by hand
    :param real: where real time comes from, in seconds since the epoch
    """

    def __init__(self, speed: float = 1.0, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._speed = speed
        self._real_anchor = self._anchor = real()
        self._pretended: float | None = None

    def now(self) -> float:
        """Service time now; inside :meth:`at` the pretended moment."""
        if self._pretended is not None:
            return self._pretended
        return self._anchor + (self._real() - self._real_anchor) * self._speed

    @property
    def speed(self) -> float:
        """Service seconds per real second."""
        return self._speed

    @property
    def offset(self) -> float:
        """Seconds that the service is ahead of real time; negative when it is behind."""
        return self.now() - self._real()

    def advance(self, seconds: float) -> None:
        """Jump ahead by that many service seconds."""
        self._anchor_at(self.now() + seconds)

    def set_offset(self, seconds: float) -> None:
        """Set the service ahead of real time, or behind it with a negative number."""
        self._anchor_at(self._real() + seconds)

    def set_speed(self, speed: float) -> None:
        """From now on run at this many service seconds per real second."""
        self._anchor_at(self.now())
        self._speed = speed

    def real_seconds(self, seconds: float) -> float:
        """How long so many service seconds last for a client; the same number while the clock stands still."""
        return seconds / self._speed if self._speed else seconds

    @contextmanager
    def at(self, moment: float) -> Iterator[None]:
        """Pretend that it is this moment: what was due while nobody looked happens at its own time."""
        before, self._pretended = self._pretended, moment
        try:
            yield
        finally:
            self._pretended = before

    def iso(self) -> str:
        """Now, as RFC 3339 with microseconds and Z."""
        return iso(self.now())

    def http_date(self) -> str:
        """Now, as an HTTP ``Date``."""
        return formatdate(self.now(), usegmt=True)

    def to_json(self) -> dict[str, float]:
        """What a restart needs to go on with the same service time."""
        return {"speed": self._speed, "anchor": self._anchor, "realAnchor": self._real_anchor}

    def load(self, data: dict[str, float]) -> None:
        """Go on from :meth:`to_json`; service time ran on while no process was there."""
        self._speed, self._anchor, self._real_anchor = data["speed"], data["anchor"], data["realAnchor"]

    def _anchor_at(self, moment: float) -> None:
        self._real_anchor, self._anchor = self._real(), moment


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number; a boolean is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def iso(moment: float) -> str:
    """Seconds since the epoch as RFC 3339 with microseconds and Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
