"""Figures of a run from its lines: processes as they were sampled, and the probe of the loop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

Line = Mapping[str, Any]
BLOCKED, BLOCKED_MS = "async thread was blocked", 200.0  # Airflow's words, and its threshold
AROUND = 3.0  # seconds


def lines(file: Path) -> list[dict[str, Any]]:
    """All whole lines of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def figures(folder: Path, run: Line) -> dict[str, Any]:
    """Of the time while the waits were kept alive; the second half is where nothing may grow."""
    first, last = run["phases"]["steady"], run["phases"]["drain"]
    samples = [one for one in lines(folder / "samples.jsonl") if first <= one["at"] <= last]
    probed = [one for one in lines(folder / "probe.jsonl") if first <= one["at"] <= last]
    half = samples[len(samples) // 2 :]
    names = ("memory", "descriptors", "connections", "threads")
    requests: Counter[str] = Counter()
    for one in probed:
        requests.update(one["requests"])
    return {
        "seconds": round(last - first),
        "begun": samples[-1]["begun"],
        "alive": {"least": min(one["alive"] for one in samples), "most": max(one["alive"] for one in samples)},
        "requests": dict(requests),
        "late wake-ups": percentiles([late for one in probed for late in one["late"]]),
        "late by itself": percentiles([late for one in probed for late in own(one)]),
        "late but for the collector": percentiles([late for one in probed for late in own(one, "collected")]),
        "blocked": blocked(folder, probed),
        **{name: _range([one["runner"][name] for one in samples]) for name in names},
        "grown in the second half": {name: growth([one["runner"][name] for one in half]) for name in names},
        "supervisor": {
            name: _range([one["supervisor"][name] for one in samples]) for name in ("memory", "descriptors")
        },
        "processor": {name: used(samples, name) for name in ("runner", "supervisor", "service")},
        "load": _range([one["load"] for one in samples]),
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The usual ones."""
    ordered = sorted(values)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
    found = {name: ordered[int(share * (len(ordered) - 1))] for name, share in shares.items()}
    return {name: round(value, 1) for name, value in {**found, "most": ordered[-1]}.items()}


def growth(values: Sequence[float]) -> float:
    """From the first fifth to the last, by their medians: what comes and goes in between is no growth."""
    some = max(len(values) // 5, 1)
    return round(median(values[-some:]) - median(values[:some]), 1)


def blocked(folder: Path, probed: Sequence[Line]) -> dict[str, Any]:
    """Airflow's lines about a blocked thread: those that neither other work nor Python's collector explains apart."""
    said = [line for line in (folder / "triggerer.log").read_text(errors="replace").splitlines() if BLOCKED in line]
    moments = [(datetime.fromisoformat(line.split()[0]).timestamp(), line) for line in said]
    steady = [one for one in moments if probed[0]["at"] <= one[0] <= probed[-1]["at"]]
    late = [(one["at"], max(own(one, "collected"))) for one in probed]
    ours = [
        line
        for moment, line in steady
        if max((most for at, most in late if moment - 1 <= at <= moment + AROUND), default=0) > BLOCKED_MS / 2
    ]
    return {"while starting": len(moments) - len(steady), "in all": len(steady), "by itself": ours}


def own(line: Line, *others: str) -> list[float]:
    """How late each wake-up was but for ``starved`` (other work had the processors) and other reasons."""
    columns = zip(line["late"], line["starved"], *(line[name] for name in others), strict=True)
    return [max(late - sum(reasons), 0.0) for late, *reasons in columns]


def used(samples: Sequence[Line], name: str) -> float:
    """Processor seconds in a second."""
    before, after = samples[0], samples[-1]
    seconds: float = after["at"] - before["at"]
    return round(float(after[name]["processor"] - before[name]["processor"]) / seconds, 3)


def _range(values: Sequence[float]) -> dict[str, float]:
    return {"least": round(min(values), 1), "most": round(max(values), 1), "last": round(values[-1], 1)}
