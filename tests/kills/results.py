"""What a run has measured, kept for the documentation where all of it was played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.kills.scene import Scene
from tests.kills.stories import MODES, STORIES, verdict

FILE = Path(__file__).parents[2] / "docs" / "parts" / "kills.json"
TRIGGERER_STORIES = 3


@dataclass
class Results:
    """By title, work and mode: what became of the work, and after how many seconds."""

    line: str
    rows: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def note(self, title: str, scene: Scene, seconds: float | None) -> None:
        """One story that went as it should."""
        row = self.rows.setdefault((title, scene.work.name), {})
        row[scene.mode] = {"became": verdict(scene), "seconds": seconds}

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return sum(map(len, self.rows.values())) == len(MODES) * len(STORIES) + 2 * TRIGGERER_STORIES

    def keep(self) -> None:
        """Puts them beside those of other lines."""
        known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
        rows = [{"title": title, "work": work, **cells} for (title, work), cells in self.rows.items()]
        known[self.line] = {"day": f"{datetime.now(UTC):%Y-%m-%d}", "rows": rows}
        FILE.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
