"""``make test-faults``: plays schedules that are drawn by a seed, prints the table, keeps it for the docs.

    SCHEDULES=20000 SEED=20260302 JOBS=2 python -m tests.faults.run

The schedules are drawn in chunks, each by a seed of its own, so the result does not depend on the number of processes.
With ``PARTS=file`` each chunk that is done is kept there, and a run that was broken off goes on where it was; the code
must be the same.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.judging import BAD, WORDS
from tests.faults.playing import Request

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

CHUNK = 100  # schedules
RESULT = Path(__file__).parents[2] / "docs" / "parts" / "faults.json"
FULL = 20_000  # schedules from which on the result is kept, whatever it is
SHOWN = 40  # schedules that went wrong
GOOD: dict[tuple[str, bool, bool], list[Request]] = {}  # what good runs ask for, found out once in each process
LASTING = ExitStack()  # until this process ends


@functools.cache
def emulator() -> tuple[EmulatorDoor, Callable[[float], None]]:
    """The emulator of this process, which is a process of its own."""
    from tests.faults.apart import apart

    return LASTING.enter_context(apart())


def chunk(seed: int, count: int, whole: bool) -> dict[str, Any]:
    """Plays so many schedules in this process; ``whole``: counts all that there are, too."""
    from tests import airflow_home

    airflow_home.prepare()
    import pytest

    from tests.faults import drawing
    from tests.faults.theatre import theatre

    warnings.simplefilter("ignore")
    counted: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    door, tell_time = emulator()
    with (
        pytest.MonkeyPatch.context() as patches,
        tempfile.TemporaryDirectory() as folder,
        theatre(door, Path(folder), patches, tell_time) as played,
    ):
        played.good = GOOD
        product = drawing.product(played) if whole else 0
        for schedule in drawing.drawn(played, seed, count):
            verdict = played.play(schedule)
            counted[schedule.fault, verdict.word] += 1
            if verdict.word in BAD:
                wrong.append(f"{verdict.word}: {schedule}\n    {verdict.why}")
    rows = [[fault, word, number] for (fault, word), number in counted.items()]
    return {"rows": rows, "wrong": wrong, "product": product}


def _quiet() -> None:
    """What tasks log is of no interest: there are thousands, and they are meant to fail."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)


def play_all(seed: int, schedules: int, jobs: int) -> dict[str, Any]:
    """All chunks, several at a time."""
    counts = [min(CHUNK, schedules - done) for done in range(0, schedules, CHUNK)]
    wanted = {f"{seed + n}, {count}": (seed + n, count, n == 0) for n, count in enumerate(counts)}
    kept = Path(os.environ["PARTS"]) if "PARTS" in os.environ else None
    lines = kept.read_text().splitlines() if kept is not None and kept.exists() else []
    parts = {name: part for name, part in map(json.loads, lines) if name in wanted}
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_quiet, max_tasks_per_child=100) as pool:
        waiting = {pool.submit(chunk, *wanted[name]): name for name in wanted if name not in parts}
        for one in as_completed(waiting):
            name, part = waiting[one], one.result()
            parts[name] = part
            if kept is not None:
                with kept.open("a") as lasting:
                    lasting.write(json.dumps([name, part]) + "\n")
            bad = sum(len(part["wrong"]) for part in parts.values())
            print(f"\r{len(parts)} of {len(wanted)} chunks, {bad} wrong", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {"seed": seed, "schedules": schedules, **_together(parts.values())}


def _together(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    faults: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    product = 0
    for part in parts:
        product += part["product"]
        wrong += part["wrong"]
        for fault, word, number in part["rows"]:
            faults.setdefault(fault, Counter())[word] += number
    return {"product": product, "faults": faults, "wrong": wrong}


def main() -> int:
    """Plays, prints, and keeps the result of a full run; the exit code is 1 when anything went wrong."""
    from tests.faults.kinds import KINDS
    from tests.faults.registry import all_cases, without_case, writing_operators

    seed, schedules = int(os.environ.get("SEED", "20260302")), int(os.environ.get("SCHEDULES", "20000"))
    assert not without_case(), f"operators without a case: {without_case()}"
    result = play_all(seed, schedules, int(os.environ.get("JOBS", str(os.cpu_count() or 1))))
    result["cases"], result["operators"] = len(all_cases()), len(writing_operators())
    result["faults"] = {fault: result["faults"].get(fault, {}) for fault in KINDS}
    wrong = result.pop("wrong")
    print(f"seed {seed}: {schedules} of {result['product']} schedules, {result['cases']} cases")
    print(f"{'':32}" + "".join(f"{word:>11}" for word in WORDS))
    for fault, words in [*result["faults"].items(), ("all", all_of(result["faults"]))]:
        print(f"{fault:32}" + "".join(f"{words.get(word, 0):>11}" for word in WORDS))
    for line in wrong[:SHOWN]:
        print(line)
    if schedules >= FULL or os.environ.get("KEEP"):
        result["day"] = datetime.now(UTC).date().isoformat()
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"kept in {RESULT.name}; `make fresh` puts it into docs/reliability.md")
    return 1 if wrong else 0


def all_of(faults: dict[str, dict[str, int]]) -> dict[str, int]:
    """The sums over all faults."""
    total: Counter[str] = Counter()
    for words in faults.values():
        total.update(words)
    return dict(total)


if __name__ == "__main__":
    sys.exit(main())
