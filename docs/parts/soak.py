"""What came of the last full run of ``make soak``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.parts.table import table

RESULT = Path(__file__).with_name("soak.json")
NAMES = {
    "memory": "memory of the process with the triggers, MB",
    "descriptors": "its file descriptors",
    "connections": "its connections to the services",
    "threads": "its threads",
}


def text() -> str:
    """How much was waited for, what it cost, and how the waits ended."""
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    ended = run["waits ended"]["by kind"]
    seen = run["waits ended"]["seen after"]
    requests = sum(run["requests"].values())
    told = (
        f"{run['day']}: {run['seconds'] / 60:.0f} minutes with {run['alive']['least']:,} to "
        f"{run['alive']['most']:,} waits at a time (fewer where other work kept the machine from beginning new ones), "
        f"{sum(sum(one.values()) for one in ended.values()):,} in all; {requests:,} requests, "
        f"{requests / run['seconds']:.0f} a second, of which {_outcomes(run['requests'])}. "
        f"Waits that were lost or ended wrong: {run['wrong'] or 'none'}. "
        f"Beyond a bound: {run['beyond'] or 'nothing'}.\n\n"
    )
    grown = run["grown in the second half"]
    rows = [(NAMES[name], *_range(run[name]), f"{grown[name]:+.1f}") for name in NAMES]
    rows += [(f"Airflow's supervisor: {name}", *_range(run["supervisor"][name]), "") for name in run["supervisor"]]
    costs = table(("", "least", "most", "at the end", "grown in the second half"), rows)
    shares = ("p50", "p95", "p99", "p99.9", "most")
    lag = table(
        ("wake-ups of the event loop too late by, ms", *shares),
        [
            ("by the clock", *(run["late wake-ups"][name] for name in shares)),
            ("but for other work on the machine", *(run["late by itself"][name] for name in shares)),
            ("and for Python's collector", *(run["late but for the collector"][name] for name in shares)),
        ],
    )
    words = list(dict.fromkeys(word for one in ended.values() for word in one))
    kinds = table(("waits for", *words), [(kind, *(ended[kind].get(word, 0) for word in words)) for kind in ended])
    used = ", ".join(f"{name} {share:.0%}" for name, share in run["processor"].items())
    rest = (
        f"\n\nHow soon an end was seen: half of them within {seen['p50']:.0f} s, 99 % within {seen['p99']:.0f} s, all "
        f"within {seen['most']:.0f} s, outages included. Processor, of one core: {used}; the load of the machine was "
        f"{run['load']['least']:.0f} to {run['load']['most']:.0f}. Lines of Airflow about a blocked thread: "
        f"{run['blocked']['in all']}, of which {run['beyond'] or 'none'} for another reason than other work on the "
        f"machine and Python's collector, and {run['blocked']['while starting']} while it started."
    )
    return told + "\n\n".join((costs, lag, kinds)) + rest


def _outcomes(requests: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {outcome.replace('_', ' ')}" for outcome, number in requests.items())


def _range(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{values[name]:,.0f}" for name in ("least", "most", "last"))
