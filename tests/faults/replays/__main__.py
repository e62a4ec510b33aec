"""``make test-replays``: schedules drawn by a seed, in the harness and in real Airflow; the verdicts must agree.

    SCHEDULES=300 SEED=20260302 LANES=8 python -m tests.faults.replays

``ONLY=7,12`` replays these of them alone. ``FOLDER=...`` keeps what came of each, and goes on where a run ended.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.replays.lane import Lane, Replayed
    from tests.faults.replays.plans import Plan

RESULT = Path(__file__).parents[3] / "docs" / "parts" / "replays.json"
FULL = 300  # schedules from which on the result is kept


def main() -> int:
    """Plays, replays, compares; the exit code is 1 when any two verdicts differ."""
    from tests import airflow_home

    airflow_home.prepare()
    from demo.processes import leave_on_sigterm
    from tests.faults.replays import plans

    leave_on_sigterm()

    seed, count = int(os.environ.get("SEED", "20260302")), int(os.environ.get("SCHEDULES", str(FULL)))
    only = set(filter(None, os.environ.get("ONLY", "").split(",")))
    drawn = (one for one in plans.planned(seed, count) if not only or str(one.number) in only)
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="replays-"))
    say(f"what comes of each is in {folder}")
    found = replayed(folder, drawn, min(int(os.environ.get("LANES", "8")), count))
    return account(seed, found)


def replayed(folder: Path, drawn: Iterable[Plan], count: int) -> list[tuple[Plan, Replayed]]:
    """Each schedule with what came of it, so many at a time; what the folder has of an earlier run is kept."""
    from tests.faults.replays import keeping
    from tests.faults.replays.house import lanes

    kept, free = keeping.read(folder), SimpleQueue[Any]()

    def work(plan: Plan) -> tuple[Plan, Replayed]:
        if plan in kept:
            return plan, kept[plan]
        lane: Lane = free.get()
        try:
            one = _played(lane, plan)
        finally:
            free.put(lane)
        tell(plan, one)
        with _lock:
            keeping.add(folder, plan, one)
        return plan, one

    with lanes(Path(tempfile.mkdtemp(dir=folder)), count) as made, ThreadPoolExecutor(len(made)) as pool:
        for lane in made:
            free.put(lane)
        say(f"Airflow is up, with {len(made)} lanes")
        return list(pool.map(work, drawn))


def _played(lane: Lane, plan: Plan) -> Replayed:
    """A schedule whose fault met nothing, or that could not be played to its end, is played once more."""
    from tests.faults.judging import Verdict
    from tests.faults.replays.lane import Replayed

    for attempt in (1, 2):
        try:
            one = lane.play(plan, attempt)
        except Exception:
            one = Replayed(Verdict("stray", traceback.format_exc()), False, 0.0, attempt)
        if one.met:
            break
        say(f"{plan} was not played: {one.verdict}")
    return one


def tell(plan: Plan, one: Replayed) -> None:
    """One line for each schedule, with both stories where they differ."""
    from tests.faults.replays.agreement import agree

    met = "" if one.met else ", fault not met"
    say(f"{plan}: {plan.word} | {one.verdict.word}{met} ({one.seconds:.0f} s)")
    if not agree(plan.word, one.verdict.word):
        say(f"DIFFERENT ({plan.number})\n    harness: {plan.why}\n    Airflow: {one.verdict.why}")


def account(seed: int, found: Sequence[tuple[Plan, Replayed]]) -> int:
    """Counts, prints and, after a full run, keeps the result."""
    from airflow import __version__

    from tests.faults.replays.agreement import agree

    counted: Counter[tuple[str, str, str]] = Counter()
    agreed = unmet = again = 0
    for plan, one in found:
        counted[plan.answer, plan.word, one.verdict.word] += 1
        agreed += agree(plan.word, one.verdict.word)
        unmet += not one.met
        again += one.attempt > 1
    result: dict[str, Any] = {
        "seed": seed,
        "schedules": len(found),
        "agreed": agreed,
        "unmet": unmet,
        "again": again,
        "airflow": __version__,
        "day": datetime.now(UTC).date().isoformat(),
        "rows": [[*key, agree(*key[1:]), number] for key, number in sorted(counted.items())],
    }
    sys.stdout.write(json.dumps(result) + "\n")
    if len(found) >= FULL or os.environ.get("KEEP"):
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        say(f"kept in {RESULT.name}; `make fresh` puts it into docs/reliability.md")
    return 0 if agreed == len(found) else 1


_begun, _lock = time.monotonic(), threading.Lock()


def say(text: str) -> None:
    """A line for whoever watches."""
    with _lock:
        sys.stderr.write(f"{time.monotonic() - _begun:7.1f} s  {text}\n")


if __name__ == "__main__":
    sys.exit(main())
