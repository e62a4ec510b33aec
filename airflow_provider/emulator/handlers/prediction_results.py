"""Stored predictions one by one, with their actuals: as JSON or as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, overload

from airflow_provider.emulator.answers import Answer, invalid, page
from airflow_provider.emulator.behaviour.accounts import shown
from airflow_provider.emulator.behaviour.association import association_columns
from airflow_provider.emulator.behaviour.matching import Row, predicted_label, target_of, watched
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.behaviour.segments import batch_ids
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

COLUMNS = ("associationId", "modelId", "timestamp", "predicted", "actual", "forecastDistance")
CSV = "text/csv"


class Found(Sequence[Record]):
    """The rows that fit a call, read page by page."""

    def __init__(self, call: Call, deployment: Record) -> None:
        self._rows = call.service.rows
        self._target = target_of(call.service, deployment)
        self._labels = call.service.switches["predicted_value"] == "label"
        self._where, self._arguments = _condition(call, deployment)

    def __len__(self) -> int:
        found = self._rows.db.execute(f"SELECT COUNT(*) {self._where}", self._arguments).fetchone()
        return int(found[0])

    @overload
    def __getitem__(self, wanted: int) -> Record: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[Record]: ...
    def __getitem__(self, wanted: int | slice) -> Record | list[Record]:
        """The rows of a slice, in the order in which they were stored."""
        assert isinstance(wanted, slice)
        found = self._rows.db.execute(
            "SELECT p.association, p.model, p.moment, p.value, p.classes, p.distance, a.value"
            f" {self._where} ORDER BY p.number LIMIT ? OFFSET ?",
            (*self._arguments, wanted.stop - wanted.start, wanted.start),
        )
        return [self._view(*one) for one in found]

    def _view(self, association: str | None, model: int, moment: float, value: Any, classes: str | None,
              distance: int | None, actual: Any) -> Record:  # fmt: skip
        row = Row(self._rows.name(model), moment, value, json.loads(classes) if classes else None, None)
        view = {
            "associationId": association,
            "modelId": row.model,
            "timestamp": iso(moment),
            "predicted": self._predicted(row),
            "actual": shown(actual),
        }
        return view if distance is None else {**view, "forecastDistance": distance}

    def _predicted(self, row: Row) -> Any:
        if self._target["type"] not in ("Binary", "Multiclass"):
            return row.value
        if self._labels:
            return predicted_label(self._target, row)
        return max(row.classes.values()) if row.classes else row.value


def _condition(call: Call, deployment: Record) -> tuple[str, list[Any]]:
    rows = call.service.rows
    wanted: list[str] = ["p.deployment = ?"]
    arguments: list[Any] = [rows.number(deployment["id"])]
    for name, comparison in (("start", ">="), ("end", "<")):
        if call.arguments.get(name) is not None:
            wanted.append(f"p.moment {comparison} ?")
            arguments.append(_moment(call, name))
    if call.arguments.get("modelId"):
        wanted.append("p.model = ?")
        arguments.append(rows.number(call.arguments["modelId"]))
    batches = batch_ids(call)
    if batches:
        wanted.append(f"p.batch IN ({','.join('?' * len(batches))})")
        arguments += batches
    present = call.arguments.get("actualsPresent")
    if present is not None:
        wanted.append(f"a.association IS {'NOT NULL' if present else 'NULL'}")
    joined = "LEFT JOIN actuals a ON a.deployment = p.deployment AND a.association = p.association"
    return f"FROM predictions p {joined} WHERE {' AND '.join(wanted)}", arguments


def _moment(call: Call, name: str) -> Any:
    try:
        return seconds(call.arguments[name], naive_is_utc=naive_is_utc(call.service))
    except BadMoment as fault:
        raise invalid([f"{fault} @ $.{name}"]) from None


@serves("listDeploymentPredictionResults", how="computed")
def list_prediction_results(call: Call) -> Answer:
    """One page, with no totalCount (seed 002:5058); as CSV if ``Accept`` says so, with the same columns."""
    deployment = watched(call)
    found = Found(call, deployment)
    names = {one.name for one in call.operation.parameters if one.where == "query"}
    query = {name: value for name, value in call.arguments.items() if name in names}
    url = call.url(call.operation.path.format(**call.arguments))
    body = page(found, url, query, int(call.service.switches["page_size"]))
    if CSV in call.accept:
        return Answer(200, None, {}, CSV, _as_csv(body["data"]))
    del body["totalCount"]
    return Answer(200, {"associationIdColumnNames": association_columns(deployment), **body})


def _as_csv(rows: list[Record]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
