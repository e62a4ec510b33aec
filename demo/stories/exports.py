"""A nightly export on real data: the audit files of a day, checked against the world's own rows, and a rerun."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from demo.processes import Unwell
from demo.stage import Account, Stage

TITLE = "Monitoring data: a day exported for audit, with a manifest, and nothing twice"
DAG = "export_monitoring_data"
DEPLOYMENT = "64e000000000000000000003"  # "Doctor visits, nightly" of the world "demo": read here, never changed
DAYS_BEFORE = 3


def run(stage: Stage) -> Account:
    """Export a day, hold every row against the world, and export it again."""
    made = stage.emulator.control("GET", f"outcomes/{DEPLOYMENT}")["data"]
    day = sorted({one["predictedAt"][:10] for one in made})[-DAYS_BEFORE]
    world = sorted(one["associationId"] for one in made if one["predictedAt"].startswith(day))
    with tempfile.TemporaryDirectory(prefix="demo-exports-") as root:
        conf = {"deployments": [DEPLOYMENT], "root": root, "day": day}
        folder = Path(root) / DEPLOYMENT / day / "predictions"
        first = stage.run_dag(DAG, conf)
        told = _judged(folder, world)
        stage.say("people", f"{told['rows']} predictions of {day} are there; the same night is run again")
        stage.run_dag(DAG, conf)
        again = _judged(folder, world)
        return _account(stage, first, told, again)


def _judged(folder: Path, world: list[str]) -> dict[str, Any]:
    """The manifest, when the files are what it says and hold exactly these ids."""
    told: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    ids: list[str] = []
    for file in told["files"]:
        content = (folder / file["name"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise Unwell(f"{file['name']} is not what the manifest says")
        ids += [row["id"] for row in csv.DictReader(content.decode().splitlines())]
    if sorted(ids) != world or told["rows"] != len(world):
        raise Unwell(f"the export has {len(ids)} rows, the world {len(world)} of that day")
    return told


def _account(stage: Stage, first: str, told: dict[str, Any], again: dict[str, Any]) -> Account:
    [file], [second] = told["files"], again["files"]
    if not second["reused"] or second["export_id"] != file["export_id"]:
        raise Unwell("the second night asked for another export of the same rows")
    return [
        ("rows", f"{told['rows']}, counted before: {told['planned_rows']}"),
        ("file", f"{file['name']}, {file['bytes']} bytes"),
        ("sha-256", file["sha256"]),
        ("columns", ", ".join(one["name"] for one in told["schemas"][file["schema"]])),
        ("by another judge", "each id of the world's day once, no other"),
        ("the night again", f"export {second['export_id']} was taken again, none was made"),
        *stage.times(DAG, first),
    ]
