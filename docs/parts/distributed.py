"""What the last ``make test-distributed`` has measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docs.parts.table import table

RESULT = Path(__file__).with_name("distributed.json")
HEARTBEATS = ("defaults", "tuned")


def text() -> str:
    """How soon others take over, and what a run with deaths in it came to, as far as either was measured."""
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    told = (
        f"Measured on {run['day']} on one machine with {run['cores']} cores for all of it: PostgreSQL, "
        "Redis, schedulers, Celery workers, two triggerers, an API server, a DAG processor, and the emulator."
    )
    return "\n\n".join([told, _take_overs(run), *([_fleet(run["fleet"])] if "fleet" in run else [])])


def _take_overs(run: dict[str, Any]) -> str:
    rows = [
        (
            f"`job_heartbeat_sec = {one['heartbeat']}`, `triggerer_health_check_threshold = {one['threshold']}`",
            _seconds(one["killed"]),
            _seconds(one["ended"]),
        )
        for one in (run[word] for word in HEARTBEATS if word in run)
    ]
    head = ("settings of the triggerer", "after a SIGKILL the other one has all its waits", "after a SIGTERM")
    return table(head, rows)


def _fleet(run: dict[str, Any]) -> str:
    rows = [
        (
            f"{run['promotions']} mapped promotions, {run['gated']} of them through a change request",
            "each model replaced exactly once, each request opened and resolved once",
        ),
        (
            f"{run['uploads']} mapped uploads, {run['rows']:,} rows",
            f"none missing or wrong; accepted twice: {run['again']:,} rows, told as repeated: {run['repeated']:,}",
        ),
        (
            f"one worker killed with {len(run['lost_running'])} tasks at work",
            f"again after {_seconds(run['lost_running'])} with `task_instance_heartbeat_timeout = {run['timeout']}`",
        ),
        *_queued(run),
        (f"one triggerer killed with {len(run['killed'])} waits", f"taken over after {_seconds(run['killed'])}"),
        (f"one triggerer restarted with {len(run['ended'])} waits", f"taken over after {_seconds(run['ended'])}"),
        ("times a worker took up a task", f"{run['executions']:,}"),
        ("wall time", f"{run['seconds']:,} s"),
        (
            "requests to the service",
            f"{run['requests']:,}, {run['requests'] / run['seconds']:.1f} a second, {run['peak']} in the busiest one",
        ),
        ("connections to the service", f"at most {run['connections']} at a time"),
    ]
    return table(("one run, with two of each but API server and DAG processor", "what came of it"), rows)


def _queued(run: dict[str, Any]) -> list[tuple[str, str]]:
    if not run["lost_queued"]:
        return []
    told = f"after {_seconds(run['lost_queued'])} with `task_queued_timeout = {run['queued_timeout']}`"
    return [(f"... and {len(run['lost_queued'])} that it had received and not begun", told)]


def _seconds(several: Sequence[float]) -> str:
    least, most = min(several), max(several)
    return f"{least:g} s" if least == most else f"{least:g} to {most:g} s"
