"""What a monitoring call is about: the deployment, models, period, segment and batches that its arguments name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from airflow_provider.emulator.behaviour.matching import Row, models_of, predictions_in, target_of, watched
from airflow_provider.emulator.behaviour.periods import HOUR, Period, period_of
from airflow_provider.emulator.behaviour.segments import Only, only_of, where_requests
from airflow_provider.emulator.calls import Call
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record


class Batch(NamedTuple):
    """A monitoring batch, with the moments of its first and last prediction; None while it has none."""

    id: str
    name: str
    first: float | None
    last: float | None

    def view(self) -> dict[str, Any]:
        """As the answers over batches show it (seed 002:1316)."""
        first, last = (None if moment is None else iso(moment) for moment in (self.first, self.last))
        return {
            "id": self.id,
            "name": self.name,
            "earliestPredictionTimestamp": first,
            "latestPredictionTimestamp": last,
        }

    def period(self) -> dict[str, str | None]:
        """The same moments as a period (seed 002:7637)."""
        view = self.view()
        return {"start": view["earliestPredictionTimestamp"], "end": view["latestPredictionTimestamp"]}


class Scope(NamedTuple):
    """What a call is about. ``batches`` are those of a call over batches; ``only`` names those that narrow it down."""

    call: Call
    deployment: Record
    models: list[str]
    period: Period
    only: Only

    @property
    def target(self) -> Record:
        """The target of the champion."""
        return target_of(self.call.service, self.deployment)

    def rows(self, only: Only | None = None, *, features: bool = False) -> list[Row]:
        """The predictions of the scope, oldest first."""
        wanted = only or self.only
        return list(
            predictions_in(self.call.service, self.deployment, self.models, self.period, wanted, features=features)
        )

    def of_batch(self, batch: Batch) -> Scope:
        """The same of one batch, whenever it was scored."""
        return self._replace(period=EVER, only=self.only._replace(batches=(batch.id,)))

    def requests(self) -> list[tuple[Any, ...]]:
        """The prediction requests of the scope: moment, rows, two times in milliseconds, status, consumer, cached."""
        rows = self.call.service.rows
        numbers = [rows.number(model) for model in self.models]
        more, arguments = where_requests(self.only)
        return rows.db.execute(
            f"""SELECT moment, rows, execution, response, status, consumer, cached FROM requests
                WHERE deployment = ? AND moment >= ? AND moment < ? AND model IN ({",".join("?" * len(numbers))})
                {more} ORDER BY moment""",  # noqa: S608 - columns and marks of our own only
            (rows.number(self.deployment["id"]), self.period.start, self.period.end, *numbers, *arguments),
        ).fetchall()


EVER = Period(float("-inf"), float("inf"))


def scope_of(call: Call) -> Scope:
    """What the call asks for. Batches without a period are taken whole, and the period is theirs."""
    deployment = watched(call)
    only = only_of(call, deployment)
    period = period_of(call)
    if only.batches and not (call.arguments.get("start") or call.arguments.get("end")):
        period = _whole_hours(batches_of(call, deployment, only.batches)) or period
    return Scope(call, deployment, models_of(call, deployment), period, only)


def over_batches(call: Call) -> tuple[Scope, list[Batch]]:
    """What a call over batches asks for, and the batches in question: those named, else all; unknown ones omitted."""
    deployment = watched(call)
    only = only_of(call, deployment)
    found = batches_of(call, deployment, only.batches or None)
    return Scope(call, deployment, models_of(call, deployment), EVER, only), found


def batches_of(call: Call, deployment: Record, wanted: Iterable[str] | None) -> list[Batch]:
    """Monitoring batches of the deployment, in the order of their making; those that only rows name come last.

    Batches that were deleted are none.
    """
    rows = call.service.rows
    spans = {
        batch: (first, last)
        for batch, first, last in rows.db.execute(
            "SELECT batch, MIN(moment), MAX(moment) FROM predictions WHERE deployment = ? AND batch IS NOT NULL"
            " GROUP BY batch ORDER BY MIN(moment)",
            (rows.number(deployment["id"]),),
        )
    }
    stored = [one for one in call.service.store.rows("monitoringBatches") if one["deploymentId"] == deployment["id"]]
    names = {one["id"]: str(one["name"]) for one in stored if not one["deleted"]}
    gone = {one["id"] for one in stored if one["deleted"]}
    ids = [one for one in dict.fromkeys([*names, *spans]) if one not in gone]
    chosen = ids if wanted is None else [one for one in wanted if one in ids]
    return [Batch(one, names.get(one, one), *spans.get(one, (None, None))) for one in chosen]


def _whole_hours(batches: list[Batch]) -> Period | None:
    moments = [moment for batch in batches for moment in (batch.first, batch.last) if moment is not None]
    if not moments:
        return None
    return Period(min(moments) // HOUR * HOUR, (max(moments) // HOUR + 1) * HOUR)
