"""Settings of a deployment, area by area: segments, fairness, humility, drift tracking and all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks import arguments
from airflow_provider.tasks.deployment_settings import Areas, DataRobotBaseSettingsOperator

FAIRNESS_METRICS = (  # those of getDeploymentFairnessScoresOverTime
    "proportionalParity",
    "equalParity",
    "favorableClassBalance",
    "unfavorableClassBalance",
    "trueUnfavorableRateParity",
    "trueFavorableRateParity",
    "favorablePredictiveValueParity",
    "unfavorablePredictiveValueParity",
)


class DataRobotUpdateDeploymentSettingsOperator(DataRobotBaseSettingsOperator):
    """Sets any areas of the settings of a deployment; writes only what differs.

    :param deployment_id: the deployment.
    :param settings: areas and their values as the API names them, ``{"targetDrift": {"enabled": True}, "humility":
        {"enabled": True}}``. Areas and values that are not named stay as they are.

    Returns ``deployment_id`` and ``changed`` (what was written, area by area). Fails with SettingsNotSeen (done by
    word, not in fact), JobFailed, WaitTimedOut and the errors of the service. Operations: getDeploymentSettings,
    updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed, the wanted values are compared
    first.
    """

    template_fields = (*DataRobotBaseSettingsOperator.template_fields, "settings")

    def __init__(self, *, settings: Mapping[str, Mapping[str, Any]] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings

    def wanted(self) -> Areas:
        """The given areas."""
        areas = arguments.mapping("settings", self.settings) or {}
        if not areas:
            raise InvalidCall('settings must name at least one area, as in {"targetDrift": {"enabled": True}}')
        wrong = [name for name, values in areas.items() if not isinstance(values, Mapping) or not values]
        if wrong:
            raise InvalidCall(f"settings[{wrong[0]!r}] must be a mapping with at least one value")
        return {name: dict(values) for name, values in areas.items()}


class DataRobotUpdateSegmentAnalysisOperator(DataRobotBaseSettingsOperator):
    """Turns segment analysis of a deployment on, for some attributes, or off; writes only what differs.

    :param deployment_id: the deployment.
    :param enabled: on or off.
    :param attributes: the features to analyse by, one word, a list, or words with commas (None: as they are).

    Returns ``deployment_id``, ``enabled``, ``attributes`` and ``changed`` (what was written). Fails with
    SettingsNotSeen, JobFailed, WaitTimedOut and the errors of the service. Operations: getDeploymentSettings,
    updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed, the wanted values are compared
    first.
    """

    template_fields = (*DataRobotBaseSettingsOperator.template_fields, "enabled", "attributes")
    area = "segmentAnalysis"

    def __init__(
        self, *, enabled: bool | str = True, attributes: str | Sequence[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.enabled = enabled
        self.attributes = attributes

    def wanted(self) -> Areas:
        """On or off, and the attributes."""
        values: dict[str, Any] = {"enabled": arguments.flag("enabled", self.enabled)}
        if not arguments.unset(self.attributes):
            values["attributes"] = arguments.several("attributes", self.attributes)
        return {self.area: values}

    def account(self, now: Mapping[str, Any], changed: Areas) -> dict[str, Any]:
        """Segment analysis as it is now."""
        found = now.get(self.area) or {}
        return {
            "enabled": found.get("enabled"),
            "attributes": list(found.get("attributes") or ()),
            "changed": changed.get(self.area, {}),
        }


class DataRobotUpdateFairnessSettingsOperator(DataRobotBaseSettingsOperator):
    """Sets what fairness of a deployment is measured by; writes only what differs.

    :param deployment_id: the deployment.
    :param protected_features: one word, a list, or words with commas.
    :param fairness_metrics_set: proportionalParity, equalParity, favorableClassBalance, unfavorableClassBalance,
        trueUnfavorableRateParity, trueFavorableRateParity, favorablePredictiveValueParity or
        unfavorablePredictiveValueParity.
    :param fairness_threshold: the least score that is fair, from 0 on.
    :param preferable_target_value: whether the positive class is the favourable one.

    What is None stays as it is. Returns ``deployment_id`` and ``changed`` (what was written). Fails with
    SettingsNotSeen, JobFailed, WaitTimedOut and the errors of the service. Operations: getDeploymentSettings,
    updateDeploymentSettings, getStatus. Memory before Airflow 3.3: none is needed, the wanted values are compared
    first.
    """

    template_fields = (
        *DataRobotBaseSettingsOperator.template_fields,
        "protected_features",
        "fairness_metrics_set",
        "fairness_threshold",
        "preferable_target_value",
    )
    area = "biasAndFairness"

    def __init__(
        self,
        *,
        protected_features: str | Sequence[str] | None = None,
        fairness_metrics_set: str | None = None,
        fairness_threshold: float | str | None = None,
        preferable_target_value: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.protected_features = protected_features
        self.fairness_metrics_set = fairness_metrics_set
        self.fairness_threshold = fairness_threshold
        self.preferable_target_value = preferable_target_value

    def wanted(self) -> Areas:
        """What was given."""
        values: dict[str, Any] = {}
        if not arguments.unset(self.protected_features):
            values["protectedFeatures"] = arguments.several("protected_features", self.protected_features)
        if not arguments.absent(self.fairness_metrics_set):
            chosen = arguments.one_of("fairness_metrics_set", self.fairness_metrics_set, FAIRNESS_METRICS)
            values["fairnessMetricsSet"] = chosen
        if not arguments.absent(self.fairness_threshold):
            values["fairnessThreshold"] = arguments.number("fairness_threshold", self.fairness_threshold)
            if values["fairnessThreshold"] < 0:
                raise InvalidCall(f"fairness_threshold must be a number from 0 on, not {self.fairness_threshold!r}")
        if not arguments.absent(self.preferable_target_value):
            values["preferableTargetValue"] = arguments.flag("preferable_target_value", self.preferable_target_value)
        if not values and not self.extra_body:
            raise InvalidCall("give at least one of the fairness settings")
        return {self.area: values}

    def account(self, now: Mapping[str, Any], changed: Areas) -> dict[str, Any]:
        """What was written."""
        return {"changed": changed.get(self.area, {})}
