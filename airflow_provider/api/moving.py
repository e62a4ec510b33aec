"""Windows that move with the service's clock: the start and the end in a path, put on.

No clock here: whoever asks says what time it is, by the ``Date`` of the service's own answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

HOUR = 3600
PATHS = ("newest_path", "sample_path")  # of what a reader is told: they have the same window


def window_at(moment: datetime, hours: int) -> dict[str, Any]:
    """So many whole hours until the last top of the hour: ``start``, ``end``, ``hours``."""
    end = datetime.fromtimestamp(moment.timestamp() // HOUR * HOUR, UTC)
    return {"start": _stamp(end - timedelta(hours=hours)), "end": _stamp(end), "hours": hours}


def moved(path: str, window: Mapping[str, Any]) -> str:
    """The same path, over this window."""
    parts = urlsplit(path)
    query = [(name, window.get(name, value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
    return f"{parts.path}?{urlencode(query)}"


def told(of: Mapping[str, Any], window: Mapping[str, Any]) -> dict[str, Any]:
    """The same for what a reader is told."""
    paths = {name: moved(of[name], window) for name in PATHS if of.get(name)}
    return {**of, **paths, **({"end": window["end"]} if "end" in of else {})}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
