"""Predictions in figures: counts, means, classes; and the same beside their actuals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider.emulator.behaviour.baselines import baseline_of, expected
from airflow_provider.emulator.behaviour.matching import Row, positive_class, predicted_label
from airflow_provider.emulator.behaviour.scope import Scope
from airflow_provider.emulator.behaviour.service_figures import quantile
from airflow_provider.emulator.store import Record

PERCENTS = (10, 25, 50, 75, 90)  # the page names none
CLASSES = ("Binary", "Multiclass")


class Figures:
    """What one call is told of rows."""

    def __init__(self, scope: Scope) -> None:
        self.target = scope.target
        self.means = self.target["type"] == "Regression" or scope.call.service.switches["class_means"] == "given"
        self.names = self._asked(scope.call.arguments.get("targetClass"))
        self._percentiles = str(scope.call.arguments.get("includePercentiles")).lower() == "true"
        self._bounds = _boundaries(scope.deployment)

    def _asked(self, wanted: Any) -> list[str]:
        """The classes of a call: those it names, else all; none of a target without classes."""
        if self.target["type"] not in CLASSES:
            return []
        names = [wanted] if isinstance(wanted, str) else list(wanted or ())
        return [name for name in self.target["classNames"] if not names or name in names]

    def predicted(self, rows: Sequence[Row]) -> dict[str, Any]:
        """What was predicted (seed 002:5394)."""
        numbers = [row.value for row in rows if isinstance(row.value, (int, float))]
        labels = [predicted_label(self.target, row) for row in rows] if self.names else []
        return {
            "rowCount": len(rows),
            "meanPredictedValue": mean(numbers) if self.means else None,
            "meanProbabilities": [
                {"className": name, "value": mean(self._shares(name, rows))} for name in self.names if rows
            ],
            "classDistribution": distribution(self.names, labels),
            "percentiles": [
                {"percent": percent, "value": quantile(numbers, percent / 100)} for percent in PERCENTS if numbers
            ]
            if self._percentiles
            else [],
            "predictionsWarningCount": sum(not self._bounds[0] <= value <= self._bounds[1] for value in numbers),
        }

    def versus(self, rows: Sequence[Row]) -> dict[str, Any]:
        """What was predicted beside how it came out (seed 002:5584)."""
        known = [row for row in rows if row.actual is not None]
        labels = [predicted_label(self.target, row) for row in rows] if self.names else []
        return {
            "rowCountTotal": len(rows),
            "rowCountWithActual": len(known),
            "meanPredictedValue": mean(row.value for row in rows) if self.means else None,
            "meanActualValue": mean(_as_number(self.target, row.actual) for row in known) if self.means else None,
            "predictedClassDistribution": distribution(self.names, labels),
            "actualClassDistribution": distribution(self.names, [row.actual for row in known]),
        }

    def baselines(self, scope: Scope) -> list[Record]:
        """What the models predicted in training, of those whose training is known."""
        return [
            {"modelId": model, **self._trained(baseline)}
            for model in scope.models
            if (baseline := baseline_of(scope.call.service, model))["target"] is not None
        ]

    def _trained(self, baseline: Mapping[str, Any]) -> dict[str, Any]:
        counts = expected(baseline["target"])
        labels = list(Counter(counts).elements()) if self.names else []
        shares = {name: count / sum(counts.values()) for name, count in counts.items()}
        return {
            **self.predicted([]),
            "rowCount": baseline["sampleSize"],
            "meanProbabilities": [{"className": name, "value": shares.get(name, 0.0)} for name in self.names],
            "classDistribution": distribution(self.names, labels),
        }

    def _shares(self, name: str, rows: Iterable[Row]) -> Iterable[float]:
        """The probability of a class in each row that tells it."""
        for row in rows:
            if row.classes is not None:
                yield row.classes.get(name, 0.0)
            elif self.target["type"] == "Binary" and isinstance(row.value, (int, float)):
                yield row.value if name == positive_class(self.target) else 1 - row.value


def _boundaries(deployment: Record) -> tuple[float, float]:
    """Between which numbers a prediction is no warning: those of the settings, while warnings are on."""
    settings = deployment["settings"].get("predictionWarning")
    bounds = settings.get("customBoundaries") if isinstance(settings, dict) and settings.get("enabled") else None
    known = bounds if isinstance(bounds, dict) else {}
    lower, upper = known.get("lower"), known.get("upper")
    return (
        lower if isinstance(lower, (int, float)) else -math.inf,
        upper if isinstance(upper, (int, float)) else math.inf,
    )


def mean(values: Iterable[Any]) -> float | None:
    """The mean of the numbers among the values."""
    numbers = [value for value in values if isinstance(value, (int, float))]
    return math.fsum(numbers) / len(numbers) if numbers else None


def distribution(names: Iterable[str], labels: Sequence[Any]) -> list[dict[str, Any]]:
    """Count and percent of each of these classes among the labels."""
    counts = Counter(labels)
    return [
        {"className": name, "count": counts[name], "percent": counts[name] / len(labels) * 100 if labels else 0.0}
        for name in names
    ]


def _as_number(target: Record, actual: Any) -> Any:
    return float(actual == positive_class(target)) if target["type"] == "Binary" else actual
