"""The file of an export: exactly the stored rows of its time and model, as CSV."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator.behaviour.association import association_columns
from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

TIMESTAMP, PREDICTION = "DR_RESERVED_PREDICTION_TIMESTAMP", "DR_RESERVED_PREDICTION"  # wire.md H
ACTUALS_HEADER = ["association_id", "timestamp", "predictions", "actuals"]
MIXED = "(p.number * 2654435761) % 4294967291"  # an order that is none of time
TRAINING_ROWS = 50


class Table(NamedTuple):
    """What an export holds, before a limit cuts it."""

    total: int
    header: list[str]
    rows: Iterator[list[Any]]


def table_of(service: Service, export: Record) -> Table:
    """The rows of an export as they are stored now."""
    makers = {"prediction": _predictions, "actuals": _actuals, "training": _training}
    return makers[export["kind"]](service, export)


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV file; returns how many lines it has, the header too."""
    lines = 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            lines += 1
    return lines


def _where(service: Service, export: Record) -> tuple[str, list[Any]]:
    """Start inclusive, end exclusive (wire.md H)."""
    numbers = [service.rows.number(export[name]) for name in ("deploymentId", "modelId")]
    if export["batchIds"]:
        marks = ", ".join("?" * len(export["batchIds"]))
        return f"p.deployment = ? AND p.model = ? AND p.batch IN ({marks})", [*numbers, *export["batchIds"]]
    where = "p.deployment = ? AND p.model = ? AND p.moment >= ? AND p.moment < ?"
    return where, [*numbers, export["start"], export["end"]]


def _order(service: Service) -> str:
    return MIXED if service.switches["export_order"] == "mixed" else "p.moment"


def _predictions(service: Service, export: Record) -> Table:
    where, values = _where(service, export)
    db = service.rows.db
    count = db.execute(f"SELECT COUNT(*) FROM predictions p WHERE {where}", values).fetchone()[0]  # noqa: S608
    featured = db.execute(
        f"SELECT 1 FROM predictions p WHERE {where} AND p.features IS NOT NULL LIMIT 1",  # noqa: S608
        values,
    ).fetchone()
    package = _package(service, export)
    classes = package["target"]["classNames"] or []
    ids = association_columns(service.store.tables["deployments"][export["deploymentId"]])[:1]
    features = [one["name"] for one in package["features"]] if featured else []
    found = db.execute(
        f"""SELECT p.moment, p.association, p.value, p.classes, p.features FROM predictions p
            WHERE {where} ORDER BY {_order(service)}""",  # noqa: S608
        values,
    )
    header = [TIMESTAMP, *ids, *features, *([f"{PREDICTION}_{name}" for name in classes] or [PREDICTION])]

    def rows() -> Iterator[list[Any]]:
        for moment, association, value, shares, given in found:
            known = json.loads(given) if given else {}
            yield [
                iso(moment),
                *([association] if ids else []),
                *[known.get(name) for name in features],
                *_values(classes, value, json.loads(shares) if shares else None),
            ]

    return Table(count, header, rows())


def _values(classes: Sequence[str], value: Any, shares: Any) -> list[Any]:
    if not classes:
        return [value]
    if shares is not None:
        return [shares.get(name) for name in classes]
    if len(classes) == 2 and isinstance(value, (int, float)):  # of the positive class, which is the first
        return [value, round(1 - value, 6)]
    return [value, *[None] * (len(classes) - 1)]


def _actuals(service: Service, export: Record) -> Table:
    """Actuals of the predictions of the time; unless only those are wanted, also such as have no prediction."""
    where, values = _where(service, export)
    db, order = service.rows.db, _order(service)
    joined = "predictions p JOIN actuals a ON a.deployment = p.deployment AND a.association = p.association"
    count = db.execute(f"SELECT COUNT(*) FROM {joined} WHERE {where}", values).fetchone()[0]  # noqa: S608
    found = db.execute(
        f"SELECT p.association, p.moment, p.value, a.value FROM {joined} WHERE {where} ORDER BY {order}",  # noqa: S608
        values,
    )
    alone: list[Any] = []
    if not export["onlyMatchedPredictions"]:
        deployment = service.rows.number(export["deploymentId"])
        alone = db.execute(
            """SELECT a.association, COALESCE(a.moment, a.received), NULL, a.value FROM actuals a
               WHERE a.deployment = ? AND COALESCE(a.moment, a.received) >= ? AND COALESCE(a.moment, a.received) < ?
               AND NOT EXISTS (SELECT 1 FROM predictions p
                               WHERE p.deployment = a.deployment AND p.association = a.association)""",
            (deployment, export["start"], export["end"]),
        ).fetchall()

    def rows() -> Iterator[list[Any]]:
        for association, moment, predicted, actual in [*alone, *found]:
            yield [association, iso(moment), predicted, actual]

    return Table(count + len(alone), ACTUALS_HEADER, rows())


def _training(service: Service, export: Record) -> Table:
    package = _package(service, export)
    names = [one["name"] for one in package["features"]]
    target = package["target"]
    dice = random.Random(package["id"])  # noqa: S311 - data, no secret

    def rows() -> Iterator[list[Any]]:
        for _ in range(TRAINING_ROWS):
            outcome = dice.choice(target["classNames"]) if target["classNames"] else round(dice.gauss(100, 25), 3)
            yield [*[round(dice.random(), 4) for _ in names], outcome]

    return Table(TRAINING_ROWS, [*names, target["name"]], rows())


def _package(service: Service, export: Record) -> Record:
    return service.store.tables["packages"][export["modelPackageId"]]
