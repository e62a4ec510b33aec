"""Prompts, answers and their custom metrics row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.emulator.answers import Answer, invalid
from airflow_provider.emulator.behaviour.matching import Row, models_of, predicted_label, target_of, watched
from airflow_provider.emulator.behaviour.metric_values import table
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.clock import iso
from airflow_provider.emulator.store import Record

PROMPT = "promptText"  # the column of a prompt, where the model's package names no other
PATTERNS = {"predictionPattern": "predictedValue", "promptPattern": "prompt", "actualPattern": "actualValue"}


@serves("getDeploymentDataQualityView", how="computed")
def get_data_quality_view(call: Call) -> Answer:
    """Every prediction with an association id made from start until end (seed 002:2905)."""
    deployment = watched(call)
    rows = [_view(call, deployment, one) for one in _stored(call, deployment)]
    for name, field in PATTERNS.items():
        pattern = str(call.arguments.get(name) or "").lower()
        rows = [row for row in rows if pattern in str(row[field] or "").lower()]
    wanted = call.arguments.get("filterMetric")
    if wanted:
        rows = [row for row in rows if _fits(row, wanted, call.arguments.get("filterValue"))]
    order = call.arguments.get("orderBy")
    if order:
        rows.sort(key=lambda row: _key(call, order.removeprefix("-"), row), reverse=order.startswith("-"))
    return call.page(rows)


def _stored(call: Call, deployment: Record) -> Any:
    rows = call.service.rows
    models = [rows.number(model) for model in models_of(call, deployment)]
    return rows.db.execute(
        f"""SELECT p.association, p.moment, p.value, p.classes, p.features, a.value FROM predictions p
            LEFT JOIN actuals a ON a.deployment = p.deployment AND a.association = p.association
            WHERE p.deployment = ? AND p.association IS NOT NULL AND p.moment >= ? AND p.moment < ?
            AND p.model IN ({",".join("?" * len(models))}) ORDER BY p.moment, p.number""",  # noqa: S608 - marks only
        (rows.number(deployment["id"]), _moment(call, "start"), _moment(call, "end"), *models),
    )


def _view(call: Call, deployment: Record, stored: Sequence[Any]) -> Record:
    association, moment, value, classes, features, actual = stored
    target = target_of(call.service, deployment)
    row = Row("", moment, value, json.loads(classes) if classes else None, None)
    values = json.loads(features) if features else {}
    labels = target["type"] in ("Binary", "Multiclass")
    return {
        "associationId": association,
        "timestamp": iso(moment),
        "predictedValue": predicted_label(target, row) if labels else str(value),
        "actualValue": None if actual is None else str(actual),
        "prompt": None if values.get(PROMPT) is None else str(values[PROMPT]),
        "context": [],
        "metrics": _metrics(call, deployment, association),
    }


def _metrics(call: Call, deployment: Record, association: str) -> list[Record]:
    """Values of custom metrics that were submitted for this association id."""
    metrics = [one for one in call.service.store.rows("customMetrics") if one["deploymentId"] == deployment["id"]]
    return [
        {"id": metric["id"], "name": metric["name"], "value": value, "metadata": None}
        for metric in metrics
        for (value,) in table(call.service).execute(
            "SELECT value FROM metric_values WHERE metric = ? AND association = ? AND stored = 1 ORDER BY number",
            (metric["id"], association),
        )
    ]


def _named(row: Mapping[str, Any], wanted: str | None) -> list[Any]:
    return [one["value"] for one in row["metrics"] if wanted in (None, one["id"], one["name"])]


def _fits(row: Mapping[str, Any], wanted: str, value: str | None) -> bool:
    found = _named(row, wanted)
    return bool(found) if value is None else any(str(one) == value or f"{one:g}" == value for one in found)


def _key(call: Call, field: str, row: Mapping[str, Any]) -> Any:
    if field == "customMetrics":
        return max(_named(row, call.arguments.get("orderMetric")), default=float("-inf"))
    return row[field]


def _moment(call: Call, name: str) -> float:
    try:
        return seconds(call.arguments[name], naive_is_utc=naive_is_utc(call.service))
    except BadMoment as fault:
        raise invalid([f"{fault} @ $.{name}"]) from None
