"""How many verdicts agree, for people and for the docs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow import __version__

from tests.faults.replays.agreement import agree

if TYPE_CHECKING:
    from tests.faults.replays.lane import Replayed
    from tests.faults.replays.plans import Plan

RESULT = Path(__file__).parents[3] / "docs" / "parts" / "replays.json"


def counted(seed: int, drawn: int, found: Sequence[tuple[Plan, Replayed]]) -> dict[str, Any]:
    """The numbers of a run; ``rows``: answer, the harness's word, Airflow's word, whether they agree, how many.

    :param drawn: how many schedules there were to replay.
    """
    rows: Counter[tuple[str, str, str]] = Counter()
    for plan, one in found:
        rows[plan.answer, plan.word, one.verdict.word] += 1
    return {
        "seed": seed,
        "drawn": drawn,
        "schedules": len(found),
        "agreed": sum(agree(plan.word, one.verdict.word) for plan, one in found),
        "unmet": sum(not one.met for _, one in found),
        "again": sum(one.attempt > 1 for _, one in found),
        "airflow": __version__,
        "day": datetime.now(UTC).date().isoformat(),
        "rows": [[*key, agree(*key[1:]), number] for key, number in sorted(rows.items())],
    }


def keep(result: dict[str, Any]) -> None:
    """Puts it where the docs find it."""
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
