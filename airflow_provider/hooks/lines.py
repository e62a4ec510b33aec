"""One line in the log for each change in the state of remote work, for people and for machines.

    datarobot state=submitted operation=replaceDeploymentModel stage=replace work=0b1c2d3e request_id=7f3a

Words as in ``key=value``, quoted like JSON where they are more than a word, so a line stays one line whatever the
service says. Only what is named here stands in it: no bodies, no headers, nothing of a connection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

STATES = {
    "intended": "a write is about to be sent",
    "submitted": "the service accepted it",
    "adopted": "work that is under way already is taken up: somebody else's, or ours behind a lost answer",
    "waiting": "a worker or a triggerer begins to look; a triggerer that takes over says so once more",
    "over": "the wait ended",
    "settled": "nothing is under way any more; the next run of the task starts anew",
}
FIELDS = {
    "operation": "the operationId that the task is about; of a sensor, its class",
    "stage": "how far the task is",
    "id": "of the change request, run, job or object",
    "work": "the same for all attempts of a task with the same arguments",
    "request_id": "the service's own name for the exchange that began the work: its support asks for it",
    "wait": "what is looked at: a path below the endpoint, or the kind of wait",
    "until": "when the wait ends for good, UTC",
    "outcome": "done, failed, timed_out, gave_up, or refused: the look was, not the work",
    "seconds": "how long the wait took",
    "note": "what is known, in words",
}
WORD = re.compile(r"[\w./:+@-]+", re.ASCII)
LONGEST = 300  # characters of a note


def line(state: str, handle: Mapping[str, Any] | None, **more: Any) -> str:
    """The line for a state; what is None is left out.

    :param handle: what the task remembers of its work, as plain JSON.
    """
    known = handle or {}
    fields = {name: known.get(name) for name in ("operation", "stage", "id", "request_id")}
    fields["work"] = str(known["fingerprint"])[:8] if known.get("fingerprint") else None
    fields |= more
    told = [f"{name}={_word(fields[name])}" for name in FIELDS if fields.get(name) is not None]
    return " ".join(["datarobot", f"state={state}", *told])


def looked_at(wait: Mapping[str, Any] | None) -> str | None:
    """What a wait (plain JSON) looks at, in a word."""
    return None if wait is None else str(wait.get("path") or wait.get("kind"))


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as a time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _word(value: Any) -> str:
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return text if WORD.fullmatch(text) else json.dumps(text)
