"""What the operators and sensors for data drift share: their arguments and their gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.gates import Gate
from airflow_provider.mlops.monitoring_gates import DRIFT_METRICS, feature_drift_gate, target_drift_gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import SampleTask

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DriftTask(SampleTask):
    """A gate on drift; the arguments stand with the operators."""

    gate_fields = (*SampleTask.gate_fields, "threshold", "metric")

    def __init__(self, *, threshold: float | str = 0.15, metric: str = "psi", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold
        self.metric = metric

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._threshold = arguments.number("threshold", self.threshold)
        if self._threshold < 0:
            raise InvalidCall(f"threshold must be 0 or more, not {self.threshold!r}")
        self.metric = arguments.one_of("metric", self.metric, DRIFT_METRICS)


class TargetDriftTask(DriftTask):
    """A gate on the drift of what is predicted."""

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._rule = self.rule("<=", self._threshold)

    def measured(self) -> dict[str, Any]:
        """By which measure."""
        return {"metric": self.metric}

    def gate(self, client: Client, window: Window) -> Gate:
        """The score over the window."""
        return target_drift_gate(self.deployment_id, self.metric, window, self._rule, self._filters)


class FeatureDriftTask(DriftTask):
    """A gate on how many features have drifted."""

    gate_fields = (*DriftTask.gate_fields, "most_drifted", "features", "excluded_features", "minimum_importance")

    def __init__(
        self,
        *,
        most_drifted: int | str = 0,
        features: str | Sequence[str] | None = None,
        excluded_features: str | Sequence[str] | None = None,
        minimum_importance: float | str = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.most_drifted = most_drifted
        self.features = features
        self.excluded_features = excluded_features
        self.minimum_importance = minimum_importance

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._rule = self.rule("<=", arguments.whole("most_drifted", self.most_drifted, 0))
        self._features = arguments.several("features", self.features)
        self._excluded = arguments.several("excluded_features", self.excluded_features)
        self._importance = arguments.number("minimum_importance", self.minimum_importance)
        if self._features and (self._excluded or self._importance):
            raise InvalidCall(
                "features names those to look at: excluded_features and minimum_importance say nothing then"
            )

    def measured(self) -> dict[str, Any]:
        """Which features, by which measure."""
        looked_at = [self._features, self._excluded, self._importance]
        return {"metric": self.metric, "drift_threshold": self._threshold, "features": looked_at}

    def gate(self, client: Client, window: Window) -> Gate:
        """The features over the window."""
        return feature_drift_gate(
            self.deployment_id,
            self.metric,
            window,
            self._rule,
            threshold=self._threshold,
            features=self._features,
            excluded=self._excluded,
            minimum_importance=self._importance,
            filters=self._filters,
        )
