"""The account of a run: a line for each death, and a file for docs/reliability.md."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.deaths.matrix import MOMENTS, Death, deaths
from tests.deaths.scene import Ended
from tests.deaths.stories import Counts

Place = tuple[str, str, str]  # who, story, moment
RESULT = Path(__file__).parents[2] / "docs" / "parts" / "deaths.json"


class Account:
    """What came of each death, in the order of the matrix."""

    lines: ClassVar[list[str]] = []  # of this process, for its last words

    def __init__(self) -> None:
        self._rows: dict[Death, dict[str, Any]] = {}

    def note(self, death: Death, ended: Ended, found: Counts, verdict: str) -> None:
        """One more."""
        row = {
            **dict(zip(("who", "story", "moment"), _place(death), strict=True)),
            "state": ended.state,
            "tries": ended.tries,
            "sent": ended.sent,
            "effects": found,
            "verdict": verdict,
            "seconds": round(ended.seconds, 1),
        }
        self._rows[death] = row
        self.lines.append(" | ".join(str(one) for one in row.values()))
        self.keep()

    def keep(self) -> None:
        """Writes the file when the run is whole; with ``KEEP=1`` lines of a partial one take their places in it."""
        every = list(deaths())
        whole = len(self._rows) == len(every)
        if not whole and not os.environ.get("KEEP"):
            return
        known = {} if whole else _kept()
        rows = [self._rows.get(death) or known.get(_place(death)) for death in every]
        kept = {"day": datetime.now(UTC).date().isoformat(), "deaths": [row for row in rows if row]}
        RESULT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _place(death: Death) -> Place:
    return death.who, death.story.title, MOMENTS[death.moment]


def _kept() -> dict[Place, dict[str, Any]]:
    rows = json.loads(RESULT.read_text(encoding="utf-8"))["deaths"]
    return {(row["who"], row["story"], row["moment"]): row for row in rows}
