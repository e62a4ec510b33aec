"""Nightly actuals on real data: a night with bad rows, the same night again, and its figure by another judge."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from airflow_provider.emulator import seeds
from demo.processes import Unwell
from demo.stage import Account, Stage

TITLE = "Nightly actuals: outcomes uploaded once, accounted for, and put to use"
DAG = "nightly_actuals"
DEPLOYMENT = (
    "64e000000000000000000003"  # "Doctor visits, nightly" of the world "demo": real predictions, no actuals yet
)
POST = "submitDeploymentActualsFromJson"
BAD = ["insured-x,perhaps", ",yes", "insured-y"]  # no class, no id, too few fields


def run(stage: Stage) -> Account:
    """Write yesterday's outcomes, run the night twice, and account for every row."""
    with tempfile.TemporaryDirectory(prefix="demo-outcomes-") as folder:
        day = _write(stage, Path(folder))
        conf = {"deployment_id": DEPLOYMENT, "folder": folder, "day": day}
        stage.say("people", f"outcomes of {day} are there, {len(BAD)} of the rows are bad")
        first = stage.run_dag(DAG, conf)
        stage.say("people", "start the same night again, by mistake")
        second = stage.run_dag(DAG, conf)
        return _account(stage, first, second)


def _write(stage: Stage, folder: Path) -> str:
    """The outcomes of the world's last day, as a user's file; the day."""
    rows = stage.emulator.control("GET", f"outcomes/{DEPLOYMENT}")["data"]
    day: str = max(one["predictedAt"][:10] for one in rows)
    lines = [f"{one['associationId']},{one['actualValue']}" for one in rows if one["predictedAt"].startswith(day)]
    (folder / f"{day}.csv").write_text("\n".join(["id,outcome", *lines[:100], *BAD, *lines[100:], ""]))
    return day


def _account(stage: Stage, first: str, second: str) -> Account:
    sent, again = (stage.airflow.xcom(DAG, run_id, "upload") for run_id in (first, second))
    verdict = stage.airflow.xcom(DAG, first, "judge")
    coverage = stage.airflow.xcom(DAG, first, "covered")
    stored = stage.emulator.control("GET", f"actuals/{DEPLOYMENT}?ids=true")
    most = max(stored["acceptedPerId"].values())
    if most != 1 or sent["sent"] != stored["accepted"] or again["sent"] != 0 or sent["pending"]:
        raise Unwell(f"every row was to be sent once: {sent}, {again}, {stored['accepted']} accepted, one {most} times")
    return [
        ("account", ", ".join(f"{name} {sent[name]}" for name in ("read", "sent", "rejected", "skipped", "pending"))),
        ("rejected", ", ".join(f"{count} {reason}" for reason, count in sent["reasons"].items())),
        ("the night again", f"sent {again['sent']}, skipped {again['skipped']}"),
        ("accepted rows", f"{stored['accepted']}, no id more than once, counted in the store of the service"),
        ("coverage", f"{coverage['value']:.0%} of {coverage['sample']} predictions of that day have an actual"),
        ("AUC", f"{verdict['value']:.4f} on {verdict['sample']} rows, {verdict['measured']:+.1f} % to the holdout"),
        ("by scikit-learn", _by_another_judge(verdict["value"])),
        *stage.times(DAG, first),
    ]


def _by_another_judge(value: float) -> str:
    """The same figure computed from the world's own files."""
    try:
        from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
    except ImportError:
        return "is not installed here"
    rows: list[Any] = [row for row in seeds.rows("demo", seeds.sets("demo")[0]["file"]) if row[0] == 1]
    figure = roc_auc_score([row[4] == "yes" for row in rows], [row[3] for row in rows])
    if abs(figure - value) > 1e-6:
        raise Unwell(f"the service says {value}, scikit-learn {figure}")
    return f"{figure:.4f} on the same rows"
