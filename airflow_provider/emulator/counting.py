"""Lines of a CSV, counted while its bytes come by: a line break inside quotes is none."""

from __future__ import annotations


class LineCounter:
    """Counts the lines of one file, however it is cut into pieces."""

    def __init__(self) -> None:
        self.size = 0
        self._breaks = 0
        self._quoted = False
        self._last = b"\n"

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        if not piece:
            return
        parts = piece.split(b'"')
        outside = parts[1::2] if self._quoted else parts[::2]
        self._breaks += sum(part.count(b"\n") for part in outside)
        self._quoted ^= len(parts) % 2 == 0
        self._last = piece[-1:]
        self.size += len(piece)

    @property
    def lines(self) -> int:
        """Lines so far; a last one without a line break counts."""
        return self._breaks + (self._last != b"\n")
