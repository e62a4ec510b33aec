"""Values of custom metrics: accepted by a post, stored when its job ends, aggregated when they are asked for.

::

    post --> submitted --(job, on the clock)--> stored --> sum | average | gauge of a period, a batch, a place

A value is one bucket: it may stand for many (``sampleSize``), and has a moment, a monitoring batch, or both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator.behaviour.custom_metrics import baseline
from airflow_provider.emulator.jobs import WORKS, Work

if TYPE_CHECKING:
    import sqlite3

    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

SCHEMA = """
CREATE TABLE IF NOT EXISTS metric_values(
  number INTEGER PRIMARY KEY, metric TEXT, model TEXT, moment REAL, batch TEXT, association TEXT, value REAL,
  sample INTEGER, segments TEXT, place TEXT, submission TEXT, stored INTEGER);
CREATE INDEX IF NOT EXISTS metric_values_by_moment ON metric_values(metric, moment);
CREATE INDEX IF NOT EXISTS metric_values_by_submission ON metric_values(submission);
"""
INSERT = """INSERT INTO metric_values(metric, model, moment, batch, association, value, sample, segments, place,
            submission, stored) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"""
REPLACE = """DELETE FROM metric_values AS old WHERE old.stored = 1 AND EXISTS (
             SELECT 1 FROM metric_values AS new WHERE new.submission = ? AND new.metric = old.metric
             AND new.model IS old.model AND new.moment IS old.moment AND new.batch IS old.batch
             AND new.association IS old.association AND new.segments IS old.segments)"""


class Value(NamedTuple):
    """One bucket that was submitted."""

    moment: float | None
    batch: str | None
    value: float
    sample: int = 1  # where a bucket does not say: the natural reading (wire.md I)
    association: str | None = None
    segments: Sequence[Record] = ()
    place: str | None = None


def table(service: Service) -> sqlite3.Connection:
    """The database, with the table of values."""
    db = service.rows.db
    db.executescript(SCHEMA)
    return db


def submit(service: Service, metric: Record, model: str | None, submission: str, values: Iterable[Value]) -> None:
    """Keep values that are not stored yet."""
    rows = (
        (metric["id"], model, one.moment, one.batch, one.association, one.value, one.sample,
         json.dumps(one.segments) if one.segments else None, one.place, submission)
        for one in values
    )  # fmt: skip
    table(service).executemany(INSERT, rows)


def store(service: Service, job: Record) -> None:
    """The job is over: its values are stored; of equal ones by the switch ``metric_repeat`` only the newest."""
    db, submission = table(service), job["arguments"]["submission"]
    if service.switches["metric_repeat"] == "replaced":
        db.execute(REPLACE, (submission,))
    db.execute("UPDATE metric_values SET stored = 1 WHERE submission = ?", (submission,))
    if service.store.get("customMetrics", job["arguments"]["metricId"]) is not None:
        service.store.change("customMetrics", job["arguments"]["metricId"], {}, "metricValuesStored")


def give_up(service: Service, job: Record) -> None:
    """The job has failed: nothing of it is stored, or by the switch ``failed_metric_values`` its first half."""
    db, submission = table(service), job["arguments"]["submission"]
    if service.switches["failed_metric_values"] == "half_stored":
        db.execute(
            """UPDATE metric_values SET stored = 1 WHERE submission = :it AND number < (
               SELECT (MIN(number) + MAX(number) + 1) / 2 FROM metric_values WHERE submission = :it)""",
            {"it": submission},
        )
    db.execute("DELETE FROM metric_values WHERE submission = ? AND stored = 0", (submission,))


def forget(service: Service, metric_id: str) -> None:
    """The metric was deleted."""
    table(service).execute("DELETE FROM metric_values WHERE metric = ?", (metric_id,))


class Stored(NamedTuple):
    """One value as it is stored."""

    moment: float | None
    batch: str | None
    value: float
    sample: int
    place: str | None


def stored(service: Service, metric: Record, model: str | None) -> list[Stored]:
    """The stored values of a metric, oldest first; of one that is specific to models those of this model."""
    found = table(service).execute(
        f"""SELECT moment, batch, value, sample, place FROM metric_values WHERE metric = ? AND stored = 1
            {"AND model = ?" if metric["isModelSpecific"] else ""} ORDER BY moment, number""",  # noqa: S608 - no data
        (metric["id"], model) if metric["isModelSpecific"] else (metric["id"],),
    )
    return [Stored(*one) for one in found]


def aggregated(service: Service, metric: Record, values: Sequence[Stored]) -> tuple[float | None, int]:
    """What the values come to, by the metric's type, and how many samples they stand for."""
    samples = sum(one.sample for one in values)
    if not values:
        return None, 0
    kind = metric["type"]
    if kind == "sum":
        return math.fsum(one.value for one in values), samples
    if kind == "gauge" and service.switches["metric_gauge"] == "latest":
        return values[-1].value, samples
    weighted = service.switches["metric_average"] == "weighted" and samples > 0
    weights = [one.sample if weighted else 1 for one in values]
    total = math.fsum(one.value * weight for one, weight in zip(values, weights, strict=True))
    return total / sum(weights), samples


def summary(service: Service, metric: Record, values: Sequence[Stored]) -> dict[str, Any]:
    """One line of a summary (seed 002:2614)."""
    value, samples = aggregated(service, metric, values)
    known = baseline(metric)
    change = None if value is None or not known else (value - known) / abs(known) * 100
    return {
        "id": metric["id"],
        "name": metric["name"],
        "baselineValue": known,
        "value": value,
        "percentChange": change,
        "sampleCount": samples,
        "unknownCategoriesCount": 0,
    }


WORKS["storeMetricValues"] = Work(store, give_up)
