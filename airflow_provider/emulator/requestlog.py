"""The requests that were seen, without secrets: no header is kept, and fields that hold secrets are masked."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

SECRET_NAMES = frozenset({"password", "secrettoken", "verificationcode", "credentialdata", "token", "apitoken"})
MASK = "***"
KEPT = 20_000  # entries; counts go on beyond that


class RequestLog:
    """The last requests in order, and how many writes were accepted per operation."""

    def __init__(self) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.accepted: Counter[str] = Counter()
        self._number = 0

    def note(self, **entry: Any) -> dict[str, Any]:
        """Add a request; the caller fills in its end later."""
        self._number += 1
        noted = {"number": self._number, **entry}
        self.entries.append(noted)
        return noted

    def accept(self, operation_id: str, entry: dict[str, Any]) -> None:
        """The write that this entry stands for was carried out."""
        entry["accepted"] = True
        self.accepted[operation_id] += 1

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.accepted.clear()
        self._number = 0


def masked(value: Any, name: str = "") -> Any:
    """A JSON value with secrets replaced: by field name, and the values of custom headers."""
    if name.lower() in SECRET_NAMES:
        return MASK
    if isinstance(value, dict):
        return {key: masked(below, key) for key, below in value.items()}
    if isinstance(value, list):
        if name == "customHeaders":
            return [{**one, "value": MASK} if isinstance(one, dict) else MASK for one in value]
        return [masked(below) for below in value]
    return value
