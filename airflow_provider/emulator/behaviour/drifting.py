"""Drift of features and of the target: stored rows against the baseline of the model's training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider.emulator.behaviour.baselines import baseline_of, expected, observed, size
from airflow_provider.emulator.behaviour.matching import Row, predicted_label
from airflow_provider.emulator.behaviour.scope import Scope
from airflow_provider.emulator.metrics.drift import score
from airflow_provider.emulator.store import Record

PSI = "psi"  # the documented default of the measure (seed 002:3116)


class Drift:
    """The drift of one deployment's model, by one measure."""

    def __init__(self, scope: Scope, measure: str | None) -> None:
        self.scope = scope
        self.measure = measure or PSI
        self.baseline = baseline_of(scope.call.service, scope.models[0])
        self.floor = scope.call.service.switches["drift_empty_bin"] == "floor"

    def features(self) -> dict[str, Mapping[str, Any]]:
        """The features that the training data tells of, the most important first."""
        known: dict[str, Mapping[str, Any]] = self.baseline["features"]
        return dict(sorted(known.items(), key=lambda one: -(one[1].get("importance") or 0)))

    def of_feature(self, name: str, rows: Iterable[Row]) -> dict[str, Any]:
        """Score and sample of one feature, over the rows whose values are stored."""
        feature = self.baseline["features"][name]
        values = [row.features.get(name) for row in rows if row.features is not None]
        return self._scored(feature, values)

    def of_target(self, rows: Iterable[Row]) -> dict[str, Any]:
        """Score and sample of what was predicted: of numbers, or of labels."""
        target = self.scope.target
        values = [row.value if target["type"] == "Regression" else predicted_label(target, row) for row in rows]
        feature = self.baseline["target"]
        if feature is None:
            return {"driftScore": None, "sampleSize": len(values), "baselineSampleSize": None}
        return self._scored(feature, values)

    def _scored(self, feature: Mapping[str, Any], values: list[Any]) -> dict[str, Any]:
        now = observed(feature, values)
        return {
            "driftScore": score(self.measure, expected(feature), now, floor=self.floor),
            "sampleSize": sum(now.values()),
            "baselineSampleSize": size(feature),
        }


def line(name: str, feature: Mapping[str, Any], found: Record) -> Record:
    """One feature as the lists show it (seed 002:3152)."""
    return {"name": name, "type": feature["type"], "featureImpact": feature.get("importance"), **found}
