"""``make test-replays``: schedules drawn by a seed, in the harness and in real Airflow; the verdicts must agree.

    SCHEDULES=300 SEED=20260302 LANES=8 python -m tests.faults.replays

``ONLY=7,12`` replays these of them alone.
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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
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
    from tests.faults.replays import plans

    seed, count = int(os.environ.get("SEED", "20260302")), int(os.environ.get("SCHEDULES", str(FULL)))
    drawn = plans.planned(seed, count)
    if only := os.environ.get("ONLY"):
        drawn = [one for one in drawn if str(one.number) in only.split(",")]
    say(f"{len(drawn)} schedules played in the harness")
    folder = Path(os.environ.get("FOLDER") or tempfile.mkdtemp(prefix="replays-"))
    say(f"logs are in {folder}")
    found = list(replayed(folder, drawn, int(os.environ.get("LANES", "8"))))
    return account(seed, found)


def replayed(folder: Path, drawn: Sequence[Plan], count: int) -> Iterator[tuple[Plan, Replayed]]:
    """Each schedule with what came of it, as soon as it is over."""
    from tests.faults.replays.house import lanes

    done: SimpleQueue[tuple[Plan, Replayed]] = SimpleQueue()
    free: SimpleQueue[Lane] = SimpleQueue()

    def work(plan: Plan) -> None:
        lane = free.get()
        try:
            done.put((plan, _played(lane, plan)))
        finally:
            free.put(lane)

    with lanes(folder, min(count, len(drawn))) as made, ThreadPoolExecutor(len(made)) as pool:
        for lane in made:
            free.put(lane)
        say(f"Airflow is up, with {len(made)} lanes")
        for plan in drawn:
            pool.submit(work, plan)
        with (folder / "found.jsonl").open("a", encoding="utf-8") as kept:
            for number in range(1, len(drawn) + 1):
                plan, one = done.get()
                kept.write(json.dumps({**asdict(plan), **asdict(one)}) + "\n")
                kept.flush()
                tell(number, len(drawn), plan, one)
                yield plan, one


def _played(lane: Lane, plan: Plan) -> Replayed:
    from tests.faults.judging import Verdict
    from tests.faults.replays.lane import Replayed

    try:
        return lane.play(plan)
    except Exception:
        return Replayed(Verdict("stray", traceback.format_exc()), False, 0.0)


def tell(number: int, count: int, plan: Plan, one: Replayed) -> None:
    """One line for each schedule, with both stories where they differ."""
    from tests.faults.replays.agreement import agree

    met = "" if one.met else ", fault not met"
    say(f"{number}/{count} {plan}: {plan.word} | {one.verdict.word}{met} ({one.seconds:.0f} s)")
    if not agree(plan.word, one.verdict.word):
        say(f"    DIFFERENT\n    harness: {plan.why}\n    Airflow: {one.verdict.why}")


def account(seed: int, found: Sequence[tuple[Plan, Replayed]]) -> int:
    """Counts, prints and, after a full run, keeps the result."""
    from airflow import __version__

    from tests.faults.replays.agreement import agree

    counted: Counter[tuple[str, str, str]] = Counter()
    agreed = unmet = 0
    for plan, one in found:
        counted[plan.answer, plan.word, one.verdict.word] += 1
        agreed += agree(plan.word, one.verdict.word)
        unmet += not one.met
    result: dict[str, Any] = {
        "seed": seed,
        "schedules": len(found),
        "agreed": agreed,
        "unmet": unmet,
        "airflow": __version__,
        "day": datetime.now(UTC).date().isoformat(),
        "rows": [[*key, number] for key, number in sorted(counted.items())],
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
