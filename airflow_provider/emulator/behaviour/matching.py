"""Stored predictions with the actuals that belong to them, as monitoring looks at them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator.behaviour.periods import Period, buckets_of, place_of
from airflow_provider.emulator.behaviour.rights import visible
from airflow_provider.emulator.behaviour.segments import EVERYTHING, Only, where_predictions
from airflow_provider.emulator.calls import Call
from airflow_provider.emulator.metrics import Values, binary, multiclass, regression

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

SEEN = {"keeps_metrics": "COALESCE(a.scored, a.value)", "changes_metrics": "a.value"}  # switch overwritten_actual
THRESHOLD = 0.5  # predictionThreshold of every package here


class Row(NamedTuple):
    """One prediction; ``actual`` is None where none has come yet. Without ``features`` unless they were asked for."""

    model: str
    moment: float
    value: Any
    classes: Mapping[str, float] | None
    actual: Any
    batch: str | None = None
    features: Mapping[str, Any] | None = None


def watched(call: Call) -> Record:
    """The deployment of a monitoring call."""
    return visible(call.service, call.user, call.arguments["deploymentId"])


def target_of(service: Service, deployment: Record) -> Record:
    """The target of the champion."""
    target: Record = service.store.tables["packages"][deployment["modelPackageId"]]["target"]
    return target


def champion_model(service: Service, deployment: Record) -> str:
    """The model id of the champion."""
    return str(service.store.tables["packages"][deployment["modelPackageId"]]["modelId"])


def models_of(call: Call, deployment: Record) -> list[str]:
    """The models that a call is about: those named, else the champion or all, by the switch ``default_model``."""
    named = call.arguments.get("modelId")
    if named:
        return [named] if isinstance(named, str) else list(dict.fromkeys(named))
    champion = champion_model(call.service, deployment)
    if call.service.switches["default_model"] == "champion":
        return [champion]
    rows = call.service.rows
    found = rows.db.execute(
        "SELECT DISTINCT model FROM predictions WHERE deployment = ? ORDER BY model", (rows.number(deployment["id"]),)
    ).fetchall()
    return list(dict.fromkeys([champion, *(rows.name(model) for (model,) in found)]))


def predictions_in(
    service: Service,
    deployment: Record,
    models: Iterable[str],
    period: Period,
    only: Only = EVERYTHING,
    *,
    features: bool = False,
) -> Iterator[Row]:
    """The predictions of these models made in the period, oldest first.

    :param only: the segment and the monitoring batches that they must be of
    :param features: with the values that they were made from
    """
    rows = service.rows
    seen = SEEN[service.switches["overwritten_actual"]]
    more, arguments = where_predictions(rows, deployment, only)
    for model in models:
        found = rows.db.execute(
            f"""SELECT p.moment, p.value, p.classes, {seen}, p.batch, {"p.features" if features else "NULL"}
                FROM predictions p
                LEFT JOIN actuals a ON a.deployment = p.deployment AND a.association = p.association
                WHERE p.deployment = ? AND p.model = ? AND p.moment >= ? AND p.moment < ? {more}
                ORDER BY p.moment""",  # noqa: S608 - columns and marks of our own only
            (rows.number(deployment["id"]), rows.number(model), period.start, period.end, *arguments),
        )
        for moment, value, classes, actual, batch, values in found:
            shares = json.loads(classes) if classes else None
            yield Row(model, moment, value, shares, actual, batch, json.loads(values) if values else None)


def split(
    call: Call, period: Period, models: list[str], rows: Iterable[Row]
) -> Iterator[tuple[Period, str, list[Row]]]:
    """The rows by bucket and model; empty buckets only if the switch ``empty_buckets`` shows them.

    :returns: bucket, model, rows
    """
    buckets = buckets_of(call, period)
    parts: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        parts.setdefault((place_of(row.moment, buckets), row.model), []).append(row)
    for number, bucket in enumerate(buckets):
        for model in models:
            part = parts.get((number, model), [])
            if part or call.service.switches["empty_buckets"] == "shown":
                yield bucket, model, part


def scored(target: Record, rows: Iterable[Row]) -> tuple[int, Values]:
    """How many rows can be scored, and the metrics of the target's type over them."""
    usable = [row for row in rows if _usable(target, row)]
    if target["type"] == "Binary":
        positive = positive_class(target)
        return len(usable), binary.values(((row.value, row.actual == positive) for row in usable), THRESHOLD)
    if target["type"] == "Regression":
        return len(usable), regression.values((float(row.value), float(row.actual)) for row in usable)
    if target["type"] == "Multiclass":
        return len(usable), multiclass.values((row.classes or {}, row.actual) for row in usable)
    return 0, {}


def against_the_rest(target: Record, name: str, rows: Iterable[Row]) -> Values:
    """Metrics of one class against all others together."""
    pairs = [(_share(target, name, row), row.actual == name) for row in rows if _usable(target, row)]
    return binary.values(pairs, THRESHOLD)


def _share(target: Record, name: str, row: Row) -> float:
    """The probability of a class in a row."""
    if row.classes is not None:
        return row.classes.get(name, 0.0)
    return float(row.value if name == positive_class(target) else 1 - row.value)


def _usable(target: Record, row: Row) -> bool:
    if target["type"] == "Regression":
        return isinstance(row.actual, (int, float)) and isinstance(row.value, (int, float))
    known = isinstance(row.actual, str) and row.actual in target["classNames"]
    return known and (
        row.classes is not None if target["type"] == "Multiclass" else isinstance(row.value, (int, float))
    )


def positive_class(target: Record) -> str:
    """Of a binary target the first name is the positive class (seed 004:2044)."""
    return str(target["classNames"][0])


def predicted_label(target: Record, row: Row) -> str:
    """The class that a prediction stands for."""
    if row.classes is not None:
        return multiclass.predicted(row.classes)
    if len(target["classNames"]) != 2 or not isinstance(row.value, (int, float)):
        return str(row.value)  # made by a model for another target
    positive, negative = target["classNames"]
    return str(positive if row.value >= THRESHOLD else negative)
