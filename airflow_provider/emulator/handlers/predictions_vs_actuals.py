"""How many predictions there are, how many have their actual, and how the two are distributed, bucket by bucket."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.matching import (
    Row,
    models_of,
    positive_class,
    predicted_label,
    predictions_in,
    split,
    target_of,
    watched,
)
from airflow_provider.emulator.behaviour.periods import period_of
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record


@serves("getDeploymentPredictionsVsActualsOverTime")
def get_predictions_vs_actuals(call: Call) -> Answer:
    """A bucket for each model and part of the period; the sums in ``summary`` (seed 002:5584)."""
    deployment = watched(call)
    period = period_of(call)
    models = models_of(call, deployment)
    target = target_of(call.service, deployment)
    rows = list(predictions_in(call.service, deployment, models, period))
    means = target["type"] == "Regression" or call.service.switches["class_means"] == "given"
    buckets = [
        {"modelId": model, "period": bucket.view(), **_summed_up(target, part, means=means)}
        for bucket, model, part in split(call, period, models, rows)
    ]
    baselines = [{"modelId": model, **_summed_up(target, [], means=means)} for model in models]
    summary = {"rowCountTotal": len(rows), "rowCountWithActual": sum(row.actual is not None for row in rows)}
    return Answer(200, {"baselines": baselines, "buckets": buckets, "summary": summary})


def _summed_up(target: Record, rows: list[Row], *, means: bool) -> dict[str, Any]:
    known = [row for row in rows if row.actual is not None]
    classes = target["type"] in ("Binary", "Multiclass")
    return {
        "rowCountTotal": len(rows),
        "rowCountWithActual": len(known),
        "meanPredictedValue": _mean(row.value for row in rows) if means else None,
        "meanActualValue": _mean(_as_number(target, row.actual) for row in known) if means else None,
        "predictedClassDistribution": _distribution(target, [predicted_label(target, row) for row in rows])
        if classes
        else [],
        "actualClassDistribution": _distribution(target, [row.actual for row in known]) if classes else [],
    }


def _as_number(target: Record, actual: Any) -> Any:
    return float(actual == positive_class(target)) if target["type"] == "Binary" else actual


def _mean(values: Iterable[Any]) -> float | None:
    """The mean of the numbers among the values."""
    numbers = [value for value in values if isinstance(value, (int, float))]
    return math.fsum(numbers) / len(numbers) if numbers else None


def _distribution(target: Record, labels: list[Any]) -> list[dict[str, Any]]:
    counts = Counter(labels)
    return [
        {"className": name, "count": counts[name], "percent": counts[name] / len(labels) * 100 if labels else 0.0}
        for name in target["classNames"]
    ]
