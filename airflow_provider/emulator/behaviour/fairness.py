"""Fairness scores of stored rows, by the classes of the protected features that the settings name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider.emulator.answers import invalid, refuse
from airflow_provider.emulator.behaviour.matching import THRESHOLD, Row, positive_class
from airflow_provider.emulator.behaviour.scope import Scope
from airflow_provider.emulator.metrics.fairness import MEASURES, Case, relative, significant
from airflow_provider.emulator.store import Record

DEFAULT_METRIC = "proportionalParity"
DEFAULT_THRESHOLD = 0.8


class Fairness:
    """What one call is told; 422 where fairness is not set up, or the target is not binary."""

    def __init__(self, scope: Scope) -> None:
        given = scope.call.arguments
        settings = scope.deployment["settings"].get("biasAndFairness")
        self.settings: Record = settings if isinstance(settings, dict) else {}
        self.target = scope.target
        self.features = [str(name) for name in self.settings.get("protectedFeatures") or ()]
        self.metric = str(given.get("fairnessMetric") or self.settings.get("fairnessMetricsSet") or DEFAULT_METRIC)
        threshold = self.settings.get("fairnessThreshold")
        self.threshold = threshold if isinstance(threshold, (int, float)) else DEFAULT_THRESHOLD
        self.favorable = self.settings.get("preferableTargetValue") is not False
        self._counts = scope.call.service.switches["fairness_counts"] == "given"
        if not self.features or self.target["type"] != "Binary" or self.metric not in MEASURES:
            raise refuse(422, "Bias and fairness monitoring is not configured for this deployment.")
        self.feature = given.get("protectedFeature")
        if self.feature is not None and self.feature not in self.features:
            raise invalid([f"{self.feature!r} is no protected feature @ $.protectedFeature"])

    def scores(self, rows: Sequence[Row]) -> list[Record]:
        """One score a class of the feature that is asked for, else one for each protected feature: its worst class."""
        if self.feature is not None:
            return self.of_classes(self.feature, rows)
        found = {feature: self.of_classes(feature, rows) for feature in self.features}
        return [self._worst(feature, classes) for feature, classes in found.items() if classes]

    def of_classes(self, feature: str, rows: Iterable[Row]) -> list[Record]:
        """The score of each class of one feature; a class without rows that count has none (a client needs numbers)."""
        cases: dict[str, list[Case]] = {}
        for row in rows:
            value = (row.features or {}).get(feature)
            if value is not None and isinstance(row.value, (int, float)):
                cases.setdefault(str(value), []).append(self._case(row))
        absolute = {name: MEASURES[self.metric](found) for name, found in cases.items()}
        privileged, values = relative(absolute)
        largest = max(map(len, cases.values()), default=0)
        healthy = sum(value is not None and value >= self.threshold for value in values.values())
        return [
            {
                "label": name,
                "value": values[name],
                "absoluteValue": absolute[name],
                "sampleSize": len(found),
                "isStatisticallySignificant": significant(len(found), largest),
                "privilegedClass": privileged,
                "classesCount": len(cases),
                "healthyClassesCount": healthy,
                **self._counted(healthy, len(cases)),
            }
            for name, found in cases.items()
            if values[name] is not None
        ]

    def _counted(self, healthy: int, total: int) -> dict[str, Any]:
        """Three keys of the page that a real client does not take (wire.md K.1)."""
        if not self._counts:
            return {}
        return {"healthyCount": healthy, "totalCount": total, "message": ""}

    @staticmethod
    def _worst(feature: str, classes: list[Record]) -> Record:
        worst = min(classes, key=lambda one: float(one["value"]))
        return {**worst, "label": feature, "sampleSize": sum(one["sampleSize"] for one in classes)}

    def _case(self, row: Row) -> Case:
        positive = positive_class(self.target)
        share = row.value if self.favorable else 1 - row.value
        came = None if row.actual is None else (row.actual == positive) == self.favorable
        return Case((row.value >= THRESHOLD) == self.favorable, share, came)
