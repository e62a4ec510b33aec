"""What a challenger would have predicted: made up from what the champion did, always the same for the same row.

A package's ``skill`` says how good its model is: 1 knows every outcome, 0 predicts what the champion did, -1 guesses.
The worlds may give one with a package; for all others it is drawn from the model id, between -0.3 and 0.3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator import seeds
from airflow_provider.emulator.behaviour.matching import positive_class
from airflow_provider.emulator.behaviour.periods import HOUR

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

AN_HOUR = 10_000  # rows of each hour that a replay scores, the first ones (wire.md I)
LEAST = 0.001  # of a probability
# The champion's rows in time order, the first of each hour, without those that the model has scored already.
ROWS = """
SELECT moment, association, value, classes, distance, actual FROM (
  SELECT p.moment, p.association, p.value, p.classes, p.distance, a.value AS actual,
         ROW_NUMBER() OVER (PARTITION BY CAST(p.moment / :hour AS INTEGER) ORDER BY p.moment, p.number) AS place
  FROM predictions p LEFT JOIN actuals a ON a.deployment = p.deployment AND a.association = p.association
  WHERE p.deployment = :deployment AND p.model = :champion AND p.moment < :until) AS r
WHERE place <= :most AND NOT EXISTS (
  SELECT 1 FROM predictions q WHERE q.deployment = :deployment AND q.model = :model
  AND q.moment = r.moment AND q.association IS r.association)
"""
INSERT = """INSERT INTO predictions(deployment, model, moment, association, value, classes, distance)
            VALUES (?, ?, ?, ?, ?, ?, ?)"""


class Scored(NamedTuple):
    """One row of the champion, and how it came out as far as anyone knows."""

    association: str | None
    value: Any
    classes: Mapping[str, float] | None
    outcome: Any


def score(service: Service, deployment: Record, package: Record, until: float) -> int:
    """Store what the package's model predicts for the champion's rows made before ``until``; returns how many."""
    rows, champion = service.rows, service.store.tables["packages"][deployment["modelPackageId"]]
    model, target, how_good = str(package["modelId"]), champion["target"], skill(package)
    known = {association: outcome for _, association, outcome in _outcomes(service, deployment)}
    of = {"deployment": rows.number(deployment["id"]), "model": rows.number(model), "until": until}
    asked = {**of, "champion": rows.number(champion["modelId"]), "hour": HOUR, "most": AN_HOUR}
    made = []
    for moment, association, value, classes, distance, actual in rows.db.execute(ROWS, asked).fetchall():
        outcome = actual if actual is not None else known.get(association)
        row = Scored(association, value, json.loads(classes) if classes else None, outcome)
        predicted, shares = _predicted(target, row, how_good, _noise(model, association, moment))
        shown = json.dumps(shares) if shares else None
        made.append((of["deployment"], of["model"], moment, association, predicted, shown, distance))
    rows.db.executemany(INSERT, made)
    return len(made)


def skill(package: Record) -> float:
    """How much better (up to 1) or worse (down to -1) than the champion the package's model predicts."""
    given = package.get("skill")
    return float(given) if given is not None else round(0.6 * _noise(str(package["modelId"])) - 0.3, 3)


def _outcomes(service: Service, deployment: Record) -> Iterator[tuple[float, str, str]]:
    return seeds.outcomes(service.world, service.started, deployment["id"])


def _noise(*parts: Any) -> float:
    """A number from 0 to 1, the same for the same parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _predicted(target: Record, row: Scored, how_good: float, noise: float) -> tuple[Any, Record | None]:
    if target["type"] == "Multiclass" and row.classes is not None:
        return None, _shares(row, how_good, noise)
    if not isinstance(row.value, (int, float)):
        return row.value, None
    value = float(row.value)
    if target["type"] == "Binary":
        truth = float(row.outcome == positive_class(target)) if row.outcome is not None else float(value >= 0.5)
        return round(min(max(_moved(value, truth, noise, how_good), LEAST), 1 - LEAST), 6), None
    truth = float(row.outcome) if isinstance(row.outcome, (int, float)) else value
    return round(_moved(value, truth, value + (2 * noise - 1) * (abs(value) + 1), how_good), 6), None


def _shares(row: Scored, how_good: float, noise: float) -> Record:
    assert row.classes is not None, "a multiclass prediction has shares"
    shares = dict(row.classes)
    likely = row.outcome if row.outcome in shares else max(shares, key=lambda name: shares[name])
    guess = list(shares)[int(noise * len(shares)) % len(shares)]
    return {
        name: round(_moved(share, float(name == likely), float(name == guess), how_good), 6)
        for name, share in shares.items()
    }


def _moved(value: float, truth: float, guess: float, how_good: float) -> float:
    """From the champion's value some way to the truth, or to a guess."""
    return value + abs(how_good) * ((truth if how_good >= 0 else guess) - value)
