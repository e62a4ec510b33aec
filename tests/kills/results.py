"""What a run has measured, kept for the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.kills.scene import Scene
from tests.kills.stories import MODES, verdict

FILE = Path(__file__).parents[2] / "docs" / "parts" / "kills.json"


@dataclass
class Results:
    """By title, work and mode: what became of the work, and after how many seconds.

    ``kept``: whether it goes into the documentation.
    """

    line: str
    kept: bool
    rows: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def note(self, title: str, scene: Scene, seconds: float | None) -> None:
        """One story that went as it should."""
        row = self.rows.setdefault((title, scene.work.name), {})
        row[scene.mode] = {"became": verdict(scene), "seconds": seconds}
        if self.kept:
            self._keep()

    def _keep(self) -> None:
        """Puts them beside those of other lines, in place of what was measured before of the same stories."""
        known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
        older = known.get(self.line, {"rows": []})["rows"]
        rows = {(row["title"], row["work"]): {mode: row[mode] for mode in MODES if mode in row} for row in older}
        for name, cells in self.rows.items():
            rows[name] = {**rows.get(name, {}), **cells}
        listed = [{"title": title, "work": work, **cells} for (title, work), cells in rows.items()]
        known[self.line] = {"day": f"{datetime.now(UTC):%Y-%m-%d}", "rows": listed}
        FILE.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
