"""listDeploymentPredictionResults: the same share, counted row by row over the pages. For small windows.

The page has no total (contract note), so every page is read; beyond ``of["most"]`` rows the window is called too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow_provider.api.errors import InvalidCall, KeyMissing
from airflow_provider.api.judging import Reading
from airflow_provider.api.readings import More
from airflow_provider.api.readings.coverage import share

OPERATION = "listDeploymentPredictionResults"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading | More:
    """The share, or the next page."""
    rows = body.get("data")
    if not isinstance(rows, list):
        raise KeyMissing("the answer has no key 'data'", operation=OPERATION)
    total = kept.get("total", 0) + len(rows)
    actual = kept.get("actual", 0) + sum(one.get("actual") is not None for one in rows)
    following = body.get("next")
    if not following:
        return share(total, actual)
    if total >= int(of["most"]):
        raise InvalidCall(
            f"the window has more than {of['most']} predictions: count by='summary', or take a shorter one"
        )
    path = f"{of['path']}?{urlsplit(str(following)).query}"
    if not rows or path == kept.get("path"):
        raise KeyMissing("the list leads back to a page that was read", operation=OPERATION)
    # Only the query of ``next`` counts, as in all lists: the token goes nowhere else.
    return More(path, {"total": total, "actual": actual, "path": path})
