"""When the verdict of a replay and that of the harness are the same.

Equal words agree. Nothing else does, but for what the table says: pairs of the harness's word and the replay's.
"""

from __future__ import annotations

from collections.abc import Mapping

SAME: Mapping[tuple[str, str], str] = {}


def agree(harness: str, replay: str) -> bool:
    """Whether two verdicts on one schedule say the same."""
    return harness == replay or (harness, replay) in SAME
